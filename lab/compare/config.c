/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What follows from the options: what is mapped and where its frames are, the sizes of
 * the address spaces, the number of table pages.
 */
#include "common/granule.h"
#include "compare.h"

#define GIB (UINT64_C(1) << 30)

const char *const compare_ops[] = { "unmap", "split", "collapse", NULL };
const char *const posted_counts[] = { "linux", "bare", NULL };
const char *const posted_frees[] = { "rcu", "rcu-open", "now", NULL };

/*
 * PA of the first frame. Table pages are in the upper half of the PA space. With 52
 * bits one of PA[51:48] is set: descriptors hold these apart from the other bits.
 */
static uint64_t frames_base(const struct compare_options *o)
{
	unsigned pa_bits = compare_pa_bits(o);

	return pa_bits == 36 || pa_bits == 52 ? UINT64_C(1) << (pa_bits - 2) : 64 * GIB;
}

/* The size of the blocks one level above --to; that of --to if there are none. */
static uint64_t larger_block(const struct compare_options *o)
{
	const int level = o->to.level - 1, first = o->to.page_shift == 12 ? 1 : 2;
	const bool wide = lab_wide(o->to.page_shift, compare_pa_bits(o), o->features);

	if (level < first - wide)
		return o->to.size;
	return level_size(o->to.page_shift, level);
}

void compare_mapped(const struct compare_options *o, uint64_t *start, uint64_t *end,
		    uint64_t *frames)
{
	uint64_t around = o->around ? o->around : o->leaf.size;

	*start = o->ipa - o->ipa % around;
	*end = round_up(o->ipa + o->mem, around);
	*frames = round_up(frames_base(o), o->leaf.size) + *start % GIB;
	if (o->op == LAB_COLLAPSE) {
		/* Aligned for blocks of --to and for no larger ones. */
		uint64_t next = larger_block(o);

		*frames = round_up(frames_base(o), next) + *start % next;
		if (next > o->to.size)
			*frames += o->to.size;
	}
}

uint64_t compare_tables(const struct compare_options *o)
{
	uint64_t start, end, frames, n = 64;

	compare_mapped(o, &start, &end, &frames);
	if (o->empty)
		return n;
	for (int level = 3; level > 0; level--) {
		uint64_t each = level_size(o->leaf.page_shift, level - 1);

		if (level <= o->leaf.level || o->op == LAB_SPLIT)
			n += round_up(end, each) / each - start / each;
	}
	return n;
}

unsigned compare_ipa_bits_max(const struct compare_options *o)
{
	bool wide = lab_wide(o->leaf.page_shift, compare_pa_bits(o), o->features);

	return wide ? 52 : 48;
}

/*
 * The smallest IPA size with which the walk starts at the level of the largest leaf or
 * above. Concatenated root tables would allow 4 bits less.
 */
unsigned compare_ipa_bits_min(const struct compare_options *o)
{
	int level = o->op == LAB_COLLAPSE ? o->to.level : o->leaf.level;

	return level_shift(o->leaf.page_shift, level) + 5;
}

unsigned compare_ipa_bits(const struct compare_options *o)
{
	uint64_t start, end, frames;
	unsigned bits = o->pa_bits && o->pa_bits < 40 ? o->pa_bits : 40;

	if (o->ipa_bits)
		return o->ipa_bits;
	if (bits < compare_ipa_bits_min(o))
		bits = compare_ipa_bits_min(o);
	compare_mapped(o, &start, &end, &frames);
	while (bits < compare_ipa_bits_max(o) && end > UINT64_C(1) << bits)
		bits++;
	return bits;
}

unsigned compare_pa_bits(const struct compare_options *o)
{
	const uint64_t narrow = UINT64_C(1) << 48;

	if (o->pa_bits)
		return o->pa_bits;
	if (o->features & S2_FEAT_LPA2)
		return 52;
	if (o->leaf.page_shift == 16 && (o->leaf.wide || o->to.wide || o->ipa_bits > 48 ||
					 o->ipa > narrow || o->mem > narrow - o->ipa))
		return 52;
	return 48;
}
