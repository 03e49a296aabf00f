// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest executes code in blocks that it has only read, while dirty pages are logged.
 * Each first execution makes a page in place of a block, which takes a table. KVM of 6.12
 * fills the vCPU's cache of tables only for faults that write then. With more blocks than
 * the cache has pages, the VM must go on all the same, and each table must be counted as
 * one (SecPageTables).
 *
 * It says something on a CPU without CTR_EL0.DIC (cortex-a57). With it, pages are
 * executable from the first. (The stock kernel goes on too, with a warning in its log.)
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define BLOCKS 64UL
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)
#define RET 0xd65f03c0u

/* From x0 on, x1 blocks of x2 bytes: read them; report; call each; report. */
extern const char guest_start[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_end\n"
	"guest_start:\n"
	"	mov	x5, x0\n"
	"	mov	x6, x1\n"
	"1:	ldr	w7, [x5]\n"
	"	add	x5, x5, x2\n"
	"	subs	x6, x6, #1\n"
	"	b.ne	1b\n"
	"	str	x6, [x3]\n"
	"2:	blr	x0\n"
	"	add	x0, x0, x2\n"
	"	subs	x1, x1, #1\n"
	"	b.ne	2b\n"
	"	str	x1, [x3]\n"
	"	b	.\n"
	"guest_end:\n"
	".popsection\n");

/* A new line of instructions is visible to fetch without any maintenance. */
static bool has_dic(void)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	return ctr >> 29 & 1;
}

int main(void)
{
	const unsigned long huge = vm_block();
	struct vcpu vcpu;
	char *data;
	struct vm vm;
	long kb;

	vm_open(&vm, guest_start, (size_t)(guest_end - guest_start), 0);
	data = vm_memory(BLOCKS * huge, MADV_HUGEPAGE, 0);
	for (unsigned long i = 0; i < BLOCKS; i++) {
		uint32_t *code = (uint32_t *)(data + i * huge);

		*code = RET;
		__builtin___clear_cache((char *)code, (char *)(code + 1));
	}
	vm_slot(&vm, 1, DATA_IPA, data, BLOCKS * huge, 0);
	vcpu_open(&vm, &vcpu, 0, 0);
	vcpu_reg(&vcpu, 0, DATA_IPA);
	vcpu_reg(&vcpu, 1, BLOCKS);
	vcpu_reg(&vcpu, 2, huge);
	vcpu_reg(&vcpu, 3, END_IPA);
	if (vcpu_run(&vcpu) != END_IPA)
		die("the guest does not read");
	vm_slot(&vm, 1, DATA_IPA, data, BLOCKS * huge, KVM_MEM_LOG_DIRTY_PAGES);
	if (vcpu_run(&vcpu) != END_IPA)
		die("the guest does not execute");
	sleep(3);
	kb = table_kb();
	printf("%lu blocks, %ld kB of tables\n", BLOCKS, kb);
	if (!has_dic() && kb < (long)(BLOCKS * vm_page() / 1024)) {
		fprintf(stderr, "tables are not counted\n");
		return 1;
	}
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
	return 0;
}
