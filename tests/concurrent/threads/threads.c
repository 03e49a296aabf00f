/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * threads [SEED [CALLS [no-grace]]]: real threads make random shared calls on a few
 * tables; ports/qsbr frees them. Each thread does a little of everything, so that
 * every pair of calls meets. no-grace frees at once, for which ThreadSanitizer must
 * report a race.
 *
 * What each call promised is judged by the scheduler's tests. Here: no data race,
 * no lookup that finds what was never mapped, no call that never ends, and when all
 * have ended the counts are right and nothing is left.
 */
#include <inttypes.h>

#include "internal.h"
#include "../../../ports/qsbr/s2_qsbr.h"

#define THREADS 6u
#define START (UINT64_C(1) << 30)
#define PAGE UINT64_C(4096)
#define BLOCK (UINT64_C(2) << 20)
#define BLOCKS 3u
#define FRAMES UINT64_C(0x80000000) /* congruent to START */
#define MORE_MAX 1000000u
#define COUNTED S2_SW(5)

static struct s2 s2;
static struct pool pool;
static struct s2_qsbr qsbr;
static struct s2_qsbr_reader readers[THREADS];
static uint64_t seed = 1, calls = 3000;
static bool no_grace;
static pthread_barrier_t start;

struct self {
	pthread_t thread;
	unsigned me;
	uint64_t random;
	struct s2_qsbr_limbo limbo;
	uint64_t done, waited;
	uint64_t counted; /* bytes of leaves that its maps have made */
};

static uint64_t pick(struct self *self, uint64_t n)
{
	uint64_t x = self->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x >> 33) % n;
}

static _Noreturn void die(const struct self *self, const char *what, uint64_t ipa,
			  uint64_t value)
{
	fprintf(stderr, "thread %u: %s at 0x%" PRIx64 ": 0x%" PRIx64 "\n", self->me, what,
		ipa, value);
	exit(1);
}

/* Two frames for each page, so that a map may meet another's. */
static uint64_t frame(struct self *self, uint64_t ipa)
{
	return FRAMES + (ipa - START) + pick(self, 2) * BLOCKS * BLOCK;
}

/* Few pages of each table, so that threads meet; blocks now and then. */
static uint64_t some_page(struct self *self)
{
	return START + pick(self, BLOCKS) * BLOCK + pick(self, 4) * PAGE;
}

static void look(struct self *self)
{
	uint64_t ipa = some_page(self), pa;
	struct s2_mapping m;
	struct s2_leaf leaf;
	int ret = s2_translate(&s2, s2_ipa(ipa), &leaf);

	if (ret && ret != S2_E_NOENT && ret != S2_E_BUSY)
		die(self, "translate failed", ipa, 0);
	if (!ret && (leaf.pa.pa - FRAMES) % (BLOCKS * BLOCK) != ipa - START)
		die(self, "translate found a frame of another page", ipa, leaf.desc);
	if (s2_lookup(&s2, s2_ipa(ipa), &m))
		die(self, "lookup failed", ipa, 0);
	if (m.state != S2_LEAF)
		return;
	pa = m.pa.pa + (ipa - m.ipa.ipa) - FRAMES;
	if (pa % (BLOCKS * BLOCK) != ipa - START)
		die(self, "lookup found a frame of another page", ipa, m.desc);
}

/* @waive: S2_NO_CLEAN or 0, for those that take it. */
static int call(struct self *self, unsigned what, uint64_t ipa, uint64_t size,
		uint64_t pa, uint32_t waive, struct s2_op *op)
{
	struct s2_survey survey;
	bool young = false;
	int ret;

	switch (what) {
	case 0:
		ret = s2_map(&s2, s2_ipa(ipa & ~(PAGE - 1)), s2_pa(pa), PAGE,
			     S2_R | S2_W | COUNTED, S2_SHARED | waive, op);
		self->counted += ret ? 0 : PAGE;
		return ret;
	case 1:
		return s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
			      S2_SHARED | S2_MAP_PAGES | waive |
				      (ipa & PAGE ? S2_MAP_NEW : 0),
			      op);
	case 2:
		return s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R, S2_SHARED, op);
	case 3:
		return s2_unmap(&s2, s2_ipa(ipa), size, S2_SHARED | S2_DROP_EDGES | waive,
				op);
	case 4:
		return s2_unmap(&s2, s2_ipa(ipa), size, S2_SHARED | waive, op);
	case 5:
		return s2_wrprotect(&s2, s2_ipa(ipa), size, S2_SHARED, op);
	case 6:
		return s2_relax_perms(&s2, s2_ipa(ipa), S2_W, S2_SHARED);
	case 7:
		return s2_mkyoung(&s2, s2_ipa(ipa), S2_SHARED);
	case 8:
		return s2_age(&s2, s2_ipa(ipa), size, S2_SHARED | S2_CLEAR, &young, op);
	case 9:
		return s2_split(&s2, s2_ipa(ipa), size, S2_SHARED, op);
	case 10:
		return s2_collapse(&s2, s2_ipa(ipa), size, S2_SHARED, op);
	case 11:
		return s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
			      S2_SHARED | S2_MAP_REPLACE | S2_DROP_EDGES | waive, op);
	case 12:
		return s2_unmap(&s2, s2_ipa(ipa), size,
				S2_SHARED | S2_SPLIT_EDGES | waive, op);
	case 13:
		return s2_clean(&s2, s2_ipa(ipa), size, S2_SHARED, op);
	case 14:
		return s2_survey(&s2, s2_ipa(ipa), size, S2_SHARED, &survey, op);
	case 15:
		return s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
			      S2_SHARED | S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_MAP_PAGES,
			      op);
	default:
		look(self);
		return 0;
	}
}

static bool is_fine(int ret)
{
	return !ret || ret == S2_E_EXIST || ret == S2_E_NOENT || ret == S2_E_NOMEM;
}

/* Nothing is held here: say so, and free what nobody can reach any more. */
static void between_calls(struct self *self)
{
	if (no_grace) {
		s2_release(&s2, &self->limbo.filling, NULL);
		return;
	}
	s2_qsbr_quiescent(&qsbr, &readers[self->me]);
	s2_qsbr_reclaim(&qsbr, &self->limbo, &s2, NULL);
}

static void *thread_main(void *data)
{
	struct self *self = data;

	pthread_barrier_wait(&start);
	s2_qsbr_online(&qsbr, &readers[self->me]);
	for (uint64_t i = 0; i < calls; i++) {
		unsigned what = (unsigned)pick(self, 18), n = 0;
		uint64_t ipa = some_page(self), size = PAGE, pa;
		uint32_t waive = pick(self, 4) ? 0 : S2_NO_CLEAN;
		int ret;

		if (what == 2 || what == 9 || what == 10 || !pick(self, 3)) {
			ipa &= ~(BLOCK - 1);
			size = BLOCK;
			if ((what == 3 || what >= 10) && !pick(self, 4)) {
				ipa = START;
				size = BLOCKS * BLOCK;
			}
		}
		pa = frame(self, ipa);
		for (;;) {
			/*
			 * Who has to wait makes the same call again, and keeps nothing.
			 */
			struct s2_op op = { .limbo = &self->limbo.filling };

			ret = call(self, what, ipa, size, pa, waive, &op);
			between_calls(self);
			if (ret != S2_MORE && ret != S2_E_BUSY)
				break;
			self->waited++;
			sched_yield();
			if (++n == MORE_MAX)
				die(self, "a call that never ends", ipa, what);
		}
		/* No word about the edges, and a block across one. */
		if (!is_fine(ret) && !(ret == S2_E_BLOCK && (what <= 2 || what == 4)))
			die(self, s2_strerror(ret), ipa, what);
		self->done++;
	}
	s2_qsbr_offline(&readers[self->me]);
	return NULL;
}

static void pool_init(void)
{
	pool.page = aligned_alloc(4096, POOL_PAGES * 4096);
	if (!pool.page)
		abort();
	pthread_mutex_init(&pool.lock, NULL);
	for (unsigned i = 0; i < POOL_PAGES; i++)
		pool.free[pool.nfree++] = (uint16_t)i;
}

/* Each table's words against its entries; returns how many tables there are. */
static unsigned check_table(const struct self *self, const uint64_t *table, int level)
{
	const uint64_t *meta = pool.meta[pool_index(&pool, table)];
	unsigned live = 0, tables = 0, all = 1;

	for (unsigned i = 0; i < 512; i++) {
		if (desc_busy(table[i]))
			die(self, "a marker is left", i, table[i]);
		live += desc_valid(table[i]);
		if (!desc_valid_table(table[i], level))
			continue;
		tables++;
		all += check_table(self, s2_port_table_va(&pool, desc_oa(&s2, table[i])),
				   level + 1);
	}
	if (meta_live(meta[META_STATE]) != live ||
	    meta_tables(meta[META_STATE]) != tables || meta_busy(meta[META_STATE]) ||
	    meta[META_STATE] & META_DEAD)
		die(self, "wrong counts of a table", live, meta[META_STATE]);
	return all;
}

int main(int argc, char **argv)
{
	static struct self self[THREADS];
	struct s2_config cfg = { .ipa_bits = 35, .pa_bits = 40, .port = &pool };
	uint64_t done = 0, waited = 0, counted = 0;
	unsigned tables;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		calls = strtoull(argv[2], NULL, 0);
	/* With even seeds nothing is counted, and the short way is taken. */
	cfg.counted = seed & 1 ? 1u << 5 : 0;
	no_grace = argc > 3 && !strcmp(argv[3], "no-grace");
	pool_init();
	pthread_barrier_init(&start, NULL, THREADS);
	s2_qsbr_init(&qsbr, readers, THREADS);
	if (s2_init(&s2, &cfg))
		return 1;
	for (unsigned i = 0; i < THREADS; i++) {
		self[i].me = i;
		self[i].random = seed * THREADS + i;
		if (pthread_create(&self[i].thread, NULL, thread_main, &self[i]))
			return 1;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(self[i].thread, NULL);
		done += self[i].done;
		waited += self[i].waited;
		counted += self[i].counted;
	}
	/* All are off line: two rounds free what was waiting and what was filling. */
	for (unsigned i = 0; i < THREADS; i++)
		while (!s2_qsbr_reclaim(&qsbr, &self[i].limbo, &s2, NULL))
			;
	tables = check_table(&self[0], s2.root, s2.start_level);
	if (tables != POOL_PAGES - pool.nfree)
		die(&self[0], "tables are lost", tables, POOL_PAGES - pool.nfree);
	if (s2_destroy(&s2, 0, NULL) || pool.nfree != POOL_PAGES)
		die(&self[0], "tables are left", pool.nfree, POOL_PAGES);
	if (pool.gone != (cfg.counted ? counted : 0))
		die(&self[0], "not every counted leaf was reported once", counted,
		    pool.gone);
	printf("seed %" PRIu64 ": %" PRIu64 " calls by %u threads, %" PRIu64
	       " waits, %u tables at the end, %" PRIu64 " counted pages\n",
	       seed, done, THREADS, waited, tables, counted / PAGE);
	free(pool.page);
	return 0;
}
