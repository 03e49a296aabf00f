/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An unmap in the profile of the core, of one or two pages: no
 * access outside of a table or of one that is free; what was broken is invalidated,
 * then cleaned, then released, in this order; the range is empty then, what was outside
 * of it is as it was, and the state words agree.
 */
#define S2_PROFILE 0
#include "cursor.c"
#include "inval.c"
#include "op.c"
#include "entry.c"
#include "target.c"
#include "edges.c"
#include "break.c"
#include "unmap.c"
#include "page.c"
#include "arena.h"

#define FIRST (ROOT_TABLES * ENTRIES) /* where the tables are in the arena */

/* Of the one test at the end: any entry of the two tables. */
static uint64_t leaf_or_hole(const struct s2 *s2)
{
	uint64_t d = nondet_u64();

	/* A leaf, any address, type and permissions; or nothing. */
	if (nondet_u8() % 2)
		return 0;
	return desc_leaf(s2, d & desc_oa_mask(s2),
			 nondet_u32() & (S2_R | S2_W | S2_MEM_NC), 3);
}

void prove(void)
{
	struct s2 s2 = { .root = mem,
			 .features = nondet_u32() &
				     (S2_FEAT_FWB | S2_FEAT_TTL | S2_FEAT_TLBIRANGE),
			 .ipa_bits = 32,
			 .pa_bits = 48,
			 .start_level = 2,
			 .granule_shift = 12,
			 .root_pages = ROOT_TABLES,
			 .start_shift = 21,
			 .oa_mask = (UINT64_C(1) << 48) - 4096,
			 .ipa_end = UINT64_C(1) << 32,
			 .pa_end = UINT64_C(1) << 48,
			 .tags = 1 };
	uint64_t root = PROVE_ROOT, at = PROVE_AT, n = 1 + nondet_u8() % 2, was[3];
	uint64_t live[TABLES] = { 1, 1 };

	/* Two tables side by side. Each has one leaf that is out of the way. */
	for (unsigned i = 0; i < TABLES; i++) {
		mem[root + i] = desc_make_table(&s2, BASE + (FIRST + i * ENTRIES) * 8);
		mem[FIRST + i * ENTRIES + (i ? ENTRIES - 1 : 0)] =
			desc_leaf(&s2, 0, S2_R, 3);
	}
	for (unsigned i = 0; i < 3; i++) {
		was[i] = mem[FIRST + at + i] = leaf_or_hole(&s2);
		live[(at + i) / ENTRIES] += was[i] != 0;
	}
	for (unsigned i = 0; i < TABLES; i++)
		meta[ROOT_TABLES + i][META_STATE] = live[i] + META_CLEAN;
	meta[root / ENTRIES][META_STATE] += META_LIVE_ONE + META_TABLE_ONE + META_CLEAN;
	meta[(root + 1) / ENTRIES][META_STATE] += META_LIVE_ONE + META_TABLE_ONE;
	meta[(root + 1) / ENTRIES][META_STATE] |= META_CLEAN;

	CLAIM(!s2_unmap(&s2, s2_ipa((root << 21) + (at << 12)), n << 12, 0, NULL));
	for (unsigned i = 0; i < 3; i++) {
		uint64_t now = mem[FIRST + at + i];

		CLAIM(now == (i < n ? 0 : was[i]));
		live[(at + i) / ENTRIES] -= i < n && was[i];
		if (i < n && was[i] && desc_needs_clean(s2.features, was[i]))
			CLAIM(cleaned);
	}
	for (unsigned i = 0; i < TABLES; i++)
		CLAIM((meta[ROOT_TABLES + i][META_STATE] & META_COUNTS) == live[i]);
	REACHED();
}
