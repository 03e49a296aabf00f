/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The code that runs at EL1: one access, and back. It is copied into a page of the guest,
 * so it is position independent. x0 is the operation, x1 the address, x2 the value.
 */
	.section .rodata
	.balign	8
	.global el1_code, el1_code_end
el1_code:
	cbz	x0, 1f
	cmp	x0, #1
	b.eq	2f
	blr	x1		/* 2: execute the code there, which sets x0 */
	hvc	#0
1:	ldr	x0, [x1]	/* 0: read */
	hvc	#0
2:	str	x2, [x1]	/* 1: write */
	hvc	#0

	/* Vectors, at an offset of 2 KiB. EL1 gets no exceptions, so any is a failure. */
	.org	el1_code + 2048
	.rept	16
	.balign	128
	hvc	#1
	.endr
	.balign	128
el1_code_end:

	.section .note.GNU-stack, "", %progbits
