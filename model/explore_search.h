/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Search of every state that a small machine can reach. It is breadth first, so that
 * the path to the first state of a kind is a shortest one. Each state is stored once;
 * the stored states are the queue. A state is plain bytes without padding.
 */
#ifndef STAGE2_MODEL_EXPLORE_SEARCH_H
#define STAGE2_MODEL_EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_KINDS 4
#define EXPLORE_LINE 112

struct explore_search;

/**
 * struct explore_space - what is to be searched
 * @sys: handed to the functions
 * @size: bytes of a state
 * @max_states: give up beyond so many
 * @next: calls explore_found() for each successor of a state
 * @kind: 0 for an ordinary state, else 1..EXPLORE_KINDS - 1
 * @last: bit n: states of kind n have no successors
 * @stop: bit n: the search ends at the first state of kind n
 */
struct explore_space {
	const void *sys;
	size_t size;
	uint64_t max_states;
	void (*next)(const void *sys, const void *state, struct explore_search *s);
	unsigned (*kind)(const void *sys, const void *state);
	unsigned last, stop;
};

/* NULL when memory is short. */
struct explore_search *explore_search_new(const struct explore_space *space);
void explore_search_free(struct explore_search *s);

/* A successor, or (from outside) an initial state; the text says what happened. */
__attribute__((format(printf, 3, 4))) void
explore_found(struct explore_search *s, const void *state, const char *fmt, ...);

/* True when every reachable state was seen, or a kind in stop was met. */
bool explore_search_run(struct explore_search *s);

uint64_t explore_search_states(const struct explore_search *s);
uint64_t explore_search_count(const struct explore_search *s, unsigned kind);
/* The first state of a kind, or NULL. */
const void *explore_search_first(const struct explore_search *s, unsigned kind);

/*
 * The steps that lead to the first state of a kind: an array of nr lines to be
 * freed with free(), or NULL. An initial state has no line.
 */
char (*explore_search_path(struct explore_search *s, unsigned kind,
			   unsigned *nr))[EXPLORE_LINE];

#endif /* STAGE2_MODEL_EXPLORE_SEARCH_H */
