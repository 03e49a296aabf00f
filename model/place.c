/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pages of a sparse machine: an open hash table from the number of a page (its PA in
 * granules) to its index. A page that has been placed stays.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct places {
	uint64_t pages, used;
	size_t mask;	/* of slot[], which is at most half full: as many numbers */
	uint32_t *slot; /* index + 1; 0: empty */
	uint64_t *number;
};

#define FIRST_SLOTS 1024u

struct places *places_new(uint64_t pages)
{
	struct places *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return NULL;
	ps->pages = pages;
	ps->mask = FIRST_SLOTS - 1;
	ps->slot = calloc(FIRST_SLOTS, sizeof(*ps->slot));
	ps->number = calloc(FIRST_SLOTS / 2, sizeof(*ps->number));
	if (ps->slot && ps->number)
		return ps;
	places_free(ps);
	return NULL;
}

void places_free(struct places *ps)
{
	if (!ps)
		return;
	free(ps->slot);
	free(ps->number);
	free(ps);
}

static uint32_t *find(const struct places *ps, uint64_t number)
{
	size_t i = (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32);

	for (;; i++) {
		uint32_t *s = &ps->slot[i & ps->mask];

		if (!*s || ps->number[*s - 1] == number)
			return s;
	}
}

uint64_t place_find(const struct places *ps, uint64_t number)
{
	uint32_t s = *find(ps, number);

	return s ? s - 1 : UINT64_MAX;
}

uint64_t place_number(const struct places *ps, uint64_t index)
{
	return ps->number[index];
}

uint64_t places_used(const struct places *ps)
{
	return ps->used;
}

static bool grow(struct places *ps)
{
	size_t slots = 2 * (ps->mask + 1);
	uint64_t *number = realloc(ps->number, slots / 2 * sizeof(*number));
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (number)
		ps->number = number;
	if (!slot || !number) {
		free(slot);
		return false;
	}
	free(ps->slot);
	ps->slot = slot;
	ps->mask = slots - 1;
	for (uint64_t i = 0; i < ps->used; i++)
		*find(ps, ps->number[i]) = (uint32_t)i + 1;
	return true;
}

uint64_t place_add(struct places *ps, uint64_t number)
{
	if (ps->used == ps->pages || (2 * ps->used >= ps->mask && !grow(ps)))
		return UINT64_MAX;
	ps->number[ps->used] = number;
	*find(ps, number) = (uint32_t)ps->used + 1;
	return ps->used++;
}
