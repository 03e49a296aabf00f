/* SPDX-License-Identifier: GPL-2.0-only */
/* The head of a bare guest, which is loaded as a Linux Image; it goes on at "start". */
	.text
	.globl	_start
_start:
	b	start
	.long	0
	.quad	0x80000			/* offset in RAM */
	.quad	0x10000			/* size */
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
