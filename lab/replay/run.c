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

static int step(struct replay *r, const struct trace_event *ev)
{
	uint64_t tables;
	int err;

	r->ev = ev;
	if (r->trace)
		trace_out_src(r->trace, r->t.name, ev->line);
	if (ev->op == TRACE_FAILED)
		return LAB_OK;
	if (ev->op == TRACE_PHASE) {
		err = replay_flush(r);
		return err == LAB_OK ? replay_judged(r) | check_all(r) : err;
	}
	err = ev->op == TRACE_INIT ? replay_vm_init(r) : replay_operate(r);
	if (!err && r->merged &&
	    !merged_apply(r->merged, ev, replay_ipa_bits(r, &r->t.vm[ev->vm])))
		return replay_input_error(r,
					  "Linux's way needs more memory than there is");
	tables = s2m_tables_in_use(r->m);
	if (tables > r->out.most_tables)
		r->out.most_tables = tables;
	return err == LAB_USAGE ? err : replay_judged(r) | err;
}

int replay_all(struct replay *r)
{
	struct trace_event end = { .line = r->t.lines, .column = 1, .op = TRACE_DESTROY };
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
	return err;
}

bool replay_setup(struct replay *r, bool merged)
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
	if (merged)
		r->merged = merged_new(r->out.features, r->t.vms);
	if (!r->m || !r->vm || !r->pending || (merged && !r->merged)) {
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
	flat_frames_free(&r->frames);
	merged_free(r->merged);
	if (r->m)
		machine_free(r->m);
}
