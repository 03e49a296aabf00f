// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty pages that hardware logs (the option hwdirty of tests.list). A guest writes to
 * pages that are mapped already. Exactly these must be in the log, without a fault for
 * each: also what was written before the host took the memory away, and nothing that was
 * written before logging began.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define PAGES 4096UL
#define PAGE vm_page()
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)

static struct vm vm;
static struct vcpu vcpu;
static char *data;

/* How often the vCPU has left the guest. */
static long exits(void)
{
	FILE *f = vm_debugfs(&vm, "exits");
	long n;

	if (fscanf(f, "%ld", &n) != 1)
		die("exits");
	fclose(f);
	return n;
}

/* Writes to one page in @each; returns how often the vCPU left the guest. */
static long touch(unsigned long each)
{
	long before = exits();

	vcpu_reg(&vcpu, 0, DATA_IPA);
	vcpu_reg(&vcpu, 1, DATA_IPA + PAGES * PAGE);
	vcpu_reg(&vcpu, 2, each * PAGE);
	vcpu_reg(&vcpu, 3, END_IPA);
	if (vcpu_run(&vcpu) != END_IPA)
		die("the guest does not write");
	return exits() - before;
}

/* The log must have one page in @each of [from, PAGES), and nothing else; 0: nothing. */
static void expect(const char *what, unsigned long each)
{
	static uint64_t bits[PAGES / 64];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	memset(bits, 0, sizeof(bits));
	if (ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
	for (unsigned long i = 0; i < PAGES; i++) {
		bool is = bits[i / 64] >> i % 64 & 1, should = each && i % each == 0;

		if (is == should)
			continue;
		fprintf(stderr, "%s: page %lu is %sin the log\n", what, i,
			is ? "" : "not ");
		exit(1);
	}
}

int main(void)
{
	bool hardware;
	long n;

	data = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		die("memory");
	madvise(data, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(data, 1, PAGES * PAGE);
	vm_open(&vm, vm_writer, (size_t)(vm_writer_end - vm_writer), 0);
	vm_slot(&vm, 1, DATA_IPA, data, PAGES * PAGE, 0);
	vcpu_open(&vm, &vcpu, 0, 0);
	hardware = by_hardware();
	printf("%s\n", hardware ? "by hardware" : "by faults");
	touch(1);
	vm_slot(&vm, 1, DATA_IPA, data, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	expect("logging has begun", 0);
	for (unsigned long each = 1; each < 8; each += 2) {
		n = touch(each);
		printf("%lu pages written, %ld exits\n", (PAGES + each - 1) / each, n);
		/* The report, and interrupts. */
		if (hardware && (n < 1 || n > 256)) {
			fprintf(stderr, "a fault for each page\n");
			return 1;
		}
		expect("pages written", each);
		expect("read before", 0);
	}
	touch(5);
	if (madvise(data, PAGES * PAGE / 2, MADV_DONTNEED))
		die("DONTNEED");
	expect("memory taken away", 5);
	touch(3);
	expect("new memory", 3);
	touch(3);
	vm_slot(&vm, 1, DATA_IPA, data, PAGES * PAGE, 0);
	vm_slot(&vm, 1, DATA_IPA, data, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	expect("logging has begun again", 0);
	touch(7);
	expect("pages written again", 7);
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
	return 0;
}
