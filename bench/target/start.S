/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entered at EL2 with the MMU off, on one CPU, at the address in the linker script.
 * Prepares what C needs, and ends by PSCI SYSTEM_OFF.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	stop
	/* Nothing trapped, EL1 64-bit; E2H 0 fixes the layout of the registers. */
	mov	x0, #(1 << 31)
	msr	hcr_el2, x0
	mov	x0, #0x33ff		/* CPTR_EL2: RES1 bits, nothing trapped */
	msr	cptr_el2, x0
	isb
	ldr	x0, =stack_top
	mov	sp, x0
	ldr	x1, =bss_start
	ldr	x2, =bss_end
1:	cmp	x1, x2
	b.hs	2f
	str	xzr, [x1], #8
	b	1b
2:	bl	mmu_on
	bl	calibrate
	movz	x0, #0x8400, lsl #16	/* PSCI SYSTEM_OFF */
	movk	x0, #0x0008
	smc	#0
stop:	wfe
	b	stop
