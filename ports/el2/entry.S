/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entry points of the CPUs, the vectors, and the code that enters and leaves EL1.
 */
#include "cpu.h"

	.section .text.entry, "ax"
	.global _start
_start:
	/*
	 * The first CPU: at EL2, with the MMU off. The memory of QEMU is zero; that of a
	 * real machine is not.
	 */
	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, __bss_end
	add	x2, x2, :lo12:__bss_end
0:	cmp	x1, x2
	b.hs	1f
	str	xzr, [x1], #8
	b	0b
1:	mov	x19, #0
	b	2f

	/* The other CPUs: PSCI CPU_ON passes the number of the CPU in x0. */
	.global el2_secondary
el2_secondary:
	mov	x19, x0
2:	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	add	x2, x19, #1
	mov	x3, #CPU_STACK_SIZE
	madd	x1, x2, x3, x1
	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el2, x1
	isb
	mov	x0, x19
	bl	cpu_init
	mov	x0, x19
	cbnz	x19, 3f
	bl	el2_main
	b	.
3:	bl	el2_main_secondary
	b	.

	.text
	.macro	vector, target, arg
	.balign	128
	\target	\arg
	.endm

	/* From EL2, and from an EL1 in AArch32: neither is expected. */
	.macro	unexpected, arg
	mov	x0, #\arg
	b	el2_unexpected
	.endm

	/*
	 * From EL1: x0 and x1 are saved on the stack, which frees a register for the
	 * address of the vCPU.
	 */
	.macro	from_el1, arg
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\arg
	b	el1_exit
	.endm

	/* The guest's x2 to x30, the vCPU in x0. */
	.macro	guest, pair, one
	\pair	x2, x3, [x0, #16]
	\pair	x4, x5, [x0, #32]
	\pair	x6, x7, [x0, #48]
	\pair	x8, x9, [x0, #64]
	\pair	x10, x11, [x0, #80]
	\pair	x12, x13, [x0, #96]
	\pair	x14, x15, [x0, #112]
	\pair	x16, x17, [x0, #128]
	\pair	x18, x19, [x0, #144]
	\pair	x20, x21, [x0, #160]
	\pair	x22, x23, [x0, #176]
	\pair	x24, x25, [x0, #192]
	\pair	x26, x27, [x0, #208]
	\pair	x28, x29, [x0, #224]
	\one	x30, [x0, #240]
	.endm

	/* Registers that a C function preserves, in the frame that x29, x30 opened. */
	.macro	callee, pair
	\pair	x19, x20, [sp, #16]
	\pair	x21, x22, [sp, #32]
	\pair	x23, x24, [sp, #48]
	\pair	x25, x26, [sp, #64]
	\pair	x27, x28, [sp, #80]
	.endm

	.balign	2048
vectors:
	vector	unexpected, 0
	vector	unexpected, 1
	vector	unexpected, 2
	vector	unexpected, 3
	vector	unexpected, 4
	vector	unexpected, 5
	vector	unexpected, 6
	vector	unexpected, 7
	vector	from_el1, 0
	vector	from_el1, 1
	vector	from_el1, 2
	vector	from_el1, 3
	vector	unexpected, 12
	vector	unexpected, 13
	vector	unexpected, 14
	vector	unexpected, 15

	/*
	 * unsigned el1_enter(struct vcpu *v). The registers that a C function must
	 * preserve are on the stack while the guest runs. The vectors return to this
	 * frame. Floating-point registers keep the values of the guest, because the
	 * monitor is compiled without them.
	 */
	.global el1_enter
el1_enter:
	stp	x29, x30, [sp, #-96]!
	callee	stp
	mrs	x1, tpidr_el2
	str	x0, [x1, #CPU_VCPU]
	ldr	x1, [x0, #VCPU_ELR]
	ldr	x2, [x0, #VCPU_SPSR]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	guest	ldp, ldr
	ldp	x0, x1, [x0]
	eret

el1_exit:
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #CPU_VCPU]
	guest	stp, str
	mov	x4, x1
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	str	x2, [x0, #VCPU_ELR]
	str	x3, [x0, #VCPU_SPSR]
	mov	x0, x4
	callee	ldp
	ldp	x29, x30, [sp], #96
	ret

	/* int64_t smc(fn, a1, a2, a3), to the firmware: PSCI */
	.global smc
smc:
	smc	#0
	ret

	/* uint64_t semihosting(operation, parameter): the debugger's, here QEMU's */
	.global semihosting
semihosting:
	hlt	#0xf000
	ret

	.bss
	.balign	16
stacks:
	.space	CPU_STACK_SIZE * MAX_CPUS

	.section .note.GNU-stack, "", %progbits
