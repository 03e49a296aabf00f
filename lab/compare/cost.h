/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What counts may be worth in time: prices that somebody has published, or that
 * the calibration program has measured, and what has to be assumed to use them.
 */
#ifndef STAGE2_LAB_COST_H
#define STAGE2_LAB_COST_H

#include "machine.h"

/**
 * enum cost_part - what has a price
 * @COST_VISIT: an entry visited, with all that goes with it
 * @COST_BY_IPA: an invalidation by IPA: DSB, TLBI, DSB, VMALLE1IS, DSB, ISB
 * @COST_BY_RANGE: the same with range TLBIs
 * @COST_FURTHER: each TLBI beyond the first in one of these
 * @COST_WHOLE: an invalidation of the VMID: DSB, VMALLS12E1IS, DSB, ISB
 * @COST_LINE: a line cleaned and invalidated to the PoC
 */
enum cost_part {
	COST_VISIT,
	COST_BY_IPA,
	COST_BY_RANGE,
	COST_FURTHER,
	COST_WHOLE,
	COST_LINE,
	COST_PARTS
};

/* A price in the profile's unit; below 0: nobody knows. */
struct cost_price {
	double value;
	const char *source, *assumes;
};

struct cost_profile {
	const char *name, *says, *unit;
	struct cost_price price[COST_PARTS];
};

extern const char *const cost_part_names[COST_PARTS], *const cost_part_keys[COST_PARTS];

/*
 * The profile that --cpu names, or the one in the file of that name. Return: NULL
 * and a message if there is none. It lives as long as the program.
 */
const struct cost_profile *cost_profile(const char *name);
/* For the usage text: every profile, a line each. */
void cost_list(void);

/* How often each part occurs. */
void cost_occurrences(const struct s2m_counters *n, uint64_t *times);
/* Sum over the parts with a price; *all: whether every part that occurs has one. */
double cost_estimate(const struct cost_profile *p, const uint64_t *times, bool *all);

#endif /* STAGE2_LAB_COST_H */
