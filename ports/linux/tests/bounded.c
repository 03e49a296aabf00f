// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freed tables wait for a grace period, but not more than 64 MiB of one VM. Memory with
 * more tables than that is given back: no more than the bound are left when madvise()
 * returns. (Where the kernel can be preempted the worker may have freed them by then.) A
 * VM with more is closed: its tables are gone when close() returns.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* Of tables; with pages of 4 KiB they are for 48 GiB. */
#define TABLES_SIZE (96UL << 20)
#define BOUND (64UL << 20)
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0x40000000)

/* Reads a word in every x2 bytes from x0 on, x1 times, and reports at x3. */
extern const char guest_start[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_end\n"
	"guest_start:\n"
	"1:	ldr	x5, [x0]\n"
	"	add	x0, x0, x2\n"
	"	subs	x1, x1, #1\n"
	"	b.ne	1b\n"
	"	str	x1, [x3]\n"
	"	b	.\n"
	"guest_end:\n"
	".popsection\n");

static void read_all(struct vcpu *vcpu, unsigned long n, unsigned long each)
{
	vcpu_reg(vcpu, 0, DATA_IPA);
	vcpu_reg(vcpu, 1, n);
	vcpu_reg(vcpu, 2, each);
	vcpu_reg(vcpu, 3, END_IPA);
	vcpu_reg(vcpu, VM_REG_PC, VM_CODE_IPA);
	if (vcpu_run(vcpu) != END_IPA)
		die("the guest does not read");
}

int main(void)
{
	const unsigned long each = vm_block(), n = TABLES_SIZE / vm_page();
	/* What the CPUs have counted and not yet told: vm.h. */
	const unsigned long slack = 256 * vm_page();
	struct vcpu vcpu;
	struct vm vm;
	long before, given, again, after;
	char *data;

	/* The page of zeroes, all over. */
	data = mmap(NULL, n * each, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		die("memory");
	madvise(data, n * each, MADV_NOHUGEPAGE);
	vm_open(&vm, guest_start, (size_t)(guest_end - guest_start), 0);
	vm_slot(&vm, 1, DATA_IPA, data, n * each, 0);
	vcpu_open(&vm, &vcpu, 0, 0);
	read_all(&vcpu, n, each);
	before = table_kb();
	if (madvise(data, n * each, MADV_DONTNEED))
		die("DONTNEED");
	given = table_kb();
	read_all(&vcpu, n, each);
	again = table_kb();
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
	after = table_kb();
	printf("%ld kB of tables, %ld kB when the memory is given back, %ld kB again, %ld kB "
	       "when the VM is closed\n",
	       before, given, again, after);
	return before < (long)(TABLES_SIZE - slack) / 1024 ||
	       given > (long)(BOUND + slack) / 1024 ||
	       again < (long)(TABLES_SIZE - slack) / 1024 || after > (long)slack / 1024;
}
