/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counted leaves. In a scenario that counts, every leaf is counted. A page of a probe is
 * owed a report for each time that an empty entry has become a leaf which holds it, in a
 * table that somebody can reach; a split or a collapse makes nothing new.
 */
#include "judge.h"

static bool holds(uint64_t ipa, uint64_t size, unsigned i)
{
	return probe[i] >= ipa && probe[i] - ipa < size;
}

void counted_written(uint32_t entry, uint64_t old, uint64_t new)
{
	const struct page *p = &world.page[entry / ENTRIES];
	uint64_t size = pe_size(p->level);

	if (!sc->counted || p->state != PAGE_PUBLISHED || (old && !desc_note(old)) ||
	    !desc_valid(new) || desc_is_table(new, p->level))
		return;
	for (unsigned i = 0; i < nprobe; i++)
		if (holds(p->ipa + entry % ENTRIES * size, size, i))
			world.known[i].owed++;
}

struct told {
	uint64_t ipa, pa;
};

static void too_early(void *data, uint64_t pa, uint64_t desc, const struct stale *stale)
{
	const struct told *t = data;

	if (pa == t->pa)
		violation("counted-early",
			  "0x%llx is reported for 0x%llx, a PE may use 0x%llx%s",
			  (unsigned long long)pa, (unsigned long long)t->ipa,
			  (unsigned long long)desc, stale ? "" : ", which is mapped");
}

/* What the call that reports has removed itself, and does not waive, is clean. */
static void is_clean(uint64_t ipa, uint64_t size)
{
	const struct stale *s;

	/* The destroy at the end waives it. */
	if (call_now() == CALLS || call_waives())
		return;
	for (unsigned i = 0; (s = pe_uncleaned(&i, ipa, size)); i++)
		if (s->by == call_now())
			violation("counted-early",
				  "0x%llx is reported, 0x%llx is not clean",
				  (unsigned long long)ipa, (unsigned long long)s->desc);
}

void counted_gone(uint64_t ipa, uint64_t pa, uint64_t size)
{
	for (unsigned i = 0; i < nprobe; i++) {
		struct told t = { probe[i], pa + (probe[i] - ipa) };

		if (!holds(ipa, size, i))
			continue;
		if (!owners(t.ipa, t.pa))
			violation("counted-twice",
				  "0x%llx to 0x%llx, which nobody mapped",
				  (unsigned long long)t.ipa, (unsigned long long)t.pa);
		if (!world.known[i].owed)
			violation("counted-twice", "0x%llx is reported once more",
				  (unsigned long long)t.ipa);
		else if (--world.known[i].owed == 0)
			/* Nobody has made it again meanwhile. */
			pe_each(t.ipa, too_early, &t);
	}
	is_clean(ipa, size);
}

static bool is_there(uint64_t ipa)
{
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	return pa || desc_busy(d);
}

void counted_end(bool destroyed)
{
	for (unsigned i = 0; sc->counted && i < nprobe; i++) {
		unsigned there = !destroyed && is_there(probe[i]);

		if (world.known[i].owed != there)
			violation("counted-lost", "0x%llx was not reported %d times%s",
				  (unsigned long long)probe[i],
				  world.known[i].owed - (int)there,
				  destroyed ? ", and all is destroyed" : "");
	}
}
