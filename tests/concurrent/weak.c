/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "weak.h"

#define LOCATIONS (LOCATION_S2 + sizeof(struct s2) / 8)
#define HARDWARE THREADS
#define PAGES_HELD (sizeof(weak_now.page[0]))

/* Views that are kept: for each thread ... */
#define KEPT_PAGE(thread, i) ((unsigned)(thread)*16 + (i)) /* ... by address read */
#define KEPT_GOT(thread) ((unsigned)(thread)*16 + 15)	   /* ... by its last load */
enum { KEPT_RETURNED = 16 * THREADS, KEPT_LOCK, KEPT_GRACE, KEPT_LEFT, KEPT_ALL };
_Static_assert(KEPT_ALL <= VIEWS_KEPT && PAGES_HELD < 15, "views are kept for all");
_Static_assert(HARDWARE < VIEWS_THREADS, "hardware has a view");

unsigned weak;
struct weak_state weak_now;

/* Of a shared word its location in views.h, counted from 1. */
static uint8_t slot[LOCATIONS];
static unsigned slots;

static int stepping;	 /* the way that is taken, until the access is made */
static uint64_t written; /* locations that this step has written, a bit each */
_Static_assert(VIEWS_LOCS <= 64, "a bit for each location");
/* The table whose address the last load has returned; -1: none. */
static int got_page[THREADS];

#define V (&weak_now.v)

size_t weak_size(void)
{
	return weak ? offsetof(struct weak_state, v) + views_size(V) : 0;
}

void weak_begin(void)
{
	memset(&weak_now, 0, sizeof(weak_now));
	memset(weak_now.page, -1, sizeof(weak_now.page));
	stepping = 0;
}

void weak_share(uint32_t where)
{
	if (!weak || slot[where])
		return;
	if (slots == VIEWS_LOCS) {
		violation("scenario-too-large", "%u shared words", slots);
		return;
	}
	slot[where] = (uint8_t)++slots;
}

void weak_forget_shared(void)
{
	memset(slot, 0, sizeof(slot));
	slots = 0;
}

/* ---- locations ---- */

static int page_of(uint32_t where)
{
	if (where < PAGES * ENTRIES)
		return (int)(where / ENTRIES);
	if (where < LOCATION_S2)
		return (int)(where - PAGES * ENTRIES) / 2;
	return -1;
}

/* The location of a word; -1: none, for its thread alone knows of it. */
static int location_of(int thread, uint32_t where)
{
	if (!weak || thread == NOBODY || where == NOWHERE || !slot[where] ||
	    (where < PAGES * ENTRIES &&
	     world.page[where / ENTRIES].state == PAGE_PRIVATE))
		return -1;
	return slot[where] - 1;
}

/* What the address of a word depends on; NULL: nothing. */
static struct view *address_of(int thread, uint32_t where)
{
	int page = page_of(where);

	for (unsigned i = 0; page >= 0 && i < PAGES_HELD; i++)
		if (weak_now.page[thread][i] == page)
			return &V->kept[KEPT_PAGE(thread, i)];
	return NULL;
}

/* Its history begins, or goes on after writes that are not the port's. */
static void up_to_date(int loc, uint64_t value)
{
	if (!V->nr[loc]) {
		if (!views_first(V, (unsigned)loc, value))
			violation("scenario-too-large", "no room for a history");
	} else if (views_last(V, (unsigned)loc) != value) {
		views_overwrite(V, (unsigned)loc, value);
	}
}

/* ---- steps ---- */

unsigned weak_ways(int thread, enum event event, uint32_t where)
{
	int loc = location_of(thread, where);
	unsigned n;

	if (loc < 0 || !V->nr[loc] || weak_now.stale == weak ||
	    (event != EV_LOAD && event != EV_CAS))
		return 1;
	n = views_loads(V, (unsigned)thread, (unsigned)loc, address_of(thread, where));
	return n < WEAK_CHOICES ? n : WEAK_CHOICES;
}

void weak_step(int thread, unsigned way)
{
	if (!weak)
		return;
	stepping = (int)way;
	written = 0;
	got_page[thread] = -1;
	if (way) {
		weak_now.stale++;
		world.thread[thread].misread = true;
	}
}

void weak_stepped(int thread)
{
	unsigned live = 0;

	if (!weak)
		return;
	memset(&V->kept[KEPT_GOT(thread)], 0, sizeof(struct view));
	views_stepped(V, (unsigned)thread);
	for (int i = 0; i < THREADS; i++)
		live |= (unsigned)world.thread[i].live << i;
	views_trim(V, live);
}

/* With no older value left to be read it does not matter who has seen what. */
uint64_t weak_hash(uint64_t h)
{
	if (weak_now.stale == weak)
		return hash_bytes(h, &weak_now, offsetof(struct weak_state, fresh));
	return hash_bytes(h, &weak_now, weak_size());
}

/* ---- accesses ---- */

uint64_t weak_load(uint32_t where, const uint64_t *word, unsigned order)
{
	int thread = current(), loc = location_of(thread, where);
	unsigned way = (unsigned)stepping;
	struct view see = { 0 }, *dep;
	uint64_t value = *word;

	stepping = 0;
	if (!weak || thread == NOBODY)
		return value;
	dep = address_of(thread, where);
	if (loc >= 0) {
		up_to_date(loc, value);
		value = views_load(V, (unsigned)thread, (unsigned)loc, way, order, dep,
				   &see);
	} else if (dep) {
		see = *dep;
	}
	/* Where a valid or a busy table entry leads to. */
	got_page[thread] = mem_page(value & UINT64_C(0xfffffffff000));
	if (got_page[thread] < 0)
		return value;
	if (is_like_another(where))
		views_all(V, &see);
	V->kept[KEPT_GOT(thread)] = see;
	return value;
}

bool weak_fails(uint32_t where, const uint64_t *word, uint64_t old, unsigned order,
		uint64_t *found)
{
	int thread = current(), loc = location_of(thread, where);

	if (!stepping || loc < 0)
		return false;
	if (views_value(V, (unsigned)thread, (unsigned)loc, (unsigned)stepping) == old)
		no_such_order();
	*found = weak_load(where, word, order);
	return true;
}

static void put(unsigned thread, uint32_t where, uint64_t old, uint64_t value,
		unsigned order, bool rmw)
{
	int loc = location_of((int)thread, where);
	const struct view *dep;

	stepping = 0;
	if (loc < 0)
		return;
	dep = thread == HARDWARE ? NULL : address_of((int)thread, where);
	if (written >> loc & 1) {
		views_amend(V, thread, (unsigned)loc, value, order);
		return;
	}
	written |= UINT64_C(1) << loc;
	up_to_date(loc, old);
	if (!(rmw ? views_rmw(V, thread, (unsigned)loc, value, order, dep) :
		    views_store(V, thread, (unsigned)loc, 0, value, order, dep)))
		violation("scenario-too-large", "no room for a history");
}

void weak_store(uint32_t where, uint64_t old, uint64_t value, unsigned order)
{
	if (current() != NOBODY)
		put((unsigned)current(), where, old, value, order, false);
}

void weak_rmw(uint32_t where, uint64_t old, uint64_t value, unsigned order)
{
	if (current() != NOBODY)
		put((unsigned)current(), where, old, value, order, true);
}

void weak_hardware(uint32_t where, uint64_t old, uint64_t value)
{
	put(HARDWARE, where, old, value, VIEWS_PLAIN, true);
}

void weak_dsb(int thread, enum event kind)
{
	if (weak && thread != NOBODY)
		views_fence(V, (unsigned)thread,
			    kind == EV_DSB_ISHST ? VIEWS_DSB_ST : VIEWS_FULL);
}

bool weak_loose(int thread)
{
	return weak && thread != NOBODY && V->thread[thread].loose;
}

/* Whether its load is an acquire or not: a TLBI depends on what was read (control). */
bool weak_knows(int thread, uint32_t entry)
{
	int loc = location_of(thread, entry);
	const struct views_thread *t;
	unsigned last;

	if (loc < 0 || !V->nr[loc])
		return true;
	t = &V->thread[thread];
	last = V->nr[loc] - 1u;
	return t->now.at[loc] == last || t->read.at[loc] == last ||
	       t->own.at[loc] == last;
}

/* ---- tables ---- */

static void unmark(unsigned page)
{
	uint64_t keep = ~(UINT64_C(1) << page);

	for (unsigned t = 0; t < VIEWS_THREADS; t++) {
		struct views_thread *at = &V->thread[t];

		at->now.marks &= keep;
		at->read.marks &= keep;
		at->own.marks &= keep;
		at->wrote.marks &= keep;
		at->released.marks &= keep;
		at->fence.marks &= keep;
	}
	for (unsigned i = 0; i < VIEWS_KEPT; i++)
		V->kept[i].marks &= keep;
	for (unsigned i = 0; i < V->nr_msgs; i++)
		V->msg[i].see.marks &= keep;
}

/* What was there before, nobody is to see: neither its last owner's data. */
void weak_taken(int thread, unsigned page)
{
	if (!weak || thread == NOBODY)
		return;
	unmark(page);
	weak_now.fresh |= UINT64_C(1) << page;
	views_mark(V, (unsigned)thread, UINT64_C(1) << page);
}

/* A barrier between the store and the link has to come after all such stores. */
void weak_filled(unsigned page)
{
	if (weak && current() != NOBODY && mem_owner(page) == current() &&
	    weak_now.fresh >> page & 1 && V->thread[current()].fence.marks >> page & 1)
		weak_taken(current(), page);
}

void weak_address(unsigned page)
{
	int thread = current();
	int8_t *at = NULL;

	if (!weak || thread == NOBODY)
		return;
	for (unsigned i = 0; i < PAGES_HELD; i++) {
		if (weak_now.page[thread][i] == (int)page) {
			at = &weak_now.page[thread][i];
			break;
		}
		if (!at && weak_now.page[thread][i] < 0)
			at = &weak_now.page[thread][i];
	}
	if (!at) {
		violation("scenario-too-large", "addresses of %u tables",
			  (unsigned)PAGES_HELD);
		return;
	}
	if (got_page[thread] == (int)page)
		V->kept[KEPT_PAGE(thread, (unsigned)(at - weak_now.page[thread]))] =
			V->kept[KEPT_GOT(thread)];
	*at = (int8_t)page;
}

void weak_uses(uint32_t where)
{
	int thread = current(), page = page_of(where);
	const struct view *dep;
	uint64_t seen;

	if (!weak || thread == NOBODY || page < 0 || !(weak_now.fresh >> page & 1))
		return;
	dep = address_of(thread, where);
	seen = V->thread[thread].now.marks | (dep ? dep->marks : 0);
	if (!(seen >> page & 1))
		violation("table-unseen", "page %d is read before what fills it is seen",
			  page);
}

void weak_links(unsigned page, unsigned order)
{
	int thread = current();

	if (!weak || thread == NOBODY || !(weak_now.fresh >> page & 1) ||
	    order & VIEWS_RELEASE || V->thread[thread].fence.marks >> page & 1)
		return;
	violation("table-unseen", "a PE walks to page %u before it sees what fills it",
		  page);
}

/* ---- what the embedder orders ---- */

static void acquire(int thread, const struct view *from)
{
	view_join(&V->thread[thread].now, from);
	view_join(&V->thread[thread].read, from);
	view_join(&V->thread[thread].fence, from);
}

static void release(int thread, struct view *to)
{
	view_join(to, &V->thread[thread].now);
	view_join(to, &V->thread[thread].read);
	view_join(to, &V->thread[thread].own);
}

void weak_call_begins(int thread)
{
	if (weak)
		acquire(thread, &V->kept[KEPT_RETURNED]);
}

void weak_call_returns(int thread)
{
	if (weak)
		release(thread, &V->kept[KEPT_RETURNED]);
}

void weak_hardware_returns(void)
{
	weak_call_returns(HARDWARE);
}

void weak_locked(int thread, bool shared)
{
	if (!weak)
		return;
	/* After all who had it before: everybody but hardware. */
	if (!shared)
		views_all(V, &V->kept[KEPT_LOCK]);
	acquire(thread, &V->kept[KEPT_LOCK]);
}

void weak_unlocked(int thread, bool shared)
{
	if (weak && !shared)
		release(thread, &V->kept[KEPT_LOCK]);
}

void weak_section_begins(int thread)
{
	if (weak)
		acquire(thread, &V->kept[KEPT_GRACE]);
}

void weak_section_ends(int thread)
{
	struct view all = { 0 };

	if (!weak)
		return;
	release(thread, &all);
	view_join(&V->kept[KEPT_LEFT], &all);
	for (int i = 0; i < THREADS; i++)
		if (world.thread[i].grace >> thread & 1)
			acquire(i, &all);
	for (unsigned i = 0; i < PAGES_HELD; i++)
		memset(&V->kept[KEPT_PAGE(thread, i)], 0, sizeof(struct view));
	memset(weak_now.page[thread], -1, sizeof(weak_now.page[thread]));
}

void weak_grace_begins(int thread)
{
	if (!weak)
		return;
	release(thread, &V->kept[KEPT_GRACE]);
	/* Those that have ended before it are before its end, too. */
	acquire(thread, &V->kept[KEPT_LEFT]);
}
