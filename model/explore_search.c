/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore_search.h"

#define NONE UINT32_MAX

struct explore_search {
	struct explore_space space;
	unsigned char *states; /* nr states of space.size bytes, in order of discovery */
	uint32_t *parent;
	uint64_t nr, room;
	uint32_t *slot; /* open addressing: index + 1 of a state, 0: empty */
	uint64_t slots;
	const unsigned char *from; /* the state being expanded, and its index */
	uint32_t expanding;
	bool failed; /* out of memory, or too many states */
	uint64_t count[EXPLORE_KINDS];
	uint32_t first[EXPLORE_KINDS];

	/* In explore_search_path(): the successor to find, and its text. */
	const void *wanted;
	char *text;
};

static unsigned char *state_at(const struct explore_search *s, uint64_t i)
{
	return s->states + i * s->space.size;
}

static uint64_t hash(const unsigned char *p, size_t n)
{
	uint64_t h = n, word = 0;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* The index of the state's slot, or of the empty slot for it. */
static uint64_t find(const struct explore_search *s, const void *state)
{
	uint64_t i = hash(state, s->space.size) & (s->slots - 1);

	while (s->slot[i] && memcmp(state_at(s, s->slot[i] - 1), state, s->space.size))
		i = (i + 1) & (s->slots - 1);
	return i;
}

/* Doubles the room for states; the slots stay at most half full. */
static bool grow(struct explore_search *s)
{
	uint64_t room = s->room ? 2 * s->room : 1024;
	unsigned char *states = realloc(s->states, room * s->space.size);
	uint32_t *parent, *slot;

	if (states)
		s->states = states;
	parent = realloc(s->parent, room * sizeof(*parent));
	if (parent)
		s->parent = parent;
	slot = calloc(2 * room, sizeof(*slot));
	if (!states || !parent || !slot) {
		free(slot);
		return false;
	}
	free(s->slot);
	s->slot = slot;
	s->slots = 2 * room;
	s->room = room;
	for (uint64_t i = 0; i < s->nr; i++)
		s->slot[find(s, state_at(s, i))] = (uint32_t)i + 1;
	return true;
}

struct explore_search *explore_search_new(const struct explore_space *space)
{
	struct explore_search *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->space = *space;
	s->expanding = NONE;
	for (unsigned k = 0; k < EXPLORE_KINDS; k++)
		s->first[k] = NONE;
	if (!grow(s)) {
		explore_search_free(s);
		return NULL;
	}
	return s;
}

void explore_search_free(struct explore_search *s)
{
	if (!s)
		return;
	free(s->states);
	free(s->parent);
	free(s->slot);
	free(s);
}

void explore_found(struct explore_search *s, const void *state, const char *fmt, ...)
{
	uint64_t at;
	unsigned kind;

	if (s->wanted) {
		va_list ap;

		if (s->text[0] || memcmp(state, s->wanted, s->space.size))
			return;
		va_start(ap, fmt);
		vsnprintf(s->text, EXPLORE_LINE, fmt, ap);
		va_end(ap);
		return;
	}
	/* Many choices change nothing; comparing is cheaper than find(). */
	if (s->failed || (s->from && !memcmp(state, s->from, s->space.size)))
		return;
	at = find(s, state);
	if (s->slot[at])
		return;
	if (s->nr == s->space.max_states) {
		s->failed = true;
		return;
	}
	if (s->nr == s->room) {
		/* state may not point into the array that is about to move. */
		if (!grow(s)) {
			s->failed = true;
			return;
		}
		at = find(s, state);
	}
	memcpy(state_at(s, s->nr), state, s->space.size);
	s->parent[s->nr] = s->expanding;
	s->slot[at] = (uint32_t)s->nr + 1;
	kind = s->space.kind(s->space.sys, state);
	if (!s->count[kind]++)
		s->first[kind] = (uint32_t)s->nr;
	s->nr++;
}

bool explore_search_run(struct explore_search *s)
{
	unsigned char *state = malloc(s->space.size);

	if (!state)
		return false;
	for (uint64_t i = 0; i < s->nr && !s->failed; i++) {
		bool stop = false;

		for (unsigned k = 1; k < EXPLORE_KINDS; k++)
			stop |= (s->space.stop >> k & 1) && s->count[k];
		if (stop)
			break;
		/* A copy: the array may move while successors are added. */
		memcpy(state, state_at(s, i), s->space.size);
		if (s->space.last >> s->space.kind(s->space.sys, state) & 1)
			continue;
		s->expanding = (uint32_t)i;
		s->from = state;
		s->space.next(s->space.sys, state, s);
	}
	s->from = NULL;
	free(state);
	return !s->failed;
}

uint64_t explore_search_states(const struct explore_search *s)
{
	return s->nr;
}

uint64_t explore_search_count(const struct explore_search *s, unsigned kind)
{
	return s->count[kind];
}

const void *explore_search_first(const struct explore_search *s, unsigned kind)
{
	return s->first[kind] == NONE ? NULL : state_at(s, s->first[kind]);
}

char (*explore_search_path(struct explore_search *s, unsigned kind,
			   unsigned *nr))[EXPLORE_LINE]
{
	char(*line)[EXPLORE_LINE];
	unsigned steps = 0;

	*nr = 0;
	if (s->first[kind] == NONE)
		return NULL;
	for (uint32_t i = s->first[kind]; s->parent[i] != NONE; i = s->parent[i])
		steps++;
	line = calloc(steps ? steps : 1, sizeof(*line));
	if (!line)
		return NULL;
	*nr = steps;
	/* The texts were not kept: do each step again to get its text. */
	for (uint32_t i = s->first[kind]; s->parent[i] != NONE; i = s->parent[i]) {
		s->wanted = state_at(s, i);
		s->text = line[--steps];
		s->space.next(s->space.sys, state_at(s, s->parent[i]), s);
	}
	s->wanted = NULL;
	return line;
}
