/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each call of a recording cost, by this library and as Linux 6.12 does it: by
 * operation, VM, task and phase, over time, and the dearest calls.
 */
#ifndef STAGE2_LAB_ACCOUNT_H
#define STAGE2_LAB_ACCOUNT_H

#include <stdio.h>

#include "common/cost.h"
#include "tally.h"
#include "trace.h"

enum account_way { WAY_STAGE2, WAY_MERGED, WAYS };
extern const char *const account_way_names[WAYS]; /* "stage2", "merged" */

/* ESTIMATE: in thousandths of the profile's unit; 0 without a profile. */
enum account_measure { VISITS, TLBIS, DSBS, LINES, ESTIMATE, MEASURES };
extern const char *const account_measure_names[MEASURES];

struct call_cost {
	uint64_t n[MEASURES];
};

struct account_group {
	uint64_t calls;
	struct call_cost sum[WAYS];
	struct tally main[WAYS]; /* of the measure by which calls are ranked */
};

struct account_phase {
	const char *text;
	uint32_t line;
	uint64_t time; /* ns since the start */
};

struct account_call {
	struct trace_event ev;
	uint32_t phase;
	struct call_cost cost[WAYS];
};

struct account_bin {
	uint64_t calls[TRACE_OPS];
	struct call_cost sum[WAYS];
	uint64_t mapped, tables; /* at its end */
	bool used;
};

struct account {
	const struct trace *t;
	const struct cost_profile *cpu; /* or NULL */
	unsigned ways;			/* 1: without Linux's */
	enum account_measure rank;	/* ESTIMATE, or VISITS without a profile */
	struct tally op[WAYS][TRACE_OPS + 1][MEASURES]; /* TRACE_OPS: all of them */
	uint64_t times[WAYS][COST_PARTS];
	struct account_group *vm;    /* by number */
	struct account_group *name;  /* by trace.task_name */
	struct account_group *group; /* by phase; 0: before the first mark */
	struct account_phase *phase;
	uint32_t phases, now;
	struct account_bin bin[TRACE_BINS];
	struct account_call *worst[WAYS]; /* the dearest first */
	unsigned worsts[WAYS], worst_most;
	struct account_group back; /* relax_perms that undid a wrprotect */
	FILE *calls;		   /* where each call is written; or NULL */
	/* Sees each call; or NULL. */
	void (*each)(void *arg, const struct account *a, const struct account_call *call);
	void *each_arg;
};

/* The event's task is none that the recording names. */
#define ACCOUNT_NO_TASK UINT32_MAX

/* False: memory is short; nothing is left to free. */
bool account_new(struct account *a, const struct trace *t, const struct cost_profile *cpu,
		 unsigned ways, unsigned worst_most);
void account_free(struct account *a);
/* The phase of the event begins. */
void account_phase_begins(struct account *a);
/*
 * A call has been done. @n: its counters, NULL for a way that is left out; @mapped,
 * @tables: bytes mapped and table pages after it; @back: it undid a write-protection.
 * False: memory is short.
 */
bool account_call(struct account *a, const struct trace_event *ev,
		  const struct s2m_counters *const n[WAYS], uint64_t mapped,
		  uint64_t tables, bool back);
/* After the last call: sorts, and sums up. False: memory is short. */
bool account_end(struct account *a);
/*
 * The numbers of those of @n groups that have calls, the dearest (as Linux does it, if
 * that is counted) first; *count of them. The caller frees it. NULL: memory is short.
 */
uint32_t *account_order(const struct account *a, const struct account_group *g, size_t n,
			size_t *count);

#endif /* STAGE2_LAB_ACCOUNT_H */
