/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every order of the threads' steps. A step is one access to what threads share,
 * and all that its thread does alone until the next one. Threads have stacks of
 * their own on one OS thread; a state is the tables, the PEs' records and those
 * stacks, so it can be kept, compared by its hash and gone back to: depth first,
 * each state once.
 *
 * An access to a word that only one thread ever uses, or that nobody writes, is no
 * step: it can be moved to where its thread is next without anybody noticing. Which
 * words those are is found by exploring: when a second thread turns up at a word,
 * it becomes shared and everything begins again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "switch.h"
#include "weak.h"

#define STACK_WORDS 4096
#define DEPTH 4096
#define STATES_LOG2 23
#define STATES_MAX 400000 /* of one scenario */
#define STATES_MAX_WEAK 4000000
#define ALONE_MAX 100000 /* accesses of one thread between two steps */
#define WAYS ((1u << WEAK_CHOICES) - 1)
#define LOCATIONS (LOCATION_S2 + sizeof(struct s2) / 8)

enum plant planted;
bool verbose;

static void *stacks[THREADS][STACK_WORDS] __attribute__((aligned(64)));
static void *home; /* the explorer's own stack pointer */
static int running = NOBODY;
static struct result *found;
static unsigned alone;

/* Who has read and written each location, a bit for each thread; then shared. */
static struct {
	uint8_t readers, writers;
	bool shared;
} use[LOCATIONS];
static bool grew, impossible;

/* A state to come back to. */
struct kept {
	unsigned char *bytes;
	size_t size;
	uint32_t todo; /* ways to go on, WEAK_CHOICES bits for each thread */
	int8_t last;   /* the thread whose step led here */
	uint8_t preemptions;
};
static struct kept kept[DEPTH];
static uint8_t order[DEPTH];
static unsigned order_length;

/* Of this search, by its number: clearing 16 MiB for each would take longer. */
static struct {
	uint64_t hash;
	uint32_t search;
	uint8_t preemptions;
} * seen;
static uint32_t searches;

int current(void)
{
	return running;
}

uint32_t location(const void *word)
{
	int32_t entry = mem_index(word);
	uintptr_t at = (uintptr_t)word, meta = (uintptr_t)world.meta,
		  s2 = (uintptr_t)&world.s2;

	if (entry >= 0)
		return (uint32_t)entry;
	if (at >= meta && at < meta + sizeof(world.meta) && at % 8 == 0)
		return PAGES * ENTRIES + (uint32_t)(at - meta) / 8;
	if (at >= s2 && at < s2 + sizeof(world.s2))
		return LOCATION_S2 + (uint32_t)(at - s2) / 8;
	return NOWHERE;
}

/* ---- threads ---- */

static const char *const event_name[EV_EVENTS] = {
	[EV_START] = "begins",
	[EV_LOAD] = "loads",
	[EV_STORE] = "stores",
	[EV_CAS] = "compares and swaps",
	[EV_ADD] = "adds to",
	[EV_OR] = "sets bits in",
	[EV_FREE] = "frees the table",
	[EV_HARDWARE] = "by hardware",
	[EV_DSB_ISHST] = "DSB ISHST",
	[EV_DSB_ISH] = "DSB ISH",
	[EV_DSB_SY] = "DSB SY",
	[EV_LEAVE] = "leaves its section",
	[EV_RETRY] = "will call again",
	[EV_LOCK] = "takes the lock",
	[EV_LOCK_READ] = "takes the lock for reading",
	[EV_UNLOCK] = "drops the lock",
	[EV_GRACE] = "waits for a grace period",
};

static void print_step(int thread, unsigned way)
{
	const struct thread *t = &world.thread[thread];
	char call[96] = "", at[64] = "";

	if (t->call >= 0)
		call_describe((unsigned)t->call, call, sizeof(call));
	if (t->where == NOWHERE) {
		if (t->value)
			snprintf(at, sizeof(at), " 0x%llx", (unsigned long long)t->value);
	} else if (t->where < PAGES * ENTRIES) {
		const struct page *p = &world.page[t->where / ENTRIES];

		snprintf(at, sizeof(at), " L%u[%u] of page %u (0x%llx)", p->level,
			 t->where % ENTRIES, t->where / ENTRIES,
			 (unsigned long long)arena[t->where]);
	} else {
		uint32_t w = t->where - PAGES * ENTRIES;

		if (w < PAGES * 2)
			snprintf(at, sizeof(at), " word %u of page %u (0x%llx)", w % 2,
				 w / 2, (unsigned long long)world.meta[w / 2][w % 2]);
		else
			snprintf(at, sizeof(at), " word %u of the instance",
				 w - PAGES * 2);
	}
	printf("#   T%d %-34s %s%s", thread + 1, call, event_name[t->event], at);
	if (way)
		printf(", but finds an older value (%u)", way);
	if (t->where != NOWHERE && t->event != EV_LOAD)
		printf(" := 0x%llx", (unsigned long long)t->value);
	printf("\n");
}

/*
 * A call that goes through a whole table (split, collapse) treats all entries alike:
 * others may come in at the first three and at the last one. Scenarios use no other
 * entries, and 512 places for each of two threads would be too many.
 */
bool is_like_another(uint32_t where)
{
	uint32_t i = where % ENTRIES;

	return where < PAGES * ENTRIES && i >= 3 && i < ENTRIES - 1;
}

/* What it counts for such an entry of a table of pages goes with the entry. */
static bool goes_with_entry(struct thread *t, uint32_t where)
{
	if (where < PAGES * ENTRIES)
		t->midway = world.page[where / ENTRIES].level == 3 &&
			    is_like_another(where);
	return where >= PAGES * ENTRIES && where < LOCATION_S2 && t->midway;
}

void point(enum event event, uint32_t where, uint64_t value)
{
	struct thread *t;

	if (running == NOBODY)
		return;
	/* What only this thread knows of is nobody else's business. */
	if (where < PAGES * ENTRIES && world.page[where / ENTRIES].state == PAGE_PRIVATE)
		return;
	t = &world.thread[running];
	if (where != NOWHERE &&
	    (goes_with_entry(t, where) || !use[where].shared || is_like_another(where))) {
		if (++alone > ALONE_MAX)
			violation("no-progress", "%d accesses between two steps",
				  ALONE_MAX);
		return;
	}
	alone = 0;
	t->event = event;
	t->where = where;
	t->value = value;
	switch_stack(&t->sp, home);
}

void touched(uint32_t where, bool write)
{
	uint8_t me, other;

	if (running == NOBODY || where == NOWHERE)
		return;
	if (where < PAGES * ENTRIES && world.page[where / ENTRIES].state == PAGE_PRIVATE)
		return;
	me = (uint8_t)(1u << running);
	if (write)
		use[where].writers |= me;
	else
		use[where].readers |= me;
	other = (uint8_t)((use[where].readers | use[where].writers) & ~me);
	if (!use[where].shared && use[where].writers && other) {
		use[where].shared = true;
		if (!is_like_another(where))
			weak_share(where);
		grew = true;
	}
	if (write)
		for (int i = 0; i < THREADS; i++)
			if (i != running) {
				world.thread[i].others_wrote = true;
				world.thread[i].waiting = false;
			}
}

void wait_for_others(void)
{
	if (running == NOBODY)
		return;
	world.thread[running].waiting = !world.thread[running].others_wrote &&
					!world.thread[running].misread;
	point(EV_RETRY, NOWHERE, 0);
}

void no_such_order(void)
{
	impossible = true;
	switch_stack(&world.thread[running].sp, home);
}

void violation(const char *rule, const char *fmt, ...)
{
	va_list ap;

	if (!found->rule) {
		found->rule = rule;
		va_start(ap, fmt);
		vsnprintf(found->detail, sizeof(found->detail), fmt, ap);
		va_end(ap);
	}
	/* A thread stops for good; the explorer looks at found->rule. */
	if (running != NOBODY)
		switch_stack(&world.thread[running].sp, home);
}

_Noreturn void sched_assert(const char *file, int line, const char *cond)
{
	violation("engine-assertion", "%s:%d: %s",
		  strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, cond);
	if (running == NOBODY)
		printf("Bail out! %s:%d: %s\n", file, line, cond);
	abort();
}

static void thread_main(void)
{
	calls_run(running);
	world.thread[running].live = false;
	for (;;)
		switch_stack(&world.thread[running].sp, home);
}

static bool enabled(int thread)
{
	const struct thread *t = &world.thread[thread];

	if (!t->live || t->waiting || t->grace)
		return false;
	/* Whoever is in a section has the lock, for reading or for writing. */
	for (int i = 0; t->event == EV_LOCK && i < THREADS; i++)
		if (world.thread[i].in_section)
			return false;
	return !(t->event == EV_LOCK_READ && world.locked);
}

/* Each way in which each thread may take its next step. */
static uint32_t ways(void)
{
	uint32_t mask = 0;

	for (int i = 0; i < THREADS; i++)
		if (enabled(i))
			mask |= ((1u << weak_ways(i, world.thread[i].event,
						  world.thread[i].where)) -
				 1)
				<< i * WEAK_CHOICES;
	return mask;
}

static bool all_ended(void)
{
	for (int i = 0; i < THREADS; i++)
		if (world.thread[i].live)
			return false;
	return true;
}

/* ---- states ---- */

static size_t used(int thread)
{
	if (!world.thread[thread].live)
		return 0;
	return (size_t)((unsigned char *)(stacks[thread] + STACK_WORDS) -
			(unsigned char *)world.thread[thread].sp);
}

static size_t world_size(void)
{
	return offsetof(struct world, stale) + world.nstale * sizeof(struct stale);
}

static void keep(struct kept *k)
{
	size_t size = world_size() + weak_size();
	unsigned char *to;

	for (int i = 0; i < THREADS; i++)
		size += used(i);
	if (size > k->size) {
		k->bytes = realloc(k->bytes, size);
		k->size = size;
	}
	to = k->bytes;
	if (!to)
		abort();
	memcpy(to, &weak_now, weak_size());
	to += weak_size();
	memcpy(to, &world, world_size());
	to += world_size();
	for (int i = 0; i < THREADS; i++) {
		if (used(i))
			memcpy(to, world.thread[i].sp, used(i));
		to += used(i);
	}
}

static void restore(const struct kept *k)
{
	const struct world *w;
	const unsigned char *from = k->bytes;
	unsigned nstale;

	if (weak) {
		memcpy(&weak_now, from, offsetof(struct weak_state, v.msg));
		memcpy(&weak_now, from, weak_size());
		from += weak_size();
	}
	w = (const struct world *)(const void *)from;
	memcpy(&nstale, from + offsetof(struct world, nstale), sizeof(nstale));
	mem_undo(w->undo);
	memcpy(&world, from,
	       offsetof(struct world, stale) + nstale * sizeof(struct stale));
	from += world_size();
	for (int i = 0; i < THREADS; i++) {
		if (used(i))
			memcpy(world.thread[i].sp, from, used(i));
		from += used(i);
	}
}

/*
 * Two words for each multiplication, and two lanes, so that one multiplication need not
 * wait for the other. Most of the time goes here.
 */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((no_sanitize("address", "undefined"), optimize("O2")))
#endif
uint64_t
hash_bytes(uint64_t h, const void *at, size_t size)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	const unsigned char *p = at;
	uint64_t lane[2] = { h ^ k, h + k }, w[4];

	for (; size; p += sizeof(w)) {
		size_t n = size < sizeof(w) ? size : sizeof(w);

		if (n < sizeof(w))
			memset(w, 0, sizeof(w));
		if (n == sizeof(w))
			memcpy(w, p, sizeof(w));
		else
			memcpy(w, p, n);
		size -= n;
		for (int i = 0; i < 2; i++) {
			unsigned __int128 m = (unsigned __int128)(w[2 * i] ^ lane[i]) *
					      (w[2 * i + 1] ^ k);

			lane[i] = (uint64_t)m ^ (uint64_t)(m >> 64) ^ w[2 * i];
		}
	}
	h = (lane[0] ^ lane[1] >> 32) * k;
	h = (h ^ h >> 29 ^ lane[1]) * k;
	return h ^ h >> 32;
}

static void run_step(int thread, unsigned way)
{
	struct thread *t = &world.thread[thread];
	unsigned char *sp = t->sp, *bottom = (unsigned char *)stacks[thread];
	size_t clear = (size_t)(sp - bottom) < 1536 ? (size_t)(sp - bottom) : 1536;

	/* What earlier orders left below the stack is not part of the state. */
	memset(sp - clear, 0, clear);
	running = thread;
	alone = 0;
	weak_step(thread, way);
	switch_stack(&home, t->sp);
	running = NOBODY;
	weak_stepped(thread);
	/* The others' stacks are as they were. */
	t->stack = hash_bytes(1, t->sp, used(thread));
}

/*
 * Stale records in any order are the same state; the log and the statistics are not
 * part of it.
 */
static uint64_t hash_state(void)
{
	uint64_t h, records = 0;

	h = hash_bytes(world.hash ^ world.s2.tags, world.meta,
		       offsetof(struct world, hash) - offsetof(struct world, meta));
	h = hash_bytes(h, &world.locked,
		       offsetof(struct world, stale) - offsetof(struct world, locked));
	for (unsigned i = 0; i < world.nstale; i++)
		records += hash_bytes(2, &world.stale[i], sizeof(world.stale[i]));
	h = hash_bytes(h, &records, sizeof(records));
	return weak ? weak_hash(h) : h;
}

/* Whether this state has been seen before with as few preemptions. */
static bool seen_before(uint64_t hash, uint8_t preemptions, struct result *res)
{
	uint64_t mask = (UINT64_C(1) << STATES_LOG2) - 1, i = hash >> 20 & mask;

	while (seen[i].search == searches && seen[i].hash != hash)
		i = (i + 1) & mask;
	if (seen[i].search == searches) {
		if (seen[i].preemptions <= preemptions)
			return true;
	} else {
		res->states++;
	}
	seen[i].hash = hash;
	seen[i].search = searches;
	seen[i].preemptions = preemptions;
	return false;
}

/* ---- the search ---- */

static void begin(const struct scenario *sc)
{
	mem_reset();
	weak_begin();
	for (int i = 0; i < THREADS; i++) {
		memset(stacks[i], 0, sizeof(stacks[i]));
		world.thread[i].call = -1;
	}
	world.thread[THREADS].call = -1;
	calls_setup(sc);
	mem_commit();
	for (int i = 0; i < THREADS; i++) {
		world.thread[i].sp = switch_frame(stacks[i] + STACK_WORDS, thread_main);
		world.thread[i].live = true;
		world.thread[i].event = EV_START;
		world.thread[i].where = NOWHERE;
		/* A thread with nothing to do ends at once. */
		run_step(i, 0);
	}
}

static bool is_expected(const struct scenario *sc, const char *word)
{
	size_t n = strlen(word);

	if (!sc->outcomes)
		return true;
	for (const char *p = sc->outcomes; (p = strstr(p, word)); p += n)
		if ((p == sc->outcomes || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static void outcome(const struct scenario *sc, struct result *res)
{
	char word[96];
	unsigned i;

	res->ends++;
	calls_end(sc, word);
	if (res->rule)
		return;
	for (i = 0; i < res->noutcomes; i++)
		if (!strcmp(res->outcome[i], word))
			return;
	if (!sc->outcomes)
		return;
	if (!is_expected(sc, word) ||
	    i == sizeof(res->outcome) / sizeof(res->outcome[0])) {
		violation("unexpected-outcome", "%s, expected %s", word, sc->outcomes);
		return;
	}
	memcpy(res->outcome[res->noutcomes++], word, sizeof(word));
}

enum verdict { DONE, TOO_MANY, BROKEN, AGAIN };

static enum verdict search(const struct scenario *sc, struct result *res, int bound)
{
	unsigned depth = 0;

	searches++;
	begin(sc);
	if (res->rule)
		return BROKEN;
	kept[0].last = -1;
	kept[0].preemptions = 0;
	kept[0].todo = ways();
	keep(&kept[0]);
	for (;;) {
		struct kept *k = &kept[depth];
		uint8_t preemptions = k->preemptions;
		unsigned way;
		int t;

		if (!k->todo) {
			if (!depth--)
				return DONE;
			continue;
		}
		/* Straight on first: the orders with few preemptions come first. */
		way = (unsigned)__builtin_ctz(k->todo);
		if (k->last >= 0 && k->todo >> k->last * WEAK_CHOICES & WAYS)
			way = (unsigned)__builtin_ctz(k->todo &
						      WAYS << k->last * WEAK_CHOICES);
		k->todo &= ~(1u << way);
		t = (int)(way / WEAK_CHOICES);
		restore(k);
		if (k->last >= 0 && k->last != t && enabled(k->last) && bound >= 0 &&
		    ++preemptions > bound)
			continue;
		order[depth] = (uint8_t)way;
		order_length = depth + 1;
		impossible = false;
		run_step(t, way % WEAK_CHOICES);
		if (impossible)
			continue;
		res->steps++;
		if (grew)
			return AGAIN;
		if (res->rule)
			return BROKEN;
		if (all_ended()) {
			outcome(sc, res);
			if (res->rule)
				return BROKEN;
			continue;
		}
		if (!ways()) {
			violation("deadlock", "every thread waits for another");
			return BROKEN;
		}
		if (seen_before(hash_state(), bound < 0 ? 0 : preemptions, res))
			continue;
		if (res->states >= (weak ? STATES_MAX_WEAK : STATES_MAX) ||
		    depth + 1 == DEPTH)
			return TOO_MANY;
		depth++;
		kept[depth].last = (int8_t)t;
		kept[depth].preemptions = preemptions;
		kept[depth].todo = ways();
		keep(&kept[depth]);
	}
}

void explore(const struct scenario *sc, struct result *res)
{
	int bound = sc->preemptions ? sc->preemptions : -1;
	enum verdict v;

	if (!seen)
		seen = calloc(UINT64_C(1) << STATES_LOG2, sizeof(*seen));
	if (!seen)
		abort();
	memset(use, 0, sizeof(use));
	weak_forget_shared();
	found = res;
	do {
		*res = (struct result){ .bound = bound };
		grew = false;
		v = search(sc, res, bound);
	} while (v == AGAIN);
	if (v == TOO_MANY)
		violation("scenario-too-large", "%llu states, %u steps deep",
			  (unsigned long long)res->states, order_length);
}

void explore_replay(const struct scenario *sc)
{
	struct result *res = found, again = { 0 };

	found = &again;
	begin(sc);
	for (unsigned i = 0; i < order_length && !again.rule; i++) {
		print_step(order[i] / WEAK_CHOICES, order[i] % WEAK_CHOICES);
		run_step(order[i] / WEAK_CHOICES, order[i] % WEAK_CHOICES);
	}
	if (!again.rule && all_ended()) {
		char word[96];

		calls_end(sc, word);
	}
	printf("#   %s: %s\n", again.rule ? again.rule : "not found again", again.detail);
	found = res;
}
