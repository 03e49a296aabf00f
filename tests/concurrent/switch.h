/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From one stack to another. By hand, so that all of a thread's state is on its
 * stack, where it can be compared, kept and put back.
 */
#ifndef STAGE2_CONCURRENT_SWITCH_H
#define STAGE2_CONCURRENT_SWITCH_H

#include <stdint.h>

/* Push what a callee keeps, leave the stack in *from, go on with the stack in to. */
void switch_stack(void **from, void *to);

#if defined(__x86_64__)
__asm__("	.pushsection .text\n"
	"	.globl	switch_stack\n"
	"	.type	switch_stack, @function\n"
	"switch_stack:\n"
	"	pushq	%rbp\n"
	"	pushq	%rbx\n"
	"	pushq	%r12\n"
	"	pushq	%r13\n"
	"	pushq	%r14\n"
	"	pushq	%r15\n"
	"	movq	%rsp, (%rdi)\n"
	"	movq	%rsi, %rsp\n"
	"	popq	%r15\n"
	"	popq	%r14\n"
	"	popq	%r13\n"
	"	popq	%r12\n"
	"	popq	%rbx\n"
	"	popq	%rbp\n"
	"	ret\n"
	"	.size	switch_stack, . - switch_stack\n"
	"	.popsection\n");
#elif defined(__aarch64__)
__asm__("	.pushsection .text\n"
	"	.globl	switch_stack\n"
	"	.type	switch_stack, @function\n"
	"switch_stack:\n"
	"	sub	sp, sp, #160\n"
	"	stp	x19, x20, [sp]\n"
	"	stp	x21, x22, [sp, #16]\n"
	"	stp	x23, x24, [sp, #32]\n"
	"	stp	x25, x26, [sp, #48]\n"
	"	stp	x27, x28, [sp, #64]\n"
	"	stp	x29, x30, [sp, #80]\n"
	"	stp	d8, d9, [sp, #96]\n"
	"	stp	d10, d11, [sp, #112]\n"
	"	stp	d12, d13, [sp, #128]\n"
	"	stp	d14, d15, [sp, #144]\n"
	"	mov	x9, sp\n"
	"	str	x9, [x0]\n"
	"	mov	sp, x1\n"
	"	ldp	x19, x20, [sp]\n"
	"	ldp	x21, x22, [sp, #16]\n"
	"	ldp	x23, x24, [sp, #32]\n"
	"	ldp	x25, x26, [sp, #48]\n"
	"	ldp	x27, x28, [sp, #64]\n"
	"	ldp	x29, x30, [sp, #80]\n"
	"	ldp	d8, d9, [sp, #96]\n"
	"	ldp	d10, d11, [sp, #112]\n"
	"	ldp	d12, d13, [sp, #128]\n"
	"	ldp	d14, d15, [sp, #144]\n"
	"	add	sp, sp, #160\n"
	"	ret\n"
	"	.size	switch_stack, . - switch_stack\n"
	"	.popsection\n");
#else
#error "switch_stack() is written for x86-64 and AArch64"
#endif

/* Lay out the first frame of a thread: top is 16-byte aligned. Returns its sp. */
static inline void *switch_frame(void **top, void (*fn)(void))
{
#if defined(__x86_64__)
	top[-2] = (void *)(uintptr_t)fn; /* where switch_stack() returns to */
	return top - 8;
#else
	top[-20 + 11] = (void *)(uintptr_t)fn; /* x30 */
	return top - 20;
#endif
}

#endif /* STAGE2_CONCURRENT_SWITCH_H */
