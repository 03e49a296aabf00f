/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ways of unmapping, splitting and collapsing that "s2lab compare" compares. Each is written on the
 * machine's events, works on the tree that the engine built, and is there to be
 * counted and judged; none but stage2 is in the library.
 */
#ifndef STAGE2_LAB_STRATEGY_H
#define STAGE2_LAB_STRATEGY_H

#include "common/lab.h"

/* How `posted` counts a table page's references. */
enum posted_count {
	COUNT_LINUX, /* one, and one for each entry that is not zero */
	COUNT_BARE,  /* one for each entry that is not zero */
};

/* When `posted` frees a table that it removed. */
enum posted_free {
	FREE_RCU,      /* after a grace period, which the walk holds up */
	FREE_RCU_OPEN, /* after a grace period, which the walk does not hold up */
	FREE_NOW,      /* at once */
};

/* Where in a run something happened that decides about a suspicion. */
struct moment {
	uint64_t step;
	char text[128];
};

#define STORY_MOMENTS 32

/* What `posted` knows, after its run, about the first table that it removed. */
struct posted_story {
	struct moment moment[STORY_MOMENTS];
	unsigned moments;
	uint64_t holder, removed; /* PA of the two table pages */
	unsigned holder_least;	  /* the least its holder's count has been */
	uint64_t walk_until;	  /* step of the walk's last read in the removed table */
	uint64_t freed_at;	  /* step at which the removed table was freed */
};

/* What is done to the range. */
enum lab_op { LAB_UNMAP, LAB_SPLIT, LAB_COLLAPSE, LAB_OPS };

/* One strategy on one VM. */
struct lab_run {
	struct lab_vm *vm;
	uint32_t features; /* S2_FEAT_* */
	uint32_t budget;   /* entries a step may visit, for stage2; 0: any */
	int to_level;	   /* collapse: the blocks' */
	enum posted_count count;
	enum posted_free free;
	struct kvm *kvm; /* the state of all but stage2 */
	struct posted_story story;

	struct s2m_counters total;
	uint64_t longest_step; /* entries visited */
};

/*
 * A step has ended: one after which the strategy could let others run. Its
 * counts are added up here and start anew, so that an entry which the next step
 * looks at first, and this one looked at last, is visited twice.
 */
void lab_step_end(struct lab_run *run);

struct lab_strategy {
	const char *name;
	const char *says;
	bool must_be_safe;
	bool on_kvm; /* works on run->kvm */
	/* By enum lab_op; NULL: it has none. */
	int (*work[LAB_OPS])(struct lab_run *run, uint64_t ipa, uint64_t size);
};

extern const struct lab_strategy strategy_entry, strategy_posted, strategy_review,
	strategy_merged, strategy_stage2;

#define LAB_STRATEGIES 5

/* All of them, and NULL. */
extern const struct lab_strategy *const lab_strategies[LAB_STRATEGIES + 1];

#endif /* STAGE2_LAB_STRATEGY_H */
