/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_litmus DIR: checks the verdicts of Arm's model in DIR/RESULTS.txt, each line
 * against an exploration of DIR/NAME.litmus. A line is one case.
 *
 * Lines with [memory] are of programs without translation. Both machines run those,
 * litmus_views() and, without exclusives, litmus_run(). What one of them leaves out is
 * said at the end of the line: then it finds "Never" where Arm's model does not.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "litmus.h"

#define MAX_CASES 512
#define MAX_STATES 1000000

struct expected {
	char name[64], verdict[16];
	bool ets2, memory;
	bool no_early_stores; /* litmus_views(): never before an older load */
	bool no_speculation;  /* litmus_run(): no load before an older branch */
};

static const char *dir;
static struct expected cases[MAX_CASES];
static char titles[MAX_CASES][80];
static unsigned nr_cases;

static char *read_file(const char *name, const char *suffix)
{
	char path[1024], *text;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	text = calloc(1, 65536);
	n = text ? fread(text, 1, 65535, f) : 0;
	fclose(f);
	if (!n) {
		free(text);
		return NULL;
	}
	return text;
}

/* Observation NAME VERDICT n n [vmsa,fatal] or [vmsa,fatal,ETS2] ... */
static int read_results(void)
{
	char *text = read_file("RESULTS", ".txt"), *save = NULL;

	if (!text)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct expected *e = &cases[nr_cases];
		char variant[32];

		if (nr_cases == MAX_CASES ||
		    sscanf(line, "Observation %63s %15s %*u %*u [%31[^]]]", e->name,
			   e->verdict, variant) != 3) {
			fprintf(stderr, "%s/RESULTS.txt: line %u not understood: %s\n",
				dir, nr_cases + 1, line);
			free(text);
			return -1;
		}
		e->ets2 = strstr(variant, "ETS2") != NULL;
		e->memory = !strcmp(variant, "memory");
		e->no_early_stores = strstr(line, "no-early-stores") != NULL;
		e->no_speculation = strstr(line, "no-speculation") != NULL;
		snprintf(titles[nr_cases], sizeof(titles[0]), "%s%s", e->name,
			 e->ets2 ? " (ETS2)" : "");
		nr_cases++;
	}
	free(text);
	return 0;
}

static void load(struct litmus *l, const char *name)
{
	char *text = read_file(name, ".litmus"), err[128] = "";

	if (!text)
		fail_msg("%s/%s.litmus cannot be read", dir, name);
	if (litmus_parse(l, text, err, sizeof(err)))
		fail_msg("%s.litmus: %s", name, err);
	free(text);
}

static bool has_exclusives(const struct litmus *l)
{
	bool yes = false;

	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		for (unsigned i = 0; i < l->nr_insns[pe]; i++)
			yes |= l->insn[pe][i].op == LITMUS_LDXR ||
			       l->insn[pe][i].op == LITMUS_DMB_LD;
	return yes;
}

/* The verdict, or what it is with something left out. */
static void has_verdict(const struct litmus_result *res, const char *who,
			const char *verdict, bool left_out)
{
	print_message("%s: %s, %llu states\n", who, litmus_verdict_name(res->verdict),
		      (unsigned long long)res->states);
	free(res->steps);
	if (left_out) {
		assert_string_equal(verdict, "Sometimes");
		verdict = "Never";
	}
	assert_string_equal(litmus_verdict_name(res->verdict), verdict);
}

static void agrees_in_memory(const struct expected *e, const struct litmus *l)
{
	struct litmus_result res;

	assert_int_equal(litmus_views(l, MAX_STATES, &res), 0);
	has_verdict(&res, e->name, e->verdict, e->no_early_stores);
	if (has_exclusives(l)) {
		assert_int_equal(litmus_run(l, false, MAX_STATES, &res), -1);
		return;
	}
	assert_int_equal(litmus_run(l, false, MAX_STATES, &res), 0);
	has_verdict(&res, e->name, e->verdict, e->no_speculation);
}

static void agrees(void **state)
{
	const struct expected *e = *state;
	struct litmus_result res;
	struct litmus l;

	load(&l, e->name);
	assert_string_equal(l.name, e->name);
	if (e->memory) {
		agrees_in_memory(e, &l);
		return;
	}
	assert_int_equal(litmus_run(&l, e->ets2, MAX_STATES, &res), 0);
	print_message("%s: %s, %llu states\n", titles[e - cases],
		      litmus_verdict_name(res.verdict), (unsigned long long)res.states);
	for (unsigned i = 0; i < res.nr_steps; i++)
		print_message("  %2u  %s\n", i + 1, res.steps[i]);
	free(res.steps);
	assert_string_equal(litmus_verdict_name(res.verdict), e->verdict);
}

/* No file is left out: each has a verdict for the base model and one for ETS2. */
static void every_file_has_both_verdicts(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	unsigned files = 0;

	(void)state;
	assert_non_null(d);
	while ((ent = readdir(d))) {
		const char *dot = strrchr(ent->d_name, '.');
		unsigned base = 0, ets2 = 0, memory = 0;

		if (!dot || strcmp(dot, ".litmus"))
			continue;
		files++;
		for (unsigned i = 0; i < nr_cases; i++) {
			size_t n = strlen(cases[i].name);

			if (n != (size_t)(dot - ent->d_name) ||
			    memcmp(cases[i].name, ent->d_name, n))
				continue;
			memory += cases[i].memory;
			base += !cases[i].ets2 && !cases[i].memory;
			ets2 += cases[i].ets2;
		}
		if (memory ? memory != 1 || base || ets2 : base != 1 || ets2 != 1)
			fail_msg("%s: %u, %u and %u lines in RESULTS.txt", ent->d_name,
				 base, ets2, memory);
	}
	closedir(d);
	assert_true(files > 0);
}

static int verdict_of(const char *text, bool ets2)
{
	struct litmus_result res;
	struct litmus l;
	char err[128] = "";

	if (litmus_parse(&l, text, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(litmus_run(&l, ets2, MAX_STATES, &res), 0);
	free(res.steps);
	return res.verdict;
}

/*
 * The definition of FEAT_ETS2: an access that faults is no earlier than what it is
 * ordered after. No file in DIR distinguishes the models. This program does.
 */
static void ets2_orders_a_faulting_walk(void **state)
{
	static const char mp[] =
		"AArch64 MP+fault\n{\n x=1; PTE(x)=(oa:PA(x),valid:0);\n"
		" 0:X0=PTE(x); 0:X1=(oa:PA(x)); 0:X4=f; 1:X4=f; 1:X2=x;\n}\n"
		" P0           | P1             ;\n"
		" STR X1,[X0]  | LDAR W9,[X4]   ;\n"
		" DSB ISH      | L0:LDR W8,[X2] ;\n"
		" MOV W7,#1    |                ;\n"
		" STLR W7,[X4] |                ;\n"
		"exists (1:X9=1 /\\ fault(P1:L0,x))\n";

	(void)state;
	assert_int_equal(verdict_of(mp, false), LITMUS_SOMETIMES);
	assert_int_equal(verdict_of(mp, true), LITMUS_NEVER);
}

/* A TLBI acts on its own PE after DSB and ISB. FEAT_ETS2 needs no ISB. */
static void own_tlbi_needs_context_synchronisation(void **state)
{
	static const char fmt[] =
		"AArch64 Own\n{\n x=1;\n 0:X0=PTE(x); 0:X1=(oa:PA(x),valid:0); 0:X2=x;\n}\n"
		" P0 ;\n LDR W9,[X2] ;\n STR X1,[X0] ;\n DSB ISH ;\n TLBI VMALLE1IS ;\n"
		" DSB ISH ;\n %s ;\n LDR W8,[X2] ;\nexists (0:X8=1)\n";
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), fmt, "NOP");
	assert_int_equal(verdict_of(text, false), LITMUS_SOMETIMES);
	assert_int_equal(verdict_of(text, true), LITMUS_NEVER);
	snprintf(text, sizeof(text), fmt, "ISB");
	assert_int_equal(verdict_of(text, false), LITMUS_NEVER);
}

/* Properties that no file in DIR depends on, and the stage-2 explorer does. */
static void rules_that_no_file_tries(void **state)
{
	static const struct {
		const char *text;
		enum litmus_verdict verdict;
	} own[] = {
		/* stores may become visible in any order; a DMB orders them */
		{ "AArch64 a\n{\n 0:X0=x; 0:X1=y; 1:X0=x; 1:X1=y;\n}\n P0 | P1 ;\n"
		  " MOV W2,#1 | LDAR W3,[X1] ;\n STR W2,[X0] | LDR W4,[X0] ;\n"
		  " NOP | ;\n STR W2,[X1] | ;\nexists (1:X3=1 /\\ 1:X4=0)\n",
		  LITMUS_SOMETIMES },
		{ "AArch64 b\n{\n 0:X0=x; 0:X1=y; 1:X0=x; 1:X1=y;\n}\n P0 | P1 ;\n"
		  " MOV W2,#1 | LDAR W3,[X1] ;\n STR W2,[X0] | LDR W4,[X0] ;\n"
		  " DMB ISH | ;\n STR W2,[X1] | ;\nexists (1:X3=1 /\\ 1:X4=0)\n",
		  LITMUS_NEVER },
		{ "AArch64 c\n{\n 0:X0=x; 0:X1=y; 1:X0=x; 1:X1=y;\n}\n P0 | P1 ;\n"
		  " MOV W2,#1 | LDAR W3,[X1] ;\n STR W2,[X0] | LDR W4,[X0] ;\n"
		  " DMB ISHST | ;\n STR W2,[X1] | ;\nexists (1:X3=1 /\\ 1:X4=0)\n",
		  LITMUS_NEVER },
		/* no store after an access that faults is ever visible */
		{ "AArch64 d\n{\n PTE(y)=(oa:PA(y),valid:0); 0:X0=x; 0:X1=y;\n}\n P0 ;\n"
		  " MOV W2,#1 ;\n LDR W3,[X1] ;\n STR W2,[X0] ;\nexists (x=1)\n",
		  LITMUS_NEVER },
		/* a TLBI of another page leaves the entry, whatever time passes */
		{ "AArch64 e\n{\n x=1; 0:X0=PTE(x); 0:X1=(oa:PA(x),valid:0); 0:X2=y; 0:X4=f;\n"
		  " 1:X2=x; 1:X4=f; 1:X5=PTE(y);\n}\n P0 | P1 ;\n"
		  " STR X1,[X0] | LDAR W9,[X4] ;\n DSB ISH | DSB ISH ;\n"
		  " LSR X5,X2,#12 | ISB ;\n TLBI VAAE1IS,X5 | LDR W8,[X2] ;\n DSB ISH | ;\n"
		  " MOV W7,#1 | ;\n STLR W7,[X4] | ;\nexists (1:X9=1 /\\ 1:X8=1)\n",
		  LITMUS_SOMETIMES },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (verdict_of(own[i].text, true) != (int)own[i].verdict)
			fail_msg("own test %u is not %s", i,
				 litmus_verdict_name(own[i].verdict));
}

static void errors_name_the_line(void **state)
{
	static const char *const bad[][2] = {
		{ "X86 a\n", "line 1" },
		{ "AArch64 a\n{\n x=1\n}\n", "line 4: ';'" },
		{ "AArch64 a\n{ }\n P0 ;\n STP X1,[X2] ;\nexists (0:X1=1)\n", "line 4" },
		{ "AArch64 a\n{ }\n P0 | P1 ;\n NOP ;\nexists (0:X1=1)\n", "line 4" },
		{ "AArch64 a\n{ }\n P0 ;\n CBZ W1,L1 ;\nexists (0:X1=1)\n",
		  "no label L1" },
		{ "AArch64 a\n{ }\n P0 ;\n NOP ;\nexists (0:X1=1) x\n", "line 5" },
		{ "AArch64 a\n{ }\n P0 ;\n NOP ;\n", "line 5" },
		{ "AArch64 a\n{ ", "line 2" },
		{ "", "line 1" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct litmus l;
		char err[128] = "";

		assert_int_equal(litmus_parse(&l, bad[i][0], err, sizeof(err)), -1);
		if (!strstr(err, bad[i][1]))
			fail_msg("text %u: '%s' does not say '%s'", i, err, bad[i][1]);
	}
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[MAX_CASES + 8] = {
		cmocka_unit_test(every_file_has_both_verdicts),
		cmocka_unit_test(ets2_orders_a_faulting_walk),
		cmocka_unit_test(own_tlbi_needs_context_synchronisation),
		cmocka_unit_test(rules_that_no_file_tries),
		cmocka_unit_test(errors_name_the_line),
	};
	unsigned n = 5;

	if (argc != 2) {
		fprintf(stderr, "usage: test_litmus DIR\n");
		return 2;
	}
	dir = argv[1];
	if (read_results() || !nr_cases) {
		fprintf(stderr, "%s/RESULTS.txt cannot be read\n", dir);
		return 2;
	}
	for (unsigned i = 0; i < nr_cases; i++)
		tests[n++] = (struct CMUnitTest){
			.name = titles[i],
			.test_func = agrees,
			.initial_state = &cases[i],
		};
	return _cmocka_run_group_tests("litmus", tests, n, NULL, NULL);
}
