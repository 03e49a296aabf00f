/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A value and what its fields mean. The decoders share no code with the engine:
 * otherwise one mistake in both would not be seen.
 */
#ifndef STAGE2_LAB_DECODED_H
#define STAGE2_LAB_DECODED_H

#include <stdbool.h>
#include <stdint.h>

#define DECODE_FIELDS 32
#define DECODE_PROBLEMS 16
#define DECODE_TEXT 192

struct decoded {
	uint64_t value;
	char summary[DECODE_TEXT];
	struct decoded_field {
		uint8_t hi, lo;
		const char *name;
		char means[DECODE_TEXT];
	} field[DECODE_FIELDS];
	unsigned fields;
	/* Reserved or contradictory values, and fields that have no effect here. */
	char problem[DECODE_PROBLEMS][DECODE_TEXT];
	unsigned problems;
};

/* What a decoder has to know about the tables and the CPU. */
struct decode_config {
	unsigned page_shift; /* 12, 14 or 16 */
	uint32_t features;   /* S2_FEAT_*; LPA2: VTCR_EL2.DS = 1, 64K: 52-bit PA */
	int level;	     /* of a descriptor */
	bool has_vtcr;
	uint64_t vtcr; /* for VTTBR_EL2 */
};

/* Bits [hi:lo] of v. */
static inline uint64_t decode_bits(uint64_t v, unsigned hi, unsigned lo)
{
	return v >> lo & (UINT64_MAX >> (63 - (hi - lo)));
}

void decode_field(struct decoded *d, unsigned hi, unsigned lo, const char *name,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void decode_problem(struct decoded *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void decode_summary(struct decoded *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Reports a problem if bits [hi:lo] are not zero. */
void decode_res0(struct decoded *d, unsigned hi, unsigned lo);

#endif /* STAGE2_LAB_DECODED_H */
