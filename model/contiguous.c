/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Contiguous bit: a PE may translate all of a run by any entry of it, so the entries
 * must agree. They may differ while a PE is writing the run. After that PE's DSB they
 * must agree in everything that only break-before-make may change; when it claims
 * something they must agree in permissions too.
 */
#include "internal.h"

enum agree { ALL_AGREE, IN_PERMISSIONS_NOT, NOT_AT_ALL };

/*
 * Invalid entries are skipped: a run that is being made or broken has them, and claims
 * look at them (claim.c). Hardware may set the access flag and dirty state in one entry
 * for the whole run, so these may differ.
 */
static enum agree agree(const struct machine *m, const struct page *p, unsigned first,
			unsigned run)
{
	const uint64_t size = span(m, p->level);
	bool any = false, hint = false, differ = false, perms = false;
	struct desc ref = { .kind = DESC_INVALID };

	for (unsigned i = 0; i < run; i++) {
		const struct desc d =
			desc_read(page_mem(m, p)[first + i], p->level, mode(m, p->tree));

		if (d.kind == DESC_INVALID)
			continue;
		hint |= d.contiguous;
		differ |= any && (d.kind != ref.kind || d.pa != ref.pa + i * size ||
				  d.type != ref.type);
		perms |= any &&
			 (d.read != ref.read || d.exec1 != ref.exec1 ||
			  d.exec0 != ref.exec0 ||
			  desc_writes(m, p->tree, &d) != desc_writes(m, p->tree, &ref));
		if (!any) {
			ref = d;
			ref.pa -= i * size;
		}
		any = true;
	}
	if (!hint)
		return ALL_AGREE;
	return differ || ref.pa & (run * size - 1) ? NOT_AT_ALL :
	       perms				   ? IN_PERMISSIONS_NOT :
						     ALL_AGREE;
}

/* The run is judged. False: not yet, its entries may still come to agree. */
static bool judged(struct machine *m, const struct mixed *x, bool promise)
{
	const struct page *p = x->page;
	unsigned run;

	if (!p->live || p->level < 0)
		return true;
	run = desc_run(m->granule, p->level);
	switch (agree(m, p, x->first, run)) {
	case ALL_AGREE:
		return true;
	case IN_PERMISSIONS_NOT:
		if (!promise)
			return false;
		break;
	case NOT_AT_ALL:
		break;
	}
	verdict(m, R_CONTIGUOUS_MIXED,
		(struct where){ .pe = x->pe,
				.cause = x->step,
				.ipa = p->ipa + x->first * span(m, p->level),
				.pa = page_pa(m, p) },
		"PE%u left the members of the Contiguous run of %#llx-%#llx (level %d) "
		"different from each other, or not aligned to the run, at step %llu: a PE may "
		"use any of them for all",
		x->pe, NS(p->ipa + x->first * span(m, p->level)),
		NS(p->ipa + (x->first + run) * span(m, p->level)), p->level, NS(x->step));
	return true;
}

static void take_out(struct machine *m, unsigned i)
{
	m->mixed_n--;
	for (; i < m->mixed_n; i++)
		m->mixed[i] = m->mixed[i + 1];
}

static unsigned mixed_at(const struct machine *m, const struct page *p, unsigned first)
{
	unsigned i;

	for (i = 0; i < m->mixed_n; i++) {
		if (m->mixed[i].page == p && m->mixed[i].first == first)
			break;
	}
	return i;
}

void run_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot)
{
	unsigned run = desc_run(m->granule, p->level), first = slot & ~(run - 1);
	unsigned i = mixed_at(m, p, first);
	const struct desc d = desc_read(page_mem(m, p)[slot], p->level, mode(m, p->tree));

	p->hints |= d.kind == DESC_LEAF && d.contiguous;
	if (!p->hints || run == 1)
		return;
	if (agree(m, p, first, run) == ALL_AGREE) {
		if (i < m->mixed_n)
			take_out(m, i);
		return;
	}
	if (i == m->mixed_n) {
		/* A program that changes so many runs at once is judged early. */
		if (m->mixed_n == MAX_MIXED) {
			judged(m, &m->mixed[0], true);
			take_out(m, 0);
		}
		i = m->mixed_n++;
	}
	m->mixed[i] =
		(struct mixed){ .page = p, .first = first, .pe = pe, .step = m->step };
}

void run_told(struct machine *m, const struct page *p, unsigned slot)
{
	unsigned run = desc_run(m->granule, p->level);
	unsigned i = mixed_at(m, p, slot & ~(run - 1));

	if (i < m->mixed_n)
		take_out(m, i);
}

void run_judge(struct machine *m, unsigned pe, bool promise)
{
	for (unsigned i = m->mixed_n; i-- > 0;) {
		if (m->mixed[i].pe == pe && judged(m, &m->mixed[i], promise))
			take_out(m, i);
	}
}
