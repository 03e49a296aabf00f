/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_CONCURRENT_SCENARIOS_H
#define STAGE2_CONCURRENT_SCENARIOS_H

#include "scenario.h"

struct scenario_set {
	const struct scenario *at;
	unsigned n;
};

#define SCENARIO_SET(array)                             \
	{                                               \
		array, sizeof(array) / sizeof(array[0]) \
	}

extern const struct scenario_set general;     /* scenario.c */
extern const struct scenario_set dirty_state; /* scenario_dirty.c */
extern const struct scenario_set notes;	      /* scenario_notes.c */
extern const struct scenario_set tables;      /* scenario_tables.c */
extern const struct scenario_set edges;	      /* scenario_edges.c */
extern const struct scenario_set again;	      /* scenario_new.c */
extern const struct scenario_set waived;      /* scenario_waived.c */
extern const struct scenario_set steps;	      /* scenario_steps.c */
extern const struct scenario_set counted;     /* scenario_counted.c */
extern const struct scenario_set agents;      /* scenario_agents.c */

static const struct scenario_set *const scenario_sets[] = {
	&general, &dirty_state, &tables, &notes,   &edges,
	&again,	  &waived,	&steps,	 &counted, &agents,
};

/* The i-th of all; NULL after the last. */
static inline const struct scenario *scenario_at(unsigned i)
{
	for (unsigned s = 0; s < sizeof(scenario_sets) / sizeof(scenario_sets[0]); s++) {
		if (i < scenario_sets[s]->n)
			return &scenario_sets[s]->at[i];
		i -= scenario_sets[s]->n;
	}
	return NULL;
}

/* scenario_random.c: one by chance, valid until the next; what it is, as comments. */
void scenario_random(struct scenario *s, uint64_t seed);
void scenario_print(const struct scenario *s);

#endif /* STAGE2_CONCURRENT_SCENARIOS_H */
