// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM that does a little of everything to its stage-2 tables, for a recording: faults,
 * dirty logging, an unmap by madvise(), a slot that goes, the teardown.
 *
 *	touch	two VMs, one after the other
 *	touch N	one VM, which is touched again and again for N seconds
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define PAGE 4096UL
#define AREA (4UL << 20)
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)

static char *data;

static void begin(struct vm *vm, struct vcpu *vcpu)
{
	vm_open(vm, vm_writer, (size_t)(vm_writer_end - vm_writer), 0);
	vm_slot(vm, 1, DATA_IPA, data, AREA, 0);
	vcpu_open(vm, vcpu, 0, 0);
	vcpu_reg(vcpu, 0, DATA_IPA);
	vcpu_reg(vcpu, 1, DATA_IPA + AREA);
	vcpu_reg(vcpu, 2, PAGE);
	vcpu_reg(vcpu, 3, END_IPA);
	vcpu_reg(vcpu, 4, 1);
}

static void one(void)
{
	static uint64_t bits[AREA / PAGE / 64];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	struct vcpu vcpu;
	struct vm vm;

	begin(&vm, &vcpu);
	vcpu_run(&vcpu);
	vm_slot(&vm, 1, DATA_IPA, data, AREA, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_run(&vcpu);
	if (ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
	vcpu_run(&vcpu);
	vm_slot(&vm, 1, DATA_IPA, data, AREA, 0);
	if (madvise(data + AREA / 2, AREA / 4, MADV_DONTNEED))
		die("madvise");
	vcpu_run(&vcpu);
	vm_slot(&vm, 1, DATA_IPA, data, 0, 0);
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
	struct vcpu vcpu;
	struct vm vm;

	data = mmap((void *)(uintptr_t)0x10000000, AREA, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (data == MAP_FAILED)
		die("memory");
	if (argc == 1) {
		one();
		one();
		return 0;
	}
	begin(&vm, &vcpu);
	do {
		vcpu_run(&vcpu);
		madvise(data, AREA / 8, MADV_DONTNEED);
		usleep(100000);
	} while (time(NULL) < end);
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
	return 0;
}
