/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes in place: permissions, the access flag, and cleaning. One loop over
 * the leaves of a range, one invalidation at the end of a step.
 */
#include "internal.h"

/* What to do to each leaf. */
struct edit {
	uint64_t clear, set; /* descriptor bits */
	uint64_t seek;	     /* descriptor bits to look for ... */
	bool seen;	     /* ... and whether a leaf had them */
	bool invalidate;     /* a changed leaf's old translations must go */
};

/*
 * Hardware may set the access flag between our load and our store: where it can,
 * compare and swap until neither loses the other's change. Each failure means
 * that hardware has set a flag that only we clear, so it can fail but once.
 */
static bool edit_entry(const struct cursor *c, uint64_t *entry, uint64_t d,
		       const struct edit *e)
{
	uint64_t new = (d & ~e->clear) | e->set, found;

	if (new == d)
		return false;
	if (!(c->s2->features & S2_FEAT_HAFDBS)) {
		s2_port_store(c->s2->port, entry, new);
		return true;
	}
	for (int i = 0; i < 2; i++) {
		found = s2_port_cas(c->s2->port, entry, d, new);
		if (found == d)
			break;
		d = found;
		new = (d & ~e->clear) | e->set;
	}
	return true;
}

/* As far as the budget goes; returns where it ended. */
static uint64_t edit_window(struct s2 *s2, struct step *step, uint64_t pos, uint64_t end,
			    struct edit *e, struct gather *g, uint64_t *changed)
{
	struct cursor c;

	cursor_start(&c, s2, step, pos, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c);
		uint64_t d = cursor_load(&c, entry);

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_valid(d)) {
			e->seen |= d & e->seek;
			if (edit_entry(&c, entry, d, e)) {
				++*changed;
				if (e->invalidate)
					gather_leaf(g, &c, d);
			}
		}
		cursor_next(&c);
	}
	return c.ipa < end ? c.ipa : end;
}

static int edit_range(struct s2 *s2, uint64_t ipa, uint64_t size, enum op_kind kind,
		      struct edit *e, struct s2_op *op)
{
	struct gather g = { 0 };
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa, size);

	if (!err)
		err = op_begin(&op, &local, &step, kind, ipa, size, e->clear ^ e->set);
	if (err)
		return err;
	op->st.pos = edit_window(s2, &step, op->st.pos, ipa + size, e, &g, &op->changed);
	op->done = s2_ipa(op->st.pos);
	invalidate(s2, &g);
	return op_end(op, &step, op->st.pos < ipa + size ? S2_MORE : 0);
}

int s2_wrprotect(struct s2 *s2, s2_ipa_t ipa, uint64_t size, struct s2_op *op)
{
	struct edit e = { .clear = DESC_S2AP_W, .invalidate = true };

	return edit_range(s2, ipa.ipa, size, OP_WRPROTECT, &e, op);
}

int s2_age(struct s2 *s2, s2_ipa_t ipa, uint64_t size, bool clear, bool *young,
	   struct s2_op *op)
{
	struct edit e = { .clear = clear ? DESC_AF : 0, .seek = DESC_AF };
	int ret = edit_range(s2, ipa.ipa, size, OP_AGE, &e, op);

	*young |= e.seen;
	return ret;
}

/* The entry that translates an address; the cursor is left on it. */
static int find_leaf(struct s2 *s2, struct cursor *c, struct step *step, uint64_t ipa,
		     uint64_t *d)
{
	int err = check_range(s2, ipa, page_size(s2));

	if (err)
		return err;
	*step = (struct step){ .entries = NO_BUDGET,
			       .bytes = NO_BUDGET,
			       .hint_level = -1 };
	cursor_start(c, s2, step, ipa, ipa + page_size(s2));
	while (desc_valid_table(*d = cursor_load(c, cursor_entry(c)), c->level))
		cursor_down(c, *d);
	if (desc_busy(*d))
		return S2_E_BUSY;
	return desc_valid(*d) ? 0 : S2_E_NOENT;
}

int s2_relax_perms(struct s2 *s2, s2_ipa_t ipa, s2_attr_t perms)
{
	struct edit e = { .set = DESC_AF };
	struct gather g = { 0 };
	struct cursor c;
	struct step step;
	uint64_t d = 0;
	int err = find_leaf(s2, &c, &step, ipa.ipa, &d);

	if (err)
		return err;
	if (perms & ~(S2_R | S2_W | S2_X) || !perms ||
	    (perms & S2_X && desc_attr(d) & S2_MEM_DEV_nGnRnE))
		return S2_E_ATTR;
	if (perms & S2_R)
		e.set |= DESC_S2AP_R;
	if (perms & S2_W)
		e.set |= DESC_S2AP_W;
	if (perms & S2_X)
		e.clear |= DESC_XN;
	/* Instruction fetch must find what is there before it may look. */
	if (perms & S2_X && d & DESC_XN)
		s2_port_make_executable(s2->port, desc_oa(s2, d),
					level_size(c.s2, c.level));
	if (edit_entry(&c, cursor_entry(&c), d, &e)) {
		gather_leaf(&g, &c, d);
		invalidate(s2, &g);
	}
	return 0;
}

int s2_mkyoung(struct s2 *s2, s2_ipa_t ipa)
{
	const struct edit e = { .set = DESC_AF };
	struct cursor c;
	struct step step;
	uint64_t d = 0;
	int err = find_leaf(s2, &c, &step, ipa.ipa, &d);

	if (!err)
		edit_entry(&c, cursor_entry(&c), d, &e);
	return err;
}

int s2_clean(struct s2 *s2, s2_ipa_t ipa, uint64_t size, struct s2_op *op)
{
	uint64_t end = ipa.ipa + size, bytes;
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err = check_range(s2, ipa.ipa, size);

	if (!err)
		err = op_begin(&op, &local, &step, OP_CLEAN, ipa.ipa, size, 0);
	if (err)
		return err;
	bytes = step.bytes;
	cursor_start(&c, s2, &step, op->st.pos, end);
	while (cursor_more(&c) && step.bytes >= page_size(s2)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c));
		uint64_t in = c.ipa - cursor_base(&c), left, n;

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_valid(d) && desc_needs_clean(s2->features, d)) {
			left = level_size(c.s2, c.level) - in;
			if (left > end - c.ipa)
				left = end - c.ipa;
			n = step_bytes(s2, &step, left);
			s2_port_clean(s2->port, desc_oa(s2, d) + in, n, desc_attr(d));
			step.bytes -= n;
			if (n < left) {
				c.ipa += n;
				break;
			}
		}
		cursor_next(&c);
	}
	/*
	 * The cleans before whatever the caller does next, on this PE: a DSB
	 * completes only the cleans of the PE that executes it. SY: who is to see
	 * the memory looks at it non-cacheably, which is outer shareable.
	 */
	if (step.bytes < bytes)
		s2_port_dsb_sy(s2->port);
	op->st.pos = c.ipa < end ? c.ipa : end;
	op->done = s2_ipa(op->st.pos);
	return op_end(op, &step, op->st.pos < end ? S2_MORE : 0);
}
