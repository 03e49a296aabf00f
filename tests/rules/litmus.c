/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The litmus tests of data/litmus as programs for the machine. What herd7 found possible
 * ("Sometimes") the machine must convict. What herd7 found impossible it must not.
 *
 *         rules-litmus RESULTS.txt
 *
 * Those tests have one translation stage. The entry of x (y) is the stage-2 entry of page
 * 0 (1). TLBI VAAE1 is IPAS2E1, and the DSB after it stands twice, with VMALLE1 in
 * between. VMALLE1 is VMALLS12E1. The reuse of a page is the claim that nobody uses its
 * frame. FEAT_ETS2 is on, because the tests ask what other PEs do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* Steps: a word for each, "x" and "y" for the page, "1:" before those of PE1. */
struct test {
	const char *name, *steps;
	/* herd7 says Never, but the machine convicts: see docs/rules.md. */
	bool stricter;
};

/* clang-format off */
#define TEST(n, s) { n, s, false }
static const struct test tests[] = {
	TEST("PageReuse+full", "clear-x ishst va-x ish reuse-x"),
	TEST("PageReuseW+full", "clear-x ishst va-x ish reuse-x"),
	TEST("PageReuseW2+full", "clear-x ishst va-x ish reuse-x"),
	TEST("PageReuse+all", "clear-x ishst all ish reuse-x"),
	TEST("PageReuse+noTLBI", "clear-x ish reuse-x"),
	TEST("PageReuseW2+noTLBI", "clear-x ish reuse-x"),
	TEST("PageReuse+noDSB1", "clear-x va-x ish reuse-x"),
	TEST("PageReuse+DMB1", "clear-x dmb va-x ish reuse-x"),
	TEST("PageReuse+noDSB2", "clear-x ishst va-x reuse-x"),
	TEST("PageReuse+DSB2st", "clear-x ishst va-x ishst reuse-x"),
	TEST("PageReuse+local", "clear-x ishst local-x ish reuse-x"),
	TEST("PageReuse+wrongVA", "clear-x ishst va-y ish reuse-x"),
	TEST("Flag+full", "clear-x ishst va-x ish reuse-x"),
	TEST("Flag+full+dsbisb", "clear-x ishst va-x ish reuse-x"),
	TEST("Flag+noTLBI+dsbisb", "clear-x ish reuse-x"),
	TEST("Batch2+all+obsx", "clear-x clear-y ishst all ish reuse-x"),
	TEST("Batch2+all+obsy", "clear-x clear-y ishst all ish reuse-y"),
	TEST("Batch2+va2+obsy", "clear-x clear-y ishst va-x va-y ish reuse-y"),
	TEST("Batch2+late+obsy", "clear-x ishst clear-y all ish reuse-y"),
	TEST("Batch2+earlytlbi+obsy", "clear-x ishst all clear-y ish reuse-y"),
	TEST("Handoff+dsb-dsb", "clear-x ishst handoff 1:ish 1:va-x 1:ish 1:reuse-x"),
	TEST("Handoff+dsb", "clear-x ishst handoff 1:va-x 1:ish 1:reuse-x"),
	TEST("Handoff+rel-dsb", "clear-x handoff 1:ish 1:va-x 1:ish 1:reuse-x"),
	{ "Handoff+rel-none", "clear-x handoff 1:va-x 1:ish 1:reuse-x", true },
	TEST("Handoff+po-po", "clear-x 1:va-x 1:ish 1:reuse-x"),
	TEST("Handoff+noTLBI", "clear-x handoff 1:ish 1:reuse-x"),
};
/* clang-format on */

static bool is(const char *word, const char *what)
{
	return !strncmp(word, what, strlen(what));
}

/* s1: the stage-1 TLBI that must follow the next DSB. */
static void step(struct rig *r, const char *word, enum s2m_tlbi *s1)
{
	unsigned pe = is(word, "1:"), at = word[strlen(word) - 1] == 'y';
	enum s2m_barrier dsb;

	word += 2 * pe;
	dsb = is(word, "ishst") ? S2M_DSB_ISHST : S2M_DSB_ISH;
	if (is(word, "clear")) {
		clear(r, pe, r->l3, at);
	} else if (is(word, "dmb")) {
		s2m_barrier(r->m, pe, S2M_DMB_ISH);
	} else if (is(word, "ish")) {
		s2m_barrier(r->m, pe, dsb);
		if (*s1 == S2M_TLBI_KINDS)
			return;
		s2m_tlbi(r->m, pe, *s1, 0);
		s2m_barrier(r->m, pe, dsb);
		*s1 = S2M_TLBI_KINDS;
	} else if (is(word, "va")) {
		tlbi_ipa(r, pe, IPA + at * PAGE);
		*s1 = S2M_VMALLE1IS;
	} else if (is(word, "local")) {
		s2m_tlbi(r->m, pe, S2M_IPAS2E1, (IPA + at * PAGE) >> 12);
		*s1 = S2M_VMALLE1;
	} else if (is(word, "all")) {
		tlbi_all(r, pe);
	} else if (is(word, "handoff")) {
		s2m_handoff(r->m, 0, 1);
	} else if (is(word, "reuse")) {
		s2m_claim_frame_free(r->m, pe, PA + at * PAGE, PAGE);
	} else {
		fprintf(stderr, "%s: no such step\n", word);
		exit(2);
	}
}

/* clang-format off */
static bool convicted(const struct test *t)
{
	const struct machine_config cfg = { .features = S2M_FWB | S2M_ETS2, .pes = 3,
					    .table_pages = 16 };
	static const struct geometry g = { .granule = 12 };
	struct rig r = { .m = machine_new(&cfg), .g = &g, .page = PAGE,
			 .wb = LEAF | WB_FWB };
	enum s2m_tlbi s1 = S2M_TLBI_KINDS;
	char steps[128];
	bool guilty;

	r.l1 = take(&r, 0);
	r.l2 = take(&r, 0);
	r.l3 = take(&r, 0);
	for (unsigned i = 0; i < 2; i++)
		set(&r, 0, r.l3, i, page(&r, PA + i * PAGE));
	set(&r, 0, r.l2, 0, r.l3 | TABLE);
	set(&r, 0, r.l1, 1, r.l2 | TABLE);
	for (unsigned pe = 0; pe < 3; pe++) {
		s2m_sysreg(r.m, pe, S2M_VTCR_EL2, 25 | 1 << 6 | 5 << 16);
		s2m_sysreg(r.m, pe, S2M_VTTBR_EL2, (uint64_t)VMID << 48 | r.l1);
		s2m_barrier(r.m, pe, S2M_DSB_ISH);
		isb(&r, pe);
	}
	snprintf(steps, sizeof(steps), "%s", t->steps);
	for (char *word = strtok(steps, " "); word; word = strtok(NULL, " "))
		step(&r, word, &s1);
	guilty = s2m_violations(r.m);
	machine_free(r.m);
	return guilty;
}
/* clang-format on */

static const struct test *find(const char *name)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!strcmp(tests[i].name, name))
			return &tests[i];
	}
	return NULL;
}

/* clang-format off */
int main(int argc, char **argv)
{
	char line[256], name[64], says[16];
	unsigned lines = 0, wrong = 0;
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!f) {
		fprintf(stderr, "usage: rules-litmus RESULTS.txt\n");
		return 2;
	}
	while (fgets(line, sizeof(line), f)) {
		const struct test *t;
		bool possible;

		if (sscanf(line, "Observation %63s %15s", name, says) != 2)
			continue;
		lines++;
		t = find(name);
		possible = strcmp(says, "Never");
		if (t && convicted(t) == (possible || t->stricter))
			continue;
		wrong++;
		printf("%s: herd7 says %s, the machine %s\n", name, says,
		       !t ? "has no program for it" : convicted(t) ? "convicts" : "does not");
	}
	fclose(f);
	printf("%u observations, %u wrong\n", lines, wrong);
	return wrong || !lines;
}
/* clang-format on */
