/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* There is no DSB after the clean. */
#include "rule.h"

PROGRAM(bad_clean_not_completed, "clean-not-completed", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	unmapped(r, 0, IPA, PAGE);
}
