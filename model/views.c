/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "views.h"

static unsigned first_of(const struct views *v, unsigned loc)
{
	unsigned n = 0;

	for (unsigned l = 0; l < loc; l++)
		n += v->nr[l];
	return n;
}

static const struct views_msg *msg_at(const struct views *v, unsigned loc, unsigned place)
{
	return &v->msg[first_of(v, loc) + place];
}

void view_join(struct view *v, const struct view *with)
{
	v->marks |= with->marks;
	for (unsigned l = 0; l < VIEWS_LOCS; l++)
		if (v->at[l] < with->at[l])
			v->at[l] = with->at[l];
}

static bool has_seen(const struct view *v, const struct view *what)
{
	bool yes = !(what->marks & ~v->marks);

	for (unsigned l = 0; l < VIEWS_LOCS; l++)
		yes &= v->at[l] >= what->at[l];
	return yes;
}

/* Of a thread's stores, those that nothing has overtaken. */
static const struct view *settled(const struct views_thread *t)
{
	return t->loose ? &t->fence : &t->own;
}

static void join_settled(const struct views *v, unsigned but, struct view *to)
{
	for (unsigned t = 0; t < VIEWS_THREADS; t++)
		if (t != but)
			view_join(to, settled(&v->thread[t]));
}

/* ---- every view ---- */

/* Calls fn(view, loc, n) for each view that there is. */
static void each_view(struct views *v, void (*fn)(struct view *, unsigned, unsigned),
		      unsigned loc, unsigned n)
{
	for (unsigned t = 0; t < VIEWS_THREADS; t++) {
		fn(&v->thread[t].now, loc, n);
		fn(&v->thread[t].read, loc, n);
		fn(&v->thread[t].own, loc, n);
		fn(&v->thread[t].wrote, loc, n);
		fn(&v->thread[t].released, loc, n);
		fn(&v->thread[t].fence, loc, n);
	}
	for (unsigned i = 0; i < VIEWS_KEPT; i++)
		fn(&v->kept[i], loc, n);
	for (unsigned i = 0; i < v->nr_msgs; i++)
		fn(&v->msg[i].see, loc, n);
}

static void make_room(struct view *view, unsigned loc, unsigned place)
{
	view->at[loc] += view->at[loc] >= place;
}

static void drop_oldest(struct view *view, unsigned loc, unsigned n)
{
	view->at[loc] = view->at[loc] > n ? (uint8_t)(view->at[loc] - n) : 0;
}

/* A message at @place, and those from there on one further up. */
static struct views_msg *insert(struct views *v, unsigned loc, unsigned place)
{
	struct views_msg *m = &v->msg[first_of(v, loc) + place];

	if (v->nr_msgs == VIEWS_MSGS || v->nr[loc] == UINT8_MAX)
		return NULL;
	if (place < v->nr[loc]) {
		each_view(v, make_room, loc, place);
		for (unsigned t = 0; t < VIEWS_THREADS; t++)
			v->thread[t].last[loc] += v->thread[t].last[loc] >= place;
	}
	memmove(m + 1, m, (size_t)(&v->msg[v->nr_msgs] - m) * sizeof(*m));
	memset(m, 0, sizeof(*m));
	v->nr_msgs++;
	v->nr[loc]++;
	return m;
}

bool views_first(struct views *v, unsigned loc, uint64_t value)
{
	struct views_msg *m = insert(v, loc, v->nr[loc]);

	if (m) {
		m->value = value;
		m->by = VIEWS_THREADS;
	}
	return m;
}

/* ---- loads ---- */

static unsigned oldest(const struct views *v, unsigned t, unsigned loc,
		       const struct view *dep)
{
	unsigned at = v->thread[t].now.at[loc];

	return dep && dep->at[loc] > at ? dep->at[loc] : at;
}

unsigned views_loads(const struct views *v, unsigned t, unsigned loc,
		     const struct view *dep)
{
	unsigned from = oldest(v, t, loc, dep), last = v->thread[t].last[loc];

	return from < last ? 1 + last - from : 1;
}

static unsigned place_of(const struct views *v, unsigned t, unsigned loc, unsigned choice)
{
	return choice ? v->thread[t].last[loc] - choice : v->nr[loc] - 1u;
}

uint64_t views_value(const struct views *v, unsigned t, unsigned loc, unsigned choice)
{
	return msg_at(v, loc, place_of(v, t, loc, choice))->value;
}

uint64_t views_load(struct views *v, unsigned t, unsigned loc, unsigned choice,
		    unsigned order, const struct view *dep, struct view *got)
{
	struct views_thread *me = &v->thread[t];
	unsigned place = place_of(v, t, loc, choice);
	const struct views_msg *m = msg_at(v, loc, place);
	struct view see = { 0 };

	/* Its own store it may read before others can: that orders nothing. */
	if (m->by != t)
		see = m->see;
	if (dep)
		view_join(&see, dep);
	if (me->now.at[loc] < place)
		me->now.at[loc] = (uint8_t)place;
	view_join(&me->read, &see);
	if (order & VIEWS_ACQUIRE) {
		view_join(&me->now, &see);
		view_join(&me->fence, &see);
	}
	if (got)
		*got = see;
	return m->value;
}

uint64_t views_last(const struct views *v, unsigned loc)
{
	return msg_at(v, loc, v->nr[loc] - 1u)->value;
}

/* ---- stores ---- */

/* Whether a store may still come before the message. */
static bool overtaken(const struct views *v, unsigned loc, unsigned place)
{
	const struct views_msg *m = msg_at(v, loc, place);
	const struct views_thread *by = &v->thread[m->by];

	return !m->rmw && by->loose && by->fence.at[loc] < place;
}

unsigned views_stores(const struct views *v, unsigned t, unsigned loc,
		      const struct view *dep)
{
	unsigned n = 1, place = v->nr[loc];

	while (--place > oldest(v, t, loc, dep) && msg_at(v, loc, place)->by != t &&
	       overtaken(v, loc, place))
		n++;
	return n;
}

/* It has seen what is before it in its location: coherence. */
static bool put(struct views *v, unsigned t, unsigned loc, unsigned place, uint64_t value,
		unsigned order, const struct view *dep, bool rmw)
{
	struct views_thread *me = &v->thread[t];
	struct view see = me->fence;
	struct views_msg *m = insert(v, loc, place);

	if (!m)
		return false;
	if (dep)
		view_join(&see, dep);
	view_join(&see, &m[-1].see);
	join_settled(v, t, &see);
	if (order & VIEWS_RELEASE) {
		view_join(&see, &me->now);
		view_join(&see, &me->read);
		view_join(&see, &me->own);
	}
	see.at[loc] = (uint8_t)place;
	me->wrote.at[loc] = (uint8_t)place;
	me->loose |= !has_seen(&see, &me->wrote);
	m->value = value;
	m->see = see;
	m->by = (uint8_t)t;
	m->rmw = rmw;
	me->now.at[loc] = (uint8_t)place;
	view_join(&me->own, &see);
	if (order & VIEWS_RELEASE)
		view_join(&me->released, &see);
	return true;
}

bool views_store(struct views *v, unsigned t, unsigned loc, unsigned choice,
		 uint64_t value, unsigned order, const struct view *dep)
{
	return put(v, t, loc, v->nr[loc] - choice, value, order, dep, false);
}

bool views_rmw(struct views *v, unsigned t, unsigned loc, uint64_t value, unsigned order,
	       const struct view *dep)
{
	views_load(v, t, loc, 0, order, dep, NULL);
	return put(v, t, loc, v->nr[loc], value, order, dep, true);
}

void views_amend(struct views *v, unsigned t, unsigned loc, uint64_t value,
		 unsigned order)
{
	struct views_msg *m = &v->msg[first_of(v, loc) + v->nr[loc] - 1u];
	struct views_thread *me = &v->thread[t];

	m->value = value;
	if (!(order & VIEWS_RELEASE))
		return;
	view_join(&m->see, &me->now);
	view_join(&m->see, &me->read);
	view_join(&m->see, &me->own);
	view_join(&me->own, &m->see);
	view_join(&me->released, &m->see);
}

void views_all(const struct views *v, struct view *all)
{
	for (unsigned t = 0; t < VIEWS_THREADS; t++) {
		view_join(all, &v->thread[t].now);
		view_join(all, &v->thread[t].own);
	}
	for (unsigned i = 0; i < v->nr_msgs; i++)
		view_join(all, &v->msg[i].see);
}

void views_overwrite(struct views *v, unsigned loc, uint64_t value)
{
	v->msg[first_of(v, loc) + v->nr[loc] - 1u].value = value;
}

/* ---- barriers ---- */

void views_fence(struct views *v, unsigned t, enum views_fence kind)
{
	struct views_thread *me = &v->thread[t];

	switch (kind) {
	case VIEWS_FULL:
		view_join(&me->now, &me->read);
		view_join(&me->now, &me->own);
		join_settled(v, t, &me->now);
		me->fence = me->now;
		me->loose = 0;
		break;
	case VIEWS_LD:
		view_join(&me->now, &me->read);
		view_join(&me->fence, &me->read);
		break;
	case VIEWS_DSB_ST:
		/* Nothing behind a DSB is executed before it is complete. */
		view_join(&me->now, &me->own);
		me->loose = 0;
		/* fall through */
	case VIEWS_DMB_ST:
		view_join(&me->fence, &me->own);
		break;
	}
}

void views_mark(struct views *v, unsigned t, uint64_t mark)
{
	v->thread[t].now.marks |= mark;
	v->thread[t].own.marks |= mark;
	v->thread[t].wrote.marks |= mark;
}

/* ---- steps, and states ---- */

void views_stepped(struct views *v, unsigned t)
{
	for (unsigned l = 0; l < VIEWS_LOCS; l++)
		v->thread[t].last[l] = (uint8_t)(v->nr[l] ? v->nr[l] - 1 : 0);
}

static void trim_location(struct views *v, unsigned loc, unsigned live)
{
	unsigned n = v->nr[loc] - 1u, from = first_of(v, loc);

	for (unsigned t = 0; t < VIEWS_THREADS; t++)
		if (live >> t & 1 && v->thread[t].now.at[loc] < n)
			n = v->thread[t].now.at[loc];
	if (n + VIEWS_DEPTH < v->nr[loc])
		n = v->nr[loc] - VIEWS_DEPTH;
	for (unsigned t = 0; t < VIEWS_THREADS; t++) {
		uint8_t *last = &v->thread[t].last[loc];

		/* It tells nothing that the view does not. */
		if (*last < v->thread[t].now.at[loc])
			*last = v->thread[t].now.at[loc];
		*last = (uint8_t)(*last > n ? *last - n : 0);
	}
	if (!n)
		return;
	v->nr_msgs -= n;
	v->nr[loc] = (uint8_t)(v->nr[loc] - n);
	memmove(&v->msg[from], &v->msg[from + n],
		(v->nr_msgs - from) * sizeof(v->msg[0]));
	memset(&v->msg[v->nr_msgs], 0, n * sizeof(v->msg[0]));
	v->msg[from].rmw = 0;
	each_view(v, drop_oldest, loc, n);
}

void views_trim(struct views *v, unsigned live)
{
	for (unsigned t = 0; t < VIEWS_THREADS; t++) {
		struct views_thread *at = &v->thread[t], ended = { .loose = at->loose };

		if (live >> t & 1)
			continue;
		/* Its stores are there. */
		*(at->loose ? &ended.fence : &ended.own) = *settled(at);
		*at = ended;
	}
	for (unsigned l = 0; l < VIEWS_LOCS; l++)
		if (v->nr[l])
			trim_location(v, l, live);
}
