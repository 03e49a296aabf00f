/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The port of the scheduler: every function is external (port.c), for each is a
 * place where another thread may come in.
 */
#ifndef STAGE2_CONCURRENT_PORT_H
#define STAGE2_CONCURRENT_PORT_H

_Noreturn void sched_assert(const char *file, int line, const char *cond);

#define S2_ASSERT(cond)                                          \
	do {                                                     \
		if (!(cond))                                     \
			sched_assert(__FILE__, __LINE__, #cond); \
	} while (0)

#endif /* STAGE2_CONCURRENT_PORT_H */
