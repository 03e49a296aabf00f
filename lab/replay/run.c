/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: all events of a recording on one machine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/report.h"
#include "run.h"

static int check_all(struct replay *r)
{
	int err = LAB_OK;

	for (size_t i = 0; i < r->t.vms && !err; i++)
		if (r->vm[i])
			err = replay_compare(r, r->vm[i]);
	return err;
}

/* The maps of the VMs, or of the one that is about to end. */
static bool look(struct replay *r)
{
	const char *why = r->out.moments ? moments_due(&r->moments, r->ev) : NULL;
	bool ok = true;

	if (!why)
		return true;
	if (r->ev->op == TRACE_DESTROY)
		return moments_take(&r->moments, r->ev, why, r->ev->vm,
				    &r->vm[r->ev->vm]->flat);
	for (uint32_t i = 0; i < r->t.vms && ok; i++)
		if (r->vm[i])
			ok = moments_take(&r->moments, r->ev, why, i, &r->vm[i]->flat);
	return ok;
}

/* The current event is a call. */
static int call(struct replay *r)
{
	const struct trace_event *ev = r->ev;
	struct s2m_counters linux;
	const struct s2m_counters *n[WAYS] = { &r->call, &linux };
	uint64_t tables;
	int err;

	r->skipped = r->back = false;
	err = ev->op == TRACE_INIT ? replay_vm_init(r) : replay_operate(r);
	if (r->skipped)
		return LAB_OK;
	if (!err && r->merged &&
	    !merged_apply(r->merged, ev, replay_ipa_bits(r, &r->t.vm[ev->vm]), &linux))
		return replay_input_error(r,
					  "Linux's way needs more memory than there is");
	tables = s2m_tables_in_use(r->m);
	if (tables > r->out.most_tables)
		r->out.most_tables = tables;
	if (!err && r->out.account &&
	    !account_call(&r->account, ev, n, r->frames.bytes, tables, r->back))
		return replay_no_memory(r);
	return err == LAB_USAGE ? err : replay_judged(r) | err;
}

static int step(struct replay *r, const struct trace_event *ev)
{
	int err;

	r->ev = ev;
	if (r->trace)
		trace_out_src(r->trace, r->t.name, ev->line);
	if (!look(r))
		return replay_no_memory(r);
	if (ev->op == TRACE_FAILED)
		return LAB_OK;
	if (ev->op != TRACE_PHASE)
		return call(r);
	if (r->out.account)
		account_phase_begins(&r->account);
	err = replay_flush(r);
	return err == LAB_OK ? replay_judged(r) | check_all(r) : err;
}

int replay_all(struct replay *r)
{
	struct trace_event end = { .time = r->t.end - r->t.start,
				   .line = r->t.lines,
				   .column = 1,
				   .task = ACCOUNT_NO_TASK,
				   .op = TRACE_DESTROY };
	int err = LAB_OK;

	for (size_t i = 0; i < r->t.events && !err; i++) {
		if (i % 4096 == 0)
			lab_progress("replay", i, r->t.events);
		err = step(r, &r->t.event[i]);
	}
	for (end.vm = 0; end.vm < r->t.vms && !err; end.vm++)
		if (r->vm[end.vm])
			err = step(r, &end);
	lab_progress_end();
	if (!err && s2m_tables_in_use(r->m))
		err = replay_found(r, "table-leak", 0, "%" PRIu64 " table pages are left",
				   s2m_tables_in_use(r->m));
	if (r->out.account && !account_end(&r->account))
		return replay_no_memory(r);
	if (r->out.moments)
		moments_end(&r->moments);
	return err;
}

bool replay_setup(struct replay *r, const struct replay_how *how)
{
	struct machine_config cfg = {
		.features = lab_machine_features(r->out.features, 0),
		.table_base = replay_table_base(r->out.features),
		.table_pages = REPLAY_TABLE_PAGES,
		.max_violations = REPLAY_FINDINGS,
	};

	r->out.trace = &r->t;
	r->cpus = r->t.cpus;
	r->guest_pes = REPLAY_GUEST_PES;
	if (r->few_pes) {
		r->cpus = r->cpus < REPLAY_FEW_PES ? r->cpus : REPLAY_FEW_PES;
		r->guest_pes = REPLAY_FEW_PES;
	}
	cfg.pes = r->cpus + r->guest_pes;
	r->m = machine_new(&cfg);
	r->vm = calloc(r->t.vms, sizeof(*r->vm));
	r->pending = calloc(r->out.batch ? r->out.batch : 1, sizeof(*r->pending));
	if (how->merged)
		r->merged = merged_new(r->out.features, r->t.vms);
	if (how->account &&
	    account_new(&r->account, &r->t, how->cpu, how->merged ? 2 : 1, how->worst))
		r->out.account = &r->account;
	if (how->account && moments_new(&r->moments, &r->t))
		r->out.moments = &r->moments;
	if (!r->m || !r->vm || !r->pending || (how->merged && !r->merged) ||
	    (how->account && (!r->out.account || !r->out.moments))) {
		fputs("s2lab replay: out of memory\n", stderr);
		return false;
	}
	if (r->trace)
		trace_out_watch(r->trace, r->m);
	s2m_shuffle(r->m, r->seed);
	if (r->merged)
		r->out.merged = merged_costs(r->merged);
	return true;
}

void replay_teardown(struct replay *r)
{
	for (size_t i = 0; r->vm && i < r->t.vms; i++) {
		if (r->vm[i])
			flat_free(&r->vm[i]->flat);
		replay_vm_free(r, (uint32_t)i);
	}
	free(r->vm);
	free(r->pending);
	if (r->out.account)
		account_free(&r->account);
	if (r->out.moments)
		moments_free(&r->moments);
	flat_frames_free(&r->frames);
	merged_free(r->merged);
	if (r->m)
		machine_free(r->m);
}
