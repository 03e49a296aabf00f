/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* explore --list | --table | --all | NAME...: explores unmaps */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "programs.h"

static const char usage[] =
	"usage: explore --list | --table\n"
	"       explore --all | NAME...\n"
	"Explores every execution of an unmap beside a guest and prints the number of\n"
	"states, and the shortest list of steps to a bad one if there is one.\n"
	"  -l, --list   the names, and what each is\n"
	"  -a, --all    all of them\n"
	"  -t, --table  the verdict on each, in a line\n"
	"Exit status: 0 as expected, 1 not as expected, 2 usage.\n";

static int explore(const struct known_program *known)
{
	const struct explore_program *p = &known->p;
	struct explore_result res;
	bool expected;

	if (explore_run(p, &res)) {
		fprintf(stderr, "explore: %s: not a program, or out of memory\n",
			p->name);
		return 1;
	}
	printf("%s: %s\n", p->name, p->says);
	for (unsigned i = 0; i < res.nr_steps; i++)
		printf("  %2u  %s\n", i + 1, res.steps[i]);
	switch (res.verdict) {
	case EXPLORE_SAFE:
		printf("  safe: all %llu states visited, unmap done in %llu of them\n",
		       (unsigned long long)res.states, (unsigned long long)res.returned);
		break;
	case EXPLORE_FOUND:
		printf("  %s after %u steps (%llu states visited)\n",
		       explore_rule_name(res.rule), res.nr_steps,
		       (unsigned long long)res.states);
		break;
	case EXPLORE_GAVE_UP:
		printf("  gave up after %llu states\n", (unsigned long long)res.states);
		break;
	}
	expected = res.verdict != EXPLORE_GAVE_UP && res.rule == known->expect;
	explore_result_free(&res);
	return !expected;
}

static int table(void)
{
	int status = 0;

	printf("%-26s %-19s %8s %6s\n", "unmap", "verdict", "states", "steps");
	for (unsigned i = 0; i < nr_programs; i++) {
		const struct known_program *known = &programs[i];
		struct explore_result res;

		if (explore_run(&known->p, &res))
			return 1;
		if (res.verdict == EXPLORE_GAVE_UP || res.rule != known->expect)
			status = 1;
		printf("%-26s %-19s %8llu", known->p.name,
		       res.verdict == EXPLORE_SAFE  ? "safe" :
		       res.verdict == EXPLORE_FOUND ? explore_rule_name(res.rule) :
						      "gave up",
		       (unsigned long long)res.states);
		if (res.nr_steps)
			printf(" %6u", res.nr_steps);
		putchar('\n');
		explore_result_free(&res);
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ "list", no_argument, NULL, 'l' },
		{ "table", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	bool all = false;
	int c, status = 0;

	while ((c = getopt_long(argc, argv, "ahlt", options, NULL)) != -1)
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'l':
			for (unsigned i = 0; i < nr_programs; i++)
				printf("%-28s %s\n", programs[i].p.name,
				       programs[i].p.says);
			return 0;
		case 't':
			return table();
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (all == (optind < argc)) {
		fputs(usage, stderr);
		return 2;
	}
	for (unsigned i = 0; all && i < nr_programs; i++)
		status |= explore(&programs[i]);
	for (int i = optind; i < argc; i++) {
		unsigned n = 0;

		while (n < nr_programs && strcmp(programs[n].p.name, argv[i]))
			n++;
		if (n == nr_programs) {
			fprintf(stderr, "explore: no program %s, see explore --list\n",
				argv[i]);
			return 2;
		}
		status |= explore(&programs[n]);
	}
	return status;
}
