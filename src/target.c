/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a map may ask for.
 */
#include "internal.h"

static bool attr_known(const struct s2 *s2, s2_attr_t attr)
{
	s2_attr_t mem = attr & S2_MEM_MASK, sh = attr & S2_SH_MASK;

	if (!exec_known(s2, attr))
		return false;
	/* Nearly always: write-back, inner shareable. */
	if (!(attr & ~(S2_R | S2_W | S2_X | S2_SW_MASK)))
		return true;
	return !(attr & ~(S2_R | S2_W | S2_X | S2_MEM_MASK | S2_SW_MASK | S2_SH_MASK |
			  S2_DBM)) &&
	       mem != (3u << 4) && sh != S2_SH_MASK &&
	       !(sh && wide_of(s2) == S2_WIDE_LPA2) &&
	       !(attr & S2_DBM && !(s2->features & S2_FEAT_DBM)) &&
	       !(attr & S2_X && attr & S2_MEM_DEV_nGnRnE) &&
	       !(mem == S2_MEM_S1 && !(s2->features & S2_FEAT_FWB));
}

static bool flags_fit(uint32_t flags, const struct s2_op *op)
{
	if (!(flags & ~(S2_MAP_PAGES | S2_NO_CLEAN)))
		return true;
	return !(flags & ~(S2_MAP_PAGES | S2_MAP_REPLACE | S2_MAP_NEW | S2_DROP_EDGES |
			   S2_SPLIT_EDGES | S2_NO_CLEAN | S2_MAP_CONT | S2_SHARED)) &&
	       !(flags & S2_MAP_CONT && flags & S2_SHARED) &&
	       !(flags & S2_DROP_EDGES && flags & S2_SPLIT_EDGES) &&
	       !(flags & S2_DROP_EDGES && !(flags & S2_MAP_REPLACE)) &&
	       !(flags & S2_SHARED && log_of(op));
}

int check_map(const struct s2 *s2, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, uint32_t flags, const struct s2_op *op)
{
	int err = check_range(s2, ipa, size);

	if (err)
		return err;
	if (pa & (page_size(s2) - 1))
		return S2_E_ALIGN;
	if (pa + size < pa)
		return S2_E_WRAP;
	if (pa + size > UINT64_C(1) << s2->pa_bits)
		return S2_E_PA_RANGE;
	if ((!S2_USE_RUNS && flags & S2_MAP_CONT) ||
	    (!S2_USE_REPLACE && flags & S2_MAP_REPLACE) ||
	    (!S2_USE_RESHAPE && flags & S2_SPLIT_EDGES))
		return S2_E_UNSUPPORTED;
	/* Hardware may write the members of a run one by one. */
	if (!attr_known(s2, attr) || (attr & S2_DBM && flags & S2_MAP_CONT))
		return S2_E_ATTR;
	if (!flags_fit(flags, op))
		return S2_E_FLAGS;
	return 0;
}

int target_top(const struct s2 *s2, uint32_t flags)
{
	int top = first_block_level(s2);

	if (flags & S2_MAP_PAGES)
		return LAST_LEVEL;
	return top > s2->start_level ? top : s2->start_level;
}

int target_level(const struct s2 *s2, const struct target *t, uint64_t ipa)
{
	int level = LAST_LEVEL;

	while (level > t->top) {
		uint64_t size = level_size(s2, level - 1);

		if ((ipa | t->delta) & (size - 1) || t->end - ipa < size ||
		    (S2_USE_STEPS && size > t->max_leaf))
			break;
		level--;
	}
	return level;
}

uint64_t target_desc(const struct s2 *s2, const struct target *t, uint64_t ipa, int level)
{
	if (S2_USE_NOTES && t->note)
		return t->note;
	return desc_leaf(s2, ipa + t->delta, t->attr, level);
}

uint64_t target_in_place(const struct s2 *s2, const struct target *t, uint64_t d,
			 uint64_t ipa, int level, int want)
{
	uint64_t in = level_size(s2, level) - 1, base = ipa & ~in;
	uint64_t new = desc_in_place(d, target_desc(s2, t, base, level));
	uint64_t other = (d ^ new) & ~DESC_AF;

	if (t->delta & in || other & ~DESC_IN_PLACE || desc_counted(s2, d) ||
	    desc_counted(s2, new))
		return 0;
	if (!(t->flags & S2_MAP_REPLACE))
		return other && (base < t->start || t->end - base <= in) ? TARGET_PART :
									   new;
	if (level == want)
		return new;
	return level > want || other || t->flags & (S2_MAP_PAGES | S2_DROP_EDGES) ? 0 :
										    new;
}

/*
 * Tables that [ipa, end), inside one empty entry at @level, needs: at each level
 * one for every entry that is not itself a block.
 */
uint64_t target_tables(const struct s2 *s2, const struct target *t, uint64_t ipa,
		       uint64_t end, int level)
{
	uint64_t n = 0;

	for (; level < LAST_LEVEL; level++) {
		unsigned shift = level_shift(s2, level);
		uint64_t size = level_size(s2, level);
		uint64_t all = ((end - 1) >> shift) - (ipa >> shift) + 1, blocks = 0;

		if (level >= t->top && !(t->delta & (size - 1)) && size <= t->max_leaf &&
		    end >> shift > (ipa + size - 1) >> shift)
			blocks = (end >> shift) - ((ipa + size - 1) >> shift);
		n += all - blocks;
	}
	return n;
}
