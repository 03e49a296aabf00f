/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The strategies that "s2lab compare" compares: ways to unmap, split and collapse. Each
 * works on the tree that the engine has built and uses the machine's events, so that the
 * machine counts and judges it. Only stage2 is in the library; "s2lab replay" uses merged.
 */
#ifndef STAGE2_LAB_STRATEGY_H
#define STAGE2_LAB_STRATEGY_H

#include "common/lab.h"

/* How `posted` counts a table page's references. */
enum posted_count {
	COUNT_LINUX, /* 1 + the number of entries that are not zero */
	COUNT_BARE,  /* the number of entries that are not zero */
};

/* When `posted` frees a table that it removed. */
enum posted_free {
	FREE_RCU,      /* after a grace period; the walk is a read section */
	FREE_RCU_OPEN, /* after a grace period; the walk is no read section */
	FREE_NOW,      /* at once */
};

/* A step of a run that matters for a suspicion. */
struct moment {
	uint64_t step;
	char text[128];
};

#define STORY_MOMENTS 32

/* What happened to the first table that `posted` removed. */
struct posted_story {
	struct moment moment[STORY_MOMENTS];
	unsigned moments;
	uint64_t holder, removed; /* PAs: the page of its entry; the table */
	unsigned holder_least;	  /* the lowest count of the holder */
	uint64_t walk_until;	  /* step of the walk's last read in the removed table */
	uint64_t freed_at;	  /* step at which the removed table was freed */
};

/* The operation on the range. */
enum lab_op { LAB_UNMAP, LAB_SPLIT, LAB_COLLAPSE, LAB_OPS };

/* One strategy on one VM. */
struct lab_run {
	struct lab_vm *vm;
	uint32_t features; /* S2_FEAT_* */
	uint32_t budget;   /* stage2: entries that a step may visit; 0: no limit */
	int to_level;	   /* collapse: the level of the blocks */
	enum posted_count count;
	enum posted_free free;
	struct kvm *kvm; /* all but stage2 */
	struct posted_story story;

	struct s2m_counters total;
	uint64_t longest_step; /* entries visited */
};

/*
 * Ends a step, after which the strategy could let other threads run: adds the machine's
 * counters to run->total and resets them. If the next step reads the entry that this one
 * read last, that is another visit.
 */
void lab_step_end(struct lab_run *run);

struct lab_strategy {
	const char *name;
	const char *says;
	bool must_be_safe;
	bool on_kvm; /* works on run->kvm */
	/* By enum lab_op; NULL: the strategy does not have the operation. */
	int (*work[LAB_OPS])(struct lab_run *run, uint64_t ipa, uint64_t size);
};

extern const struct lab_strategy strategy_entry, strategy_posted, strategy_review,
	strategy_merged, strategy_stage2;

#define LAB_STRATEGIES 5

/* All strategies, ended by NULL. */
extern const struct lab_strategy *const lab_strategies[LAB_STRATEGIES + 1];

#endif /* STAGE2_LAB_STRATEGY_H */
