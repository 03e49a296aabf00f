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
 * False if the entry was changed between our load and our swap, by hardware or by
 * another call, and has to be looked at again.
 */
static bool edit_entry(const struct cursor *c, uint64_t *entry, uint64_t d,
		       const struct edit *e, bool *changed)
{
	uint64_t new = (d & ~e->clear) | e->set;

	*changed = new != d;
	return new == d || cursor_swap(c, entry, d, new, cursor_racy(c, d));
}

/* As far as the budget goes; returns where it ended. */
static uint64_t edit_window(struct s2 *s2, struct step *step, uint64_t pos, uint64_t end,
			    struct edit *e, struct s2_gather *g, uint64_t *n)
{
	struct cursor c;

	cursor_start(&c, s2, step, pos, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c);
		uint64_t d = cursor_load(&c, entry);
		bool changed;

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_valid(d)) {
			if (!edit_entry(&c, entry, d, e, &changed))
				continue;
			e->seen |= d & e->seek;
			*n += changed;
			/*
			 * Beside others also one that is protected already: who did it
			 * may not have invalidated it yet.
			 */
			if (e->invalidate && (changed || step->shared))
				gather_leaf(g, &c, d);
		} else if (desc_busy(d)) {
			if (step->shared && d & DESC_REMAKE) {
				step->wait = true;
				break;
			}
			/* Broken, but a PE may still write through it until it is
			 * invalidated, which whose it is may not have done yet. */
			if (e->invalidate && desc_tag(d))
				gather_entry(g, &c, d);
		}
		cursor_next(&c);
	}
	return c.ipa < end ? c.ipa : end;
}

static int edit_range(struct s2 *s2, uint64_t ipa, uint64_t size, enum op_kind kind,
		      struct edit *e, uint32_t flags, struct s2_op *op)
{
	struct s2_gather g = { 0 };
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa, size);

	if (!err)
		err = op_begin(s2, &op, &local, &step, kind, ipa, size, flags, flags);
	if (err)
		return err;
	op->st.pos = edit_window(s2, &step, op->st.pos, ipa + size, e, &g, &op->changed);
	op->done = s2_ipa(op->st.pos);
	if (op->batch) {
		batch_gather(op->batch, &g);
	} else {
		if (s2->batch && e->invalidate)
			batch_pending(s2->batch, ipa, size, &g, page_size(s2));
		invalidate(s2, &step, &g);
	}
	return op_end(s2, op, &step, op->st.pos < ipa + size ? S2_MORE : 0);
}

int s2_wrprotect(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		 struct s2_op *op)
{
	struct edit e = { .clear = DESC_S2AP_W, .invalidate = true };

	if (flags & ~S2_SHARED)
		return S2_E_FLAGS;
	return edit_range(s2, ipa.ipa, size, OP_WRPROTECT, &e, flags, op);
}

int s2_age(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, bool *young,
	   struct s2_op *op)
{
	struct edit e = { .clear = flags & S2_CLEAR ? DESC_AF : 0, .seek = DESC_AF };
	int ret;

	if (flags & ~(S2_CLEAR | S2_SHARED))
		return S2_E_FLAGS;
	ret = edit_range(s2, ipa.ipa, size, OP_AGE, &e, flags, op);
	*young |= e.seen;
	return ret;
}

/* The entry that translates an address; the cursor is left on it. */
static int find_leaf(struct s2 *s2, struct cursor *c, struct step *step, uint64_t ipa,
		     uint64_t *d)
{
	cursor_start(c, s2, step, ipa, ipa + page_size(s2));
	while (desc_valid_table(*d = cursor_load(c, cursor_entry(c)), c->level))
		cursor_down(c, *d);
	if (desc_busy(*d))
		return S2_E_BUSY;
	return desc_valid(*d) ? 0 : S2_E_NOENT;
}

/*
 * Change the leaf that translates an address. What makes the swap fail is another's
 * progress (hardware can but set a flag that only we clear): after a few times the
 * guest may as well fault again.
 */
static int edit_leaf(struct s2 *s2, uint64_t ipa, s2_attr_t perms, uint32_t flags,
		     int *level)
{
	struct edit e = { .set = DESC_AF };
	struct step step = step_free(flags);
	bool changed, made = false;
	struct cursor c;
	uint64_t d = 0;
	int err;

	spoil_look(s2, flags);
	if (perms & S2_R)
		e.set |= DESC_S2AP_R;
	if (perms & S2_W)
		e.set |= DESC_S2AP_W;
	if (perms & S2_X)
		e.clear |= DESC_XN;
	for (int i = 0; i < 4; i++) {
		err = find_leaf(s2, &c, &step, ipa, &d);
		if (err)
			return err;
		*level = c.level;
		if (perms & S2_X && desc_attr(d) & S2_MEM_DEV_nGnRnE)
			return S2_E_ATTR;
		/* Instruction fetch must find what is there before it may look. */
		if (perms & S2_X && d & DESC_XN && !made)
			s2_port_make_executable(s2->port, desc_oa(s2, d),
						level_size(s2, c.level));
		made = true;
		if (edit_entry(&c, cursor_entry(&c), d, &e, &changed))
			return 0;
	}
	return S2_E_BUSY;
}

int s2_relax_perms(struct s2 *s2, s2_ipa_t ipa, s2_attr_t perms, uint32_t flags)
{
	int err = check_range(s2, ipa.ipa, page_size(s2)), level = 0;

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err && flags & S2_SHARED && s2->batch)
		err = S2_E_BATCH;
	if (!err && (perms & ~(S2_R | S2_W | S2_X) || !perms))
		err = S2_E_ATTR;
	if (!err)
		err = edit_leaf(s2, ipa.ipa, perms, flags, &level);
	/*
	 * Also when nothing had to be changed: this PE may have faulted on a copy from
	 * before another PE's relax, and would again.
	 */
	if (!err)
		invalidate_local(s2, ipa.ipa, level);
	return err;
}

int s2_mkyoung(struct s2 *s2, s2_ipa_t ipa, uint32_t flags)
{
	int err = check_range(s2, ipa.ipa, page_size(s2)), level;

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err && flags & S2_SHARED && s2->batch)
		err = S2_E_BATCH;
	return err ? err : edit_leaf(s2, ipa.ipa, 0, flags, &level);
}

int s2_clean(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	uint64_t end = ipa.ipa + size, bytes;
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_CLEAN, ipa.ipa, size, flags,
			       flags);
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
	return op_end(s2, op, &step, op->st.pos < end ? S2_MORE : 0);
}
