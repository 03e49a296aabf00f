// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cases that make kvm-bench measures. A vCPU touches guest memory, which maps it.
 * Then the memory is taken away, or its dirty pages are logged. QEMU counts (count.c);
 * two instructions without effect tell it where to begin and to end. Each line on the
 * console, "##PHASE kind bytes mapped-entries way", belongs to one line of counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define DATA_IPA UINT64_C(0x80000000)
#define MIB (UINT64_C(1) << 20)
#define HUGE (2 * MIB)

/* Touches every x2 bytes from x0 to x1, then stores at x3, where there is no slot. */
extern const char guest_start[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_end\n"
	"guest_start:\n"
	"1:	str	x0, [x0]\n"
	"	add	x0, x0, x2\n"
	"	cmp	x0, x1\n"
	"	b.lo	1b\n"
	"	str	x0, [x3]\n"
	"	b	1b\n"
	"guest_end:\n"
	".popsection\n");

/*
 * DONTNEED, SLOT, CLOSE: how the memory is taken away. LOG: logging begins, which
 * write-protects. SPLIT: the same, and blocks become pages at once. COLLAPSE: logging has
 * ended, and the faults of the vCPU make blocks of pages again. FAULT: the first access.
 * WRITE: the first write to each page while dirty pages are logged. AGE: the host asks
 * which pages have been used, and forgets it. YOUNG: the first access after that.
 */
enum way { DONTNEED, SLOT, CLOSE, LOG, SPLIT, COLLAPSE, FAULT, WRITE, AGE, YOUNG };
static const char *const way_name[] = { "dontneed", "slot",  "close", "log", "split",
					"collapse", "fault", "write", "age", "young" };

static void *reserve(uint64_t size, bool block, char **data)
{
	char *map = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		die("memory");
	*data = (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	if (madvise(*data, size, block ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("madvise");
	return map;
}

static void touch(struct vcpu *vcpu, uint64_t size, uint64_t stride)
{
	vcpu_reg(vcpu, 0, DATA_IPA);
	vcpu_reg(vcpu, 1, DATA_IPA + size);
	vcpu_reg(vcpu, 2, stride);
	vcpu_reg(vcpu, 3, DATA_IPA + size);
	if (vcpu_run(vcpu) != DATA_IPA + size)
		die("the vCPU was interrupted");
}

/* Every page, or the first of every huge page, has not been used from now on. */
static void make_idle(char *data, uint64_t size, uint64_t stride)
{
	int pages = open("/proc/self/pagemap", O_RDONLY);
	int idle = open("/sys/kernel/mm/page_idle/bitmap", O_WRONLY);

	for (uint64_t i = 0; i < size; i += stride) {
		uint64_t at = ((uintptr_t)data + i) / 4096, entry, bit;

		if (pread(pages, &entry, 8, (off_t)(at * 8)) != 8)
			die("pagemap");
		entry &= (UINT64_C(1) << 55) - 1;
		bit = UINT64_C(1) << entry % 64;
		if (pwrite(idle, &bit, 8, (off_t)(entry / 64 * 8)) != 8)
			die("page_idle");
	}
	close(pages);
	close(idle);
}

/* One case. block: backed by huge pages. stride: one page in so many bytes is touched. */
static void measure(const char *kind, bool block, uint64_t size, uint64_t stride,
		    enum way way)
{
	struct vcpu vcpu;
	struct vm vm;
	char *map, *data;

	map = reserve(size, block, &data);
	for (uint64_t i = 0; i < size; i += stride)
		data[i] = 1;
	vm_open(&vm, guest_start, (size_t)(guest_end - guest_start),
		way == SPLIT || way == COLLAPSE ? HUGE : 0);
	vm_slot(&vm, 1, DATA_IPA, data, size, 0);
	vcpu_open(&vm, &vcpu, 0, 0);
	if (way != FAULT)
		touch(&vcpu, size, stride);
	if (way == COLLAPSE || way == WRITE)
		vm_slot(&vm, 1, DATA_IPA, data, size, KVM_MEM_LOG_DIRTY_PAGES);
	if (way == COLLAPSE)
		vm_slot(&vm, 1, DATA_IPA, data, size, 0);
	if (way == YOUNG)
		make_idle(data, size, stride);

	/* The freed tables of the previous case are not to be counted here. */
	usleep(300000);
	__asm__ volatile("hint #120" ::: "memory");
	if (way == DONTNEED && madvise(data, size, MADV_DONTNEED))
		die("DONTNEED");
	if (way == SLOT)
		vm_slot(&vm, 1, DATA_IPA, data, 0, 0);
	if (way == CLOSE)
		vcpu_close(&vm, &vcpu), vm_close(&vm);
	if (way == LOG || way == SPLIT)
		vm_slot(&vm, 1, DATA_IPA, data, size, KVM_MEM_LOG_DIRTY_PAGES);
	if (way == COLLAPSE || way == FAULT || way == WRITE || way == YOUNG)
		touch(&vcpu, size, stride);
	if (way == AGE)
		make_idle(data, size, stride);
	usleep(500000);
	__asm__ volatile("hint #121" ::: "memory");
	printf("##PHASE %s %llu %llu %s\n", kind, (unsigned long long)size,
	       (unsigned long long)(size / stride), way_name[way]);
	fflush(stdout);
	if (way != CLOSE) {
		vcpu_close(&vm, &vcpu);
		vm_close(&vm);
	}
	munmap(map, size + HUGE);
}

int main(int argc, char **argv)
{
	uint64_t large = argc > 1 ? strtoull(argv[1], NULL, 0) * MIB : 1024 * MIB;

	measure("4k", false, 64 * MIB, 4096, DONTNEED);
	measure("4k", false, large, 4096, DONTNEED);
	measure("4k", false, large / 4, 4096, SLOT);
	measure("4k", false, large / 4, 4096, CLOSE);
	measure("2m", true, large, HUGE, DONTNEED);
	measure("2m", true, 2 * large, HUGE, SLOT);
	measure("2m", true, large, HUGE, CLOSE);
	measure("sparse", false, large, 16 * 4096, DONTNEED);
	measure("sparse", false, 2 * large, HUGE, DONTNEED);
	measure("sparse", false, 2 * large, HUGE, CLOSE);
	measure("4k", false, large / 4, 4096, LOG);
	measure("2m", true, large / 4, HUGE, SPLIT);
	measure("2m", true, large / 4, HUGE, COLLAPSE);
	measure("4k", false, 64 * MIB, 4096, FAULT);
	measure("2m", true, large / 4, HUGE, FAULT);
	measure("4k", false, 64 * MIB, 4096, WRITE);
	measure("2m", true, large / 4, HUGE, WRITE);
	measure("4k", false, 64 * MIB, 4096, AGE);
	measure("4k", false, 64 * MIB, 4096, YOUNG);
	return 0;
}
