/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_cross_check [SEED [COUNT]]: random unmaps for both the explorer and the judge. If
 * the explorer finds a bad execution, the judge must convict. If the explorer shows a
 * program to be safe, the judge must acquit. Where the judge is stricter on purpose, this
 * is an exception with a name. An exception counts only if the judge acquits the same
 * program after it has been changed as the exception says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "judged.h"
#include "programs.h"

static uint64_t seed = 1;
static unsigned long count = 800;

static unsigned draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % below);
}

static void insert(struct explore_program *p, unsigned at, struct explore_event e)
{
	assert_true(p->nr_events < EXPLORE_EVENTS);
	memmove(&p->event[at + 1], &p->event[at],
		(p->nr_events - at) * sizeof(p->event[0]));
	p->event[at] = e;
	p->nr_events++;
}

static void add(struct explore_program *p, unsigned op, unsigned a, unsigned b)
{
	insert(p, p->nr_events,
	       (struct explore_event){ 0, (uint8_t)op, (uint8_t)a, (uint8_t)b });
}

static bool has(const struct explore_program *p, enum explore_op op)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == op)
			return true;
	return false;
}

/* ---- programs ------------------------------------------------------------- */

static unsigned marker(void)
{
	return draw(2) ? EXPLORE_BUSY : EXPLORE_EMPTY;
}

/* Break, invalidate, clean, release, each in one of its forms, in the right order. */
static void sound(struct explore_program *p)
{
	bool table = draw(2), both = table || draw(2), clean = !p->fwb;
	unsigned frames = both ? 3 : 1;

	if (!table || draw(3) == 0) {
		add(p, EXPLORE_WRITE, EXPLORE_L3_0, marker());
		if (both)
			add(p, EXPLORE_WRITE, EXPLORE_L3_1, marker());
	}
	if (table)
		add(p, EXPLORE_WRITE, EXPLORE_ROOT, marker());
	add(p, EXPLORE_DSB_ISHST, 0, 0);
	if (draw(2)) {
		add(p, EXPLORE_TLBI, EXPLORE_IPAS2E1IS, frames);
		add(p, EXPLORE_DSB_ISH, 0, 0);
		add(p, EXPLORE_TLBI, EXPLORE_VMALLE1IS, 0);
	} else {
		add(p, EXPLORE_TLBI, EXPLORE_VMALLS12E1IS, 0);
	}
	add(p, EXPLORE_DSB_ISH, 0, 0);
	add(p, EXPLORE_ISB, 0, 0);
	if (clean) {
		add(p, EXPLORE_CLEAN, EXPLORE_A, 0);
		if (both)
			add(p, EXPLORE_CLEAN, EXPLORE_B, 0);
		add(p, EXPLORE_DSB_SY, 0, 0);
	}
	if (table) {
		add(p, EXPLORE_WRITE, EXPLORE_ROOT, EXPLORE_EMPTY);
		add(p, EXPLORE_FREE, 0, 0);
	} else if (draw(3) == 0) {
		add(p, EXPLORE_WRITE, EXPLORE_L3_0, EXPLORE_MAP_C);
	}
}

static struct explore_event any_event(void)
{
	static const struct explore_event events[] = {
		{ 0, EXPLORE_WRITE, EXPLORE_L3_0, EXPLORE_MAP_C },
		{ 0, EXPLORE_WRITE, EXPLORE_L3_0, EXPLORE_EMPTY },
		{ 0, EXPLORE_WRITE, EXPLORE_L3_1, EXPLORE_BUSY },
		{ 0, EXPLORE_DMB_ISH, 0, 0 },
		{ 0, EXPLORE_DSB_ISHST, 0, 0 },
		{ 0, EXPLORE_DSB_ISH, 0, 0 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2E1IS, 1 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2E1IS, 2 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2E1IS, 3 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2LE1IS, 3 },
		{ 0, EXPLORE_TLBI, EXPLORE_VMALLE1IS, 0 },
		{ 0, EXPLORE_TLBI, EXPLORE_VMALLS12E1IS, 0 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2E1, 1 },
		{ 0, EXPLORE_TLBI, EXPLORE_VMALLE1, 0 },
		{ 0, EXPLORE_TLBI, EXPLORE_VMALLS12E1, 0 },
		{ 0, EXPLORE_CLEAN, EXPLORE_A, 0 },
		{ 0, EXPLORE_FREE, 0, 0 },
	};

	return events[draw(sizeof(events) / sizeof(events[0]))];
}

static void mutate(struct explore_program *p)
{
	unsigned i = draw(p->nr_events), j = draw(p->nr_events);
	struct explore_event e = p->event[i];

	switch (draw(8)) {
	case 0:
	case 1:
		memmove(&p->event[i], &p->event[i + 1],
			(p->nr_events - i - 1) * sizeof(e));
		p->nr_events--;
		break;
	case 2:
		p->event[i] = p->event[j];
		p->event[j] = e;
		break;
	case 3:
		e = any_event();
		e.pe = p->event[i].pe;
		p->event[i] = e;
		break;
	case 4:
		e = any_event();
		e.pe = p->event[i].pe;
		insert(p, i, e);
		break;
	case 5: /* another TLBI, or another barrier, in place of this one */
	case 6:
		if (e.op == EXPLORE_TLBI) {
			p->event[i].a = (uint8_t)(1 + draw(EXPLORE_VMALLS12E1));
			p->event[i].b = (uint8_t)(1 + draw(3));
		} else if (e.op >= EXPLORE_DMB_ISH && e.op <= EXPLORE_ISB) {
			p->event[i].op =
				(uint8_t)(EXPLORE_DMB_ISH +
					  draw(EXPLORE_ISB - EXPLORE_DMB_ISH + 1));
		}
		break;
	case 7: /* the thread moves, and tells the other PE or does not */
		if (has(p, EXPLORE_HANDOFF))
			break;
		for (unsigned k = i; k < p->nr_events; k++)
			p->event[k].pe = 1;
		if (draw(3))
			insert(p, i, (struct explore_event){ 0, EXPLORE_HANDOFF, 1, 0 });
		break;
	}
}

/*
 * Events on which only one of the two has an opinion: software that writes into a table
 * that it has freed, or frees it twice; an entry of a detached table.
 */
static bool fit(const struct explore_program *p)
{
	bool freed = false, detached = false;

	for (unsigned i = 0; i < p->nr_events; i++) {
		const struct explore_event *e = &p->event[i];

		if (e->op == EXPLORE_WRITE && e->a == EXPLORE_ROOT)
			detached = true;
		if (e->op == EXPLORE_WRITE && e->a != EXPLORE_ROOT && (freed || detached))
			return false;
		if (e->op == EXPLORE_FREE && freed)
			return false;
		freed |= e->op == EXPLORE_FREE;
	}
	return has(p, EXPLORE_WRITE);
}

/* The claims of the program: for the pages whose entries it has written. */
static void promise(struct explore_program *p)
{
	uint8_t pe = p->event[p->nr_events - 1].pe;
	unsigned frames = 0, made = 0;

	for (unsigned i = 0; i < p->nr_events; i++) {
		const struct explore_event *e = &p->event[i];

		if (e->op != EXPLORE_WRITE)
			continue;
		if (e->a == EXPLORE_ROOT)
			frames = 3;
		else
			frames |= 1u << (e->a - EXPLORE_L3_0);
		made |= e->b == EXPLORE_MAP_C;
	}
	/* With page C made, page 0 is not unmapped, but frame A must not be in use. */
	add(p, made ? EXPLORE_GIVE : EXPLORE_RETURN, frames, 0);
	p->event[p->nr_events - 1].pe = pe;
	for (unsigned f = 0; f < 2; f++)
		if (frames >> f & 1) {
			add(p, EXPLORE_READ, f, 0);
			p->event[p->nr_events - 1].pe = pe;
		}
}

static void make_program(struct explore_program *p)
{
	do {
		unsigned n = draw(4);

		*p = (struct explore_program){ .name = "random",
					       .writes = 1,
					       .fwb = draw(2) };
		sound(p);
		while (n--)
			mutate(p);
	} while (!p->nr_events || !fit(p));
	promise(p);
}

/* ---- exceptions -------------------------------------------------------------- */

static void insert_op(struct explore_program *p, unsigned at, unsigned pe, unsigned op,
		      unsigned a)
{
	insert(p, at, (struct explore_event){ (uint8_t)pe, (uint8_t)op, (uint8_t)a, 0 });
}

/*
 * The events of the explorer happen one after the other, even on two PEs. For the judge
 * they are unordered unless one PE was told of the other.
 */
static void hand_over(struct explore_program *p)
{
	for (unsigned i = 1; i < p->nr_events; i++) {
		uint8_t from = p->event[i - 1].pe, to = p->event[i].pe;

		if (p->event[i - 1].op == EXPLORE_HANDOFF || from == to)
			continue;
		insert_op(p, i, from, EXPLORE_HANDOFF, to);
	}
}

/*
 * Release and acquire order a store before the TLBI of the PE that took over, by Arm's
 * model (Handoff+rel-none). The judge requires a DSB there.
 */
static void dsb_at_handoff(struct explore_program *p)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == EXPLORE_HANDOFF) {
			insert_op(p, i, p->event[i].pe, EXPLORE_DSB_ISH, 0);
			insert_op(p, i + 2, p->event[i + 1].a, EXPLORE_DSB_ISH, 0);
			i += 2;
		}
}

/*
 * The combined entries of the explorer hold no pointers to stage-2 tables, so a table is
 * out of reach after IPAS2E1IS. The judge does not rely on that.
 */
static void stage_1_before_free(struct explore_program *p)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == EXPLORE_FREE) {
			uint8_t pe = p->event[i].pe;

			insert_op(p, i, pe, EXPLORE_TLBI, EXPLORE_VMALLE1IS);
			insert_op(p, i + 1, pe, EXPLORE_DSB_ISH, 0);
			i += 2;
		}
}

/* Non-cacheable memory is outer shareable: ISH does not complete its cleans. */
static void cleans_end_with_sy(struct explore_program *p)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == EXPLORE_DSB_ISH)
			p->event[i].op = EXPLORE_DSB_SY;
}

/* The PE of the hypervisor may hold guest translations. */
static void tlbis_end_with_isb(struct explore_program *p)
{
	for (unsigned i = 0; i < p->nr_events; i++)
		if (p->event[i].op == EXPLORE_DSB_ISH || p->event[i].op == EXPLORE_DSB_SY)
			insert_op(p, i + 1, p->event[i].pe, EXPLORE_ISB, 0);
}

static const struct {
	const char *name;
	void (*rewrite)(struct explore_program *p);
} exceptions[] = {
	{ "order-without-handoff", hand_over },
	{ "dsb-at-handoff", dsb_at_handoff },
	{ "stage-1-before-free", stage_1_before_free },
	{ "dsb-ish-after-clean", cleans_end_with_sy },
	{ "isb-on-own-pe", tlbis_end_with_isb },
};
#define EXCEPTIONS (sizeof(exceptions) / sizeof(exceptions[0]))

static bool convicts(const struct explore_program *p)
{
	struct machine *m = judged(p);
	bool yes;

	assert_non_null(m);
	yes = s2m_violations(m) > 0;
	machine_free(m);
	return yes;
}

/* The smallest set of exceptions after which the judge acquits. */
static unsigned excused(const struct explore_program *p)
{
	for (int n = 1; n <= (int)EXCEPTIONS; n++)
		for (unsigned set = 1; set < 1u << EXCEPTIONS; set++) {
			struct explore_program q = *p;

			if (__builtin_popcount(set) != n)
				continue;
			for (unsigned i = 0; i < EXCEPTIONS; i++)
				if (set >> i & 1)
					exceptions[i].rewrite(&q);
			if (!convicts(&q))
				return set;
		}
	return 0;
}

/* ---- the test ------------------------------------------------------------------ */

static void explain(const struct explore_program *p, const struct explore_result *res)
{
	struct machine *m = judged(p);

	print_error("fwb %d, events (PE, op, a, b):", p->fwb);
	for (unsigned i = 0; i < p->nr_events; i++)
		print_error(" {%u,%u,%u,%u}", p->event[i].pe, p->event[i].op,
			    p->event[i].a, p->event[i].b);
	print_error("\nexplorer: %s, %llu states\n", explore_rule_name(res->rule),
		    (unsigned long long)res->states);
	for (unsigned i = 0; i < res->nr_steps; i++)
		print_error("  %2u  %s\n", i + 1, res->steps[i]);
	print_error("judge: %llu violations\n", (unsigned long long)s2m_violations(m));
	for (unsigned i = 0; i < s2m_violations_kept(m); i++)
		print_error("  %s: %s\n", s2m_violation(m, i)->rule,
			    s2m_violation(m, i)->detail);
	machine_free(m);
}

static void known_programs_agree(void **state)
{
	(void)state;
	for (unsigned i = 0; i < nr_programs; i++) {
		const struct known_program *known = &programs[i];
		bool bad = known->expect && known->expect != EXPLORE_HARMLESS;

		if (convicts(&known->p) != bad && (bad || !excused(&known->p)))
			fail_msg("%s: the judge says %s", known->p.name,
				 bad ? "safe" : "unsafe");
	}
}

static void random_programs_agree(void **state)
{
	unsigned long found[EXPLORE_HARMLESS + 1] = { 0 },
					       excuse[1u << EXCEPTIONS] = { 0 };
	unsigned long disagree = 0;

	(void)state;
	print_message("seed %llu, %lu programs\n", (unsigned long long)seed, count);
	for (unsigned long n = 0; n < count; n++) {
		struct explore_program p;
		struct explore_result res;
		unsigned set = 0;
		bool bad;

		make_program(&p);
		assert_int_equal(explore_run(&p, &res), 0);
		assert_int_not_equal(res.verdict, EXPLORE_GAVE_UP);
		bad = res.verdict == EXPLORE_FOUND;
		found[res.rule]++;
		if (convicts(&p) != bad) {
			set = bad ? 0 : excused(&p);
			if (!set && !disagree++)
				explain(&p, &res);
			excuse[set] += set != 0;
		}
		explore_result_free(&res);
	}
	for (unsigned r = 0; r <= EXPLORE_HARMLESS; r++)
		if (found[r])
			print_message("%-20s %6lu\n", explore_rule_name(r), found[r]);
	for (unsigned set = 1; set < 1u << EXCEPTIONS; set++) {
		if (!excuse[set])
			continue;
		print_message("judge stricter      %6lu ", excuse[set]);
		for (unsigned i = 0; i < EXCEPTIONS; i++)
			if (set >> i & 1)
				print_message(" %s", exceptions[i].name);
		print_message("\n");
	}
	if (disagree)
		fail_msg("%lu of %lu programs: the two do not agree", disagree, count);
	/* Both results must be frequent, or the programs test nothing. */
	assert_true(found[EXPLORE_NOTHING] > count / 10);
	assert_true(found[EXPLORE_NOTHING] < count - count / 10);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_programs_agree),
		cmocka_unit_test(random_programs_agree),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		count = strtoul(argv[2], NULL, 0);
	if (argc > 3 || !seed || !count) {
		fprintf(stderr, "usage: test_cross_check [SEED [COUNT]], neither 0\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
