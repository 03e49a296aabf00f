/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab compare: what is asked for, and what came out. */
#ifndef STAGE2_LAB_COMPARE_H
#define STAGE2_LAB_COMPARE_H

#include "cost.h"
#include "common/options.h"
#include "strategy/strategy.h"

struct compare_options {
	uint64_t ipa, mem; /* the range unmapped, split or collapsed */
	enum lab_op op;
	struct lab_leaf leaf;
	struct lab_leaf to; /* collapse: the blocks; size 0: the next larger */
	uint64_t around;    /* mapped: the range, to multiples of this; 0: the leaf */
	uint64_t call;	    /* unmapped in calls of so many bytes; 0: in one */
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

extern const char *const compare_ops[], *const posted_counts[], *const posted_frees[];

/*
 * Maps, unmaps by one strategy, judges. Return: LAB_OK, or LAB_USAGE after a
 * message. The result's violations are freed by compare_result_free().
 */
int compare_run(const struct compare_options *o, const struct lab_strategy *s,
		struct compare_result *r);
void compare_result_free(struct compare_result *r);

/* What is mapped: [*start, *end), the frames in a row from *frames. */
void compare_mapped(const struct compare_options *o, uint64_t *start, uint64_t *end,
		    uint64_t *frames);

/*
 * Whether what was mapped is so still, by whatever leaves: a message if not. Counts
 * them.
 */
bool compare_still_mapped(const struct compare_options *o, const struct lab_vm *vm,
			  const char *name, uint64_t *leaves);

unsigned compare_ipa_bits(const struct compare_options *o);
unsigned compare_pa_bits(const struct compare_options *o);

/* Prints it all. Return: whether a strategy that must be safe is not. */
bool compare_report(const struct compare_options *o, const struct compare_result *r,
		    unsigned n);

/* The configuration as a JSON object. */
struct cJSON;
struct cJSON *compare_config_json(const struct compare_options *o);
struct cJSON *compare_violations_json(const struct compare_result *r);

/* s2lab compare --suspicions. Return: an enum lab_exit. */
int compare_suspicions(const struct compare_options *o);

#endif /* STAGE2_LAB_COMPARE_H */
