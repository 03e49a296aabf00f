/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An entry with DBM is left. It may be written, because hardware gives the permission. */
#include "rule.h"

PROGRAM(bad_wrprotect_left_writable_dbm, "wrprotect-left-writable", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, PAGE);
}
