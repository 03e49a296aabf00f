/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab compare: its options and its results. */
#ifndef STAGE2_LAB_COMPARE_H
#define STAGE2_LAB_COMPARE_H

#include "common/cost.h"
#include "common/options.h"
#include "strategy/strategy.h"

struct compare_options {
	uint64_t ipa, mem; /* the range to unmap, split or collapse */
	enum lab_op op;
	struct lab_leaf leaf; /* what the range is mapped with */
	struct lab_leaf to;   /* collapse: the blocks; size 0: the next larger */
	uint64_t around; /* the mapping extends to multiples of this; 0: of the leaf */
	uint64_t call;	 /* bytes in one unmap call; 0: the whole range */
	uint64_t seed;
	uint32_t features;
	uint32_t budget;
	unsigned ipa_bits;	 /* 0: the least that holds the range, not below 40 */
	unsigned pa_bits;	 /* 0: 48, or 52 where something asked for needs it */
	unsigned max_violations; /* kept in full; 0: the machine's default */
	enum posted_count count;
	enum posted_free free;
	const struct cost_profile *cpu; /* NULL: no estimate */
	uint32_t strategies;		/* bit n: lab_strategies[n] */
	bool empty, by_page, json, steps;
	struct trace_option trace;
};

struct compare_result {
	const struct lab_strategy *strategy;
	struct s2m_counters n;
	struct s2m_violation *violation; /* those kept */
	unsigned kept;
	uint64_t violations; /* all */
	uint64_t longest_step;
	uint64_t calls;
	uint64_t leaves;      /* after a split or a collapse */
	uint64_t tables_left; /* the root's among them */
	uint64_t root_pages;
	struct posted_story story;
};

/* ---- config.c --------------------------------------------------------------- */

/* The names on the command line, each list ended by NULL. */
extern const char *const compare_ops[], *const posted_counts[], *const posted_frees[];

/* What is mapped: IPAs [*start, *end), to consecutive frames from *frames. */
void compare_mapped(const struct compare_options *o, uint64_t *start, uint64_t *end,
		    uint64_t *frames);
/* The number of table pages that the mapping and the operation may need. */
uint64_t compare_tables(const struct compare_options *o);

unsigned compare_ipa_bits(const struct compare_options *o);
unsigned compare_ipa_bits_min(const struct compare_options *o);
unsigned compare_ipa_bits_max(const struct compare_options *o);
unsigned compare_pa_bits(const struct compare_options *o);

/* ---- check.c ---------------------------------------------------------------- */

/*
 * Whether a split or a collapse has left every address mapped to its frame; if not,
 * prints a message. *leaves becomes the number of leaves.
 */
bool compare_still_mapped(const struct compare_options *o, const struct lab_vm *vm,
			  const char *name, uint64_t *leaves);

/* ---- run.c ------------------------------------------------------------------ */

/*
 * Maps the range and runs one strategy on it. Return: LAB_OK; LAB_USAGE after a
 * message; LAB_VIOLATION, after a message, if the strategy lost a mapping. After
 * LAB_OK the caller calls compare_result_free().
 */
int compare_run(const struct compare_options *o, const struct lab_strategy *s,
		struct compare_result *r);
void compare_result_free(struct compare_result *r);

/* ---- report.c --------------------------------------------------------------- */

/* Prints the results. Return: whether a strategy that must be safe is unsafe. */
bool compare_report(const struct compare_options *o, const struct compare_result *r,
		    unsigned n);

/* The options as a JSON object. */
struct cJSON;
struct cJSON *compare_config_json(const struct compare_options *o);

/* ---- suspicions.c ----------------------------------------------------------- */

/* s2lab compare --suspicions. Return: an enum lab_exit. */
int compare_suspicions(const struct compare_options *o);

#endif /* STAGE2_LAB_COMPARE_H */
