/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "explore_order.h"

static bool is_access(const struct order_op *op)
{
	return op->kind == ORDER_LOAD || op->kind == ORDER_STORE;
}

static bool has_older(const struct order_state *s, unsigned pe, unsigned i,
		      enum order_kind kind)
{
	while (i--)
		if (s->op[pe][i].kind == kind)
			return true;
	return false;
}

static void drop(struct order_state *s, unsigned pe, unsigned i)
{
	struct order_op *op = s->op[pe];
	unsigned n = --s->nr_ops[pe];

	memmove(&op[i], &op[i + 1], (n - i) * sizeof(*op));
	memset(&op[n], 0, sizeof(*op));
}

/* Removes barriers that have nothing left to order. */
static void drop_markers(struct order_state *s, unsigned pe)
{
	for (unsigned i = 0; i < s->nr_ops[pe];) {
		uint8_t kind = s->op[pe][i].kind;

		if ((kind == ORDER_DMB && i == 0) ||
		    (kind == ORDER_DMB_ST && !has_older(s, pe, i, ORDER_STORE)))
			drop(s, pe, i);
		else
			i++;
	}
}

bool order_issue(struct order_state *s, unsigned pe, struct order_op op)
{
	if (s->nr_ops[pe] == ORDER_WINDOW)
		return false;
	s->op[pe][s->nr_ops[pe]++] = op;
	drop_markers(s, pe);
	return true;
}

bool order_certain(const struct order_state *s, unsigned pe, unsigned i)
{
	while (i--)
		if (is_access(&s->op[pe][i]) && s->op[pe][i].xlat != ORDER_DONE)
			return false;
	return true;
}

bool order_ready(const struct order_state *s, unsigned pe, unsigned i)
{
	const struct order_op *op = &s->op[pe][i];

	if (!order_certain(s, pe, i))
		return false;
	for (unsigned j = 0; j < i; j++) {
		const struct order_op *old = &s->op[pe][j];

		if (old->kind == ORDER_DMB)
			return false;
		if (old->kind == ORDER_DMB_ST) {
			if (op->kind == ORDER_STORE)
				return false;
			continue;
		}
		/* load-acquire before all; all before store-release; release, acquire */
		if ((old->kind == ORDER_LOAD && old->sync) ||
		    (op->kind == ORDER_STORE && op->sync) ||
		    (op->kind == ORDER_LOAD && op->sync && old->sync))
			return false;
		/* coherence; a load may take its value from an older store */
		if (op->xlat == ORDER_DONE && old->pa == op->pa &&
		    !(old->kind == ORDER_STORE && op->kind == ORDER_LOAD))
			return false;
	}
	return true;
}

int order_forward(const struct order_state *s, unsigned pe, unsigned i)
{
	uint8_t pa = s->op[pe][i].pa;

	while (i--)
		if (s->op[pe][i].kind == ORDER_STORE && s->op[pe][i].pa == pa)
			return s->op[pe][i].val;
	return -1;
}

void order_remove(struct order_state *s, unsigned pe, unsigned i)
{
	drop(s, pe, i);
	drop_markers(s, pe);
}

void order_squash(struct order_state *s, unsigned pe, unsigned i)
{
	while (s->nr_ops[pe] > i)
		drop(s, pe, s->nr_ops[pe] - 1u);
	drop_markers(s, pe);
}

bool order_tlbi(struct order_state *s, unsigned pe, uint8_t kind, uint8_t arg, uint8_t on)
{
	if (!on) /* no PE holds anything it could reach */
		return true;
	if (s->nr_tlbis == ORDER_TLBIS)
		return false;
	s->tlbi[s->nr_tlbis++] = (struct order_tlbi){
		.kind = kind,
		.arg = arg,
		.pe = (uint8_t)pe,
		.todo = on,
	};
	return true;
}

void order_landed(struct order_state *s, unsigned t, unsigned pe)
{
	struct order_tlbi *tlbi = &s->tlbi[t];

	tlbi->todo &= (uint8_t) ~(1u << pe);
	if (tlbi->todo)
		return;
	s->nr_tlbis--;
	memmove(tlbi, tlbi + 1, (s->nr_tlbis - t) * sizeof(*tlbi));
	memset(&s->tlbi[s->nr_tlbis], 0, sizeof(*tlbi));
}

bool order_barrier(struct order_state *s, unsigned pe, enum order_barrier b, bool ets2)
{
	uint8_t self = (uint8_t)(1u << pe);

	switch (b) {
	case ORDER_DSB_ISHST:
		return !has_older(s, pe, s->nr_ops[pe], ORDER_STORE);
	case ORDER_DSB_ISHLD:
		return !has_older(s, pe, s->nr_ops[pe], ORDER_LOAD);
	case ORDER_DSB_NSH:
		/* The weakest reading: it has no effect on other PEs. */
		return true;
	case ORDER_ISB:
		/* Waits for translations and for the TLBIs before a DSB. */
		if (!order_certain(s, pe, s->nr_ops[pe]))
			return false;
		for (unsigned t = 0; t < s->nr_tlbis; t++)
			if (s->tlbi[t].pe == pe && s->tlbi[t].waited)
				return false;
		return true;
	case ORDER_DSB_ISH:
	case ORDER_DSB_SY:
		break;
	}
	if (s->nr_ops[pe])
		return false;
	for (unsigned t = 0; t < s->nr_tlbis; t++)
		if (s->tlbi[t].pe == pe &&
		    (s->tlbi[t].todo & (ets2 ? 0xff : (uint8_t)~self)))
			return false;
	for (unsigned t = 0; t < s->nr_tlbis; t++)
		if (s->tlbi[t].pe == pe)
			s->tlbi[t].waited = 1;
	return true;
}
