/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* QEMU starts the program at EL2 with the MMU off: a stack, then main(), then off. */
	.section .text.start, "ax"
	.global _start
_start:
	adrp	x0, stack_end
	add	sp, x0, :lo12:stack_end
	bl	main
	ldr	w0, =0x84000008		/* PSCI SYSTEM_OFF */
	smc	#0
	b	.

	.section .bss
	.balign	16
	.space	8192
stack_end:
