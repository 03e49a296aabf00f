/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: the operations of a recording, done by the engine. */
#include <inttypes.h>

#include "run.h"

/* Compares the range that the engine reports with that of the flat map. */
static int check_range(struct replay *r, const struct s2_op *op,
		       const struct flat_range *fr)
{
	if (op->start.ipa == fr->start && op->end.ipa == fr->end)
		return LAB_OK;
	return replay_found(r, "range-mismatch", r->ev->addr,
			    "the engine reports [0x%" PRIx64 ", 0x%" PRIx64
			    "), the flat map "
			    "says [0x%" PRIx64 ", 0x%" PRIx64 ")",
			    op->start.ipa, op->end.ipa, fr->start, fr->end);
}

static void claim_unmapped(struct replay *r, struct guest_vm *vm, uint64_t start,
			   uint64_t end)
{
	if (start < end)
		s2m_claim_unmapped(r->m, r->last_pe, replay_root(r, vm), start,
				   end - start, 0);
}

static bool is_pending(const struct replay *r, const struct trace_event *ev)
{
	for (size_t i = 0; i < r->pendings; i++) {
		const struct pending *p = &r->pending[i];

		if (p->vm == ev->vm && ev->addr < p->end &&
		    ev->addr + ev->size > p->start)
			return true;
	}
	return false;
}

/*
 * Whether the open batches must end before the current event: a change of a range whose
 * unmap is pending, which the engine refuses; a map of a frame whose unmap is pending,
 * which an embedder may not do; or the end of a VM, which compares all of the tables.
 */
static bool flush_first(const struct replay *r)
{
	const struct trace_event *ev = r->ev;

	if (ev->op == TRACE_DESTROY)
		return true;
	if (ev->op != TRACE_UNMAP && ev->op != TRACE_FLUSH && is_pending(r, ev))
		return true;
	if (ev->op != TRACE_MAP)
		return false;
	for (size_t i = 0; i < r->frames.freed_n; i++) {
		const struct flat_run *f = &r->frames.freed[i];

		if (ev->phys < f->pa + f->size && ev->phys + ev->size > f->pa)
			return true;
	}
	return false;
}

int replay_flush(struct replay *r)
{
	for (uint32_t i = 0; i < r->t.vms; i++) {
		struct guest_vm *vm = r->vm[i];
		int err;

		if (!vm || !vm->gathering)
			continue;
		replay_run_on(r, i);
		s2m_counters_reset(r->m);
		err = s2_batch_end(&vm->s2, &vm->batch, NULL);
		replay_cost_more(&r->out.cost[TRACE_UNMAP], s2m_counters(r->m));
		if (err)
			return replay_refused(r, vm, err);
		vm->gathering = false;

		for (size_t p = 0; p < r->pendings; p++)
			if (r->pending[p].vm == i)
				claim_unmapped(r, vm, r->pending[p].start,
					       r->pending[p].end);
	}
	r->out.flushes += r->pendings > 0;
	r->pendings = 0;

	replay_frames_free(r);
	return LAB_OK;
}

static int do_map(struct replay *r, struct guest_vm *vm)
{
	const struct trace_event *ev = r->ev;
	struct flat_range fr;
	struct s2_op op = { 0 };
	int err;

	if (ev->phys + ev->size > replay_table_base(r->out.features))
		return replay_input_error(
			r, r->out.features & S2_FEAT_LPA2 ?
				   "physical addresses end at 51 bits here" :
				   "physical addresses end at 47 bits here");
	err = s2_map(&vm->s2, s2_ipa(ev->addr), s2_pa(ev->phys), ev->size, ev->attr,
		     S2_MAP_REPLACE | S2_DROP_EDGES, &op);
	if (err == S2_E_BATCH && vm->gathering) {
		/*
		 * A table above it was left empty by the batch, and waits for the flush.
		 */
		err = replay_flush(r);
		if (err)
			return err;
		replay_run_on(r, ev->vm);
		s2m_counters_reset(r->m);
		err = s2_map(&vm->s2, s2_ipa(ev->addr), s2_pa(ev->phys), ev->size,
			     ev->attr, S2_MAP_REPLACE | S2_DROP_EDGES, &op);
	}
	replay_counted(r, TRACE_MAP);
	if (err)
		return replay_refused(r, vm, err);
	if (!flat_map(&vm->flat, ev->addr, ev->phys, ev->size, ev->attr, &fr))
		return replay_no_memory(r);
	claim_unmapped(r, vm, fr.start, ev->addr);
	claim_unmapped(r, vm, ev->addr + ev->size, fr.end);
	replay_frames_free(r);
	r->out.mapped += ev->size;
	return check_range(r, &op, &fr);
}

static int do_unmap(struct replay *r, struct guest_vm *vm)
{
	const struct trace_event *ev = r->ev;
	struct flat_range fr;
	struct s2_op op = { 0 };
	int err;

	if (r->out.batch && !vm->gathering) {
		err = s2_batch_begin(&vm->s2, &vm->batch);
		if (err)
			return replay_refused(r, vm, err);
		vm->gathering = true;
	}
	if (r->out.batch)
		op.batch = &vm->batch;
	err = s2_unmap(&vm->s2, s2_ipa(ev->addr), ev->size, S2_DROP_EDGES, &op);
	replay_counted(r, TRACE_UNMAP);
	if (err)
		return replay_refused(r, vm, err);
	if (!flat_unmap(&vm->flat, ev->addr, ev->size, &fr))
		return replay_no_memory(r);
	r->out.unmapped += fr.pages * FLAT_PAGE;
	r->out.empty_unmaps += !fr.pages;
	r->out.empty_visits += fr.pages ? 0 : r->call.pte_reads;
	/* An empty range with nothing pending is unmapped already. */
	if (r->out.batch && (fr.pages || is_pending(r, ev))) {
		r->pending[r->pendings++] = (struct pending){ fr.start, fr.end, ev->vm };
		err = check_range(r, &op, &fr);
		return r->pendings < r->out.batch || err ? err : replay_flush(r);
	}
	claim_unmapped(r, vm, fr.start, fr.end);
	replay_frames_free(r);
	return check_range(r, &op, &fr);
}

static int do_age(struct replay *r, struct guest_vm *vm)
{
	const struct trace_event *ev = r->ev;
	bool young = false, expect;
	int err;

	err = s2_age(&vm->s2, s2_ipa(ev->addr), ev->size, ev->attr ? S2_CLEAR : 0, &young,
		     NULL);
	if (err)
		return err;
	expect = flat_age(&vm->flat, ev->addr, ev->size, ev->attr);
	if (young != expect && !(r->out.features & S2_FEAT_HAFDBS))
		replay_found(r, "young-mismatch", ev->addr, "the engine says %s",
			     young ? "young" : "old");
	return 0;
}

/* The operations that change no output address. Return: the engine's error. */
static int do_change(struct replay *r, struct guest_vm *vm)
{
	const struct trace_event *ev = r->ev;
	s2_ipa_t ipa = s2_ipa(ev->addr);
	int err;

	switch (ev->op) {
	case TRACE_WRPROTECT:
		err = s2_wrprotect(&vm->s2, ipa, ev->size, 0, NULL);
		if (!err)
			flat_wrprotect(&vm->flat, ev->addr, ev->size);
		return err;
	case TRACE_RELAX_PERMS:
		err = s2_relax_perms(&vm->s2, ipa, ev->attr, 0);
		if (!err)
			r->back = flat_relax(&vm->flat, ev->addr, ev->attr);
		return err;
	case TRACE_MKYOUNG:
		err = s2_mkyoung(&vm->s2, ipa, 0);
		if (!err)
			flat_mkyoung(&vm->flat, ev->addr);
		return err;
	case TRACE_AGE:
		return do_age(r, vm);
	case TRACE_FLUSH:
		return s2_clean(&vm->s2, ipa, ev->size, 0, NULL);
	default:
		err = s2_split(&vm->s2, ipa, ev->size, 0, NULL);
		if (!err && !flat_split(&vm->flat, ev->addr, ev->size))
			return S2_E_NOMEM;
		return err;
	}
}

/*
 * A fault may find that its page has gone meanwhile (before Linux 6.2 the call says
 * nothing of it), and what a VM had mapped before the recording began is not known. Such
 * a call has changed nothing that we know of, and is left out.
 */
static bool finds_nothing(const struct replay *r, struct guest_vm *vm)
{
	return (r->ev->op == TRACE_RELAX_PERMS || r->ev->op == TRACE_MKYOUNG) &&
	       !flat_get(&vm->flat, r->ev->addr, NULL);
}

int replay_operate(struct replay *r)
{
	struct guest_vm *vm = r->vm[r->ev->vm];
	int err;

	if (finds_nothing(r, vm)) {
		r->out.found_nothing++;
		r->skipped = true;
		return LAB_OK;
	}

	if (r->out.batch && flush_first(r)) {
		err = replay_flush(r);
		if (err)
			return err;
	}
	replay_run_on(r, r->ev->vm);
	s2m_counters_reset(r->m);
	switch (r->ev->op) {
	case TRACE_MAP:
		return do_map(r, vm);
	case TRACE_UNMAP:
		return do_unmap(r, vm);
	case TRACE_DESTROY:
		return replay_vm_destroy(r, vm);
	default:
		err = do_change(r, vm);
		replay_counted(r, r->ev->op);
		if (err)
			return replay_refused(r, vm, err);
		if (r->ev->op == TRACE_WRPROTECT)
			s2m_claim_wrprotected(r->m, r->last_pe, replay_root(r, vm),
					      r->ev->addr, r->ev->size);
		return r->out.findings ? LAB_VIOLATION : LAB_OK;
	}
}
