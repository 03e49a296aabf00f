/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs have in common: a small tree built by hand, and short names for
 * events. No engine.
 *
 * 	L1[1] -> L2[0] -> L3[0..7]: pages from IPA to PA
 * 	         L2[1] -> L3b: empty
 * 	         L2[2] =  a 2 MiB block, from IPA + 4 MiB to PA + 4 MiB
 *
 * There are two PEs. PE0 changes the tables, and either may run the guest. The granule is
 * 4 KiB, unless the program names another geometry; then the rig has the sizes and the
 * IPA.
 */
#ifndef STAGE2_TESTS_RULE_H
#define STAGE2_TESTS_RULE_H

#include "machine.h"

#define PAGE UINT64_C(0x1000)
#define BLOCK UINT64_C(0x200000)
#define IPA UINT64_C(0x40000000)
#define PA UINT64_C(0x80000000)
#define PAGES 8u
#define VMID 7u

/* clang-format off */
#define WRITE (UINT64_C(1) << 7)
#define AF (UINT64_C(1) << 10)
#define DBM (UINT64_C(1) << 51)
#define CONTIGUOUS (UINT64_C(1) << 52)
#define XN (UINT64_C(1) << 54)
#define COUNTED (UINT64_C(3) << 55)	/* software bits: a counted leaf */
/* Readable and writable, accessed, not executable. */
#define SH_INNER (UINT64_C(3) << 8)	/* with LPA2: address bits 51:50 */
#define LEAF (XN | AF | SH_INNER | UINT64_C(3) << 6)
#define WB_FWB (UINT64_C(6) << 2)	/* FWB: forced write-back */
#define NC_FWB (UINT64_C(5) << 2)
#define WB (UINT64_C(15) << 2)		/* without FWB */
#define DEVICE (UINT64_C(1) << 2)
#define TABLE UINT64_C(3)

#define NT (UINT64_C(1) << 16)
#define XN0 (UINT64_C(1) << 53)		/* with XN and FEAT_XNX */
/* clang-format on */

/* Of TCR_EL1 and SCTLR_EL1. */
#define EPD (UINT64_C(1) << 7 | UINT64_C(1) << 23)
#define SCTLR_M (UINT64_C(1) << 0)

/* Of VTCR_EL2; SL0 = 1 is level 1 of the 4 KiB granule, 2 of the others. */
#define T0SZ(bits) (64 - (bits))
#define SL0(n) (UINT64_C(n) << 6)
#define TG0_16K (UINT64_C(2) << 14)
#define TG0_64K (UINT64_C(1) << 14)
#define PS_48 (UINT64_C(5) << 16)
#define PS_52 (UINT64_C(6) << 16)
#define DS (UINT64_C(1) << 32)

/* clang-format off */
struct geometry {
	unsigned granule;
	bool ds, lpa;		/* where addresses keep their high bits */
	uint64_t vtcr, base;	/* of one root table at level 1; of the table pages */
};
extern const struct geometry granule_4k, granule_16k, granule_64k;
/* 52-bit addresses, and tables above 2^48. */
extern const struct geometry lpa2_4k, lpa2_16k, lpa_64k;

struct rig {
	struct machine *m;
	const struct geometry *g;
	uint64_t ipa, page, block;	/* IPA, PAGE and BLOCK of this geometry */
	uint64_t l1, l2, l3, l3b;	/* table pages */
	uint64_t wb;			/* LEAF of write-back memory on this machine */
	uint64_t vttbr;
};

struct program {
	const char *name;
	const char *verdict;	/* rules, or "none" */
	uint32_t features;
	const struct geometry *geometry;
	void (*run)(struct rig *r);
	struct program *next;
	uint32_t agent_lacks;	/* of the features; with S2M_AGENT */
};
void program_add(struct program *p);

/*
 * PROGRAM(bad_tlbi_missing, "tlbi-missing", S2M_FWB) { ... }
 * defines and registers a program; r is its rig.
 */
#define PROGRAM(id, expect, feat) PROGRAM_ON(granule_4k, id, expect, feat)
#define PROGRAM_ON(geometry, id, expect, feat)                                   \
	PROGRAM_AGENT(geometry, id, expect, feat, 0)
#define PROGRAM_AGENT(geometry, id, expect, feat, lacks)                         \
	static void run_##id(struct rig *r);                                     \
	static struct program program_##id = { #id, expect, feat, &geometry,     \
					       run_##id, 0, lacks };                    \
	__attribute__((constructor)) static void add_##id(void)                  \
	{                                                                        \
		program_add(&program_##id);                                      \
	}                                                                        \
	static void run_##id(struct rig *r)
/* clang-format on */

/* An entry's address; a page's or block's value. */
static inline uint64_t entry(uint64_t table, unsigned slot)
{
	return table + 8 * slot;
}

static inline uint64_t address(const struct rig *r, uint64_t pa)
{
	uint64_t high = pa >> 48;

	if (r->g->lpa)
		return (pa & ~(UINT64_C(15) << 48)) | high << 12;
	if (r->g->ds)
		return (pa & ~(UINT64_C(3) << 50)) | high >> 2 << 8;
	return pa;
}

static inline uint64_t page(const struct rig *r, uint64_t pa)
{
	return r->wb | address(r, pa) | 3;
}

static inline uint64_t block(const struct rig *r, uint64_t pa)
{
	return r->wb | address(r, pa) | 1;
}

static inline void set(struct rig *r, unsigned pe, uint64_t table, unsigned slot,
		       uint64_t value)
{
	s2m_write(r->m, pe, entry(table, slot), value, S2M_PLAIN);
}

static inline void clear(struct rig *r, unsigned pe, uint64_t table, unsigned slot)
{
	set(r, pe, table, slot, 0);
}

static inline void link_table(struct rig *r, unsigned pe, uint64_t table, unsigned slot,
			      uint64_t below)
{
	s2m_write(r->m, pe, entry(table, slot), address(r, below) | TABLE, S2M_RELEASE);
}

/* VTTBR_EL2; with 52-bit addresses bits 51:48 of the root are in [5:2]. */
static inline uint64_t vttbr(uint64_t vmid, uint64_t root)
{
	return vmid << 48 | (root & ((UINT64_C(1) << 48) - 1)) | root >> 48 << 2;
}

/* A zeroed page. */
static inline uint64_t take(struct rig *r, unsigned pe)
{
	uint64_t pa = s2m_table_take(r->m, pe, 1, 1);

	s2m_fill(r->m, pe, pa, r->page, 0);
	return pa;
}

static inline void give(struct rig *r, unsigned pe, uint64_t pa)
{
	s2m_table_give(r->m, pe, pa, 1);
}

static inline void dsb_ishst(struct rig *r, unsigned pe)
{
	s2m_barrier(r->m, pe, S2M_DSB_ISHST);
}

static inline void dsb_ish(struct rig *r, unsigned pe)
{
	s2m_barrier(r->m, pe, S2M_DSB_ISH);
}

static inline void dsb_sy(struct rig *r, unsigned pe)
{
	s2m_barrier(r->m, pe, S2M_DSB_SY);
}

static inline void isb(struct rig *r, unsigned pe)
{
	s2m_barrier(r->m, pe, S2M_ISB);
}

#define TTL(tg, level) ((tg) << 46 | UINT64_C(level) << 44)
#define TTL_4K(level) TTL(TG_4K, level)
static inline void tlbi_ipa(struct rig *r, unsigned pe, uint64_t ipa)
{
	s2m_tlbi(r->m, pe, S2M_IPAS2E1IS, ipa >> 12);
}

/* RIPAS2E1IS: (num + 1) << (5 * scale + 1) pages. */
#define TG_4K UINT64_C(1)
#define TG_16K UINT64_C(2)
#define TG_64K UINT64_C(3)
static inline uint64_t range(uint64_t tg, uint64_t scale, uint64_t num, uint64_t ttl,
			     uint64_t ipa)
{
	return tg << 46 | scale << 44 | num << 39 | ttl << 37 | ipa >> 12;
}

static inline void tlbi_s1(struct rig *r, unsigned pe)
{
	s2m_tlbi(r->m, pe, S2M_VMALLE1IS, 0);
}

static inline void tlbi_all(struct rig *r, unsigned pe)
{
	s2m_tlbi(r->m, pe, S2M_VMALLS12E1IS, 0);
}

/* The instructions that follow the stage-2 TLBI. */
static inline void finish(struct rig *r, unsigned pe)
{
	dsb_ish(r, pe);
	tlbi_s1(r, pe);
	dsb_ish(r, pe);
	isb(r, pe);
}

/* The complete invalidation of one page. */
static inline void invalidate(struct rig *r, unsigned pe, uint64_t ipa)
{
	dsb_ishst(r, pe);
	tlbi_ipa(r, pe, ipa);
	finish(r, pe);
}

/* clang-format off */
/* The same with a level hint. */
static inline void invalidate_hint(struct rig *r, unsigned pe, uint64_t ipa,
				   unsigned level)
{
	dsb_ishst(r, pe);
	s2m_tlbi(r->m, pe, S2M_IPAS2E1IS, ipa >> 12 | UINT64_C(1) << 46 |
		 (uint64_t)level << 44);
	finish(r, pe);
}
/* clang-format on */

/* The same for the whole VMID. */
static inline void invalidate_all(struct rig *r, unsigned pe)
{
	dsb_ishst(r, pe);
	tlbi_all(r, pe);
	dsb_ish(r, pe);
	isb(r, pe);
}

/* A full table of the pages of the block at L2[2]. */
static inline uint64_t take_pages(struct rig *r, unsigned pe)
{
	uint64_t table = take(r, pe);

	s2m_note(r->m, "fills it with the pages of the block, not shown");
	s2m_log(r->m, NULL);
	for (unsigned i = 0; i < r->block / r->page; i++)
		set(r, pe, table, i, page(r, PA + 2 * r->block + i * r->page));
	s2m_log(r->m, stdout);
	return table;
}

/* L2[2] is replaced by a table of pages, by break-before-make. */
static inline uint64_t split(struct rig *r, unsigned pe)
{
	uint64_t table = take_pages(r, pe);

	clear(r, pe, r->l2, 2);
	invalidate(r, pe, r->ipa + 2 * r->block);
	link_table(r, pe, r->l2, 2, table);
	return table;
}

/* A run of 16 pages with the Contiguous bit in L3b. */
static inline void make_run(struct rig *r, unsigned pe)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, pe, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
}

static inline void civac(struct rig *r, unsigned pe, uint64_t pa, uint64_t size)
{
	s2m_cache(r->m, pe, S2M_DC_CIVAC, pa, size);
}

/* A counted page in L3b. */
static inline void count_page(struct rig *r, unsigned slot)
{
	set(r, 0, r->l3b, slot, page(r, PA + BLOCK + slot * PAGE) | COUNTED);
	dsb_ishst(r, 0);
}

static inline void gone(struct rig *r, unsigned pe, uint64_t ipa, uint64_t pa,
			uint64_t size)
{
	s2m_leaf_gone(r->m, pe, r->l1, ipa, pa, size, 0);
}

static inline void unmapped(struct rig *r, unsigned pe, uint64_t ipa, uint64_t size)
{
	s2m_claim_unmapped(r->m, pe, r->l1, ipa, size, 0);
}

#endif /* STAGE2_TESTS_RULE_H */
