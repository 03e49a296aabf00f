/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The litmus machine. Deterministic steps that only concern one PE are done at once:
 * moves, branches, issuing accesses and TLBIs (which may act at any later time). All
 * other steps are choices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litmus.h"

#define PTE_LOC LITMUS_SYMS /* locations: pages' words, then their entries */

struct state {
	uint8_t pc[ORDER_PES];
	uint8_t reg[ORDER_PES][LITMUS_REGS];
	uint8_t pending[ORDER_PES][LITMUS_REGS]; /* a load has yet to write it */
	uint8_t mem[2 * LITMUS_SYMS];
	uint8_t tlb[ORDER_PES][LITMUS_SYMS]; /* PAs held for a page, a bit each */
	uint8_t fault[ORDER_PES];	     /* 1 + the instruction that faulted */
	uint8_t fault_page[ORDER_PES];
	uint8_t unknown;
	struct order_state order;
};

struct run {
	const struct litmus *l;
	bool ets2;
};

static bool in_class(uint8_t v, enum litmus_value class)
{
	return v >= class && v < class + LITMUS_SYMS;
}

static bool issue_access(const struct litmus *l, struct state *st, unsigned pe,
			 const struct litmus_insn *in)
{
	uint8_t addr = st->reg[pe][in->base];
	struct order_op op = {
		.kind = in->op == LITMUS_LDR ? ORDER_LOAD : ORDER_STORE,
		.sync = in->arg,
		.val = in->op == LITMUS_LDR ? in->reg : st->reg[pe][in->reg],
		.tag = st->pc[pe],
		.page = ORDER_NO_PAGE,
		.xlat = ORDER_DONE,
	};

	if (in_class(addr, LITMUS_PTE_ADDR)) {
		op.pa = (uint8_t)(PTE_LOC + addr - LITMUS_PTE_ADDR);
	} else if (in_class(addr, LITMUS_ADDR)) {
		uint8_t sym = (uint8_t)(addr - LITMUS_ADDR);

		/* If the program cannot change the entry, the translation is known. */
		if (l->pte_used[sym] || !in_class(l->pte[sym], LITMUS_VALID)) {
			op.page = sym;
			op.xlat = ORDER_TODO;
		} else {
			op.pa = (uint8_t)(l->pte[sym] - LITMUS_VALID);
		}
	} else {
		st->unknown = 1;
		return false;
	}
	if (!order_issue(&st->order, pe, op))
		return false;
	if (in->op == LITMUS_LDR)
		st->pending[pe][in->reg] = 1;
	return true;
}

/* Execute one instruction if it can go now. */
static bool step(const struct run *r, struct state *st, unsigned pe)
{
	const struct litmus *l = r->l;
	const struct litmus_insn *in;
	uint8_t *reg = st->reg[pe], *pending = st->pending[pe], v;
	struct order_op marker = { .kind = ORDER_DMB, .xlat = ORDER_DONE };

	if (st->unknown || st->pc[pe] >= l->nr_insns[pe])
		return false;
	in = &l->insn[pe][st->pc[pe]];
	if (pending[in->reg] || pending[in->base])
		return false;
	v = reg[in->base];
	switch ((enum litmus_op)in->op) {
	case LITMUS_NOP:
		break;
	case LITMUS_MOV:
		reg[in->reg] = in->arg;
		break;
	case LITMUS_LSR12:
		if (!in_class(v, LITMUS_ADDR)) {
			st->unknown = 1;
			return false;
		}
		reg[in->reg] = (uint8_t)(LITMUS_VPN + v - LITMUS_ADDR);
		break;
	case LITMUS_CBZ:
		if (!reg[in->reg]) {
			st->pc[pe] = in->arg;
			return true;
		}
		break;
	case LITMUS_CMP:
		reg[LITMUS_FLAGS] = reg[in->reg] != v;
		break;
	case LITMUS_CBNZ:
		if (reg[in->reg]) {
			st->pc[pe] = in->arg;
			return true;
		}
		break;
	case LITMUS_LDR:
	case LITMUS_STR:
		if (!issue_access(l, st, pe, in))
			return false;
		break;
	case LITMUS_DMB_ST:
		marker.kind = ORDER_DMB_ST;
		/* fall through */
	case LITMUS_DMB:
		if (!order_issue(&st->order, pe, marker))
			return false;
		break;
	case LITMUS_DMB_LD:
	case LITMUS_LDXR:
	case LITMUS_STXR:
		st->unknown = 1;
		return false;
	case LITMUS_BARRIER:
		if (!order_barrier(&st->order, pe, in->arg, r->ets2))
			return false;
		break;
	case LITMUS_TLBI_ALL:
	case LITMUS_TLBI_VA:
		if (in->op == LITMUS_TLBI_VA && !in_class(v, LITMUS_VPN)) {
			st->unknown = 1;
			return false;
		}
		if (!order_tlbi(&st->order, pe, in->op, (uint8_t)(v - LITMUS_VPN),
				(uint8_t)(in->arg ? (1u << l->nr_pes) - 1 : 1u << pe)))
			return false;
		break;
	}
	st->pc[pe]++;
	return true;
}

static void settle(const struct run *r, struct state *st)
{
	for (unsigned pe = 0; pe < r->l->nr_pes; pe++)
		while (step(r, st, pe))
			;
}

#define FOUND(r, st, s, ...)                          \
	do {                                          \
		settle(r, &(st));                     \
		explore_found(s, &(st), __VA_ARGS__); \
	} while (0)

static const char *loc_name(const struct litmus *l, uint8_t loc, char *buf, size_t size)
{
	snprintf(buf, size, loc < PTE_LOC ? "%s" : "PTE(%s)", l->sym[loc % LITMUS_SYMS]);
	return buf;
}

static const char *value_name(const struct litmus *l, uint8_t v, char *buf, size_t size)
{
	if (in_class(v, LITMUS_INVALID))
		snprintf(buf, size, "invalid");
	else if (in_class(v, LITMUS_VALID))
		snprintf(buf, size, "valid, PA(%s)", l->sym[v - LITMUS_VALID]);
	else
		snprintf(buf, size, "%u", v);
	return buf;
}

static void translate(const struct run *r, const struct state *st, unsigned pe,
		      unsigned i, struct explore_search *s)
{
	const struct litmus *l = r->l;
	const struct order_op *op = &st->order.op[pe][i];
	uint8_t pte = st->mem[PTE_LOC + op->page];
	struct state to;

	for (uint8_t pa = 0; pa < l->nr_syms; pa++) {
		if (!(st->tlb[pe][op->page] >> pa & 1))
			continue;
		to = *st;
		to.order.op[pe][i].xlat = ORDER_DONE;
		to.order.op[pe][i].pa = pa;
		FOUND(r, to, s, "P%u  access to [%s] hits the TLB: PA(%s)", pe,
		      l->sym[op->page], l->sym[pa]);
	}
	to = *st;
	if (in_class(pte, LITMUS_VALID)) {
		to.order.op[pe][i].xlat = ORDER_DONE;
		to.order.op[pe][i].pa = (uint8_t)(pte - LITMUS_VALID);
		FOUND(r, to, s, "P%u  access to [%s] walks: PA(%s)", pe, l->sym[op->page],
		      l->sym[pte - LITMUS_VALID]);
	} else if (!r->ets2 || order_ready(&st->order, pe, i)) {
		/* FEAT_ETS2: a walk that faults is ordered as the access would be. */
		to.order.op[pe][i].xlat = ORDER_FAULT;
		FOUND(r, to, s, "P%u  access to [%s] walks: invalid", pe,
		      l->sym[op->page]);
	}
}

static void perform(const struct run *r, const struct state *st, unsigned pe, unsigned i,
		    struct explore_search *s)
{
	const struct litmus *l = r->l;
	struct order_op op = st->order.op[pe][i];
	struct state to = *st;
	char loc[32], val[32];
	int own;

	if (op.kind == ORDER_STORE) {
		to.mem[op.pa] = op.val;
		order_remove(&to.order, pe, i);
		FOUND(r, to, s, "P%u  store %s = %s is visible", pe,
		      loc_name(l, op.pa, loc, sizeof(loc)),
		      value_name(l, op.val, val, sizeof(val)));
		return;
	}
	own = order_forward(&st->order, pe, i);
	to.reg[pe][op.val] = own >= 0 ? (uint8_t)own : st->mem[op.pa];
	to.pending[pe][op.val] = 0;
	order_remove(&to.order, pe, i);
	FOUND(r, to, s, "P%u  load of %s reads %s", pe,
	      loc_name(l, op.pa, loc, sizeof(loc)),
	      value_name(l, to.reg[pe][op.val], val, sizeof(val)));
}

/* The access at i faults, which ends its PE's program. */
static void fault(const struct run *r, const struct state *st, unsigned pe, unsigned i,
		  struct explore_search *s)
{
	const struct order_op *op = &st->order.op[pe][i];
	struct state to = *st;

	to.fault[pe] = (uint8_t)(op->tag + 1);
	to.fault_page[pe] = op->page;
	to.pc[pe] = (uint8_t)r->l->nr_insns[pe];
	memset(to.pending[pe], 0, sizeof(to.pending[pe]));
	order_squash(&to.order, pe, i);
	for (unsigned j = 0; j < i; j++)
		if (to.order.op[pe][j].kind == ORDER_LOAD)
			to.pending[pe][to.order.op[pe][j].val] = 1;
	FOUND(r, to, s, "P%u  access to [%s] faults", pe, r->l->sym[op->page]);
}

/* A TLBI takes effect once accesses by the entries it removes are performed. */
static void land(const struct run *r, const struct state *st, unsigned t, unsigned pe,
		 struct explore_search *s)
{
	const struct order_tlbi *tlbi = &st->order.tlbi[t];
	bool all = tlbi->kind == LITMUS_TLBI_ALL;
	struct state to = *st;

	for (unsigned i = 0; i < st->order.nr_ops[pe]; i++) {
		const struct order_op *op = &st->order.op[pe][i];

		if (op->page != ORDER_NO_PAGE && op->xlat == ORDER_DONE &&
		    (op->kind == ORDER_LOAD || op->kind == ORDER_STORE) &&
		    (all || op->page == tlbi->arg))
			return;
	}
	for (unsigned page = 0; page < r->l->nr_syms; page++)
		if (all || page == tlbi->arg)
			to.tlb[pe][page] = 0;
	order_landed(&to.order, t, pe);
	FOUND(r, to, s, "P%u  TLBI of P%u (%s) takes effect", pe, tlbi->pe,
	      all ? "all" : r->l->sym[tlbi->arg]);
}

static void next(const void *sys, const void *state, struct explore_search *s)
{
	const struct run *r = sys;
	const struct state *st = state;
	struct state to;

	for (unsigned pe = 0; pe < r->l->nr_pes; pe++) {
		for (unsigned i = 0; i < st->order.nr_ops[pe]; i++) {
			const struct order_op *op = &st->order.op[pe][i];

			if (op->kind != ORDER_LOAD && op->kind != ORDER_STORE)
				continue;
			if (op->xlat == ORDER_TODO)
				translate(r, st, pe, i, s);
			else if (op->xlat == ORDER_DONE && order_ready(&st->order, pe, i))
				perform(r, st, pe, i, s);
			else if (op->xlat == ORDER_FAULT &&
				 order_certain(&st->order, pe, i))
				fault(r, st, pe, i, s);
		}
		for (unsigned page = 0; page < r->l->nr_syms; page++) {
			uint8_t pte = st->mem[PTE_LOC + page];

			if (!r->l->pte_used[page] || !in_class(pte, LITMUS_VALID))
				continue;
			to = *st;
			to.tlb[pe][page] |= (uint8_t)(1u << (pte - LITMUS_VALID));
			FOUND(r, to, s, "P%u  fills its TLB: [%s] to PA(%s)", pe,
			      r->l->sym[page], r->l->sym[pte - LITMUS_VALID]);
		}
	}
	for (unsigned t = 0; t < st->order.nr_tlbis; t++)
		for (unsigned pe = 0; pe < r->l->nr_pes; pe++)
			if (st->order.tlbi[t].todo >> pe & 1)
				land(r, st, t, pe, s);
}

static unsigned kind(const void *sys, const void *state)
{
	const struct litmus *l = ((const struct run *)sys)->l;
	const struct state *st = state;
	bool all = true;

	if (st->unknown)
		return KIND_UNKNOWN;
	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		if (st->pc[pe] < l->nr_insns[pe] || st->order.nr_ops[pe])
			return KIND_NONE;
	for (unsigned i = 0; i < l->nr_conds; i++) {
		const struct litmus_cond *c = &l->cond[i];
		bool is = false;

		switch (c->what) {
		case LITMUS_REG:
			is = st->reg[c->pe][c->reg] == c->value;
			break;
		case LITMUS_MEM:
			is = st->mem[c->sym] == c->value;
			break;
		case LITMUS_FAULTED:
			is = st->fault[c->pe] == c->insn + 1 &&
			     st->fault_page[c->pe] == c->sym;
			break;
		}
		all &= is != c->negated;
	}
	return all ? KIND_WITNESS : KIND_OTHER;
}

int litmus_search(struct explore_search *s, struct litmus_result *res)
{
	bool complete = explore_search_run(s);

	res->states = explore_search_states(s);
	res->witnesses = explore_search_count(s, KIND_WITNESS);
	res->others = explore_search_count(s, KIND_OTHER);
	res->verdict = !res->witnesses ? LITMUS_NEVER :
		       res->others     ? LITMUS_SOMETIMES :
					 LITMUS_ALWAYS;
	complete &= !explore_search_count(s, KIND_UNKNOWN) &&
		    res->witnesses + res->others;
	if (complete)
		res->steps = explore_search_path(s, KIND_WITNESS, &res->nr_steps);
	explore_search_free(s);
	return complete ? 0 : -1;
}

int litmus_run(const struct litmus *l, bool ets2, uint64_t max_states,
	       struct litmus_result *res)
{
	struct run r = { l, ets2 };
	struct explore_space space = {
		.sys = &r,
		.size = sizeof(struct state),
		.max_states = max_states,
		.next = next,
		.kind = kind,
		.stop = 1u << KIND_UNKNOWN,
	};
	struct explore_search *s = explore_search_new(&space);
	struct state st;

	memset(res, 0, sizeof(*res));
	if (!s)
		return -1;
	memset(&st, 0, sizeof(st));
	memcpy(st.reg, l->reg, sizeof(st.reg));
	memcpy(st.mem, l->mem, sizeof(l->mem));
	memcpy(st.mem + PTE_LOC, l->pte, sizeof(l->pte));
	FOUND(&r, st, s, "start");
	return litmus_search(s, res);
}

const char *litmus_verdict_name(enum litmus_verdict v)
{
	static const char *const names[] = { "Never", "Sometimes", "Always" };

	return names[v];
}
