/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Litmus tests on the memory of views.h. A step is one access or one barrier, and what
 * its PE does alone before the next one. What a register's value came from is a view, so
 * that address, data and control dependencies order as they do on Arm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litmus.h"
#include "views.h"

/* In the place of the flags: what branches depended on. */
#define CONTROL LITMUS_FLAGS
#define NO_MONITOR 0xff

struct state {
	uint8_t pc[ORDER_PES];
	uint8_t reg[ORDER_PES][LITMUS_REGS];
	/* The location of the last load-exclusive, while what it read is the last. */
	uint8_t monitor[ORDER_PES];
	uint8_t unknown, unused[3];
	struct views v;
};

static struct view *from(struct state *st, unsigned pe, unsigned reg)
{
	return &st->v.kept[pe * LITMUS_REGS + reg];
}

static bool is_address(uint8_t v)
{
	return v >= LITMUS_ADDR && v < LITMUS_ADDR + LITMUS_SYMS;
}

static void set(struct state *st, unsigned pe, unsigned reg, uint8_t value)
{
	st->reg[pe][reg] = value;
	memset(from(st, pe, reg), 0, sizeof(struct view));
}

/* What concerns nobody else, up to the next access or barrier. */
static void settle(const struct litmus *l, struct state *st)
{
	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		for (; st->pc[pe] < l->nr_insns[pe]; st->pc[pe]++) {
			const struct litmus_insn *in = &l->insn[pe][st->pc[pe]];

			if (in->op == LITMUS_MOV) {
				set(st, pe, in->reg, in->arg);
			} else if (in->op == LITMUS_CMP) {
				view_join(from(st, pe, CONTROL), from(st, pe, in->reg));
				view_join(from(st, pe, CONTROL), from(st, pe, in->base));
				st->reg[pe][LITMUS_FLAGS] = st->reg[pe][in->reg] !=
							    st->reg[pe][in->base];
			} else if (in->op == LITMUS_CBZ || in->op == LITMUS_CBNZ) {
				view_join(from(st, pe, CONTROL), from(st, pe, in->reg));
				if (!st->reg[pe][in->reg] == (in->op == LITMUS_CBZ))
					st->pc[pe] = (uint8_t)(in->arg - 1);
			} else if (in->op != LITMUS_NOP) {
				break;
			}
		}
}

static void found(const struct litmus *l, struct state *to, unsigned pe,
		  struct explore_search *s, const char *what, unsigned loc,
		  unsigned value)
{
	unsigned live = 0;

	to->pc[pe]++;
	settle(l, to);
	views_stepped(&to->v, pe);
	for (unsigned i = 0; i < l->nr_pes; i++)
		live |= (unsigned)(to->pc[i] < l->nr_insns[i]) << i;
	views_trim(&to->v, live);
	explore_found(s, to, "P%u  %s %s, %u", pe, what,
		      loc < LITMUS_SYMS ? l->sym[loc] : "", value);
}

static void load(const struct litmus *l, const struct state *st, unsigned pe,
		 const struct litmus_insn *in, struct explore_search *s)
{
	unsigned loc = st->reg[pe][in->base] - LITMUS_ADDR,
		 order = in->arg ? VIEWS_ACQUIRE : 0;
	struct view dep = st->v.kept[pe * LITMUS_REGS + in->base];
	unsigned n;

	if (in->arg)
		view_join(&dep, &st->v.thread[pe].released);
	n = views_loads(&st->v, pe, loc, &dep);
	for (unsigned i = 0; i < n; i++) {
		struct state to = *st;

		to.monitor[pe] = NO_MONITOR;
		if (in->op == LITMUS_LDXR && !i)
			to.monitor[pe] = (uint8_t)loc;
		to.reg[pe][in->reg] = (uint8_t)views_load(&to.v, pe, loc, i, order, &dep,
							  from(&to, pe, in->reg));
		found(l, &to, pe, s, "reads", loc, to.reg[pe][in->reg]);
	}
}

static void appended(const struct litmus *l, struct state *st, unsigned loc)
{
	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		if (st->monitor[pe] == loc)
			st->monitor[pe] = NO_MONITOR;
}

static void store(const struct litmus *l, const struct state *st, unsigned pe,
		  const struct litmus_insn *in, struct explore_search *s)
{
	unsigned loc = st->reg[pe][in->base] - LITMUS_ADDR,
		 order = in->arg ? VIEWS_RELEASE : 0;
	struct view dep = st->v.kept[pe * LITMUS_REGS + in->base];
	uint8_t value = st->reg[pe][in->reg];
	struct state to;
	bool ok = true;
	unsigned n;

	view_join(&dep, &st->v.kept[pe * LITMUS_REGS + in->reg]);
	view_join(&dep, &st->v.kept[pe * LITMUS_REGS + CONTROL]);
	if (in->op == LITMUS_STXR) {
		to = *st;
		set(&to, pe, in->status, 1);
		to.monitor[pe] = NO_MONITOR;
		if (st->monitor[pe] == loc) {
			set(&to, pe, in->status, 0);
			appended(l, &to, loc);
			ok = views_rmw(&to.v, pe, loc, value, order, &dep);
		}
		to.unknown |= !ok;
		found(l, &to, pe, s, to.reg[pe][in->status] ? "fails on" : "swaps", loc,
		      value);
		return;
	}
	n = views_stores(&st->v, pe, loc, &dep);
	for (unsigned i = 0; i < n; i++) {
		to = *st;
		if (!i)
			appended(l, &to, loc);
		to.unknown |= !views_store(&to.v, pe, loc, i, value, order, &dep);
		found(l, &to, pe, s, i ? "writes earlier" : "writes", loc, value);
	}
}

static void barrier(const struct litmus *l, const struct state *st, unsigned pe,
		    const struct litmus_insn *in, struct explore_search *s)
{
	struct state to = *st;

	if (in->op == LITMUS_DMB_ST)
		views_fence(&to.v, pe, VIEWS_DMB_ST);
	else if (in->op == LITMUS_DMB_LD || in->arg == ORDER_DSB_ISHLD)
		views_fence(&to.v, pe, VIEWS_LD);
	else if (in->op == LITMUS_DMB || in->arg == ORDER_DSB_ISH ||
		 in->arg == ORDER_DSB_SY)
		views_fence(&to.v, pe, VIEWS_FULL);
	else if (in->arg == ORDER_DSB_ISHST)
		views_fence(&to.v, pe, VIEWS_DSB_ST);
	else if (in->arg == ORDER_ISB)
		view_join(&to.v.thread[pe].now, from(&to, pe, CONTROL));
	found(l, &to, pe, s, "barrier", LITMUS_SYMS, in->arg);
}

static void next(const void *sys, const void *state, struct explore_search *s)
{
	const struct litmus *l = sys;
	const struct state *st = state;

	for (unsigned pe = 0; pe < l->nr_pes; pe++) {
		const struct litmus_insn *in = &l->insn[pe][st->pc[pe]];
		struct state to = *st;

		if (st->pc[pe] == l->nr_insns[pe])
			continue;
		switch ((enum litmus_op)in->op) {
		case LITMUS_DMB:
		case LITMUS_DMB_ST:
		case LITMUS_DMB_LD:
		case LITMUS_BARRIER:
			barrier(l, st, pe, in, s);
			continue;
		case LITMUS_LDR:
		case LITMUS_LDXR:
			if (!is_address(st->reg[pe][in->base]))
				break;
			load(l, st, pe, in, s);
			continue;
		case LITMUS_STR:
		case LITMUS_STXR:
			if (!is_address(st->reg[pe][in->base]))
				break;
			store(l, st, pe, in, s);
			continue;
		default:
			break;
		}
		to.unknown = 1;
		found(l, &to, pe, s, "does what is not modelled", LITMUS_SYMS, in->op);
	}
}

static unsigned kind(const void *sys, const void *state)
{
	const struct litmus *l = sys;
	const struct state *st = state;
	bool all = true;

	if (st->unknown)
		return KIND_UNKNOWN;
	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		if (st->pc[pe] < l->nr_insns[pe])
			return KIND_NONE;
	for (unsigned i = 0; i < l->nr_conds; i++) {
		const struct litmus_cond *c = &l->cond[i];
		uint64_t is = c->what == LITMUS_REG ? st->reg[c->pe][c->reg] :
						      views_last(&st->v, c->sym);

		all &= (is == c->value) != c->negated;
	}
	return all ? KIND_WITNESS : KIND_OTHER;
}

int litmus_views(const struct litmus *l, uint64_t max_states, struct litmus_result *res)
{
	struct explore_space space = {
		.sys = l,
		.size = sizeof(struct state),
		.max_states = max_states,
		.next = next,
		.kind = kind,
		.stop = 1u << KIND_UNKNOWN,
	};
	struct explore_search *s;
	struct state st;
	bool complete = true;

	memset(res, 0, sizeof(*res));
	memset(&st, 0, sizeof(st));
	memcpy(st.reg, l->reg, sizeof(st.reg));
	memset(st.monitor, NO_MONITOR, sizeof(st.monitor));
	for (unsigned i = 0; i < l->nr_conds; i++)
		complete &= l->cond[i].what != LITMUS_FAULTED;
	for (unsigned i = 0; i < l->nr_syms; i++)
		complete &= !l->pte_used[i] && views_first(&st.v, i, l->mem[i]);
	s = complete ? explore_search_new(&space) : NULL;
	if (!s)
		return -1;
	settle(l, &st);
	explore_found(s, &st, "start");
	return litmus_search(s, res);
}
