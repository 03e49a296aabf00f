/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a statement is written with. nondet_...() is any value. GIVEN() limits the
 * choice, CLAIM() must hold for all that is left. REACHED() stands where the statement
 * ends: it claims that nothing gets there, and the driver wants that refuted, for else
 * the statement would be about nothing.
 */
#ifndef TESTS_PROVE_PROVE_H
#define TESTS_PROVE_PROVE_H

#include <stdbool.h>
#include <stdint.h>

/* No tool finds a body: each call may return another value. */
uint8_t nondet_u8(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);

#ifdef __FRAMAC__
/*@ assigns \nothing; ensures \false; */
void not_given(void);

static inline void claim(int ok)
{
	/*@ assert ok != 0; */
}

#define GIVEN(cond)                  \
	do {                         \
		if (!(cond))         \
			not_given(); \
	} while (0)
#define CLAIM(cond) claim(cond)
#define REACHED() reached()

static inline void reached(void)
{
	/*@ assert reached: \false; */
}
#else
void __CPROVER_assume(_Bool cond);
void __CPROVER_assert(_Bool cond, const char *text);
#define GIVEN(cond) __CPROVER_assume(cond)
#define CLAIM(cond) __CPROVER_assert(cond, #cond)
#define REACHED() __CPROVER_assert(0, "reached")
#endif

#endif
