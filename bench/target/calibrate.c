// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures on a CPU at EL2 the prices that s2lab compare --cpu uses, and prints such a
 * profile as JSON on a PL011. The invalidations are the instructions of the port
 * template, in the order of the engine. The walk is the engine itself.
 *
 * Memory begins at 1 GiB and devices are below it, as on QEMU's virt board. Set another
 * address of the UART by -DCALIBRATE_UART=, and another address of the program in
 * calibrate.ld. One CPU runs. A broadcast that other CPUs have to answer costs more, and
 * this program cannot say how much more.
 */
#include <stage2/stage2.h>

#include "port.h"

#ifndef CALIBRATE_UART
#define CALIBRATE_UART 0x09000000
#endif

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define WALKED (256 * MIB) /* of pages: 129 tables */
#define TABLES 144
#define CLEANED (1 * MIB)
#define ROUNDS 9
#define TIMES 64 /* invalidations in a round, so that a slow counter is enough */
#define MORE 8	 /* TLBIs in an invalidation with several */

static uint64_t pages[TABLES][512] __attribute__((aligned(64 * 1024)));
static uint64_t meta[TABLES][2];
static unsigned taken;
static uint64_t el2_table[512] __attribute__((aligned(4096)));
static uint64_t memory[CLEANED / sizeof(uint64_t)] __attribute__((aligned(4096)));

/* ---- what the compiler calls; not for large pieces --------------------------------- */

void *memset(void *to, int c, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);

void *memset(void *to, int c, size_t n)
{
	for (volatile uint8_t *p = to; n; n--)
		*p++ = (uint8_t)c;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const uint8_t *f = from;

	for (volatile uint8_t *p = to; n; n--)
		*p++ = *f++;
	return to;
}

/* ---- what the engine's port leaves to us: a pool; no VMID to switch, no agents ----- */

uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	(void)port;
	(void)cookie;
	return taken < TABLES ? pages[taken++] : NULL;
}

void s2_port_table_free(void *port, uint64_t *table)
{
	(void)port;
	(void)table;
}

uint64_t *s2_port_root_alloc(void *port, unsigned n)
{
	(void)port;
	taken = n; /* the first pages, so aligned to all of them */
	return pages[0];
}

void s2_port_root_free(void *port, uint64_t *root, unsigned n)
{
	(void)port;
	(void)root;
	(void)n;
}

uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	(void)port;
	return meta[(table - pages[0]) / 512];
}

uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	(void)port;
	return (uintptr_t)table;
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	(void)port;
	return (uint64_t *)(uintptr_t)pa;
}

void s2_port_vmid_enter(void *port)
{
	(void)port;
}

void s2_port_vmid_leave(void *port)
{
	(void)port;
}

int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port;
	(void)ipa;
	(void)size;
	return 0;
}

void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa, uint64_t size,
		       s2_attr_t attr)
{
	(void)port;
	(void)cookie;
	(void)ipa;
	(void)pa;
	(void)size;
	(void)attr;
}

/* ---- registers --------------------------------------------------------------------- */

#define READ(reg)                                                \
	({                                                       \
		uint64_t value_;                                 \
		__asm__ volatile("mrs %0, " reg : "=r"(value_)); \
		value_;                                          \
	})
#define WRITE(reg, value) __asm__ volatile("msr " reg ", %0" ::"r"((uint64_t)(value)))

/* ISB: the counter is read after what was measured before, and before what follows. */
static uint64_t ticks(void)
{
	uint64_t t;

	__asm__ volatile("isb\n\tmrs %0, cntpct_el0\n\tisb" : "=r"(t)::"memory");
	return t;
}

/* EL2 as the template assumes it: an identity map, first GiB devices, then memory. */
void mmu_on(void)
{
	for (uint64_t i = 0; i < 4; i++)
		el2_table[i] = i << 30 | UINT64_C(1) << 10 | UINT64_C(3) << 8 |
			       (i ? 1u << 2 : UINT64_C(1) << 54) | 1;
	WRITE("mair_el2", 0xff00); /* 0: Device-nGnRnE; 1: write-back */
	/* 39 bits from level 1, write-back inner shareable walks, 40-bit PAs; RES1. */
	WRITE("tcr_el2", 25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 23 | 1u << 31);
	WRITE("ttbr0_el2", (uintptr_t)el2_table);
	/*
	 * The table must be visible before the walks that begin when the MMU is on.
	 * Entries that a TLB may hold from earlier are invalidated in between.
	 */
	__asm__ volatile("dsb sy\n\ttlbi alle2\n\tdsb sy\n\tisb" ::: "memory");
	WRITE("sctlr_el2", 0x30c50830 | 1 << 12 | 1 << 2 | 1);
	__asm__ volatile("isb" ::: "memory");
}

/* ---- printing ---------------------------------------------------------------------- */

static void put(const char *s)
{
	volatile uint32_t *uart = (volatile uint32_t *)(uintptr_t)CALIBRATE_UART;

	for (; *s; s++) {
		while (uart[0x18 / 4] & 1u << 5) /* transmit FIFO full */
			;
		uart[0] = (uint8_t)*s;
	}
}

static void put_number(uint64_t n, unsigned base, unsigned digits)
{
	char text[24], *s = text + sizeof(text) - 1;

	*s = '\0';
	do {
		*--s = "0123456789abcdef"[n % base];
		n /= base;
	} while (n || text + sizeof(text) - 1 - s < (ptrdiff_t)digits);
	put(s);
}

/* @ticks for @n of them, as nanoseconds with three decimals. */
static void put_price(const char *key, uint64_t took, uint64_t n, const char *source,
		      const char *assumes)
{
	uint64_t ps =
		took * UINT64_C(1000000) / READ("cntfrq_el0") * UINT64_C(1000000) / n;

	put(" \"");
	put(key);
	put("\": {\"value\": ");
	put_number(ps / 1000, 10, 1);
	put(".");
	put_number(ps % 1000, 10, 3);
	put(",\n  \"source\": \"calibrate: ");
	put(source);
	put("\",\n  \"assumes\": \"");
	put(assumes);
	put("\"},\n");
}

/* ---- what is measured -------------------------------------------------------------- */

static uint64_t ipa_operand, range_operand;

static void by_ipa(unsigned n)
{
	s2_port_dsb_ishst(NULL);
	for (unsigned i = 0; i < n; i++)
		s2_port_tlbi_ipas2e1is(NULL, ipa_operand + i);
	s2_port_dsb_ish(NULL);
	s2_port_tlbi_vmalle1is(NULL);
	s2_port_dsb_ish(NULL);
	s2_port_isb(NULL);
}

static void by_range(unsigned n)
{
	(void)n;
	s2_port_dsb_ishst(NULL);
	s2_port_tlbi_ripas2e1is(NULL, range_operand);
	s2_port_dsb_ish(NULL);
	s2_port_tlbi_vmalle1is(NULL);
	s2_port_dsb_ish(NULL);
	s2_port_isb(NULL);
}

static void whole(unsigned n)
{
	(void)n;
	s2_port_dsb_ishst(NULL);
	s2_port_tlbi_vmalls12e1is(NULL);
	s2_port_dsb_ish(NULL);
	s2_port_isb(NULL);
}

static void clean(unsigned n)
{
	(void)n;
	s2_port_clean(NULL, (uintptr_t)memory, CLEANED, 0);
	s2_port_dsb_sy(NULL);
}

static struct s2 s2;
static uint64_t visited;

/*
 * Every leaf is read and written. The permissions are given back before the next round.
 */
static void walk(unsigned n)
{
	struct s2_op op = { 0 };

	(void)n;
	s2_wrprotect(&s2, s2_ipa(0), WALKED, 0, &op);
	visited = op.visited;
}

static void before_walk(void)
{
	s2_map(&s2, s2_ipa(0), s2_pa(0), WALKED, S2_R | S2_W,
	       S2_MAP_PAGES | S2_MAP_REPLACE, NULL);
}

static void dirty(void)
{
	for (unsigned i = 0; i < CLEANED / sizeof(*memory); i++)
		((volatile uint64_t *)memory)[i] = i;
}

/* The median of ROUNDS, in ticks for all @times of a round. */
static uint64_t measure(void (*what)(unsigned), unsigned n, unsigned times,
			void (*before)(void))
{
	uint64_t took[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t start, t;
		unsigned i = r;

		if (before)
			before();
		start = ticks();
		for (unsigned k = 0; k < times; k++)
			what(n);
		t = ticks() - start;
		for (; i && took[i - 1] > t; i--)
			took[i] = took[i - 1];
		took[i] = t;
	}
	return took[ROUNDS / 2];
}

void calibrate(void)
{
	const bool ranges = (READ("id_aa64isar0_el1") >> 56 & 15) >= 2;
	struct s2_config cfg = { .ipa_bits = 36, .pa_bits = 36, .features = S2_FEAT_FWB };
	const char *alone = "only one CPU was on: others that must answer add to it";
	uint64_t line = UINT64_C(4) << ((s2_port_ctr() >> 16) & 15), one, more;
	struct s2_plan plan;

	if (s2_init(&s2, &cfg)) {
		put("no instance\n");
		return;
	}
	WRITE("vtcr_el2", s2_vtcr(&s2));
	WRITE("vttbr_el2", s2_vttbr(&s2) | UINT64_C(1) << 48);
	s2_port_isb(NULL);
	ipa_operand = MIB >> 12;
	cfg.features |= S2_FEAT_TLBIRANGE;
	s2_plan_range(&cfg, 0, 2 * MIB, 4 * KIB, 3, &plan);
	range_operand = plan.operand[0];

	put("{\n \"says\": \"calibrated, MIDR_EL1 0x");
	put_number(READ("midr_el1"), 16, 8);
	put(", counter at ");
	put_number(READ("cntfrq_el0"), 10, 1);
	put(" Hz\",\n \"unit\": \"ns\",\n");
	one = measure(by_ipa, 1, TIMES, NULL);
	more = measure(by_ipa, MORE, TIMES, NULL);
	put_price("by_ipa", one, TIMES, "DSB, IPAS2E1IS, DSB, VMALLE1IS, DSB, ISB",
		  alone);
	put_price("further", more > one ? more - one : 0, TIMES * (MORE - 1),
		  "8 TLBIs less 1", alone);
	if (ranges)
		put_price("by_range", measure(by_range, 1, TIMES, NULL), TIMES,
			  "the same with RIPAS2E1IS of 2 MiB", alone);
	put_price("whole", measure(whole, 1, TIMES, NULL), TIMES,
		  "DSB, VMALLS12E1IS, DSB, ISB",
		  "filling the TLB again is left out, and only one CPU was on");
	put_price("line", measure(clean, 1, 1, dirty), CLEANED / line,
		  "DC CIVAC of 1 MiB just written, by line, DSB SY",
		  "lines are dirty and near: clean ones cost less");
	one = measure(walk, 1, 1, before_walk);
	put_price("visit", one, visited, "s2_wrprotect() of 256 MiB of pages, an entry",
		  "any walk costs as much an entry");
	put(" \"unmeasured\": \"");
	put(ranges ? "" : "by_range: no FEAT_TLBIRANGE");
	put("\"\n}\n");
}
