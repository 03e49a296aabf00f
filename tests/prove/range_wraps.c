/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Range checks cannot wrap: a range is accepted exactly if it is whole granules, not
 * empty, and ends, in unbounded arithmetic, at most at the end of the address space.
 */
#include "target.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t ipa = nondet_u64(), pa = nondet_u64(), size = nondet_u64();
	const uint64_t in = page_size(&s2) - 1;
	unsigned __int128 end = (unsigned __int128)ipa + size;
	unsigned __int128 pa_end = (unsigned __int128)pa + size;
	struct s2_op op = { .max_entries = 0 };
	int err = check_range(&s2, ipa, size);

	CLAIM(err <= 0);
	CLAIM(!err == (!(ipa & in) && !(size & in) && size &&
		       end <= (unsigned __int128)1 << s2.ipa_bits));
	err = check_map(&s2, ipa, pa, size, S2_R, 0, &op);
	CLAIM(!err == (!check_range(&s2, ipa, size) && !(pa & in) &&
		       pa_end <= (unsigned __int128)1 << s2.pa_bits));
	REACHED();
}
