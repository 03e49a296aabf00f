/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "advice.h"
#include "common/report.h"

/* The least budget of a step that the engine takes. */
#define STEP 512u

typedef char count_text[LAB_COUNT_LEN];

static uint64_t less(uint64_t from, uint64_t to)
{
	return from > to ? from - to : 0;
}

/* What @to needs less than @from. */
static struct call_cost difference(const struct replay_cost *from,
				   const struct replay_cost *to)
{
	return (struct call_cost){ {
		[VISITS] = less(from->sum.pte_reads, to->sum.pte_reads),
		[TLBIS] = less(replay_tlbis(from), replay_tlbis(to)),
		[DSBS] = less(from->sum.dsb, to->sum.dsb),
		[LINES] = less(from->sum.clean_lines, to->sum.clean_lines),
	} };
}

/* Linux's unmap against this library's. */
static bool unmap(const struct replay_result *r, struct advice *a)
{
	const struct replay_cost *ours = &r->cost[TRACE_UNMAP], *theirs;
	count_text b[4];

	if (!r->merged)
		return false;
	theirs = &r->merged[TRACE_UNMAP];
	a->what = "unmap";
	a->saves = difference(theirs, ours);
	if (!a->saves.n[TLBIS] && !a->saves.n[DSBS])
		return false;
	snprintf(
		a->text, sizeof(a->text),
		"Another unmap: Linux 6.12 takes %s TLBIs and %s DSBs for the unmaps, this "
		"library %s and %s.",
		lab_count_text(replay_tlbis(theirs), b[0]),
		lab_count_text(theirs->sum.dsb, b[1]),
		lab_count_text(replay_tlbis(ours), b[2]),
		lab_count_text(ours->sum.dsb, b[3]));
	return true;
}

static bool batch(const struct replay_result *r, struct advice *a)
{
	const struct replay_cost *ours = &r->cost[TRACE_UNMAP], *theirs;
	count_text b[5];

	if (!r->batched)
		return false;
	theirs = &r->batched->cost[TRACE_UNMAP];
	a->what = "batch";
	a->saves = difference(ours, theirs);
	if (!a->saves.n[TLBIS] && !a->saves.n[DSBS])
		return false;
	snprintf(
		a->text, sizeof(a->text),
		"Batches: if up to %s unmaps share an invalidation, and their pages are held "
		"back until then, %s TLBIs and %s DSBs become %s and %s.",
		lab_count_text(r->batched->batch, b[0]),
		lab_count_text(replay_tlbis(ours), b[1]),
		lab_count_text(ours->sum.dsb, b[2]),
		lab_count_text(replay_tlbis(theirs), b[3]),
		lab_count_text(theirs->sum.dsb, b[4]));
	return true;
}

/* With DBM hardware records a write; software need not see the fault. */
static bool dirty(const struct replay_result *r, struct advice *a)
{
	const struct account_group *g = &r->account->back;
	count_text b[3];

	if (!g->calls)
		return false;
	a->what = "dirty";
	a->saves = g->sum[WAY_STAGE2];
	snprintf(
		a->text, sizeof(a->text),
		"Hardware dirty state (S2_DBM): %s write faults only undid a "
		"write-protection, %s TLBIs and %s DSBs; hardware would have recorded the "
		"writes.",
		lab_count_text(g->calls, b[0]), lab_count_text(a->saves.n[TLBIS], b[1]),
		lab_count_text(a->saves.n[DSBS], b[2]));
	return true;
}

static bool access_flag(const struct replay_result *r, struct advice *a)
{
	const struct replay_cost *c = &r->cost[TRACE_MKYOUNG], none = { 0 };
	count_text b[2];

	if (!c->calls || r->features & S2_FEAT_HAFDBS)
		return false;
	a->what = "access-flag";
	a->saves = difference(c, &none);
	snprintf(
		a->text, sizeof(a->text),
		"A hardware access flag (hafdbs): %s faults only set the flag and visited %s "
		"entries; hardware would have set it.",
		lab_count_text(c->calls, b[0]), lab_count_text(c->sum.pte_reads, b[1]));
	return true;
}

static bool empty(const struct replay_result *r, struct advice *a)
{
	const uint64_t calls = r->cost[TRACE_UNMAP].calls;
	count_text b[2];

	if (!r->empty_unmaps || r->empty_unmaps * 4 < calls)
		return false;
	a->what = "empty";
	a->saves = (struct call_cost){ { [VISITS] = r->empty_visits } };
	snprintf(
		a->text, sizeof(a->text),
		"Unmaps of nothing: %s of %s unmap calls found nothing mapped. Here they cost "
		"no TLBI and no DSB, but each is a walk.",
		lab_count_text(r->empty_unmaps, b[0]), lab_count_text(calls, b[1]));
	return true;
}

/* The longest call that can be made in steps. */
static bool budget(const struct replay_result *r, struct advice *a)
{
	const uint64_t longest = replay_total(r->cost).longest;
	count_text b[2];

	if (longest < 8 * STEP)
		return false;
	a->what = "budget";
	a->saves = (struct call_cost){ { [VISITS] = longest - STEP } };
	snprintf(
		a->text, sizeof(a->text),
		"A budget (op->max_entries): the longest call visits %s entries at a stretch; "
		"with a budget a stretch ends after %s.",
		lab_count_text(longest, b[0]), lab_count_text(STEP, b[1]));
	return true;
}

unsigned replay_advice(const struct replay_result *r, struct advice list[ADVICE_MOST])
{
	static bool (*const each[ADVICE_MOST])(const struct replay_result *,
					       struct advice *) = {
		unmap, batch, dirty, access_flag, empty, budget,
	};
	unsigned n = 0;

	for (unsigned i = 0; i < ADVICE_MOST; i++) {
		list[n] = (struct advice){ 0 };
		n += each[i](r, &list[n]);
	}
	return n;
}
