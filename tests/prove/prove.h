/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a statement is written with. nondet_u64() is a value that the prover chooses freely,
 * GIVEN() limits the choice, CLAIM() must hold for all that is left. CHECKED() claims that
 * the statement is about something: a prover that says CLAIM() holds there has an empty
 * choice, so the driver wants CLAIM(false) at that place refuted (-DPROVE_REACHED).
 */
#ifndef TESTS_PROVE_PROVE_H
#define TESTS_PROVE_PROVE_H

#include <stdbool.h>
#include <stdint.h>

/* Without a body, and named so, each call returns any value. */
uint8_t nondet_u8(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);

#ifdef __FRAMAC__
#define GIVEN(cond)       \
	do {              \
		if (!(cond)) \
			return; \
	} while (0)
#define CLAIM(cond)                     \
	do {                            \
		int claim_ = (cond);    \
		/*@ assert claim_ != 0; */ \
	} while (0)
#else
void __CPROVER_assume(_Bool cond);
void __CPROVER_assert(_Bool cond, const char *text);
#define GIVEN(cond) __CPROVER_assume(cond)
#define CLAIM(cond) __CPROVER_assert(cond, #cond)
#endif

#ifdef PROVE_REACHED
#define REACHED() CLAIM(!"reached")
#else
#define REACHED() ((void)0)
#endif

#endif
