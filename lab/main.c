/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab: runs the command that is the first argument. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/lab.h"
#include "common/options.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *says;
} commands[] = {
	{ "compare", cmd_compare,
	  "what ways to unmap, split and collapse cost, and which are unsafe" },
	{ "replay", cmd_replay, "drive the engine with a recorded KVM trace" },
	{ "report", cmd_report,
	  "a recorded KVM trace as a page, or for ui.perfetto.dev" },
	{ "judge", cmd_judge, "judge event traces of this and of other programs" },
	{ "plan", cmd_plan, "the TLB invalidations for a range" },
	{ "decode", cmd_decode, "descriptors, VTCR_EL2 and TLBI operands in words" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *f)
{
	fprintf(f, "usage: s2lab COMMAND [OPTIONS]\n\n"
		   "Arm stage-2 translation tables, on a machine model that judges"
		   " every step.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].says);
	fprintf(f, "\n's2lab help COMMAND' tells more. Exit status: 0 fine,"
		   " 1 violation found where\nnone is allowed, 2 usage or input"
		   " error.\n");
}

static const struct command *command_of(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	fprintf(stderr, "s2lab: no command '%s'\n", name);
	fprintf(stderr, "Try 's2lab --help'.\n");
	return NULL;
}

/* @status, unless what was printed could not be written. */
static int written(int status)
{
	const bool before = ferror(stdout);

	if (!fflush(stdout) && !before)
		return status;
	fprintf(stderr, "s2lab: the output cannot be written%s%s\n", before ? "" : ": ",
		before ? "" : strerror(errno));
	return LAB_USAGE;
}

int main(int argc, char **argv)
{
	static char name[32], help_option[] = "--help";
	const struct command *c;
	bool asked;

	if (argc < 2) {
		help(stderr);
		return LAB_USAGE;
	}
	asked = !strcmp(argv[1], "help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (asked && argc == 2)) {
		help(stdout);
		return written(LAB_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("s2lab %d.%d.%d\n", S2_VERSION_MAJOR, S2_VERSION_MINOR,
		       S2_VERSION_PATCH);
		return written(LAB_OK);
	}
	c = command_of(argv[1 + asked]);
	if (!c)
		return LAB_USAGE;
	lab_command = c->name;
	/* getopt_long() begins its messages with argv[0]. */
	snprintf(name, sizeof(name), "s2lab %s", lab_command);
	argv[1] = name;
	/* "help COMMAND" is "COMMAND --help". */
	if (asked)
		argv[2] = help_option;
	return written(c->run(asked ? 2 : argc - 1, argv + 1));
}
