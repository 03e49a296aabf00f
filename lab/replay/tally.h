/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How often each value occurred: exact percentiles, in memory for each value. */
#ifndef STAGE2_LAB_TALLY_H
#define STAGE2_LAB_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
	struct tally_slot {
		uint64_t value, count;
	} * slot;
	size_t slots, used;
	uint64_t n;  /* all occurrences */
	bool sorted; /* slot[0..used) are the values in order */
};

/* Not after tally_sort(). False: memory is short. */
bool tally_add(struct tally *t, uint64_t value, uint64_t count);
/* Adds what @from has. */
bool tally_merge(struct tally *t, const struct tally *from);
void tally_sort(struct tally *t);
/* Sorted: the least value that @percent of all occurrences do not exceed; 0: none. */
uint64_t tally_percentile(const struct tally *t, unsigned percent);
void tally_free(struct tally *t);

#endif /* STAGE2_LAB_TALLY_H */
