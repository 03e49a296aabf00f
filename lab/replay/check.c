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

/* One page of a leaf. */
static bool check_page(const struct s2_mapping *m, uint64_t off,
		       const struct flat_page *p, bool young, char *detail)
{
	if (!p) {
		snprintf(detail, REPLAY_DETAIL,
			 "mapped to 0x%" PRIx64 " in the tables "
			 "(descriptor 0x%" PRIx64 " at level %d), not in the flat map",
			 m->pa.pa + off, m->desc, m->level);
		return false;
	}
	if (p->pa != m->pa.pa + off)
		return differs(detail, "physical address", m->pa.pa + off, p->pa);
	if (p->attr != m->attr)
		return differs(detail, "attributes", m->attr, p->attr);
	if (p->level != m->level)
		return differs(detail, "level", (uint64_t)m->level, p->level);
	if (young && p->young != m->young)
		return differs(detail, "access flag", m->young, p->young);
	return true;
}

static bool missing(struct flatmap *flat, uint64_t from, uint64_t to, uint64_t *ipa,
		    char *detail)
{
	*ipa = flat_next(flat, from, to);
	if (*ipa == to)
		return false;
	snprintf(detail, REPLAY_DETAIL,
		 "not mapped in the tables, mapped to 0x%" PRIx64 " in the flat map",
		 flat_get(flat, *ipa)->pa);
	return true;
}

bool replay_check(const struct s2 *s2, struct flatmap *flat, bool young, uint64_t *ipa,
		  char detail[REPLAY_DETAIL])
{
	uint64_t end = UINT64_C(1) << s2->ipa_bits, at = 0;
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
		for (at = m.ipa.ipa; at < m.ipa.ipa + m.size; at += FLAT_PAGE) {
			*ipa = at;
			if (!check_page(&m, at - m.ipa.ipa, flat_get(flat, at), young,
					detail))
				return false;
		}
	}
	return !missing(flat, at, end, ipa, detail);
}
