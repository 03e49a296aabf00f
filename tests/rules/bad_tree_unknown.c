/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A promise about a tree that nobody has shown to the machine would hold for ever. */
#include "rule.h"

PROGRAM(bad_tree_unknown, "tree-unknown", S2M_FWB)
{
	s2m_claim_unmapped(r->m, 0, take(r, 0), IPA, PAGE, 0);
}
