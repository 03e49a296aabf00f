/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that uses one page as hard as it can: a bare program for one vCPU, with the
 * MMU off, in the format of a Linux Image. hammering.c in dom0 says which page, by a
 * mailbox at the start of RAM: eight-byte words, at
 *
 *	 0  the address to read from; 0: none. A fault clears it
 *	 8  loops
 *	16  reads that did not fault
 *	24  faults
 *	32  what was read last
 *	40  1: each page from FIRST to LAST has its address in its first word
 */
#define MAILBOX 0x40000000
#define FIRST 0x41000000
#define LAST 0x41800000

#include "image.S"

start:
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	mov	x20, #MAILBOX
	mov	x1, #FIRST
	mov	x2, #LAST
1:	str	x1, [x1]
	add	x1, x1, #4096
	cmp	x1, x2
	b.lo	1b
	mov	x0, #1
	str	x0, [x20, #40]
loop:
	ldr	x3, [x20, #8]
	add	x3, x3, #1
	str	x3, [x20, #8]
	ldr	x1, [x20]
	cbz	x1, loop
	ldr	x2, [x1]		/* may fault */
	str	x2, [x20, #32]
	ldr	x3, [x20, #16]
	add	x3, x3, #1
	str	x3, [x20, #16]
	b	loop

fault:
	ldr	x3, [x20, #24]
	add	x3, x3, #1
	str	xzr, [x20]
	str	x3, [x20, #24]
	adr	x3, loop
	msr	elr_el1, x3
	eret

	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	fault
	.endr
