/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes in place: permissions, the access flag, dirty state. One loop over the leaves
 * of a range, one invalidation at the end of a step.
 */
#include "internal.h"

/* What to do to each leaf. */
struct edit {
	uint64_t clear, set;	  /* descriptor bits */
	s2_attr_t exec;		  /* S2_XU, S2_XP to add */
	struct s2_dirty_log *log; /* s2_dirty(): of every dirty leaf ... */
	bool tidy;		  /* ... which becomes clean */
	uint64_t seek;		  /* descriptor bits to look for ... */
	bool seen;		  /* ... and whether a leaf had them */
	bool invalidate;	  /* a changed leaf's old translations must go */
};

/*
 * False if the entry was changed between our load and our swap, by hardware or by
 * another call, and has to be looked at again.
 */
static bool edit_entry(const struct cursor *c, uint64_t *entry, uint64_t d,
		       const struct edit *e, bool *changed)
{
	uint64_t new = (d & ~e->clear) | e->set;

	if (e->exec)
		new = (new & ~DESC_XN) | desc_xn(desc_exec(d) | e->exec);
	/* Not where part of the record would be lost. */
	if (S2_USE_HW && e->tidy && desc_dirty(d) && log_covers(c, e->log))
		new &= ~DESC_S2AP_W;
	*changed = new != d;
	if (*changed && !cursor_swap(c, entry, d, new, cursor_racy(c, d)))
		return false;
	if (S2_USE_HW && e->log && desc_dirty(d))
		log_leaf(c, e->log);
	harvest(c, d, new);
	return true;
}

/* Whether a run of leaves is a loop: no other call writes, bits are taken, no log. */
static bool edit_is_plain(const struct s2 *s2, const struct step *step,
			  const struct edit *e)
{
	return !is_shared(step) && !has_runs(s2) && !e->exec && !e->log && !e->set &&
	       !log_of(step->op);
}

/*
 * Take bits from an entry; false if it has none of them. Where hardware may set a flag
 * meanwhile the swap fails once for each flag.
 */
S2_INLINE bool clear_one(void *port, uint64_t *entry, uint64_t clear, bool racy)
{
	uint64_t d = s2_port_load(port, entry), old = d;

	if (!(d & clear))
		return false;
	if (!racy || !desc_hw_writes(d))
		s2_port_store(port, entry, d & ~clear);
	else
		while ((d = s2_port_cas(port, entry, old, old & ~clear)) != old)
			old = d;
	return true;
}

/*
 * From each entry up to the first that has none of them. The loop itself would be a third
 * of the work: four entries in a turn.
 */
S2_INLINE uint64_t *clear_run(void *port, uint64_t *entry, const uint64_t *end,
			      uint64_t clear, bool racy)
{
	for (; end - entry >= 4; entry += 4) {
		if (!clear_one(port, &entry[0], clear, racy))
			return &entry[0];
		if (!clear_one(port, &entry[1], clear, racy))
			return &entry[1];
		if (!clear_one(port, &entry[2], clear, racy))
			return &entry[2];
		if (!clear_one(port, &entry[3], clear, racy))
			return &entry[3];
	}
	while (entry < end && clear_one(port, entry, clear, racy))
		entry++;
	return entry;
}

/*
 * The leaves from the cursor to the end of its table or range: what is one call for
 * each entry elsewhere is a loop here. False if there is something else in the table.
 */
static bool edit_run(struct cursor *c, struct edit *e, struct s2_gather *g, uint64_t *n)
{
	uint64_t state = state_of(c->s2, cursor_meta(c)), clear = e->clear, many;
	uint64_t *start, *entry, *end, *first = NULL, *past = NULL, changed = 0, seen = 0;
	unsigned shift = c->shift;
	bool racy = hw_writes(c->s2);
	void *port = c->s2->port;

	many = 0;
	/* Parked leaves count as live, and are no leaves to be edited. */
	if ((state & META_COUNTS) == meta_live(state) && !(state & META_PARKED))
		many = cursor_run(c, c->step->entries);
	if (!many)
		return false;
	start = entry = cursor_entry(c);
	end = start + many;
	while (!clear && entry < end)
		seen |= s2_port_load(port, entry++);
	while (entry < end) {
		uint64_t *from = entry;

		entry = racy ? clear_run(port, from, end, clear, true) :
			       clear_run(port, from, end, clear, false);
		if (entry > from) {
			first = changed ? first : from;
			past = entry;
			changed += (uint64_t)(entry - from);
		}
		if (entry == end)
			break;
		/* It was ended by one that needs nothing: to the next that does. */
		while (++entry < end && !(s2_port_load(port, entry) & clear))
			;
	}
	/* What is looked for is what is cleared, if anything is. */
	e->seen |= e->seek && (changed || seen & e->seek);
	*n += changed;
	if (changed && e->invalidate) {
		gather_add(g, cursor_base(c) + ((uint64_t)(first - start) << shift),
			   (uint64_t)(past - first) << shift, UINT64_C(1) << shift);
		g->levels |= (uint8_t)(1u << c->level);
	}
	step_visits(c->step, many);
	cursor_on(c, many - 1);
	cursor_next(c);
	return true;
}

/* As far as the budget goes; returns where it ended. */
static uint64_t edit_window(struct s2 *s2, struct step *step, uint64_t pos, uint64_t end,
			    struct edit *e, struct s2_gather *g, uint64_t *n)
{
	bool plain = edit_is_plain(s2, step, e);
	struct cursor c;

	cursor_start(&c, s2, step, pos, end);
	while (cursor_more(&c)) {
		uint64_t *entry, d;
		bool changed;

		if (S2_USE_FAST && plain && edit_run(&c, e, g, n))
			continue;
		if (!cursor_read(&c, &entry, &d))
			continue;
		/* All members of a run alike when the step ends. */
		if (has_runs(s2) && desc_valid(d) &&
		    !run_fits(&c, d, step->entries + 1, NO_BUDGET))
			break;
		if (desc_valid(d)) {
			if (!edit_entry(&c, entry, d, e, &changed))
				continue;
			e->seen |= d & e->seek;
			*n += changed;
			/*
			 * Beside others also one that is protected already: who did it
			 * may not have invalidated it yet.
			 */
			if (e->invalidate && (changed || is_shared(step)))
				gather_leaf(g, &c);
		} else if (is_shared(step) && desc_busy(d)) {
			if (d & DESC_REMAKE) {
				step->wait = true;
				break;
			}
			/*
			 * Broken by another call, which may not have invalidated it yet:
			 * a PE may still write through it.
			 */
			if (e->invalidate)
				gather_entry(g, &c, d);
		}
		cursor_next(&c);
	}
	return cursor_at(&c);
}

static int edit_range(struct s2 *s2, uint64_t ipa, uint64_t size, enum op_kind kind,
		      struct edit *e, uint32_t flags, struct s2_op *op)
{
	struct s2_gather g = { 0 };
	struct s2_op local;
	uint64_t end = ipa + size, pos;
	struct step step;
	int err;

	if (!S2_USE_CHANGES)
		return S2_E_UNSUPPORTED;
	err = op_begin(s2, &op, &local, &step, kind, ipa, size, 0, flags);
	if (err)
		return err;
	pos = op->st.pos;
	if (has_runs(s2))
		runs_widen(s2, &pos, &end);
	pos = edit_window(s2, &step, pos, end, e, &g, &op->changed);
	invalidate(s2, &step, &g);
	return op_end_at(s2, op, &step, pos < ipa + size ? pos : ipa + size);
}

int s2_wrprotect(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		 struct s2_op *op)
{
	/* A leaf with DBM set would be made writable again by hardware. */
	struct edit e = { .clear = DESC_S2AP_W | DESC_DBM, .invalidate = true };

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

int s2_dirty(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     struct s2_dirty_log *log, struct s2_op *op)
{
	struct edit e = { .log = log,
			  .tidy = flags & S2_CLEAR,
			  .invalidate = flags & S2_CLEAR };
	int err = check_range(s2, ipa.ipa, size);

	if (!err && flags & ~(S2_CLEAR | S2_SHARED))
		err = S2_E_FLAGS;
	if (!err && (!S2_USE_HW || !(s2->features & S2_FEAT_DBM)))
		err = S2_E_UNSUPPORTED;
	if (!err)
		err = check_log(s2, log);
	if (!err && (ipa.ipa < log->ipa.ipa || ipa.ipa + size > log->ipa.ipa + log->size))
		err = S2_E_IPA_RANGE;
	return err ? err : edit_range(s2, ipa.ipa, size, OP_DIRTY, &e, flags, op);
}

/*
 * Change the leaf that translates an address. What makes the swap fail is another's
 * progress (hardware can but set a flag that only we clear): after a few times the
 * guest may as well fault again.
 */
static int edit_leaf(struct s2 *s2, uint64_t ipa, s2_attr_t perms, uint32_t flags,
		     int *level)
{
	struct edit e = { .set = DESC_AF, .exec = perms & S2_X };
	struct step step = step_free(flags);
	bool changed;
	struct s2_gather g = { 0 };
	struct cursor c = { .s2 = s2, .step = &step, .ipa = ipa };
	struct place p;
	uint64_t d, size, n = 0;

	if (perms & S2_R)
		e.set |= DESC_S2AP_R;
	if (perms & S2_W)
		e.set |= DESC_S2AP_W;
	for (int i = 0; i < 4; i++) {
		p = walk(s2, ipa);
		d = p.d;
		if (!desc_valid(d))
			return desc_busy(d) ? S2_E_BUSY : S2_E_NOENT;
		c.level = p.level;
		c.shift = level_shift(s2, p.level);
		*level = c.level;
		size = d & DESC_CONT ? run_size(s2, c.level) : cursor_size(&c);
		if (e.exec && desc_attr(s2, d) & S2_MEM_DEV_nGnRnE)
			return S2_E_ATTR;
		/*
		 * Instruction fetch must find what is there before it may look. Again if
		 * the swap fails: it may be another leaf by then.
		 */
		if (e.exec & ~desc_exec(d))
			s2_port_make_executable(s2->port, desc_oa(s2, d) & ~(size - 1),
						size);
		if (S2_USE_RUNS && d & DESC_CONT) {
			/* A run is changed whole. */
			ipa &= ~(size - 1);
			edit_window(s2, &step, ipa, ipa + size, &e, &g, &n);
			return 0;
		}
		if (edit_entry(&c, p.entry, d, &e, &changed))
			return 0;
	}
	return S2_E_BUSY;
}

int s2_relax_perms(struct s2 *s2, s2_ipa_t ipa, s2_attr_t perms, uint32_t flags)
{
	int err = check_range(s2, ipa.ipa, page_size(s2)), level = 0;

	if (!S2_USE_CHANGES)
		return S2_E_UNSUPPORTED;
	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = check_shared(s2, flags);
	if (!err && (perms & ~(S2_R | S2_W | S2_X) || !perms || !exec_known(s2, perms)))
		err = S2_E_ATTR;
	if (!err)
		err = edit_leaf(s2, ipa.ipa, perms, flags, &level);
	/*
	 * Also when nothing had to be changed: this PE may have faulted on a copy from
	 * before another PE's relax, and would again.
	 */
	if (!err)
		err = invalidate_local(s2, ipa.ipa, level);
	return err;
}

int s2_mkyoung(struct s2 *s2, s2_ipa_t ipa, uint32_t flags)
{
	int err = check_range(s2, ipa.ipa, page_size(s2)), level;

	if (!S2_USE_CHANGES)
		return S2_E_UNSUPPORTED;
	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = check_shared(s2, flags);
	return err ? err : edit_leaf(s2, ipa.ipa, 0, flags, &level);
}
