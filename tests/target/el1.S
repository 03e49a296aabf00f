/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What runs at EL1: one access, and back. Copied into a page of the guest's, so it
 * does not depend on where it is. x0 is what to do, x1 where, x2 what to write.
 */
	.section .rodata
	.balign	8
	.global el1_code, el1_code_end
el1_code:
	cbz	x0, 1f
	cmp	x0, #1
	b.eq	2f
	blr	x1		/* 2: run what is there; it leaves x0 */
	hvc	#0
1:	ldr	x0, [x1]	/* 0: read */
	hvc	#0
2:	str	x2, [x1]	/* 1: write */
	hvc	#0

	/* Vectors, 2 KiB in: EL1 gets no exceptions, so any is a failure. */
	.org	el1_code + 2048
	.rept	16
	.balign	128
	hvc	#1
	.endr
	.balign	128
el1_code_end:

	.section .note.GNU-stack, "", %progbits
