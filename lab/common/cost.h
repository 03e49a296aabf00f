/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Estimated times: prices from publications or from the calibration program, with the
 * assumptions behind them.
 */
#ifndef STAGE2_LAB_COST_H
#define STAGE2_LAB_COST_H

#include "machine.h"

/**
 * enum cost_part - what has a price
 * @COST_VISIT: an entry visited, and the work that comes with it
 * @COST_BY_IPA: an invalidation by IPA: DSB, TLBI, DSB, VMALLE1IS, DSB, ISB
 * @COST_BY_RANGE: the same with range TLBIs
 * @COST_FURTHER: each TLBI after the first in one of these
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

/* A price in the unit of the profile; below 0: unknown. */
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
 * The profile with this name, or the one in the file with this name. Return: NULL after
 * a message if there is none. It lives as long as the program.
 */
const struct cost_profile *cost_profile(const char *name);
/* Prints a line for each profile. */
void cost_list(void);

/* times[] becomes the number of occurrences of each part. */
void cost_occurrences(const struct s2m_counters *n, uint64_t *times);
/* The sum over the parts with a price; *all: every part that occurs has one. */
double cost_estimate(const struct cost_profile *p, const uint64_t *times, bool *all);

#endif /* STAGE2_LAB_COST_H */
