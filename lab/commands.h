/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The commands of s2lab, each in a folder of its own. */
#ifndef STAGE2_LAB_COMMANDS_H
#define STAGE2_LAB_COMMANDS_H

/* argv[0] is "s2lab NAME", argv[1] the first option. Return: an enum lab_exit. */
int cmd_compare(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_decode(int argc, char **argv);

#endif /* STAGE2_LAB_COMMANDS_H */
