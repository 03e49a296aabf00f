/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The other agent, an SMMU on the same tables, which may have fewer features than the
 * PEs: what it reads in an entry, and its invalidations.
 */
#include "internal.h"

#define MEMATTR 15u
#define MEMATTR_NC 5u /* the same with FWB and without */

bool agent_has(const struct machine *m, uint32_t feature)
{
	return m->features & S2M_AGENT && m->features & ~m->agent_lacks & feature;
}

/* How it reads entries that PEs read as pes does. */
static struct desc_mode reads(const struct machine *m, const struct desc_mode *pes)
{
	struct desc_mode mode = *pes;

	mode.fwb &= agent_has(m, S2M_FWB);
	mode.xnx &= agent_has(m, S2M_XNX);
	if (mode.ds && !agent_has(m, S2M_LPA2))
		desc_layout(&mode, mode.granule, false, false);
	return mode;
}

/* What it takes for something else; NULL: nothing. */
static const char *misread(const struct machine *m, uint64_t value, int level,
			   const struct desc_mode *pes)
{
	const struct desc_mode mode = reads(m, pes);
	const struct desc p = desc_read(value, level, pes);
	const struct desc a = desc_read(value, level, &mode);

	if (p.kind == DESC_INVALID)
		return NULL;
	if (p.kind != a.kind)
		return "is of another kind without FEAT_LPA2";
	if (p.pa != a.pa)
		return "has another output address without FEAT_LPA2";
	if (p.kind == DESC_TABLE)
		return NULL;
	if (pes->ds != mode.ds && p.normal)
		return "has another shareability without FEAT_LPA2";
	if (pes->fwb != mode.fwb && p.normal && (p.type & MEMATTR) != MEMATTR_NC)
		return "has another memory type without FEAT_S2FWB";
	if (p.exec1 != a.exec1 || p.exec0 != a.exec0)
		return "has another execute permission without FEAT_XNX";
	return NULL;
}

void agent_reads(struct machine *m, unsigned pe, const struct page *p, unsigned slot,
		 uint64_t value)
{
	uint64_t ipa = p->ipa + slot * span(m, p->level);
	const char *what;

	if (!(m->features & S2M_AGENT && m->agent_lacks))
		return;
	what = misread(m, value, p->level, mode(m, p->tree));
	if (what)
		verdict(m, R_AGENT_MISREADS,
			(struct where){ .pe = pe, .ipa = ipa, .pa = page_pa(m, p) },
			"PE%u makes the level-%d entry for %#llx, which the other agent reads "
			"otherwise: it %s",
			pe, p->level, NS(ipa), what);
}

/* ---- invalidation ---------------------------------------------------------------- */

static void agent_lets_go(struct machine *m, struct rec *r)
{
	if (!(r->flags & F_AGENT) || r->state == ST_WRITTEN)
		return;
	r->ctx->held -= rec_held(r);
	r->flags &= (uint16_t)~F_AGENT;
	r->ctx->held += rec_held(r);
	if (r->orphan && clean_done(m, r))
		rec_drop(m, r);
	else
		rec_settle(m, r);
}

void s2m_agent_tlbi(struct machine *m, unsigned pe, uint64_t ipa, uint64_t size)
{
	uint64_t end = size ? ipa + size : UINT64_MAX, past;
	struct rec *r, *next;
	struct ctx *c;

	m->step++;
	log_event(m, pe, "the other agent invalidates %#llx-%#llx",
		  (unsigned long long)ipa, (unsigned long long)end);
	WATCH(m, .kind = S2M_EV_AGENT_TLBI, .pe = pe, .ipa = ipa, .size = size);
	if (size > granule(m) && m->agent_lacks & S2M_TLBIRANGE) {
		verdict(m, R_TLBI_UNDEFINED, (struct where){ .pe = pe, .ipa = ipa },
			"PE%u sends the other agent an invalidation of %#llx-%#llx, which has "
			"none of ranges",
			pe, NS(ipa), NS(end));
		return;
	}
	LIST_FOREACH(c, &m->ctxs, all) {
		for (int l = 0; l < 3; l++) {
			for (r = table_first(c, l, ipa);
			     r && r->level == l && r->ipa < end; r = next) {
				next = table_next(r);
				agent_lets_go(m, r);
			}
		}
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_first(c, past)) {
			uint64_t mask = span(m, r->level) - 1;

			r = leaf_cut(m, r, ipa & ~mask,
				     end > UINT64_MAX - mask ? UINT64_MAX :
							       (end + mask) & ~mask);
			past = r->end;
			agent_lets_go(m, r); /* may join it to its neighbours */
		}
		TAILQ_FOREACH_SAFE(r, &c->orphans, list, next) {
			if (r->ipa < end && r->end > ipa)
				agent_lets_go(m, r);
		}
		if (c->all_rec && !size)
			agent_lets_go(m, c->all_rec);
	}
}
