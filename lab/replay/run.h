/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab replay: a recording while it is replayed. The files of this folder call downwards
 * only:
 *
 * replay.c	the command line
 * report.c, json.c	the output, by account_text.c, account_json.c and advice.c
 * run.c	all events; then operations.c, vms.c, findings.c, check.c
 * merged.c	the same as Linux does it, on a machine of its own
 * account.c, moments.c	what each call cost, what was mapped when; tally.c
 * flatmap.c	what should be mapped; flat_frames.c
 * trace.c	the reader; trace_head.c, trace_line.c, trace_pgts.c and so on
 *
 * Only the reader knows text. Only operations.c, vms.c, findings.c and run.c touch the
 * machine and the engine, merged.c its own machine, check.c reads the engine's tables.
 *
 * A function that returns int returns an enum lab_exit; what went wrong is then in
 * replay.out or, for LAB_USAGE, on stderr.
 */
#ifndef STAGE2_LAB_REPLAY_RUN_H
#define STAGE2_LAB_REPLAY_RUN_H

#include "replay.h"

#define REPLAY_GUEST_PES 4u
/* For Casemate, which has four threads. */
#define REPLAY_FEW_PES 2u
#define REPLAY_VMIDS 256u

/* A VM of the recording while it is alive. */
struct guest_vm {
	struct s2 s2;
	struct model_port port;
	struct flatmap flat;
	struct s2_batch batch;
	unsigned vmid;
	bool gathering; /* the batch is open */
};

/* An unmap in an open batch: its invalidation has not been issued. */
struct pending {
	uint64_t start, end;
	uint32_t vm;
};

struct replay {
	struct trace t;
	struct machine *m;
	struct merged *merged;
	struct trace_out *trace; /* where the events are written; or NULL */
	bool few_pes;		 /* the trace is for Casemate */
	unsigned ipa_bits;	 /* of every VM, at least; 0: as recorded */
	struct guest_vm **vm;	 /* by the number of the VM; NULL: not alive */
	struct flat_frames frames;
	struct account account;
	struct moments moments;
	struct replay_result out;
	struct s2m_counters call;     /* what the current event cost so far */
	bool skipped;		      /* it was left out */
	bool back;		      /* it undid a write-protection */
	const struct trace_event *ev; /* the current event */
	unsigned cpus, guest_pes;     /* PEs of the hypervisor; of guests */
	unsigned last_pe;	      /* the PE of the last operation */
	uint32_t loaded[TRACE_CPUS];  /* the VM whose registers a PE has, + 1 */
	bool vmid[REPLAY_VMIDS];      /* VMIDs in use */
	uint64_t seed;
	struct pending *pending;
	size_t pendings;
};

/* Counts one more call of @op; the machine's counters were 0 before it. */
static inline void replay_counted(struct replay *r, unsigned op)
{
	r->call = *s2m_counters(r->m);
	replay_cost_add(&r->out.cost[op], &r->call);
}

/* ---- findings.c ------------------------------------------------------------- */

/* Records a violation at the current event. Return: LAB_VIOLATION. */
int replay_found(struct replay *r, const char *rule, uint64_t ipa, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Prints the message with the place of the current event. Return: LAB_USAGE. */
int replay_input_error(struct replay *r, const char *what);
int replay_no_memory(struct replay *r);
/* Reports @err, which the engine returned for the current event. */
int replay_refused(struct replay *r, struct guest_vm *vm, int err);
/* Takes over the violations that the machine has recorded. */
int replay_judged(struct replay *r);
/* Compares the VM's tables with its flat map. */
int replay_compare(struct replay *r, struct guest_vm *vm);

/* ---- vms.c ------------------------------------------------------------------ */

/* The PA of the VM's root table. */
uint64_t replay_root(const struct replay *r, const struct guest_vm *vm);
/* The current event's PE becomes the PE on which the engine works for VM @i. */
void replay_run_on(struct replay *r, uint32_t i);
/* The IPA size with which the VM is replayed. */
unsigned replay_ipa_bits(const struct replay *r, const struct trace_vm *tv);
/* The current event is a VM's init, or its destroy. */
int replay_vm_init(struct replay *r);
int replay_vm_destroy(struct replay *r, struct guest_vm *vm);
/* Frees the memory of VM @i, if it is alive. */
void replay_vm_free(struct replay *r, uint32_t i);
/* Claims to the machine that the frames which no VM maps any more are free. */
void replay_frames_free(struct replay *r);

/* ---- operations.c ----------------------------------------------------------- */

/* Does the current event, which is an operation on a VM that is alive. */
int replay_operate(struct replay *r);
/* Ends every open batch, and makes the claims that had to wait for it. */
int replay_flush(struct replay *r);

/* ---- run.c ------------------------------------------------------------------ */

/* How to replay; all false or NULL: once more, for the costs in batches. */
struct replay_how {
	bool merged;  /* as Linux does it, too */
	bool account; /* with the cost of each call */
	const struct cost_profile *cpu;
	unsigned worst; /* calls in each list */
};

/* Makes the machine for the recording r->t. False after a message: no memory. */
bool replay_setup(struct replay *r, const struct replay_how *how);
/* Replays all events; VMs left at the end are destroyed. */
int replay_all(struct replay *r);
/* Frees everything but the recording. */
void replay_teardown(struct replay *r);

#endif /* STAGE2_LAB_REPLAY_RUN_H */
