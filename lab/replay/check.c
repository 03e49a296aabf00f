// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>

#include "replay.h"

static bool differs(char *detail, const char *what, uint64_t engine, uint64_t flat)
{
	snprintf(detail, REPLAY_DETAIL,
		 "%s: 0x%" PRIx64 " in the tables, 0x%" PRIx64 " in the flat map", what,
		 engine, flat);
	return false;
}

/* A leaf of the tables against the one of the flat map at its address. */
static bool check_leaf(const struct s2_mapping *m, const struct flat_leaf *leaf,
		       uint64_t start, bool young, char *detail)
{
	uint64_t pa;

	if (!leaf) {
		snprintf(detail, REPLAY_DETAIL,
			 "mapped to 0x%" PRIx64 " in the tables "
			 "(descriptor 0x%" PRIx64 " at level %d), not in the flat map",
			 m->pa.pa, m->desc, m->level);
		return false;
	}
	pa = leaf->pa + (m->ipa.ipa - start);
	if (pa != m->pa.pa)
		return differs(detail, "physical address", m->pa.pa, pa);
	if (leaf->attr != m->attr)
		return differs(detail, "attributes", m->attr, leaf->attr);
	/* Leaves of one level at one address are of one size, too. */
	if (leaf->level != m->level)
		return differs(detail, "level", (uint64_t)m->level, leaf->level);
	if (young && leaf->young != m->young)
		return differs(detail, "access flag", m->young, leaf->young);
	return true;
}

static bool missing(struct flatmap *flat, uint64_t from, uint64_t to, uint64_t *ipa,
		    char *detail)
{
	const struct flat_leaf *leaf;
	uint64_t start;

	*ipa = flat_next(flat, from, to);
	if (*ipa == to)
		return false;
	leaf = flat_get(flat, *ipa, &start);
	snprintf(detail, REPLAY_DETAIL,
		 "not mapped in the tables, mapped to 0x%" PRIx64 " in the flat map",
		 leaf->pa + (*ipa - start));
	return true;
}

bool replay_check(const struct s2 *s2, struct flatmap *flat, bool young, uint64_t *ipa,
		  char detail[REPLAY_DETAIL])
{
	uint64_t end = UINT64_C(1) << s2->ipa_bits, at = 0, start = 0;
	const struct flat_leaf *leaf;
	struct s2_mapping m;
	struct s2_iter it;

	if (s2_iter_start(&it, s2, s2_ipa(0), end)) {
		*ipa = 0;
		snprintf(detail, REPLAY_DETAIL, "s2_iter_start() refuses the IPA space");
		return false;
	}
	while (s2_iter_next(&it, &m)) {
		if (missing(flat, at, m.ipa.ipa, ipa, detail))
			return false;
		*ipa = m.ipa.ipa;
		if (m.state != S2_LEAF || m.ipa.ipa < at) {
			snprintf(
				detail, REPLAY_DETAIL,
				m.state == S2_BUSY ?
					"busy (0x%" PRIx64
					") with no operation under way" :
					"the iterator goes back or shows no leaf (0x%" PRIx64
					")",
				m.desc);
			return false;
		}
		leaf = flat_get(flat, m.ipa.ipa, &start);
		if (!check_leaf(&m, leaf, start, young, detail))
			return false;
		at = m.ipa.ipa + m.size;
	}
	return !missing(flat, at, end, ipa, detail);
}
