// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * s2lab replay: the operations of a recording, done by the engine on the machine
 * model, judged by it, and compared with a flat map. docs/replay.md.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "replay.h"
#include "common/report.h"

#define HCR_VM (UINT64_C(1) << 0)
#define HCR_FWB (UINT64_C(1) << 46)
#define GUEST_PES 4u
#define VMIDS 256u
#define BATCH_MAX 65536u

static const char usage[] =
	"usage: s2lab replay FILE|- [OPTIONS]\n"
	"\n"
	"Does every page-table operation of a recording of KVM (ftrace text, plain or xz;\n"
	"\"-\" is standard input) with the engine, on the machine model, and says what was\n"
	"done, what it cost, and what the same costs as Linux 6.12 does it.\n"
	"\n"
	"  --features LIST  of the CPU: fwb, tlbirange, ttl, bbm1, bbm2, lpa2, hafdbs,\n"
	"                   xnx, ets2, or none (none if the recording has s2_flush, which\n"
	"                   KVM issues without FWB only; else fwb,tlbirange)\n"
	"  --batch N        once more, with up to N unmap calls gathered in a batch, which\n"
	"                   pay for one invalidation together; both are shown\n"
	"  --no-merged      without the comparison with Linux 6.12\n"
	"  --seed N         order in which table pages are handed out; 0: by address (1)\n"
	"  --quiet          print nothing if all is well\n"
	"  --json           print an object\n"
	"\n"
	"Exit status 1 if a rule of the machine was violated or the tables are not what\n"
	"the recording says, 2 if the recording is not well formed (FILE:LINE:COLUMN).\n";

/* A VM of the recording while it is alive. */
struct guest_vm {
	struct s2 s2;
	struct model_port port;
	struct flatmap flat;
	struct s2_batch batch;
	unsigned vmid;
	bool gathering; /* the batch is open */
};

/* An unmap whose invalidation is still to come. */
struct pending {
	uint64_t start, end;
	uint32_t vm;
};

struct replay {
	struct trace t;
	struct machine *m;
	struct merged *merged;
	struct guest_vm **vm;
	struct flat_frames frames;
	struct replay_result out;
	const struct trace_event *ev; /* under way */
	unsigned last_pe;	      /* that did the last operation */
	uint32_t loaded[TRACE_CPUS];  /* VM whose VTCR_EL2 a PE has, + 1 */
	bool vmid[VMIDS];
	uint64_t seed;
	struct pending *pending;
	size_t pendings;
};

/* ---- what can be wrong ----------------------------------------------------- */

static int finding(struct replay *r, const char *rule, uint64_t ipa, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int finding(struct replay *r, const char *rule, uint64_t ipa, const char *fmt, ...)
{
	struct replay_finding *f = &r->out.finding[r->out.findings++];
	va_list ap;

	f->rule = rule;
	f->line = r->ev->line;
	f->ipa = ipa;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
	return LAB_VIOLATION;
}

static int input_error(struct replay *r, const char *what)
{
	lab_progress_end();
	trace_error(&r->t, r->ev->line, r->ev->column, "%s", what);
	return LAB_USAGE;
}

static int no_memory(struct replay *r)
{
	return input_error(r, "out of memory");
}

/*
 * The engine has refused. What only the recording can be blamed for is an input
 * error; anything else is the engine's.
 */
static int refused(struct replay *r, struct guest_vm *vm, int err)
{
	bool mapped = flat_get(&vm->flat, r->ev->addr);

	if (err == S2_E_IPA_RANGE || err == S2_E_PA_RANGE || err == S2_E_ATTR ||
	    (err == S2_E_NOENT && !mapped))
		return input_error(r, s2_strerror(err));
	if (err == S2_E_NOMEM)
		return input_error(r, "more tables than the machine has memory for");
	return finding(r, "refused", r->ev->addr, "%s: %s", trace_op_names[r->ev->op],
		       s2_strerror(err));
}

/* What the machine has found since the last event. */
static int judged(struct replay *r)
{
	unsigned n = s2m_violations_kept(r->m);

	if (!s2m_violations(r->m))
		return LAB_OK;
	for (unsigned i = 0; i < n && r->out.findings < REPLAY_FINDINGS; i++) {
		const struct s2m_violation *v = s2m_violation(r->m, i);

		finding(r, v->rule, v->ipa, "%s", v->detail);
	}
	s2m_violations_clear(r->m);
	return LAB_VIOLATION;
}

static int check(struct replay *r, struct guest_vm *vm)
{
	bool young = !(r->out.features & S2_FEAT_HAFDBS);
	char detail[REPLAY_DETAIL];
	uint64_t ipa;

	r->out.checks++;
	if (replay_check(&vm->s2, &vm->flat, young, &ipa, detail))
		return LAB_OK;
	return finding(r, "table-mismatch", ipa, "%s", detail);
}

/* One more call of @op is done; it began with counters at 0. */
static void counted(struct replay *r, unsigned op)
{
	replay_cost_add(&r->out.cost[op], s2m_counters(r->m));
}

/* ---- VMs and PEs ----------------------------------------------------------- */

static uint64_t root_pa(const struct replay *r, const struct guest_vm *vm)
{
	return s2m_pa(r->m, vm->s2.root);
}

static void load_regs(struct replay *r, unsigned pe, const struct guest_vm *vm)
{
	s2m_sysreg(r->m, pe, S2M_VTCR_EL2, s2_vtcr(&vm->s2));
	s2m_sysreg(r->m, pe, S2M_HCR_EL2,
		   HCR_VM | (r->out.features & S2_FEAT_FWB ? HCR_FWB : 0));
	s2m_barrier(r->m, pe, S2M_ISB);
}

/*
 * The operation runs on the CPU that did it in the recording; the hypervisor's
 * PEs come first, one for each.
 */
static void run_on(struct replay *r, uint32_t i)
{
	struct guest_vm *vm = r->vm[i];
	unsigned pe = r->ev->cpu;

	if (pe != r->last_pe)
		s2m_handoff(r->m, r->last_pe, pe);
	r->last_pe = vm->port.pe = pe;
	if (r->loaded[pe] != i + 1) {
		load_regs(r, pe, vm);
		r->loaded[pe] = i + 1;
	}
}

/*
 * The guest runs on two PEs. With more than two VMs alive PEs are shared: a PE
 * then may at any time run either.
 */
static unsigned guest_pe(const struct replay *r, const struct guest_vm *vm, unsigned i)
{
	return r->t.cpus + (2 * vm->vmid + i) % GUEST_PES;
}

static void guest_start(struct replay *r, struct guest_vm *vm)
{
	for (unsigned i = 0; i < 2; i++) {
		unsigned pe = guest_pe(r, vm, i);

		s2m_handoff(r->m, r->last_pe, pe);
		load_regs(r, pe, vm);
		s2m_guest_enter(r->m, pe, vm->port.vttbr);
	}
}

static void guest_stop(struct replay *r, struct guest_vm *vm)
{
	for (unsigned i = 0; i < 2; i++) {
		s2m_guest_leave(r->m, guest_pe(r, vm, i));
		s2m_handoff(r->m, guest_pe(r, vm, i), r->last_pe);
	}
}

/*
 * What it was, as far as the CPU can; of a VM that the recording does not show the
 * end of, the usual size.
 */
static unsigned ipa_bits(const struct replay *r, const struct trace_vm *tv)
{
	unsigned most = r->out.features & S2_FEAT_LPA2 ? 52 : 48;

	if (tv->ia_bits)
		return tv->ia_bits < most ? tv->ia_bits : most;
	if (tv->end <= UINT64_C(1) << 40)
		return 40;
	return tv->end <= UINT64_C(1) << 48 ? 48 : most;
}

static int vm_init(struct replay *r)
{
	const struct trace_vm *tv = &r->t.vm[r->ev->vm];
	struct guest_vm *vm = calloc(1, sizeof(*vm));
	struct s2_config cfg = {
		.ipa_bits = (uint8_t)ipa_bits(r, tv),
		.pa_bits = (uint8_t)replay_pa_bits(r->out.features),
		.features = r->out.features,
	};
	int err;

	if (!vm)
		return no_memory(r);
	r->vm[r->ev->vm] = vm;
	flat_init(&vm->flat, &r->frames);
	vm->port.m = r->m;
	vm->port.pe = r->last_pe;
	vm->port.fail_alloc = -1;
	cfg.port = &vm->port;
	/* The lowest free one: its last user's entries are soon in the way. */
	for (vm->vmid = 1; vm->vmid < VMIDS && r->vmid[vm->vmid]; vm->vmid++)
		;
	if (vm->vmid == VMIDS)
		return input_error(r, "more than 255 VMs alive at once");
	s2m_counters_reset(r->m);
	err = s2_init(&vm->s2, &cfg);
	counted(r, TRACE_INIT);
	if (err)
		return refused(r, vm, err);
	r->vmid[vm->vmid] = true;
	vm->port.vttbr = s2_vttbr(&vm->s2) | (uint64_t)vm->vmid << 48;
	guest_start(r, vm);
	r->out.wide_vms += tv->ia_bits > 48;
	r->out.unfinished_vms += !tv->ia_bits;
	return LAB_OK;
}

/*
 * The frames that have become free go to their next owners; not while an unmap is
 * pending, which may be of another place where one of them was mapped.
 */
static void frames_free(struct replay *r)
{
	if (r->pendings)
		return;
	for (size_t i = 0; i < r->frames.freed_n; i++)
		s2m_claim_frame_free(r->m, r->last_pe, r->frames.freed[i].pa,
				     r->frames.freed[i].size);
	r->frames.freed_n = 0;
}

static void vm_free(struct replay *r, uint32_t i)
{
	free(r->vm[i]);
	r->vm[i] = NULL;
}

static int vm_destroy(struct replay *r, struct guest_vm *vm)
{
	int err = check(r, vm);
	uint64_t root = root_pa(r, vm), size = UINT64_C(1) << vm->s2.ipa_bits;
	unsigned vmid = vm->vmid;

	if (err)
		return err;
	guest_stop(r, vm);
	s2m_counters_reset(r->m);
	err = s2_destroy(&vm->s2, S2_NO_CLEAN, NULL);
	counted(r, TRACE_DESTROY);
	if (err)
		return refused(r, vm, err);
	r->vmid[vmid] = false;
	/* KVM cleans nothing here: nobody reads the data, the next owner zeroes. */
	s2m_claim_unmapped(r->m, r->last_pe, root, 0, size, S2M_CLAIM_NO_CLEAN);
	if (!flat_free(&vm->flat))
		return no_memory(r);
	vm_free(r, r->ev->vm);
	for (unsigned pe = 0; pe < r->t.cpus; pe++)
		if (r->loaded[pe] == r->ev->vm + 1)
			r->loaded[pe] = 0;
	frames_free(r);
	return LAB_OK;
}

/* ---- operations ------------------------------------------------------------ */

/* The engine says what it really removed; the flat map knows. */
static int check_range(struct replay *r, const struct s2_op *op,
		       const struct flat_range *fr)
{
	if (op->start.ipa == fr->start && op->end.ipa == fr->end)
		return LAB_OK;
	return finding(r, "range-mismatch", r->ev->addr,
		       "the engine reports [0x%" PRIx64 ", 0x%" PRIx64 "), the flat map "
		       "says [0x%" PRIx64 ", 0x%" PRIx64 ")",
		       op->start.ipa, op->end.ipa, fr->start, fr->end);
}

static void claim_unmapped(struct replay *r, struct guest_vm *vm, uint64_t start,
			   uint64_t end)
{
	if (start < end)
		s2m_claim_unmapped(r->m, r->last_pe, root_pa(r, vm), start, end - start,
				   0);
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
 * Before what an embedder may not do while unmaps are pending, or what looks at all of
 * the tables: a map where one is, a frame that one has set free, the end of a VM.
 */
static bool flush_first(const struct replay *r)
{
	const struct trace_event *ev = r->ev;

	if (ev->op == TRACE_DESTROY)
		return true;
	if (ev->op != TRACE_MAP)
		return false;
	if (is_pending(r, ev))
		return true;
	for (size_t i = 0; i < r->frames.freed_n; i++) {
		const struct flat_run *f = &r->frames.freed[i];

		if (ev->phys < f->pa + f->size && ev->phys + ev->size > f->pa)
			return true;
	}
	return false;
}

/* One invalidation for each VM that has something pending; then all of it is true. */
static int flush(struct replay *r)
{
	for (uint32_t i = 0; i < r->t.vms; i++) {
		struct guest_vm *vm = r->vm[i];
		int err;

		if (!vm || !vm->gathering)
			continue;
		run_on(r, i);
		s2m_counters_reset(r->m);
		err = s2_batch_end(&vm->s2, &vm->batch, NULL);
		replay_cost_more(&r->out.cost[TRACE_UNMAP], s2m_counters(r->m));
		if (err)
			return refused(r, vm, err);
		vm->gathering = false;

		for (size_t p = 0; p < r->pendings; p++)
			if (r->pending[p].vm == i)
				claim_unmapped(r, vm, r->pending[p].start,
					       r->pending[p].end);
	}
	r->out.flushes += r->pendings > 0;
	r->pendings = 0;

	frames_free(r);
	return LAB_OK;
}

static int do_map(struct replay *r, struct guest_vm *vm)
{
	const struct trace_event *ev = r->ev;
	struct flat_range fr;
	struct s2_op op = { 0 };
	int err;

	if (ev->phys + ev->size > replay_table_base(r->out.features))
		return input_error(r, r->out.features & S2_FEAT_LPA2 ?
					      "physical addresses end at 51 bits here" :
					      "physical addresses end at 47 bits here");
	if (r->frames.mapped + ev->size / FLAT_PAGE > FLAT_MAX_PAGES)
		return input_error(r, "more than 64 GiB mapped at once");
	err = s2_map(&vm->s2, s2_ipa(ev->addr), s2_pa(ev->phys), ev->size, ev->attr,
		     S2_MAP_REPLACE | S2_DROP_EDGES, &op);
	counted(r, TRACE_MAP);
	if (err)
		return refused(r, vm, err);
	if (!flat_map(&vm->flat, ev->addr, ev->phys, ev->size, ev->attr, &fr))
		return no_memory(r);
	claim_unmapped(r, vm, fr.start, ev->addr);
	claim_unmapped(r, vm, ev->addr + ev->size, fr.end);
	frames_free(r);
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
			return refused(r, vm, err);
		vm->gathering = true;
	}
	if (r->out.batch)
		op.batch = &vm->batch;
	err = s2_unmap(&vm->s2, s2_ipa(ev->addr), ev->size, S2_DROP_EDGES, &op);
	counted(r, TRACE_UNMAP);
	if (err)
		return refused(r, vm, err);
	if (!flat_unmap(&vm->flat, ev->addr, ev->size, &fr))
		return no_memory(r);
	r->out.unmapped += fr.pages * FLAT_PAGE;
	/* Where nothing was, and nothing is pending, there is nothing to wait for. */
	if (r->out.batch && (fr.pages || is_pending(r, ev))) {
		r->pending[r->pendings++] = (struct pending){ fr.start, fr.end, ev->vm };
		err = check_range(r, &op, &fr);
		return r->pendings < r->out.batch || err ? err : flush(r);
	}
	claim_unmapped(r, vm, fr.start, fr.end);
	frames_free(r);
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
		finding(r, "young-mismatch", ev->addr, "the engine says %s",
			young ? "young" : "old");
	return 0;
}

/* Those that change no translation; returns the engine's error. */
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
			flat_relax(&vm->flat, ev->addr, ev->attr);
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
		if (!err)
			flat_split(&vm->flat, ev->addr, ev->size);
		return err;
	}
}

static int operate(struct replay *r)
{
	struct guest_vm *vm = r->vm[r->ev->vm];
	int err;

	if (r->out.batch && flush_first(r)) {
		err = flush(r);
		if (err)
			return err;
	}
	run_on(r, r->ev->vm);
	s2m_counters_reset(r->m);
	switch (r->ev->op) {
	case TRACE_MAP:
		return do_map(r, vm);
	case TRACE_UNMAP:
		return do_unmap(r, vm);
	case TRACE_DESTROY:
		return vm_destroy(r, vm);
	default:
		err = do_change(r, vm);
		counted(r, r->ev->op);
		if (err)
			return refused(r, vm, err);
		if (r->ev->op == TRACE_WRPROTECT)
			s2m_claim_wrprotected(r->m, r->last_pe, root_pa(r, vm),
					      r->ev->addr, r->ev->size);
		return r->out.findings ? LAB_VIOLATION : LAB_OK;
	}
}

static int check_all(struct replay *r)
{
	int err = LAB_OK;

	for (size_t i = 0; i < r->t.vms && !err; i++)
		if (r->vm[i])
			err = check(r, r->vm[i]);
	return err;
}

static int step(struct replay *r, const struct trace_event *ev)
{
	uint64_t tables;
	int err;

	r->ev = ev;
	if (ev->op == TRACE_FAILED)
		return LAB_OK;
	if (ev->op == TRACE_PHASE) {
		err = flush(r);
		return err == LAB_OK ? judged(r) | check_all(r) : err;
	}
	err = ev->op == TRACE_INIT ? vm_init(r) : operate(r);
	if (!err && r->merged &&
	    !merged_apply(r->merged, ev, ipa_bits(r, &r->t.vm[ev->vm])))
		return input_error(r, "Linux's way needs more memory than there is");
	tables = s2m_tables_in_use(r->m);
	if (tables > r->out.most_tables)
		r->out.most_tables = tables;
	return err == LAB_USAGE ? err : judged(r) | err;
}

/* All events; then the VMs that are left, as if they were destroyed there. */
static int replay_all(struct replay *r)
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
		err = finding(r, "table-leak", 0, "%" PRIu64 " table pages are left",
			      s2m_tables_in_use(r->m));
	return err;
}

/* ---- the command ----------------------------------------------------------- */

void replay_cost_add(struct replay_cost *cost, const struct s2m_counters *n)
{
	cost->calls++;
	replay_cost_more(cost, n);
}

void replay_cost_more(struct replay_cost *cost, const struct s2m_counters *n)
{
	cost->sum.pte_reads += n->pte_reads;
	cost->sum.pte_writes += n->pte_writes;
	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		cost->sum.tlbi[i] += n->tlbi[i];
	cost->sum.dsb += n->dsb;
	cost->sum.isb += n->isb;
	cost->sum.clean_lines += n->clean_lines;
	cost->sum.tables_taken += n->tables_taken;
	cost->sum.tables_given += n->tables_given;
	if (n->pte_reads > cost->longest)
		cost->longest = n->pte_reads;
}

static bool setup(struct replay *r, bool merged)
{
	const struct machine_config cfg = {
		.features = lab_machine_features(r->out.features, 0),
		.pes = r->t.cpus + GUEST_PES,
		.table_base = replay_table_base(r->out.features),
		.table_pages = REPLAY_TABLE_PAGES,
		.max_violations = REPLAY_FINDINGS,
	};

	r->out.trace = &r->t;
	r->m = machine_new(&cfg);
	r->vm = calloc(r->t.vms, sizeof(*r->vm));
	r->pending = calloc(r->out.batch ? r->out.batch : 1, sizeof(*r->pending));
	if (merged)
		r->merged = merged_new(r->out.features, r->t.vms);
	if (!r->m || !r->vm || !r->pending || (merged && !r->merged)) {
		fputs("s2lab replay: out of memory\n", stderr);
		return false;
	}
	s2m_shuffle(r->m, r->seed);
	if (r->merged)
		r->out.merged = merged_costs(r->merged);
	return true;
}

/* All but the recording. */
static void teardown(struct replay *r)
{
	for (size_t i = 0; r->vm && i < r->t.vms; i++) {
		if (r->vm[i])
			flat_free(&r->vm[i]->flat);
		vm_free(r, (uint32_t)i);
	}
	free(r->vm);
	free(r->pending);
	flat_frames_free(&r->frames);
	merged_free(r->merged);
	if (r->m)
		machine_free(r->m);
}

/* KVM flushes stage 2 itself only where FWB does not make it needless. */
static void default_features(struct replay *r)
{
	r->out.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE;
	r->out.features_from = "the default";
	for (size_t i = 0; i < r->t.events; i++) {
		if (r->t.event[i].op == TRACE_FLUSH) {
			r->out.features = 0;
			r->out.features_from = "the recording has s2_flush";
			return;
		}
	}
}

enum { O_FEATURES = 1, O_BATCH, O_NO_MERGED, O_SEED, O_QUIET, O_JSON };

static const struct option options[] = {
	{ "features", required_argument, NULL, O_FEATURES },
	{ "batch", required_argument, NULL, O_BATCH },
	{ "no-merged", no_argument, NULL, O_NO_MERGED },
	{ "seed", required_argument, NULL, O_SEED },
	{ "quiet", no_argument, NULL, O_QUIET },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int cmd_replay(int argc, char **argv)
{
	struct replay r = { .seed = 1 }, batched;
	uint64_t batch = 0;
	bool merged = true, quiet = false, json = false;
	int id, status;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (id) {
		case 'h':
			fputs(usage, stdout);
			return LAB_OK;
		case O_FEATURES:
			if (!lab_parse_features("--features", optarg, &r.out.features))
				return LAB_USAGE;
			r.out.features_from = "asked for";
			break;
		case O_BATCH:
			if (!lab_parse_number("--batch", optarg, 1, BATCH_MAX, &batch))
				return LAB_USAGE;
			break;
		case O_NO_MERGED:
			merged = false;
			break;
		case O_SEED:
			if (!lab_parse_number("--seed", optarg, 0, UINT64_MAX, &r.seed))
				return LAB_USAGE;
			break;
		case O_QUIET:
			quiet = true;
			break;
		case O_JSON:
			json = true;
			break;
		default:
			fputs("Try 's2lab replay --help'.\n", stderr);
			return LAB_USAGE;
		}
	}
	if (optind + 1 != argc)
		return lab_usage(optind == argc ? "which recording?" :
						  "one recording at a time");
	if (!trace_read(&r.t, argv[optind]))
		return LAB_USAGE;
	if (!r.out.features_from)
		default_features(&r);
	batched = (struct replay){ .t = r.t, .seed = r.seed, .out = r.out };
	status = setup(&r, merged) ? replay_all(&r) : LAB_USAGE;
	if (status == LAB_OK && batch) {
		batched.out.batch = (uint32_t)batch;
		status = setup(&batched, false) ? replay_all(&batched) : LAB_USAGE;
		r.out.batched = &batched.out;
	}
	if (status != LAB_USAGE && json)
		replay_print_json(&r.out);
	else if (status == LAB_VIOLATION || (status == LAB_OK && !quiet))
		replay_print(&r.out);
	teardown(&batched);
	teardown(&r);
	trace_free(&r.t);
	return status;
}
