/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The port of the scheduler: every function is external (port.c), for each is a
 * place where another thread may come in.
 */
#ifndef STAGE2_CONCURRENT_PORT_H
#define STAGE2_CONCURRENT_PORT_H

#include <stdint.h>

_Noreturn void sched_assert(const char *file, int line, const char *cond);

#define S2_ASSERT(cond)                                          \
	do {                                                     \
		if (!(cond))                                     \
			sched_assert(__FILE__, __LINE__, #cond); \
	} while (0)

/*
 * For bugs that are planted: the port's atomic accesses with less order, by enum
 * views_order (views.h): 0 none, 1 acquire, 2 release.
 */
uint64_t weaker_cas(void *port, uint64_t *word, uint64_t old, uint64_t value,
		    unsigned order);
uint64_t weaker_add(void *port, uint64_t *word, uint64_t n, unsigned order);
uint64_t weaker_or(void *port, uint64_t *word, uint64_t bits, unsigned order);

#endif /* STAGE2_CONCURRENT_PORT_H */
