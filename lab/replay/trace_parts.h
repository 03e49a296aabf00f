/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the reader of a recording keeps while it reads: the pgts, the tasks, the bins. */
#ifndef STAGE2_LAB_TRACE_PARTS_H
#define STAGE2_LAB_TRACE_PARTS_H

#include <bsd/sys/tree.h>

#include "trace.h"

/* Makes room for @more elements of @size bytes in *@array. False: memory is short. */
bool trace_grow(void *array, size_t n, size_t *room, size_t more, size_t size);

/* ---- pgts (trace_pgts.c) ----------------------------------------------------- */

enum pgt_state {
	PGT_ALIVE,
	PGT_ENDED,   /* its VM has been destroyed */
	PGT_EARLIER, /* its VM ran before the recording began, and is left out */
};

struct pgt {
	RB_ENTRY(pgt) node;
	uint64_t pgt;
	uint32_t vm; /* PGT_ALIVE: index in trace.vm */
	enum pgt_state state;
};
RB_HEAD(pgt_tree, pgt);

/* NULL: nothing is known of it. */
struct pgt *pgt_find(struct pgt_tree *tree, uint64_t pgt);
/* Adds one that was not there. NULL: memory is short. */
struct pgt *pgt_add(struct pgt_tree *tree, uint64_t pgt, enum pgt_state state);
void pgts_free(struct pgt_tree *tree);

/* ---- tasks (trace_tasks.c) --------------------------------------------------- */

#define TASK_NONE SIZE_MAX	     /* its last event was no map and no relax_perms */
#define TASK_NEW (SIZE_MAX - 1)	     /* it had no event */
#define TASK_LEFT_OUT (SIZE_MAX - 2) /* it was one that is not replayed */

struct task {
	RB_ENTRY(task) node;
	uint64_t pid;
	size_t last;	/* the index of its last event, or one of these */
	uint32_t index; /* in trace.task: under its present name */
};
struct task_name;
RB_HEAD(task_tree, task);
RB_HEAD(task_name_tree, task_name);

struct tasks {
	struct task_tree tree;
	struct task_name_tree names;
};

/* The task with this PID, which now has this name. NULL: memory is short. */
struct task *task_of(struct tasks *ts, struct trace *t, uint64_t pid, const char *name,
		     size_t len);
void tasks_free(struct tasks *ts);

/* ---- bins (trace_bins.c) ----------------------------------------------------- */

/* Makes the bins so wide that @time, in ns since the start, is in one. */
void trace_bins_reach(struct trace_bins *b, uint64_t time);
void trace_bins_count(struct trace_bins *b, uint64_t time);

#endif /* STAGE2_LAB_TRACE_PARTS_H */
