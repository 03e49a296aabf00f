// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The library as a side, on the counting port. There is one caller, who holds the lock.
 */
#include <err.h>
#include <string.h>

#include <stage2/stage2.h>
#include "side.h"
#include "stage2_port.h"

static struct arena arena;
static struct count_port port;
static struct s2_config config;
static struct s2 s2;
static struct s2_limbo limbo;
static struct s2_batch batch;
static struct s2_op in_batch, *unmap_op; /* NULL: a call by itself */

#ifdef COUNT_PORT_RECORD
static uint64_t reads, writes;

static void record(struct count_port *p, enum count_event what, uint64_t at,
		   uint64_t value)
{
	(void)p;
	(void)at;
	(void)value;
	reads += what == COUNT_LOAD || what == COUNT_CAS;
	writes += what == COUNT_STORE || what == COUNT_STORE_RELEASE || what == COUNT_CAS;
}
#endif

static void must(int ret, const char *what)
{
	if (ret)
		errx(1, "%s: %s", what, s2_strerror(ret));
}

static void engine_reset(void)
{
	arena.nfree = port.nfree;
	arena_reset(&arena);
	port.nfree = arena.nfree;
	port.nfreed = 0;
	limbo = (struct s2_limbo){ 0 };
	port.tlbi = port.dsb = port.isb = port.clean_bytes = port.clean_calls = 0;
#ifdef COUNT_PORT_RECORD
	reads = writes = 0;
#endif
	must(s2_init(&s2, &config), "init");
}

static void engine_open(const struct bench_config *cfg)
{
	arena_open(&arena, cfg->tables, cfg->seed);
	port = (struct count_port){
		.arena = arena.mem,
		.meta = calloc(2 * arena.pages, sizeof(*port.meta)),
		.free = arena.free,
		.freed = arena.freed,
		.pages = arena.pages,
		.nfree = arena.nfree,
		.shift = 12,
		.fail_after = -1,
#ifdef COUNT_PORT_RECORD
		.record = record,
#endif
	};
	if (!port.meta)
		err(1, "no memory");
	memset(port.meta, 0, 2 * arena.pages * sizeof(*port.meta));
	config = (struct s2_config){ .ipa_bits = (uint8_t)cfg->ipa_bits,
				     .pa_bits = 48,
				     .port = &port };
	if (cfg->features & BENCH_FWB)
		config.features |= S2_FEAT_FWB;
	if (cfg->features & BENCH_TLBIRANGE)
		config.features |= S2_FEAT_TLBIRANGE;
	if (cfg->features & BENCH_HAFDBS)
		config.features |= S2_FEAT_HAFDBS;
	engine_reset();
}

static void engine_close(void)
{
	free(port.meta);
	arena_close(&arena);
}

static void engine_map(uint64_t ipa, uint64_t pa, uint64_t size, bool pages)
{
	must(s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
		    pages ? S2_MAP_PAGES : 0, NULL),
	     "map");
}

static void engine_map_split(uint64_t ipa, uint64_t pa, uint64_t size)
{
	must(s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
		    S2_MAP_PAGES | S2_SPLIT_EDGES, NULL),
	     "map");
}

static void engine_unmap_split(uint64_t ipa, uint64_t size)
{
	must(s2_unmap(&s2, s2_ipa(ipa), size, S2_SPLIT_EDGES, NULL), "unmap");
}

/*
 * As a fault handler does it: beside other calls, without a lock. The map of a page meets
 * nothing here that it has to detach, so nothing has to wait for a grace period.
 */
static void engine_fault(uint64_t ipa, uint64_t pa)
{
	struct s2_limbo none = { 0 };
	struct s2_op op = { .limbo = &none };
	int ret;

	do /* the guest faults again */
		ret = s2_map(&s2, s2_ipa(ipa), s2_pa(pa), 4096, S2_R | S2_W,
			     S2_MAP_PAGES | S2_SHARED, &op);
	while (ret == S2_E_BUSY);
	if (none.head)
		errx(1, "map: something was in the way");
	must(ret, "map");
}

static void engine_unmap_beside(uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .limbo = &limbo };
	int ret;

	do
		ret = s2_unmap(&s2, s2_ipa(ipa), size, S2_DROP_EDGES | S2_SHARED, &op);
	while (ret == S2_MORE);
	must(ret, "unmap");
}

static void engine_unmap(uint64_t ipa, uint64_t size)
{
	must(s2_unmap(&s2, s2_ipa(ipa), size, S2_DROP_EDGES, unmap_op), "unmap");
}

static void engine_batch_begin(void)
{
	must(s2_batch_begin(&s2, &batch), "batch_begin");
	in_batch = (struct s2_op){ .batch = &batch };
	unmap_op = &in_batch;
}

static void engine_batch_end(void)
{
	must(s2_batch_end(&s2, &batch, NULL), "batch_end");
	unmap_op = NULL;
}

static void engine_wrprotect(uint64_t ipa, uint64_t size)
{
	must(s2_wrprotect(&s2, s2_ipa(ipa), size, 0, NULL), "wrprotect");
}

static bool engine_age(uint64_t ipa, uint64_t size)
{
	bool young = false;

	must(s2_age(&s2, s2_ipa(ipa), size, S2_CLEAR, &young, NULL), "age");
	return young;
}

static uint64_t engine_survey(uint64_t ipa, uint64_t size)
{
	struct s2_survey v;

	must(s2_survey(&s2, s2_ipa(ipa), size, 0, &v, NULL), "survey");
	return v.uniform ? v.mapped : 0;
}

static void engine_mkyoung(uint64_t ipa)
{
	must(s2_mkyoung(&s2, s2_ipa(ipa), 0), "mkyoung");
}

static void engine_relax(uint64_t ipa)
{
	must(s2_relax_perms(&s2, s2_ipa(ipa), S2_W, 0), "relax_perms");
}

static void engine_split(uint64_t ipa, uint64_t size)
{
	must(s2_split(&s2, s2_ipa(ipa), size, 0, NULL), "split");
}

static void engine_collapse(uint64_t ipa, uint64_t pa, uint64_t size)
{
	(void)pa;
	must(s2_collapse(&s2, s2_ipa(ipa), size, 0, NULL), "collapse");
}

static void engine_remap(uint64_t ipa, uint64_t pa, uint64_t size)
{
	must(s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W, S2_MAP_REPLACE, NULL),
	     "collapse");
}

static void engine_destroy(void)
{
	must(s2_destroy(&s2, 0, NULL), "destroy");
}

static uint64_t engine_lookup(uint64_t ipa)
{
	struct s2_leaf leaf;
	int ret = s2_translate(&s2, s2_ipa(ipa), &leaf);

	if (ret == S2_E_NOENT)
		return 0;
	must(ret, "translate");
	return leaf.pa.pa;
}

/* With all attributes of the leaf. */
static uint64_t engine_describe(uint64_t ipa)
{
	struct s2_mapping m;

	must(s2_lookup(&s2, s2_ipa(ipa), &m), "lookup");
	return m.pa.pa + (ipa - m.ipa.ipa);
}

static void engine_detach(uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .limbo = &limbo };

	must(s2_unmap(&s2, s2_ipa(ipa), size, S2_DROP_EDGES, &op), "unmap");
}

static void engine_release(void)
{
	must(s2_release(&s2, &limbo, NULL), "release");
}

static uint64_t engine_scan(void)
{
	uint64_t sum = 0;

	for (uint64_t n = arena.pages - ARENA_ROOT; n-- > port.nfree;) {
		const volatile uint64_t *table =
			(const volatile void *)arena_page(&arena, arena.free[n]);

		for (unsigned i = 0; i < 512; i++)
			sum += table[i];
	}
	return sum;
}

static void engine_zero(void)
{
	arena.nfree = port.nfree;
	arena_zero(&arena);
}

static void engine_counts(struct bench_counts *c)
{
	*c = (struct bench_counts){
		.tlbi = port.tlbi,
		.dsb = port.dsb,
		.isb = port.isb,
		.clean_calls = port.clean_calls,
		.clean_bytes = port.clean_bytes,
		.taken = arena.pages - ARENA_ROOT - port.nfree,
		.freed = port.nfreed,
#ifdef COUNT_PORT_RECORD
		.reads = reads,
		.writes = writes,
#endif
	};
}

const struct bench_side bench_engine = {
	.name = "stage2",
	.open = engine_open,
	.reset = engine_reset,
	.close = engine_close,
	.map = engine_map,
	.map_again = engine_map,
	.map_split = engine_map_split,
	.unmap_split = engine_unmap_split,
	.fault = engine_fault,
	.unmap = engine_unmap,
	.batch_begin = engine_batch_begin,
	.batch_end = engine_batch_end,
	.unmap_beside = engine_unmap_beside,
	.wrprotect = engine_wrprotect,
	.age = engine_age,
	.survey = engine_survey,
	.mkyoung = engine_mkyoung,
	.relax = engine_relax,
	.split = engine_split,
	.collapse = engine_collapse,
	.remap = engine_remap,
	.destroy = engine_destroy,
	.lookup = engine_lookup,
	.describe = engine_describe,
	.detach = engine_detach,
	.release = engine_release,
	.scan = engine_scan,
	.zero = engine_zero,
	.counts = engine_counts,
};
