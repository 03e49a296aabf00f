// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot of guest_memfd beside a slot that is logged. A hole in the file takes pages out
 * of the VM, for which KVM holds neither slots_lock nor SRCU. What the guest writes after
 * that must be in the file, and the log of the other slot stays exact.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* 6.12 has no memory of guest_memfd on arm64. */
#ifdef GUEST_MEMFD_FLAG_MMAP
#define PAGES 64UL
#define SIZE (PAGES * vm_page())
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)

static struct vm vm;
static struct vcpu vcpu;

static uint64_t log_of_data(void)
{
	uint64_t bits[PAGES / 64] = { 0 };
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	if (ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
	return bits[0];
}

/* The guest writes a number to each page; the file and the memory must have it. */
static void write_all(const char *data, const char *file)
{
	static uint64_t number;

	number++;
	if (vcpu_run(&vcpu) != END_IPA)
		die("the guest does not write");
	for (unsigned long i = 0; i < PAGES; i++)
		if (*(const uint64_t *)(data + i * vm_page()) != number ||
		    *(const uint64_t *)(file + i * vm_page()) != number)
			die("not what the guest has written");
	if (log_of_data() != UINT64_MAX || log_of_data())
		die("the log is wrong");
}

int main(void)
{
	struct kvm_create_guest_memfd create = {
		.size = SIZE,
		.flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED,
	};
	struct kvm_userspace_memory_region2 region = {
		.slot = 2,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = DATA_IPA + SIZE,
		.memory_size = SIZE,
	};
	char *data = vm_memory(SIZE, MADV_NOHUGEPAGE, 0), *file;
	int fd;

	vm_open(&vm, vm_writer, (size_t)(vm_writer_end - vm_writer), 0);
	vm_slot(&vm, 1, DATA_IPA, data, SIZE, KVM_MEM_LOG_DIRTY_PAGES);
	fd = ioctl(vm.fd, KVM_CREATE_GUEST_MEMFD, &create);
	if (fd < 0)
		die("guest_memfd");
	file = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		die("mmap of guest_memfd");
	region.userspace_addr = (uintptr_t)file;
	region.guest_memfd = (uint32_t)fd;
	if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, &region))
		die("slot of guest_memfd");
	vcpu_open(&vm, &vcpu, 0, 0);
	vcpu_reg(&vcpu, 0, DATA_IPA);
	vcpu_reg(&vcpu, 1, DATA_IPA + 2 * SIZE);
	vcpu_reg(&vcpu, 2, vm_page());
	vcpu_reg(&vcpu, 3, END_IPA);
	vcpu_reg(&vcpu, 4, 1);
	write_all(data, file);
	for (unsigned long n = 1; n <= PAGES; n *= 2) {
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			      (off_t)(n * vm_page())))
			die("hole");
		write_all(data, file);
	}
	printf("%s\n", by_hardware() ? "by hardware" : "by faults");
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
	munmap(file, SIZE);
	close(fd);
	return 0;
}
#else
int main(void)
{
	return 4;
}
#endif
