/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rules NAME [FILE]: run a program, print its steps and what the machine says; FILE: a
 * trace of it, from the first event on.
 * rules: list the programs with the verdict each expects; rules --rules: the
 * names of all rules. run.py compares.
 */
#include <stdio.h>
#include <string.h>

#include "rule.h"
#include "trace_out.h"

#define LOW UINT64_C(0x100000)
#define HIGH (UINT64_C(10) << 48 | LOW)

/* The whole IPA size of one root table, or what is left of 48 or 52 bits. */
const struct geometry granule_4k = { 12, false, false, T0SZ(39) | SL0(1), LOW };
const struct geometry granule_16k = { 14, false, false, T0SZ(47) | SL0(2) | TG0_16K,
				      LOW };
const struct geometry granule_64k = { 16, false, false, T0SZ(48) | SL0(2) | TG0_64K,
				      LOW };
const struct geometry lpa2_4k = { 12, true, false, T0SZ(39) | SL0(1) | PS_52 | DS, HIGH };
const struct geometry lpa2_16k = { 14, true, false,
				   T0SZ(47) | SL0(2) | TG0_16K | PS_52 | DS, HIGH };
const struct geometry lpa_64k = { 16, false, true, T0SZ(52) | SL0(2) | TG0_64K | PS_52,
				  HIGH };

static struct program *programs;

void program_add(struct program *p)
{
	p->next = programs;
	programs = p;
}

static void build(struct rig *r, const struct program *p, struct trace_out *trace)
{
	const struct geometry *g = p->geometry;
	uint32_t features = p->features;
	const struct machine_config cfg = { .features = features,
					    .pes = 2,
					    .agent_lacks = p->agent_lacks,
					    .granule_shift = g->granule,
					    .table_base = g->base,
					    .table_pages = 64,
					    .counted = 1u << 3 };
	/* HA and HD if the machine has them. */
	uint64_t vtcr = g->vtcr | (features & S2M_HAFDBS ? UINT64_C(3) << 21 : 0);

	r->m = machine_new(&cfg);
	if (trace)
		trace_out_watch(trace, r->m);
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
		if (features & S2M_COLD_TLBS) {
			/* This VMID alone is free of what was there before. */
			s2m_sysreg(r->m, pe, S2M_VTTBR_EL2, vttbr(VMID, 0));
			isb(r, pe);
			tlbi_all(r, pe);
			dsb_ish(r, pe);
			isb(r, pe);
		}
		s2m_sysreg(r->m, pe, S2M_VTTBR_EL2, r->vttbr);
		isb(r, pe);
	}
}

static int run(const struct program *p, const char *path)
{
	struct trace_out *trace = path ? trace_out_open(path, TRACE_FOR_JUDGE) : NULL;
	char why[256];
	struct rig r;

	if (path && !trace)
		return 2;
	if (trace)
		trace_out_src(trace, p->name, 0);
	build(&r, p, trace);
	/* An agent may misread the rig's own entries: the program makes others. */
	if (p->agent_lacks)
		s2m_violations_clear(r.m);
	s2m_log(r.m, stdout);
	p->run(&r);
	s2m_log(r.m, NULL);
	printf("verdict:");
	for (unsigned i = 0; i < s2m_violations_kept(r.m); i++)
		printf(" %s", s2m_violation(r.m, i)->rule);
	printf("%s\n", s2m_violations(r.m) ? "" : " none");
	machine_free(r.m);
	if (!trace || !trace_out_close(trace, why, sizeof(why)))
		return 0;
	fprintf(stderr, "%s\n", why);
	return 2;
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
			return run(p, argv[2]);
	}
	return argc > 1;
}
