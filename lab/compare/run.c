/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One strategy, on a fresh machine: map the range, run the strategy on it, keep the
 * counters and the verdicts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/granule.h"
#include "common/options.h"
#include "common/report.h"
#include "compare.h"
#include "strategy/kvm.h"

#define MIB (UINT64_C(1) << 20)

static int map(struct lab_vm *vm, const struct compare_options *o)
{
	const uint32_t flags = o->leaf.level == 3 ? S2_MAP_PAGES : 0;
	uint64_t ipa, end, pa, n;

	compare_mapped(o, &ipa, &end, &pa);
	for (; ipa < end; ipa += n, pa += n) {
		int err;

		/* The engine uses the largest block that fits, so map one leaf a call. */
		n = o->leaf.level == 3 ? round_up(ipa + 1, 64 * MIB) - ipa : o->leaf.size;
		if (n > end - ipa)
			n = end - ipa;
		err = s2_map(&vm->s2, s2_ipa(ipa), s2_pa(pa), n, S2_R | S2_W, flags,
			     NULL);
		if (err)
			return err;
		lab_progress("mapping", ipa, end);
	}
	return 0;
}

/* Claims to the machine what is true once the last call has returned. */
static void claim(struct lab_vm *vm, const struct compare_options *o)
{
	/* A block at an edge is unmapped whole (S2_DROP_EDGES). */
	uint64_t lo = o->ipa - o->ipa % o->leaf.size;
	uint64_t hi = round_up(o->ipa + o->mem, o->leaf.size);
	uint64_t start, end, frames;

	compare_mapped(o, &start, &end, &frames);
	if (o->empty) {
		lo = o->ipa;
		hi = o->ipa + o->mem;
	}
	s2m_claim_unmapped(vm->m, 0, lab_vm_root(vm), lo, hi - lo, 0);
	if (!o->empty)
		s2m_claim_frame_free(vm->m, 0, frames + (lo - start), hi - lo);
}

static void keep(struct compare_result *r, const struct machine *m)
{
	r->violations = s2m_violations(m);
	r->kept = s2m_violations_kept(m);
	r->violation = calloc(r->kept ? r->kept : 1, sizeof(*r->violation));
	if (!r->violation)
		abort();
	for (unsigned i = 0; i < r->kept; i++)
		r->violation[i] = *s2m_violation(m, i);
}

static int work(struct lab_run *run, const struct compare_options *o,
		const struct lab_strategy *s, struct compare_result *r)
{
	struct machine *m = run->vm->m;
	const uint64_t end = o->ipa + o->mem;
	uint64_t ipa = o->ipa, n;
	int err = 0;

	s2m_counters_reset(m);
	if (o->steps) {
		printf("%s:\n", s->name);
		s2m_log(m, stdout);
	}
	for (; ipa < end && !err; ipa += n, r->calls++) {
		n = o->call && o->call < end - ipa ? o->call : end - ipa;
		err = s->work[o->op](run, ipa, n);
		if (!err && n < o->mem && o->op == LAB_UNMAP)
			s2m_claim_unmapped(m, 0, lab_vm_root(run->vm), ipa, n, 0);
		lab_progress(s->name, ipa - o->ipa, o->mem);
	}
	if (!err && o->op == LAB_UNMAP)
		claim(run->vm, o);
	s2m_log(m, NULL);
	r->n = run->total;
	r->longest_step = run->longest_step;
	r->story = run->story;
	r->tables_left = s2m_tables_in_use(m);
	r->root_pages = run->vm->s2.root_pages;
	keep(r, m);
	return err;
}

int compare_run(const struct compare_options *o, const struct lab_strategy *s,
		struct compare_result *r)
{
	bool lost = false;
	const struct lab_vm_config cfg = {
		.ipa_bits = compare_ipa_bits(o),
		.pa_bits = compare_pa_bits(o),
		.page_shift = o->leaf.page_shift,
		.features = o->features,
		.vcpus = 2,
		.vmid = 1,
		.table_pages = compare_tables(o),
		.seed = o->seed,
		.max_violations = o->max_violations,
		.trace = trace_option_open(&o->trace, &lost),
	};
	struct lab_vm vm;
	struct lab_run run = {
		.vm = &vm,
		.features = o->features,
		.budget = o->budget,
		.to_level = o->to.level,
		.count = o->count,
		.free = o->free,
	};
	char names[LAB_FEATURES_LEN];
	int err;

	memset(r, 0, sizeof(*r));
	if (lost)
		return LAB_USAGE;
	r->strategy = s;
	if (cfg.trace)
		trace_out_src(cfg.trace, s->name, 0);
	err = lab_vm_init(&vm, &cfg);
	if (err) {
		trace_option_close(&o->trace, cfg.trace);
		return lab_usage("%u bits of IPA, %u of PA, features %s: %s",
				 cfg.ipa_bits, cfg.pa_bits,
				 lab_features_text(o->features, names), s2_strerror(err));
	}
	if (!o->empty)
		err = map(&vm, o);
	if (!err && s->on_kvm) {
		run.kvm = kvm_new(&vm, o->features,
				  s == &strategy_posted ? o->count : COUNT_LINUX);
		if (!run.kvm)
			err = S2_E_NOMEM;
	}
	if (!err)
		err = work(&run, o, s, r);
	lab_progress_end();
	if (!err && o->op != LAB_UNMAP)
		lost = !compare_still_mapped(o, &vm, s->name, &r->leaves);
	/* A trace for Casemate ends with the end of the tree. */
	if (!err && cfg.trace && !s->on_kvm)
		err = lab_vm_destroy(&vm, S2_NO_CLEAN);
	kvm_free(run.kvm);
	lab_vm_free(&vm);
	if (!trace_option_close(&o->trace, cfg.trace)) {
		compare_result_free(r);
		return LAB_USAGE;
	}
	if (err) {
		compare_result_free(r);
		return lab_usage("%s: %s", s->name, s2_strerror(err));
	}
	if (lost)
		compare_result_free(r);
	return lost ? LAB_VIOLATION : LAB_OK;
}

void compare_result_free(struct compare_result *r)
{
	free(r->violation);
	r->violation = NULL;
}
