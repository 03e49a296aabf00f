/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules NAME: run a program, print its steps and what the machine says.
 * rules: list the programs with the verdict each expects; rules --rules: the
 * names of all rules. run.py compares.
 */
#include <stdio.h>
#include <string.h>

#include "rule.h"

#define LOW UINT64_C(0x100000)
#define HIGH (UINT64_C(10) << 48 | LOW)

/* clang-format off */
/* The whole IPA size of one root table, or what is left of 48 or 52 bits. */
const struct geometry granule_4k = { 12, false, false, T0SZ(39) | SL0(1), LOW };
const struct geometry granule_16k = { 14, false, false,
				      T0SZ(47) | SL0(2) | TG0_16K, LOW };
const struct geometry granule_64k = { 16, false, false,
				      T0SZ(48) | SL0(2) | TG0_64K, LOW };
const struct geometry lpa2_4k = { 12, true, false, T0SZ(39) | SL0(1) | PS_52 | DS, HIGH };
const struct geometry lpa2_16k = { 14, true, false,
				   T0SZ(47) | SL0(2) | TG0_16K | PS_52 | DS, HIGH };
const struct geometry lpa_64k = { 16, false, true, T0SZ(52) | SL0(2) | TG0_64K | PS_52,
				  HIGH };
/* clang-format on */

static struct program *programs;

void program_add(struct program *p)
{
	p->next = programs;
	programs = p;
}

/* clang-format off */
static void build(struct rig *r, const struct geometry *g, uint32_t features)
{
	const struct machine_config cfg = { .features = features, .pes = 2,
					    .granule_shift = g->granule,
					    .table_base = g->base, .table_pages = 64,
					    .counted = 1u << 3 };
	/* HA and HD if the machine has them. */
	uint64_t vtcr = g->vtcr | (features & S2M_HAFDBS ? UINT64_C(3) << 21 : 0);

	r->m = machine_new(&cfg);
	r->g = g;
	r->page = UINT64_C(1) << g->granule;
	r->block = r->page << (g->granule - 3);
	r->ipa = r->block << (g->granule - 3);
	r->wb = (g->ds ? LEAF & ~SH_INNER : LEAF) | (features & S2M_FWB ? WB_FWB : WB);
	r->l1 = take(r, 0);
	r->l2 = take(r, 0);
	r->l3 = take(r, 0);
	r->l3b = take(r, 0);
	r->vttbr = vttbr(VMID, r->l1);
	for (unsigned i = 0; i < PAGES; i++)
		set(r, 0, r->l3, i, page(r, PA + i * r->page));
	set(r, 0, r->l2, 0, address(r, r->l3) | TABLE);
	set(r, 0, r->l2, 1, address(r, r->l3b) | TABLE);
	set(r, 0, r->l2, 2, block(r, PA + 2 * r->block));
	set(r, 0, r->l1, 1, address(r, r->l2) | TABLE);
	/* The memory behind it is clean, and nothing is on its way. */
	civac(r, 0, PA, 4 * r->block);
	dsb_sy(r, 0);
	s2m_cache(r->m, 0, S2M_IC_IVAU, PA, 4 * r->block);
	dsb_sy(r, 0);
	for (unsigned pe = 0; pe < 2; pe++) {
		if (features & S2M_SPECULATIVE_AT) {
			s2m_sysreg(r->m, pe, S2M_TCR_EL1, EPD);
			s2m_sysreg(r->m, pe, S2M_SCTLR_EL1, SCTLR_M);
			isb(r, pe);
		}
		s2m_sysreg(r->m, pe, S2M_VTCR_EL2, vtcr);
		s2m_sysreg(r->m, pe, S2M_VTTBR_EL2, r->vttbr);
		isb(r, pe);
	}
}
/* clang-format on */

static int run(const struct program *p)
{
	struct rig r;

	build(&r, p->geometry, p->features);
	s2m_log(r.m, stdout);
	p->run(&r);
	s2m_log(r.m, NULL);
	printf("verdict:");
	for (unsigned i = 0; i < s2m_violations_kept(r.m); i++)
		printf(" %s", s2m_violation(r.m, i)->rule);
	printf("%s\n", s2m_violations(r.m) ? "" : " none");
	machine_free(r.m);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--rules")) {
		for (unsigned i = 0; s2m_rules[i].name; i++)
			printf("%s\n", s2m_rules[i].name);
		return 0;
	}
	for (const struct program *p = programs; p; p = p->next) {
		if (argc == 1)
			printf("%s %s\n", p->name, p->verdict);
		else if (!strcmp(argv[1], p->name))
			return run(p);
	}
	return argc > 1;
}
