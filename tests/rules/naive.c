/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "naive.h"

#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

enum alias { BY_CACHE, PAST_CACHE, EITHER };

static unsigned frame_of(unsigned leaf)
{
	return (leaf - 16) / 8;
}

static enum kind kind_of(unsigned leaf)
{
	return (leaf - 16) / 2 % KINDS;
}

static bool is_writable(unsigned leaf)
{
	return leaf & 1;
}

static bool is_normal(unsigned leaf)
{
	return kind_of(leaf) != DEVICE;
}

/* They differ in permissions at most. */
static bool same(unsigned a, unsigned b)
{
	return a / 2 == b / 2;
}

static enum alias alias(const struct naive *n, unsigned leaf)
{
	return kind_of(leaf) == NC	     ? PAST_CACHE :
	       kind_of(leaf) == WB && n->fwb ? BY_CACHE :
					       EITHER;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Loops over the leaves in a set of values. */
#define EACH_LEAF(leaf, set)                        \
	for (unsigned leaf = 16; leaf < 64; leaf++) \
		if ((set) >> leaf & 1)

#define EACH_CTX(c, n) for (struct ctx *c = (n)->ctx; c < (n)->ctx + CTXS && c->used; c++)

static bool of_tree(const struct naive *n, const struct ctx *c, unsigned root)
{
	return n->known[root] && c->root == root && c->tree == n->tree[root];
}

/* What the tables map at ipa, as they are. */
static unsigned live(const struct naive *n, unsigned root, unsigned ipa)
{
	unsigned slot = ipa / SLOTS, v = n->mem[root][slot];

	if (!n->known[root] || !is_table(v) ||
	    n->linked[v - 1] != (int)(root * SLOTS + slot))
		return EMPTY;
	return n->mem[v - 1][ipa % SLOTS];
}

static bool frame_is_live(const struct naive *n, unsigned frame)
{
	for (unsigned root = 0; root < TABLES; root++)
		for (unsigned ipa = 0; ipa < IPAS; ipa++) {
			unsigned v = live(n, root, ipa);

			if (v && frame_of(v) == frame)
				return true;
		}
	return false;
}

/* A PE may walk to the table; not: but for an entry of this root. */
static bool walked(struct naive *n, unsigned table, int but)
{
	EACH_CTX(c, n)
	for (unsigned s = 0; s < SLOTS; s++) {
		bool here = but >= 0 && of_tree(n, c, (unsigned)but / SLOTS) &&
			    s == (unsigned)but % SLOTS;

		if (c->walks[s] >> table & 1 && !here)
			return true;
	}
	return false;
}

/* Leaves that PEs may hold for the tree. */
static uint64_t held(struct naive *n, unsigned root, unsigned ipa)
{
	uint64_t set = 0;

	EACH_CTX(c, n)
	if (of_tree(n, c, root))
		set |= c->leaves[ipa];
	return set;
}

static bool clean_since(const struct naive *n, unsigned frame, uint64_t step)
{
	for (unsigned i = 0; i < LINES; i++)
		if (n->line[frame][i].civac <= step)
			return false;
	return true;
}

static void to_host(struct naive *n, unsigned frame)
{
	if (frame_is_live(n, frame))
		return;
	for (unsigned i = 0; i < LINES; i++)
		n->line[frame][i].host = n->step;
}

/* ---- what PEs hold ---- */

/* PEs that may hold something read whatever they can. */
static void fill(struct naive *n)
{
	EACH_CTX(c, n)
	for (unsigned s = 0; c->active && s < SLOTS; s++) {
		for (unsigned t = 0; n->tree[c->root] == c->tree && t < TABLES; t++)
			if (n->seen[c->root][s] >> TO_TABLE(t) & 1)
				c->walks[s] |= (uint32_t)BIT(t);
		for (unsigned t = 0; t < TABLES; t++)
			for (unsigned i = 0; c->walks[s] >> t & 1 && i < SLOTS; i++)
				c->leaves[s * SLOTS + i] |= n->seen[t][i] & ~BIT(EMPTY);
	}
}

static void settle(struct naive *n)
{
	EACH_CTX(c, n)
	{
		uint64_t any = 0;

		for (unsigned s = 0; s < SLOTS; s++)
			any |= c->walks[s];
		for (unsigned ipa = 0; ipa < IPAS; ipa++)
			any |= c->leaves[ipa];
		if (!c->running && !any)
			c->active = false;
	}
}

/* Walks find the tables as they are. */
static void visible(struct naive *n)
{
	for (unsigned t = 0; t < TABLES; t++)
		for (unsigned s = 0; s < SLOTS; s++)
			n->seen[t][s] = BIT(n->mem[t][s]);
}

/* ---- data ---- */

static void dsb(struct naive *n, bool sy)
{
	for (unsigned i = 0; i < FRAMES * LINES; i++) {
		struct line *l = &n->line[i / LINES][i % LINES];

		l->clean = max(l->clean, l->pending);
		l->pending = 0;
		if (!sy)
			continue;
		l->civac = max(l->civac, l->pending_civac);
		l->pending_civac = 0;
	}
}

/* The last writer of the line is not seen by a leaf of this kind. */
static bool unseen(const struct line *l, enum alias by)
{
	uint64_t past = by == EITHER ? l->guest[PAST_CACHE] :
				       max(l->guest[PAST_CACHE], l->guest[EITHER]);
	uint64_t cached = by == EITHER ? l->guest[BY_CACHE] :
					 max(l->guest[BY_CACHE], l->guest[EITHER]);

	return (by != PAST_CACHE && past && l->civac <= past) ||
	       (by != BY_CACHE && cached && l->clean <= cached) ||
	       (by != BY_CACHE && l->clean <= l->host);
}

/* A guest may read by the new leaf what was there before. */
static bool not_clean(struct naive *n, unsigned at, unsigned leaf)
{
	enum alias by = alias(n, leaf);

	if (!is_normal(leaf))
		return false;
	for (unsigned i = 0; i < LINES; i++)
		if (unseen(&n->line[frame_of(leaf)][i], by))
			return true;
	/* By what was broken elsewhere and is not invalidated it may still be written. */
	EACH_CTX(c, n)
	for (unsigned ipa = 0; ipa < IPAS; ipa++)
		EACH_LEAF(h, c->leaves[ipa])
		{
			unsigned v = of_tree(n, c, c->root) ? live(n, c->root, ipa) :
							      EMPTY;

			if (is_writable(h) && is_normal(h) &&
			    frame_of(h) == frame_of(leaf) && ipa != at &&
			    alias(n, h) != by && !(v && same(v, h)))
				return true;
		}
	return false;
}

/* ---- entries ---- */

/* The leaf comes to be at ipa: true if that is wrong. */
static bool made(struct naive *n, unsigned root, unsigned ipa, unsigned leaf)
{
	uint64_t set = held(n, root, ipa);

	EACH_LEAF(h, set)
	if (!same(h, leaf))
		return true;
	if (not_clean(n, ipa, leaf))
		return true;
	for (unsigned f = 0; f < FRAMES; f++) {
		uint64_t *due = &n->due[root][ipa][f];

		if (*due && !(is_normal(leaf) && f == frame_of(leaf)) &&
		    !clean_since(n, f, *due))
			n->lost[f] = max(n->lost[f], *due);
		n->gone[root][ipa][f] = *due = 0;
	}
	return false;
}

/* The table is linked to an entry of a root that is known. */
static bool link_table(struct naive *n, unsigned root, unsigned slot, unsigned table)
{
	bool wrong = !n->taken[table] || n->known[table] || n->linked[table] >= 0 ||
		     walked(n, table, (int)(root * SLOTS + slot));

	EACH_CTX(c, n)
	wrong |= of_tree(n, c, root) && c->walks[slot] & ~BIT(table);
	if (wrong)
		return true;
	n->linked[table] = (int)(root * SLOTS + slot);
	/* By a release: whoever finds the table finds what was stored to it before. */
	for (unsigned i = 0; i < SLOTS && !walked(n, table, -1); i++)
		n->seen[table][i] = BIT(n->mem[table][i]);
	for (unsigned i = 0; i < SLOTS; i++)
		if (n->mem[table][i] && made(n, root, slot * SLOTS + i, n->mem[table][i]))
			return true;
	return false;
}

static bool set_root(struct naive *n, unsigned root, unsigned slot, unsigned v)
{
	unsigned old = n->mem[root][slot];

	if (old == v)
		return false;
	if (!n->known[root]) {
		n->mem[root][slot] = v;
		n->seen[root][slot] = BIT(v);
		return false;
	}
	if (old && v)
		return true;
	n->mem[root][slot] = v;
	if (v && link_table(n, root, slot, v - 1))
		return true;
	if (old && n->linked[old - 1] == (int)(root * SLOTS + slot))
		n->linked[old - 1] = -1;
	n->seen[root][slot] |= BIT(v);
	return false;
}

static bool set_page(struct naive *n, unsigned table, unsigned slot, unsigned v)
{
	unsigned old = n->mem[table][slot];
	int at = n->linked[table];

	if (old == v)
		return false;
	if (at >= 0) {
		unsigned root = (unsigned)at / SLOTS;

		if (old && v ? !same(old, v) :
			       v && made(n, root, (unsigned)at % SLOTS * SLOTS + slot, v))
			return true;
	} else if (!walked(n, table, -1)) {
		n->seen[table][slot] = 0; /* a table is filled before it is linked */
	}
	/* It is detached and not invalidated yet. */
	EACH_CTX(c, n)
	for (unsigned s = 0; at < 0 && v && s < SLOTS; s++)
		if (c->walks[s] >> table & 1 && made(n, c->root, s * SLOTS + slot, v))
			return true;
	n->mem[table][slot] = v;
	n->seen[table][slot] |= BIT(v);
	return false;
}

/* ---- events ---- */

static bool enter(struct naive *n, const struct event *e)
{
	unsigned root = e->page;
	struct ctx *c = n->ctx;

	if (!n->known[root]) {
		if (n->linked[root] >= 0 || walked(n, root, -1))
			return true;
		n->known[root] = true;
		n->tree[root] = ++n->trees;
		for (unsigned s = 0; s < SLOTS; s++)
			if (n->mem[root][s] &&
			    link_table(n, root, s, n->mem[root][s] - 1))
				return true;
	}
	while (c->used && !(of_tree(n, c, root) && c->vmid == e->value))
		c++;
	*c = c->used ? *c :
		       (struct ctx){ .used = true,
				     .root = root,
				     .vmid = e->value,
				     .tree = n->tree[root],
				     .quiet = n->step };
	if (!c->running && n->cold[e->value])
		return true;
	EACH_CTX(o, n)
	if (!c->running && o->vmid == c->vmid && o->tree != c->tree && o->active)
		return true;
	c->running |= 1u << e->pe;
	c->active = true;
	return false;
}

static bool give(struct naive *n, unsigned page)
{
	unsigned root = n->linked[page] >= 0 ? (unsigned)n->linked[page] / SLOTS : page;
	bool is_root = n->known[page];

	if (!n->taken[page] || walked(n, page, n->linked[page]))
		return true;
	EACH_CTX(c, n)
	if ((is_root || n->linked[page] >= 0) && of_tree(n, c, root) && c->active)
		return true;
	if (n->linked[page] >= 0)
		n->doomed[root] = true;
	n->taken[page] = false;
	n->linked[page] = -1;
	if (!is_root)
		return false;
	for (unsigned t = 0; t < TABLES; t++)
		if (n->linked[t] >= 0 && (unsigned)n->linked[t] / SLOTS == page)
			n->linked[t] = -1;
	n->known[page] = false;
	return false;
}

static void invalidate(struct naive *n, const struct event *e)
{
	if (e->dsb)
		visible(n);
	EACH_CTX(c, n)
	{
		if (e->slot != ALL_VMIDS && c->vmid != e->value)
			continue;
		for (unsigned ipa = 0; ipa < IPAS; ipa++)
			if (e->slot >= IPAS || e->slot == ipa) {
				c->leaves[ipa] = 0;
				c->walks[ipa / SLOTS] = 0;
			}
		if (!c->active || e->slot < IPAS || c->running)
			continue;
		c->active = false;
		for (unsigned s = 0; s < SLOTS; s++)
			if (n->mem[c->root][s])
				c->quiet = n->step;
	}
	for (unsigned v = 0; v < VMIDS; v++)
		if (e->slot == ALL_VMIDS || (e->slot == WHOLE_VMID && v == e->value))
			n->cold[v] = false;
	fill(n);
	visible(n);
	dsb(n, false);
}

/* The lines of a range of a frame. */
#define EACH_LINE(l, n, e)                                              \
	for (struct line *l = &(n)->line[(e)->frame][(e)->offset / 64]; \
	     l <= &(n)->line[(e)->frame][((e)->offset + (e)->size - 1) / 64]; l++)

static bool claim_unmapped(struct naive *n, unsigned root, unsigned ipa)
{
	if (live(n, root, ipa) || held(n, root, ipa))
		return true;
	for (unsigned f = 0; f < FRAMES; f++) {
		uint64_t due = n->due[root][ipa][f];

		if (due && !clean_since(n, f, due))
			return true;
		if (n->gone[root][ipa][f])
			to_host(n, f);
		n->gone[root][ipa][f] = n->due[root][ipa][f] = 0;
	}
	return false;
}

static bool claim_protected(struct naive *n, unsigned root, unsigned ipa)
{
	uint64_t set = held(n, root, ipa) | BIT(live(n, root, ipa));

	EACH_LEAF(leaf, set)
	if (is_writable(leaf))
		return true;
	return false;
}

static bool claim_free(struct naive *n, unsigned frame)
{
	uint64_t set = 0;

	if (frame_is_live(n, frame) ||
	    (n->lost[frame] && !clean_since(n, frame, n->lost[frame])))
		return true;
	EACH_CTX(c, n)
	for (unsigned ipa = 0; ipa < IPAS; ipa++)
		set |= c->leaves[ipa];
	EACH_LEAF(leaf, set)
	if (frame_of(leaf) == frame)
		return true;
	for (unsigned i = 0; i < TABLES * IPAS; i++) {
		uint64_t due = n->due[i / IPAS][i % IPAS][frame];

		if (due && !clean_since(n, frame, due))
			return true;
	}
	to_host(n, frame);
	return false;
}

static bool act(struct naive *n, const struct event *e)
{
	switch (e->what) {
	case TAKE:
		n->taken[e->page] = true;
		n->doomed[e->page] = false;
		memset(n->mem[e->page], 0, sizeof(n->mem[e->page]));
		for (unsigned s = 0; s < SLOTS; s++)
			n->seen[e->page][s] = BIT(EMPTY);
		return false;
	case GIVE:
		return give(n, e->page);
	case SET_ROOT:
		return set_root(n, e->page, e->slot, e->value);
	case SET_PAGE:
		return set_page(n, e->page, e->slot, e->value);
	case ENTER:
		return enter(n, e);
	case LEAVE:
		EACH_CTX(c, n)
		c->running &= ~(1u << e->pe);
		return false;
	case DSB:
		visible(n);
		dsb(n, false);
		return false;
	case INVALIDATE:
		invalidate(n, e);
		return false;
	case CLEAN:
		EACH_LINE(l, n, e)
		{
			l->pending = n->step;
			if (e->value)
				l->pending_civac = n->step;
		}
		if (e->dsb)
			visible(n);
		if (e->dsb)
			dsb(n, e->dsb == 2);
		return false;
	case HOST_WRITES:
		EACH_LINE(l, n, e)
		l->host = n->step;
		return false;
	case CLAIM_UNMAPPED:
		return claim_unmapped(n, e->page, e->slot);
	case CLAIM_PROTECTED:
		return claim_protected(n, e->page, e->slot);
	default:
		return claim_free(n, e->frame);
	}
}

/* A guest could write by the leaf until this step. */
static void wrote(struct naive *n, unsigned leaf, uint64_t step)
{
	for (unsigned i = 0; i < LINES && is_writable(leaf) && is_normal(leaf); i++) {
		uint64_t *guest = &n->line[frame_of(leaf)][i].guest[alias(n, leaf)];

		*guest = max(*guest, step);
	}
}

/* Leaves that were there before the event and are not any more. */
static void leave_behind(struct naive *n, const struct naive *old, unsigned root,
			 unsigned ipa, bool given)
{
	uint64_t was = BIT(live(old, root, ipa)), is = BIT(live(n, root, ipa));
	bool frames[FRAMES] = { false };
	uint64_t since = n->step;

	for (unsigned i = 0; i < CTXS && old->ctx[i].used; i++)
		if (of_tree(old, &old->ctx[i], root)) {
			uint64_t let_go = old->ctx[i].leaves[ipa] &
					  ~n->ctx[i].leaves[ipa];

			/* Nobody ran the tree that is given back: since then. */
			if (given)
				since = old->ctx[i].quiet;
			was |= old->ctx[i].leaves[ipa];
			is |= n->ctx[i].leaves[ipa];
			/* (What is mapped is an alias, which is its owner's affair.) */
			EACH_LEAF(leaf, let_go & ~BIT(live(n, root, ipa)))
			wrote(n, leaf, n->step);
			/* Stricter than it need be: how old the leaf is, nobody knows. */
			if (!old->ctx[i].active)
				EACH_LEAF(leaf, BIT(live(old, root, ipa)) &
							~BIT(live(n, root, ipa)))
			wrote(n, leaf, old->ctx[i].quiet);
		}
	EACH_LEAF(leaf, is)
	frames[frame_of(leaf)] |= is_normal(leaf);
	EACH_LEAF(leaf, was & ~is)
	{
		unsigned f = frame_of(leaf);

		if (!is_normal(leaf) || frames[f])
			continue;
		n->gone[root][ipa][f] = n->step;
		if (alias(n, leaf) != BY_CACHE)
			n->due[root][ipa][f] = since;
	}
}

bool naive_event(struct naive *n, const struct event *e)
{
	static struct naive old;

	n->step++;
	old = *n;
	if (act(n, e))
		return true;
	fill(n);
	for (unsigned root = 0; root < TABLES; root++)
		for (unsigned ipa = 0; ipa < IPAS; ipa++)
			if (old.known[root])
				leave_behind(n, &old, root, ipa, e->what == GIVE);
	settle(n);
	/* The root was given back. Cleans that are due remain so. */
	for (unsigned i = 0; e->what == GIVE && old.known[e->page] && i < IPAS * FRAMES;
	     i++) {
		uint64_t *due = &n->due[e->page][i / FRAMES][i % FRAMES];
		uint64_t *gone = &n->gone[e->page][i / FRAMES][i % FRAMES];

		if (*due && !clean_since(n, i % FRAMES, *due))
			n->lost[i % FRAMES] = max(n->lost[i % FRAMES], *due);
		else if (*gone)
			to_host(n, i % FRAMES);
		*gone = *due = 0;
	}
	return false;
}

/* ---- which events there are ---- */

static bool fits(const struct naive *n, unsigned page, bool as_root)
{
	bool ok = n->taken[page];

	for (unsigned s = 0; s < SLOTS; s++)
		ok &= !n->mem[page][s] || is_table(n->mem[page][s]) == as_root;
	return ok;
}

/* A table with leaves, or none at all: the machine says what is wrong with that. */
static bool fits_below(const struct naive *n, unsigned page)
{
	return !n->taken[page] || fits(n, page, false);
}

static bool fits_as_root(const struct naive *n, unsigned page)
{
	bool ok = fits(n, page, true);

	for (unsigned s = 0; ok && s < SLOTS; s++)
		ok &= !n->mem[page][s] || fits_below(n, n->mem[page][s] - 1);
	return ok;
}

static bool all_visible(const struct naive *n)
{
	for (unsigned t = 0; t < TABLES; t++)
		for (unsigned s = 0; s < SLOTS; s++)
			if (n->seen[t][s] != BIT(n->mem[t][s]))
				return false;
	return true;
}

static bool runs(const struct naive *n, unsigned pe)
{
	for (unsigned i = 0; i < CTXS && n->ctx[i].used; i++)
		if (n->ctx[i].running >> pe & 1)
			return true;
	return false;
}

bool naive_in_limbo(struct naive *n, unsigned page)
{
	return n->linked[page] < 0 && walked(n, page, -1);
}

bool naive_can(struct naive *n, const struct event *e)
{
	unsigned page = e->page;

	switch (e->what) {
	case GIVE:
		return n->taken[page];
	case SET_ROOT:
		return fits(n, page, true) && n->linked[page] < 0 &&
		       !naive_in_limbo(n, page) &&
		       (!e->value ||
			(page != e->value - 1 && fits_below(n, e->value - 1)));
	case SET_PAGE:
		return fits(n, page, false) && !n->known[page];
	case ENTER:
		return fits_as_root(n, page) && !runs(n, e->pe) && all_visible(n) &&
		       !n->ctx[CTXS - 2].used && !n->doomed[page];
	case LEAVE:
		return runs(n, e->pe);
	case CLAIM_UNMAPPED:
	case CLAIM_PROTECTED:
		return n->known[page];
	default:
		return true;
	}
}

void naive_init(struct naive *n, bool fwb, bool cold)
{
	memset(n, 0, sizeof(*n));
	n->fwb = fwb;
	for (unsigned t = 0; t < TABLES; t++)
		n->linked[t] = -1;
	for (unsigned v = 0; v < VMIDS; v++)
		n->cold[v] = cold;
}
