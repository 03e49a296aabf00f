/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tally.h"

/* Open addressing; a slot with the count 0 is free. */
static struct tally_slot *slot_of(const struct tally *t, uint64_t value)
{
	size_t i = (size_t)((value * UINT64_C(0x9e3779b97f4a7c15)) >> 32);

	for (;; i++) {
		i &= t->slots - 1;
		if (!t->slot[i].count || t->slot[i].value == value)
			return &t->slot[i];
	}
}

static bool tally_grow(struct tally *t)
{
	struct tally bigger = { .slots = t->slots ? 2 * t->slots : 16 };

	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (size_t i = 0; i < t->slots; i++)
		if (t->slot[i].count)
			*slot_of(&bigger, t->slot[i].value) = t->slot[i];
	free(t->slot);
	t->slot = bigger.slot;
	t->slots = bigger.slots;
	return true;
}

bool tally_add(struct tally *t, uint64_t value, uint64_t count)
{
	struct tally_slot *s;

	if (t->used * 2 >= t->slots && !tally_grow(t))
		return false;
	s = slot_of(t, value);
	t->used += !s->count;
	s->value = value;
	s->count += count;
	t->n += count;
	return true;
}

bool tally_merge(struct tally *t, const struct tally *from)
{
	bool ok = true;

	for (size_t i = 0; i < from->slots && ok; i++)
		if (from->slot[i].count)
			ok = tally_add(t, from->slot[i].value, from->slot[i].count);
	return ok;
}

static int slot_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct tally_slot *)a)->value;
	uint64_t y = ((const struct tally_slot *)b)->value;

	return x < y ? -1 : x > y;
}

void tally_sort(struct tally *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->slots; i++) {
		struct tally_slot s = t->slot[i];

		t->slot[i].count = 0;
		if (s.count)
			t->slot[n++] = s;
	}
	if (n)
		qsort(t->slot, n, sizeof(*t->slot), slot_cmp);
	t->sorted = true;
}

uint64_t tally_percentile(const struct tally *t, unsigned percent)
{
	/* Nearest rank: the first value with at least this many not above it. */
	uint64_t rank = t->n / 100 * percent + (t->n % 100 * percent + 99) / 100;

	for (size_t i = 0; i < t->used; i++) {
		if (t->slot[i].count >= rank)
			return t->slot[i].value;
		rank -= t->slot[i].count;
	}
	return 0;
}

void tally_free(struct tally *t)
{
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
