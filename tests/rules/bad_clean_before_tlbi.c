/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clean comes while a PE may still write through a stale entry. */
#include "rule.h"

PROGRAM(bad_clean_before_tlbi, "clean-before-tlbi", 0)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
