/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "judged.h"

#define PAGE UINT64_C(4096)
#define GUEST_PE 2u
/* 30 bits of IPA: the root is a level-2 table. 40 bits of PA, walks WB and IS. */
#define VTCR (UINT64_C(1) << 31 | 5u << 16 | 3u << 12 | 1u << 10 | 1u << 8 | 34u)
#define HCR_VM UINT64_C(1)
#define HCR_FWB (UINT64_C(1) << 46)
#define DESC_XN (UINT64_C(1) << 54)  /* instruction fetch is not tested here */
#define DESC_BUSY UINT64_C(4)	     /* an invalid entry that is not 0 */
#define RANGE_4K (UINT64_C(1) << 46) /* NUM 0, SCALE 0: two pages from IPA 0 */

struct tree {
	struct machine *m;
	uint64_t root, table;
	bool fwb;
};

static uint64_t frame_pa(unsigned frame)
{
	return (UINT64_C(1) << 30) + frame * PAGE;
}

static uint64_t entry_pa(const struct tree *t, unsigned entry)
{
	return entry == EXPLORE_ROOT ? t->root : t->table + (entry - EXPLORE_L3_0) * 8;
}

static uint64_t desc(const struct tree *t, unsigned d)
{
	switch (d) {
	case EXPLORE_EMPTY:
		return 0;
	case EXPLORE_BUSY:
		return DESC_BUSY;
	case EXPLORE_TABLE:
		return t->table | 3;
	default:
		/* AF, inner shareable, read and write, write-back, page, valid */
		return DESC_XN | frame_pa(d - EXPLORE_MAP_A) | 1u << 10 | 3u << 8 |
		       3u << 6 | (t->fwb ? 6u : 15u) << 2 | 3u;
	}
}

static void tlbi(const struct tree *t, unsigned pe, unsigned kind, unsigned pages)
{
	static const enum s2m_tlbi ops[] = {
		[EXPLORE_IPAS2E1IS] = S2M_IPAS2E1IS,
		[EXPLORE_IPAS2LE1IS] = S2M_IPAS2LE1IS,
		[EXPLORE_VMALLE1IS] = S2M_VMALLE1IS,
		[EXPLORE_VMALLS12E1IS] = S2M_VMALLS12E1IS,
		[EXPLORE_IPAS2E1] = S2M_IPAS2E1,
		[EXPLORE_VMALLE1] = S2M_VMALLE1,
		[EXPLORE_VMALLS12E1] = S2M_VMALLS12E1,
	};

	if (kind != EXPLORE_IPAS2E1IS && kind != EXPLORE_IPAS2LE1IS &&
	    kind != EXPLORE_IPAS2E1)
		s2m_tlbi(t->m, pe, ops[kind], 0);
	else if (pages == 3 && kind != EXPLORE_IPAS2E1)
		s2m_tlbi(t->m, pe,
			 kind == EXPLORE_IPAS2E1IS ? S2M_RIPAS2E1IS : S2M_RIPAS2LE1IS,
			 RANGE_4K);
	else
		for (unsigned p = 0; p < EXPLORE_PAGES; p++)
			if (pages >> p & 1)
				s2m_tlbi(t->m, pe, ops[kind], p);
}

static bool read_later(const struct explore_program *p, unsigned frame)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == EXPLORE_READ && p->event[i].a == frame)
			return true;
	return false;
}

static void event(const struct tree *t, const struct explore_program *p,
		  const struct explore_event *e)
{
	struct machine *m = t->m;

	switch ((enum explore_op)e->op) {
	case EXPLORE_WRITE:
		s2m_write(m, e->pe, entry_pa(t, e->a), desc(t, e->b), S2M_PLAIN);
		break;
	case EXPLORE_DMB_ISH:
		s2m_barrier(m, e->pe, S2M_DMB_ISH);
		break;
	case EXPLORE_DSB_ISHST:
		s2m_barrier(m, e->pe, S2M_DSB_ISHST);
		break;
	case EXPLORE_DSB_ISH:
		s2m_barrier(m, e->pe, S2M_DSB_ISH);
		break;
	case EXPLORE_DSB_SY:
		s2m_barrier(m, e->pe, S2M_DSB_SY);
		break;
	case EXPLORE_ISB:
		s2m_barrier(m, e->pe, S2M_ISB);
		break;
	case EXPLORE_TLBI:
		tlbi(t, e->pe, e->a, e->b);
		break;
	case EXPLORE_CLEAN:
		s2m_cache(m, e->pe, S2M_DC_CIVAC, frame_pa(e->a), PAGE);
		break;
	case EXPLORE_FREE:
		s2m_table_give(m, e->pe, t->table, 1);
		break;
	case EXPLORE_RETURN:
		for (unsigned page = 0; page < EXPLORE_PAGES; page++)
			if (e->a >> page & 1)
				s2m_claim_unmapped(
					m, e->pe, t->root, page * PAGE, PAGE,
					read_later(p, page) ? 0 : S2M_CLAIM_NO_CLEAN);
		break;
	case EXPLORE_GIVE:
		for (unsigned f = 0; f < EXPLORE_WILD; f++)
			if (e->a >> f & 1)
				s2m_claim_frame_free(m, e->pe, frame_pa(f), PAGE);
		break;
	case EXPLORE_HANDOFF:
		s2m_handoff(m, e->pe, e->a);
		break;
	case EXPLORE_READ:  /* said with the claim */
	case EXPLORE_REUSE: /* the judge convicts the free of the table */
		break;
	}
}

struct machine *judged(const struct explore_program *p)
{
	struct machine_config cfg = {
		.features = S2M_TLBIRANGE | (p->fwb ? S2M_FWB : 0),
		.pes = GUEST_PE + 1,
		.table_pages = 16,
	};
	struct tree t = { .m = machine_new(&cfg), .fwb = p->fwb };
	struct machine *m = t.m;

	if (!m)
		return NULL;
	t.root = s2m_table_take(m, 0, 1, 1);
	t.table = s2m_table_take(m, 0, 1, 1);
	s2m_fill(m, 0, t.root, PAGE, 0);
	s2m_fill(m, 0, t.table, PAGE, 0);
	s2m_cache(m, 0, S2M_DC_CIVAC, frame_pa(0), 3 * PAGE);
	s2m_barrier(m, 0, S2M_DSB_SY);
	for (unsigned pe = 0; pe < cfg.pes; pe++) {
		s2m_sysreg(m, pe, S2M_VTCR_EL2, VTCR);
		s2m_sysreg(m, pe, S2M_HCR_EL2, HCR_VM | (p->fwb ? HCR_FWB : 0));
		s2m_sysreg(m, pe, S2M_VTTBR_EL2, UINT64_C(1) << 48 | t.root);
		s2m_barrier(m, pe, S2M_ISB);
	}
	s2m_write(m, 0, entry_pa(&t, EXPLORE_L3_0), desc(&t, EXPLORE_MAP_A), S2M_PLAIN);
	s2m_write(m, 0, entry_pa(&t, EXPLORE_L3_1), desc(&t, EXPLORE_MAP_B), S2M_PLAIN);
	s2m_barrier(m, 0, S2M_DSB_ISH);
	s2m_write(m, 0, entry_pa(&t, EXPLORE_ROOT), desc(&t, EXPLORE_TABLE), S2M_RELEASE);
	s2m_barrier(m, 0, S2M_DSB_ISH);
	s2m_barrier(m, 0, S2M_ISB);
	s2m_guest_enter(m, GUEST_PE, UINT64_C(1) << 48 | t.root);
	if (s2m_violations(m)) {
		fprintf(stderr, "before the program: %s: %s\n", s2m_violation(m, 0)->rule,
			s2m_violation(m, 0)->detail);
		machine_free(m);
		return NULL;
	}
	for (unsigned i = 0; i < p->nr_events; i++)
		event(&t, p, &p->event[i]);
	return m;
}
