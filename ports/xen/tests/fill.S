/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that fills its memory and verifies it, again and again, on two vCPUs: a bare
 * program with the MMU off, in the format of a Linux Image. Each vCPU has a half. Eight-
 * byte words at the start of RAM, which dom0 reads:
 *
 *	 0, 8  rounds that the vCPU has verified
 *	16     the address of a word that was not what had been written
 */
#define MAILBOX 0x40000000
#define FIRST 0x41000000
#define HALF 0x2000000

#include "image.S"

start:
	movz	x0, #0x0003		/* PSCI's CPU_ON */
	movk	x0, #0xc400, lsl #16
	mov	x1, #1
	adr	x2, second
	hvc	#0
	mov	x19, #0
	b	both
second:
	mov	x19, #1
both:
	mov	x20, #MAILBOX
	mov	x1, #FIRST
	mov	x2, #HALF
	madd	x21, x19, x2, x1
	add	x22, x21, x2
	mov	x23, #1			/* the round: a part of each word */
again:
	mov	x1, x21
1:	eor	x2, x1, x23, lsl #40
	str	x2, [x1], #64
	cmp	x1, x22
	b.lo	1b
	mov	x1, x21
2:	eor	x2, x1, x23, lsl #40
	ldr	x3, [x1]
	cmp	x2, x3
	b.ne	bad
	add	x1, x1, #64
	cmp	x1, x22
	b.lo	2b
	str	x23, [x20, x19, lsl #3]
	add	x23, x23, #1
	b	again

bad:
	str	x1, [x20, #16]
	b	.
