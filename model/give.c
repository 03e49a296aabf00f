/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table pages that the program gives back: who may still use one.
 */
#include "internal.h"

static bool hw_updates(const struct machine *m, const struct page *p)
{
	for (unsigned i = 0; p->tree && p->level >= 0 && i < entries(m); i++) {
		const struct desc d =
			desc_read(page_mem(m, p)[i], p->level, mode(m, p->tree));

		if (hw_may_write(m, p->tree, &d))
			return true;
	}
	return false;
}

static void table_verdict(struct machine *m, unsigned pe, struct page *p, uint64_t cause,
			  const char *why, enum rule rule)
{
	if (rule == R_TABLE_USE_AFTER_FREE && hw_updates(m, p))
		rule = R_HW_UPDATE_IN_FREED_TABLE;
	verdict(m, rule,
		(struct where){
			.pe = pe, .cause = cause, .ipa = p->ipa, .pa = page_pa(m, p) },
		"PE%u gives back table %#llx (level %d, %#llx) %s%s", pe,
		NS(page_pa(m, p)), p->level, NS(p->ipa), why,
		rule == R_HW_UPDATE_IN_FREED_TABLE ?
			"; hardware may set an access flag or dirty state in it" :
			"");
}

static struct ctx *held_by(struct machine *m, const struct page *p)
{
	struct ctx *c;

	LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
		if (ctx_held(m, c))
			return c;
	}
	return NULL;
}

static void judge_live(struct machine *m, unsigned pe, struct page *p)
{
	struct ctx *c = held_by(m, p);
	char text[320], why[192];

	if (c && c->all_rec) {
		rec_why(c->all_rec, why, sizeof(why));
		snprintf(text, sizeof(text),
			 "while PEs that ran the tree may still use it: %s", why);
		table_verdict(m, pe, p, c->all_rec->first, text, R_TABLE_USE_AFTER_FREE);
	} else if (c) {
		table_verdict(m, pe, p, 0,
			      "while it is still linked, and PEs run the tree",
			      R_TABLE_USE_AFTER_FREE);
	}
	page_dies(m, p);
}

static bool judge_stale(struct machine *m, unsigned pe, struct page *p)
{
	struct rec *r = page_stale(m, p);
	char text[320], why[192], what[128];
	enum rule rule;

	if (!r)
		return false;
	rule = rec_why(r, why, sizeof(why));
	snprintf(text, sizeof(text), "while PEs may hold %s: %s",
		 rec_text(r, what, sizeof(what)), why);
	table_verdict(m, pe, p, r->first, text,
		      rule == R_AGENT_NOT_INVALIDATED ? rule : R_TABLE_USE_AFTER_FREE);
	return true;
}

void judge_give(struct machine *m, unsigned pe, struct page *p)
{
	char text[128];

	if (!p->taken) {
		table_verdict(m, pe, p, p->given, "which is free already",
			      R_TABLE_USE_AFTER_FREE);
		return;
	}
	if (p->live)
		judge_live(m, pe, p);
	else if (!judge_stale(m, pe, p)) {
		for (unsigned i = 0; i < m->pes; i++) {
			if (!m->pe[i].walker || p->unreach <= m->pe[i].walker)
				continue;
			snprintf(text, sizeof(text),
				 "while PE%u, which walks without a lock since "
				 "step %llu, may be in it",
				 i, NS(m->pe[i].walker));
			table_verdict(m, pe, p, m->pe[i].walker, text,
				      R_TABLE_USE_AFTER_FREE);
			break;
		}
	}
	/* The tables below are no longer linked. */
	for (unsigned i = 0; p->level >= 0 && p->level < 3 && i < entries(m); i++) {
		const struct desc d =
			desc_read(page_mem(m, p)[i], p->level, mode(m, p->tree));
		struct page *child = d.kind == DESC_TABLE ? page_child(m, p, i, d.pa) :
							    NULL;

		if (child)
			child->parent = 0;
	}
	p->taken = p->live = p->root = false;
	p->parent = 0;
	p->given = m->step;
}
