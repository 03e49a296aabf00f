/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The engine on real instructions: the tests ask the MMU, on two CPUs, what EL1 may do
 * with an address. They rely on nothing else.
 */
#ifndef STAGE2_TARGET_H
#define STAGE2_TARGET_H

#include "../../ports/el2/el2.h"

/*
 * Memory of the machine: the monitor and its tables below, the memory of the guest above.
 */
#define POOL_BASE 0x48000000ull
#define POOL_SIZE MIB(256)
#define DATA 0x60000000ull
#define DATA_SIZE MIB(512)

/* A frame that suits every granule. */
static inline uint64_t frame(unsigned n)
{
	return DATA + n * KIB(64);
}

#define FRAMES (DATA_SIZE / KIB(64))

/* Frames with a fixed use. Those that tests take start at FRAME_FREE. */
enum { FRAME_CODE, FRAME_S1_A, FRAME_S1_B, FRAME_FREE };
/* The EL1 code in every instance, and the tables of its stage 1. */
#define CODE_IPA KIB(64)
#define S1_IPA KIB(128)

enum access { READ, WRITE, RUN };
enum outcome { DONE, TRANSLATION, ACCESS_FLAG, PERMISSION, OTHER };

struct touched {
	enum outcome outcome;
	uint64_t value; /* what was read, or returned */
	uint64_t ipa;	/* the address that faulted, by HPFAR_EL2: the 4 KiB page */
	uint64_t esr;
};

/* One configuration of the tables. */
struct geometry {
	uint8_t granule_shift, ipa_bits;
	bool lpa2;
};

struct bed {
	struct geometry geo;
	struct s2_config cfg;
	struct s2 s2;
	struct pool pool;
	uint64_t page; /* bytes in a granule */
	uint64_t seed;
	unsigned cpus;
	uint32_t fresh_tables; /* free pages before the first map */
};

/* Accesses @va at EL1 on @cpu. */
struct touched touch(unsigned cpu, enum access access, uint64_t va, uint64_t value);
/* The result on every CPU, or OTHER if they differ. */
enum outcome touch_all(struct bed *b, enum access access, uint64_t va, uint64_t value);
/* Stage 1 of EL1 on every CPU: 0 is off, else the IPA of its level-1 table. */
void stage1(struct bed *b, uint64_t table_ipa);

uint64_t rnd(struct bed *b);

static inline volatile uint64_t *word(uint64_t pa)
{
	return (volatile uint64_t *)pa;
}

/* A test fails where the condition is false, and prints it. */
#define CHECK(cond)                                                    \
	do {                                                           \
		if (!(cond)) {                                         \
			say("# %s:%d: %s", __FILE__, __LINE__, #cond); \
			return false;                                  \
		}                                                      \
	} while (0)

#define CHECK_EQ(got, want)                                                              \
	do {                                                                             \
		const uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);         \
		if (got_ != want_) {                                                     \
			say("# %s:%d: %s is 0x%lx, not 0x%lx", __FILE__, __LINE__, #got, \
			    got_, want_);                                                \
			return false;                                                    \
		}                                                                        \
	} while (0)

struct test_case {
	const char *name;
	bool (*run)(struct bed *b);
	bool level_2_block; /* the walk must have room for one */
};
extern const struct test_case test_cases[];
extern const unsigned test_cases_n;

bool test_random(struct bed *b);

#endif /* STAGE2_TARGET_H */
