/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Values taken apart field by field. It shares no code with the engine, so that
 * what one writes wrongly the other does not read back wrongly.
 */
#ifndef STAGE2_LAB_DECODE_H
#define STAGE2_LAB_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "granule.h"

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
	/* Reserved, contradictory, or without the effect one may expect. */
	char problem[DECODE_PROBLEMS][DECODE_TEXT];
	unsigned problems;
};

/* What the tables and the CPU are like. */
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
/* Says so if bits [hi:lo] are not zero. */
void decode_res0(struct decoded *d, unsigned hi, unsigned lo);

/* Each fills *d, d->value being set. */
void decode_desc(struct decoded *d, const struct decode_config *c);
void decode_vtcr(struct decoded *d);
void decode_vttbr(struct decoded *d, const struct decode_config *c);

/* ---- TLBI operands --------------------------------------------------------- */

enum tlbi_form { TLBI_IPA, TLBI_RANGE, TLBI_ALL };

struct tlbi_name {
	const char *name;
	enum tlbi_form form;
	bool last_level;
};

/* By any of its names ("ipas2e1is", "ripas2le1osnxs"), any case; NULL: none. */
const struct tlbi_name *decode_tlbi_find(const char *name);
void decode_tlbi_list(char *buf, unsigned size);

struct tlbi_reach {
	uint64_t start, size; /* IPAs reached; a leaf that contains one goes whole */
	bool hint;	      /* a level hint is given: ttl */
	unsigned ttl;
	unsigned scale, num; /* range forms */
	bool sure;	     /* false: reserved or UNPREDICTABLE, may do nothing */
};

void decode_tlbi(struct decoded *d, const struct tlbi_name *op,
		 const struct decode_config *c, struct tlbi_reach *reach);

#endif /* STAGE2_LAB_DECODE_H */
