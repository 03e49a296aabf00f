/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab compare: check that a split or a collapse has changed leaf sizes only. */
#include <inttypes.h>
#include <stdio.h>

#include "compare.h"

/* The first address in [@at, @end) that is not mapped to its frame; @end: none. */
static uint64_t first_lost(const struct lab_vm *vm, uint64_t at, uint64_t end,
			   uint64_t frame, uint64_t *leaves)
{
	struct s2_mapping m;
	struct s2_iter it;

	if (s2_iter_start(&it, &vm->s2, s2_ipa(at), end - at))
		return at;
	while (s2_iter_next(&it, &m)) {
		if (m.state != S2_LEAF || m.ipa.ipa != at || m.pa.pa != frame ||
		    m.attr != (S2_R | S2_W))
			return at;
		at += m.size;
		frame += m.size;
		++*leaves;
	}
	return at;
}

bool compare_still_mapped(const struct compare_options *o, const struct lab_vm *vm,
			  const char *name, uint64_t *leaves)
{
	uint64_t start, end, frames, lost;

	compare_mapped(o, &start, &end, &frames);
	lost = first_lost(vm, start, end, frames, leaves);
	if (lost != end)
		fprintf(stderr,
			"s2lab compare: %s: 0x%" PRIx64 " is not mapped as it was\n",
			name, lost);
	return lost == end;
}
