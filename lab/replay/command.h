/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay as a part of another command, which has options of its own. */
#ifndef STAGE2_LAB_REPLAY_COMMAND_H
#define STAGE2_LAB_REPLAY_COMMAND_H

#include <getopt.h>

#include "account.h"
#include "replay.h"

#define REPLAY_OWN_OPTION 256 /* the first value of an option of the other command */

struct replay_user {
	const char *usage;
	const char *letters;	      /* as for getopt() */
	const struct option *options; /* ends with one without a name */
	/* An option of its own, with optarg. False after a message. */
	bool (*option)(void *arg, int id);
	/* Before the first call, after each, with the result. False after a message. */
	bool (*begin)(void *arg, struct account *a);
	void (*call)(void *arg, const struct account *a, const struct account_call *call);
	bool (*result)(void *arg, const struct replay_result *r);
	void *arg;
};

/* As cmd_replay(), and what is printed goes to @user. */
int replay_command(int argc, char **argv, const struct replay_user *user);

#endif /* STAGE2_LAB_REPLAY_COMMAND_H */
