/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cost of unmap and map at EL2, in instructions, TLBIs and DSBs: of the engine, and
 * of the `entry` and `merged` strategies of the lab, written for the same machine. It
 * runs under -icount, where the cycle counter counts instructions (tools/guest.py bench).
 *
 * The engine builds the tree for all three. The strategies keep the reference counts of
 * Linux, one for each table and one for each entry in it; these are set up before the
 * count begins. There is no guest: only the work of EL2 is counted.
 */
#include "../ports/el2/el2.h"
#include "port.h"

#define POOL_BASE 0x42000000ull
#define POOL_SIZE MIB(32)
#define IPA GIB(4)
#define PA GIB(2)
#define ONE_PAGE (IPA + MIB(300) + 5 * PAGE)

#define VALID 1ull
#define TABLE 2ull
#define ADDRESS 0xfffffffff000ull

struct bench {
	struct s2 s2;
	struct pool pool;
	bool fwb, tlbirange, ttl;
	uint16_t refs[POOL_SIZE / PAGE];
};

static struct bench b;

/* ---- Linux's way ------------------------------------------------------------- */

static uint16_t *refs(uint64_t table)
{
	return &b.refs[(table - POOL_BASE) / PAGE];
}

static unsigned shift_of(int level)
{
	return 12 + 9 * (3 - (unsigned)level);
}

static bool is_table(uint64_t d, int level)
{
	return level < 3 && (d & VALID) && (d & TABLE);
}

static void count_refs(uint64_t table, int level)
{
	const uint64_t *entry = (const uint64_t *)table;

	*refs(table) = 1;
	for (unsigned i = 0; i < 512; i++) {
		*refs(table) += entry[i] != 0;
		if (is_table(entry[i], level))
			count_refs(entry[i] & ADDRESS, level + 1);
	}
}

static void tlbi_finish(void)
{
	s2_port_dsb_ish(&b.pool);
	s2_port_tlbi_vmalle1is(&b.pool);
	s2_port_dsb_ish(&b.pool);
	s2_port_isb(&b.pool);
}

static void flush_ipa(uint64_t ipa, int level)
{
	uint64_t operand = ipa >> 12;

	if (b.ttl && level)
		operand |= (4ull | (unsigned)level) << 44;
	s2_port_dsb_ishst(&b.pool);
	s2_port_tlbi_ipas2e1is(&b.pool, operand);
	tlbi_finish();
}

/* Every size used here is one RIPAS2E1IS (1 GiB) or one IPAS2E1IS (a page). */
static void flush_range(uint64_t ipa, uint64_t size)
{
	if (size == PAGE) {
		flush_ipa(ipa, 0);
		return;
	}
	s2_port_dsb_ishst(&b.pool);
	s2_port_tlbi_ripas2e1is(&b.pool, 1ull << 46 | 3ull << 44 |
						 ((size >> 28) - 1) << 39 | ipa >> 12);
	tlbi_finish();
}

static void unmap_leaf(uint64_t table, uint64_t *entry, uint64_t ipa, int level,
		       bool defer)
{
	const uint64_t d = *entry;

	s2_port_store(&b.pool, entry, 0);
	if (!defer)
		flush_ipa(ipa, level);
	(*refs(table))--;
	if (!b.fwb) {
		s2_port_clean(&b.pool, d & ADDRESS, 1ull << shift_of(level), 0);
		s2_port_dsb_sy(&b.pool);
	}
}

static void unmap_walk(uint64_t table, int level, uint64_t ipa, uint64_t end, bool defer)
{
	const uint64_t size = 1ull << shift_of(level);
	uint64_t *entry = (uint64_t *)table;

	/* The root may be several tables in a row. */
	entry += level == b.s2.start_level ? ipa / size : ipa / size % 512;
	for (; ipa < end; ipa = (ipa & ~(size - 1)) + size, entry++) {
		const uint64_t d = s2_port_load(&b.pool, entry);
		const uint64_t next = (ipa & ~(size - 1)) + size;

		if (!(d & VALID))
			continue;
		if (!is_table(d, level)) {
			unmap_leaf(table, entry, ipa, level, defer);
			continue;
		}
		unmap_walk(d & ADDRESS, level + 1, ipa, next < end ? next : end, defer);
		if (*refs(d & ADDRESS) != 1)
			continue;
		s2_port_store(&b.pool, entry, 0);
		flush_ipa(ipa, 0);
		(*refs(table))--;
		s2_port_table_free(&b.pool, (uint64_t *)(d & ADDRESS));
	}
}

static void unmap_linux(uint64_t ipa, uint64_t size, bool merged)
{
	const bool defer = merged && b.fwb && b.tlbirange;

	unmap_walk((uintptr_t)b.s2.root, b.s2.start_level, ipa, ipa + size, defer);
	if (defer)
		flush_range(ipa, size);
}

/* ---- counting ---------------------------------------------------------------- */

static void counter_start(void)
{
	write_sysreg(mdcr_el2, read_sysreg(pmcr_el0) >> 11 & 31);
	write_sysreg(pmccfiltr_el0, 1u << 27); /* NSH: EL2 too */
	write_sysreg(pmcntenset_el0, 1u << 31);
	write_sysreg(pmcr_el0, read_sysreg(pmcr_el0) | 1 | 1 << 6);
	isb();
}

static uint64_t counter(void)
{
	isb();
	return read_sysreg(pmccntr_el0);
}

enum strategy { ENTRY, MERGED, STAGE2, STRATEGIES };
static const char *const names[] = { "entry", "merged", "stage2" };

static void check(int err)
{
	if (err)
		el2_panic("%s", s2_strerror(err));
}

static void fresh(uint32_t features)
{
	const struct s2_config cfg = {
		.ipa_bits = 40, .pa_bits = 40, .features = features, .port = &b.pool
	};

	pool_init(&b.pool, POOL_BASE, POOL_SIZE, 12);
	b.fwb = features & S2_FEAT_FWB;
	b.tlbirange = features & S2_FEAT_TLBIRANGE;
	b.ttl = features & S2_FEAT_TTL;
	check(s2_init(&b.s2, &cfg));
	b.pool.vttbr = s2_vttbr(&b.s2) | 1ull << 48;
	write_sysreg(vttbr_el2, b.pool.vttbr);
	isb();
}

static void map(uint64_t ipa, uint64_t size)
{
	check(s2_map(&b.s2, s2_ipa(ipa), s2_pa(PA + ipa - IPA), size, S2_R | S2_W,
		     S2_MAP_PAGES, NULL));
}

static void unmap(enum strategy by, uint64_t ipa, uint64_t size)
{
	if (by == STAGE2)
		check(s2_unmap(&b.s2, s2_ipa(ipa), size, 0, NULL));
	else
		unmap_linux(ipa, size, by == MERGED);
}

struct cost {
	uint64_t instructions;
	struct el2_count count;
};

static void cost_begin(struct cost *c)
{
	c->count = this_cpu()->count;
	c->instructions = counter();
}

static void cost_end(const struct cost *c, const char *features, const char *what,
		     const char *by)
{
	const uint64_t n = counter() - c->instructions;
	const struct el2_count *now = &this_cpu()->count;

	say("%s | %s | `%s` | %lu | %lu | %lu | %lu | %lu", features, what, by, n,
	    now->tlbi - c->count.tlbi, now->dsb - c->count.dsb,
	    (now->cleaned - c->count.cleaned) / 64,
	    now->tables_free - c->count.tables_free);
}

/* 1 GiB of pages; the root's second table begins at 512 GiB. */
static void mapped(uint32_t features)
{
	fresh(features);
	map(IPA, GIB(1));
	count_refs((uintptr_t)b.s2.root, b.s2.start_level);
}

static void run(uint32_t features, const char *name)
{
	struct cost c;

	for (enum strategy by = ENTRY; by < STRATEGIES; by++) {
		mapped(features);
		cost_begin(&c);
		unmap(by, IPA, GIB(1));
		cost_end(&c, name, "unmap 1 GiB", names[by]);
	}
	for (enum strategy by = ENTRY; by < STRATEGIES; by++) {
		mapped(features);
		cost_begin(&c);
		unmap(by, ONE_PAGE, PAGE);
		cost_end(&c, name, "unmap a page", names[by]);
	}
	fresh(features);
	cost_begin(&c);
	map(IPA, GIB(1));
	cost_end(&c, name, "map 1 GiB", "stage2");
	unmap(STAGE2, ONE_PAGE, PAGE);
	cost_begin(&c);
	map(ONE_PAGE, PAGE);
	cost_end(&c, name, "map a page", "stage2");
}

void el2_main(void)
{
	const uint32_t both = S2_FEAT_FWB | S2_FEAT_TLBIRANGE;
	struct s2_config cpu = { .features = both | S2_FEAT_TTL | S2_FEAT_XNX };

	if (cpu_config(&cpu))
		el2_panic("no granule of 4 KiB");
	counter_start();
	say("features | operation | by | instructions | TLBIs | DSBs | lines cleaned | tables freed");
	if ((cpu.features & both) == both) {
		run(cpu.features, "FWB, TLBIRANGE");
		run(cpu.features & ~S2_FEAT_TLBIRANGE, "FWB");
		run(cpu.features & ~S2_FEAT_FWB, "TLBIRANGE");
	}
	run(cpu.features & ~both, "none");
	el2_exit(EXIT_GOOD);
}

void el2_main_secondary(unsigned id)
{
	el2_panic("CPU %u", id);
}
