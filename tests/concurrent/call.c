/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One call of a thread. A shared call runs in a read-side section; when it has to wait it
 * is made again from the start, with an op that knows of nothing. An exclusive call runs
 * under the lock, and goes on, after others had the lock, until its budgets have
 * sufficed. What it promised is judged when it returns (judge.c).
 */
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "weak.h"

#define STEPS_MAX 200 /* of one operation */

const struct scenario *sc;
uint64_t probe[PROBES];
unsigned nprobe;

static const char *const kind_name[] = {
	[CALL_MAP] = "map",
	[CALL_UNMAP] = "unmap",
	[CALL_WRPROTECT] = "wrprotect",
	[CALL_RELAX] = "relax",
	[CALL_MKYOUNG] = "mkyoung",
	[CALL_AGE] = "age",
	[CALL_SPLIT] = "split",
	[CALL_COLLAPSE] = "collapse",
	[CALL_CLEAN] = "clean",
	[CALL_LOOKUP] = "lookup",
	[CALL_TRANSLATE] = "translate",
	[CALL_DIRTY] = "dirty",
	[CALL_SURVEY] = "survey",
	[CALL_ITER] = "iter",
	[CALL_ANNOTATE] = "annotate",
	[CALL_BATCH_BEGIN] = "batch_begin",
	[CALL_BATCH_END] = "batch_end",
	[CALL_TOUCH] = "access by a PE",
	[CALL_WRITE] = "write by a PE",
};

void call_describe(unsigned call, char *buf, size_t size)
{
	const struct call *c = &sc->call[call];

	snprintf(buf, size, "%c %s 0x%llx+0x%llx", 'a' + call, kind_name[c->kind],
		 (unsigned long long)c->ipa, (unsigned long long)c->size);
}

unsigned call_now(void)
{
	int call = current() == NOBODY ? -1 : world.thread[current()].call;

	return call < 0 ? CALLS : (unsigned)call;
}

enum call_kind call_running(void)
{
	return call_now() == CALLS ? CALL_NONE : sc->call[call_now()].kind;
}

bool call_waives(void)
{
	return call_now() < CALLS && sc->call[call_now()].flags & S2_NO_CLEAN;
}

/* ---- a call ---- */

/* What a thread brings for its calls: NULL, or on its stack. */
struct bag {
	struct s2_dirty_log *log;
	struct s2_batch *batch;
};

static int make_call(unsigned call, struct s2_op *op, const struct bag *bag, bool shared)
{
	const struct call *c = &sc->call[call];
	uint32_t flags = c->flags | (shared ? S2_SHARED : 0);
	s2_ipa_t ipa = s2_ipa(c->ipa);
	struct s2_mapping m;
	struct s2_leaf leaf;
	bool young = false;
	int ret;

	switch (c->kind) {
	case CALL_MAP:
		return s2_map(&world.s2, ipa, s2_pa(c->pa), c->size, c->attr, flags, op);
	case CALL_UNMAP:
		return s2_unmap(&world.s2, ipa, c->size, flags, op);
	case CALL_WRPROTECT:
		return s2_wrprotect(&world.s2, ipa, c->size, flags, op);
	case CALL_RELAX:
		return s2_relax_perms(&world.s2, ipa, c->attr, flags);
	case CALL_MKYOUNG:
		return s2_mkyoung(&world.s2, ipa, flags);
	case CALL_AGE:
		ret = s2_age(&world.s2, ipa, c->size, flags, &young, op);
		dirty_aged(call, young);
		return ret;
	case CALL_DIRTY:
		return s2_dirty(&world.s2, ipa, c->size, flags, bag->log, op);
	case CALL_SPLIT:
		return s2_split(&world.s2, ipa, c->size, flags, op);
	case CALL_COLLAPSE:
		return s2_collapse(&world.s2, ipa, c->size, flags, op);
	case CALL_CLEAN:
		return s2_clean(&world.s2, ipa, c->size, flags, op);
	case CALL_LOOKUP:
		ret = s2_lookup(&world.s2, ipa, &m);
		world.call[call].seen = m.desc;
		world.call[call].pa = m.pa.pa + (c->ipa - m.ipa.ipa);
		return ret;
	case CALL_TRANSLATE:
		ret = s2_translate(&world.s2, ipa, &leaf);
		world.call[call].seen = !ret		 ? leaf.desc :
					ret == S2_E_BUSY ? DESC_BUSY :
							   0;
		world.call[call].pa = ret ? 0 : leaf.pa.pa;
		return 0;
	case CALL_SURVEY:
		return look_survey(call, op, flags);
	case CALL_ITER:
		return look_iter(call);
	case CALL_ANNOTATE:
		return s2_annotate(&world.s2, ipa, c->size, c->pa, c->flags, op);
	case CALL_BATCH_BEGIN:
		return s2_batch_begin(&world.s2, bag->batch);
	case CALL_BATCH_END:
		return s2_batch_end(&world.s2, bag->batch, op);
	default:
		return 0;
	}
}

static void leave_section(int thread, bool shared)
{
	weak_section_ends(thread);
	weak_unlocked(thread, shared);
	world.thread[thread].in_section = false;
	world.thread[thread].holds = 0;
	for (int i = 0; i < THREADS; i++)
		world.thread[i].grace &= (uint8_t) ~(1u << thread);
	world.locked = false;
	rest_between_calls();
}

static uint8_t others_in_section(int thread)
{
	uint8_t mask = 0;

	for (int i = 0; i < THREADS; i++)
		mask |= (uint8_t)((i != thread && world.thread[i].in_section) << i);
	return mask;
}

static void release(int thread, struct s2_limbo *limbo, uint8_t readers)
{
	if (!limbo->head)
		return;
	if (planted != PLANT_NO_GRACE) {
		world.thread[thread].grace = readers & others_in_section(thread);
		weak_grace_begins(thread);
	}
	point(EV_GRACE, NOWHERE, 0);
	s2_release(&world.s2, limbo, NULL);
}

/* Of what a call is judged by: what was done before it. */
static void call_begins(unsigned call)
{
	struct call_run *r = &world.call[call];

	r->state = CALL_RUNS;
	for (unsigned i = 0; i < CALLS; i++)
		r->before |= (uint16_t)((world.call[i].state == CALL_DONE) << i);
}

/* Every byte of it, for equal states are compared byte by byte. */
static void new_op(struct s2_op *op, const struct call *c, struct s2_limbo *limbo,
		   const struct bag *bag)
{
	memset(op, 0, sizeof(*op));
	op->limbo = c->no_limbo ? NULL : limbo;
	op->max_entries = c->entries;
	op->max_bytes = c->bytes;
	op->batch = c->batched ? bag->batch : NULL;
	op->dirty = c->kind == CALL_DIRTY ? NULL : bag->log;
}

static void within_budgets(unsigned call, const struct s2_op *op)
{
	const struct call *c = &sc->call[call];

	if ((c->entries && op->visited > c->entries) ||
	    (c->bytes && op->cleaned > c->bytes))
		violation("budget-exceeded", "%c: %llu visits, 0x%llx bytes cleaned",
			  'a' + call, (unsigned long long)op->visited,
			  (unsigned long long)op->cleaned);
}

/* A batch that is closed: what its unmaps have promised holds from here on. */
static void batch_ended(int thread)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (world.call[i].state == CALL_PENDING &&
		    (int)sc->call[i].who == thread + 1) {
			judge(i, false);
			world.call[i].state = CALL_DONE;
		}
}

/* What it promised holds from here on, however long it takes to leave. */
static void call_returns(int thread, unsigned call, const struct s2_op *op, int ret)
{
	const struct call *c = &sc->call[call];
	struct call_run *r = &world.call[call];

	r->ret = (int8_t)ret;
	r->done = op->done.ipa;
	if (c->batched && !ret) {
		r->state = CALL_PENDING;
		return;
	}
	if (ret == S2_E_BATCH && op->changed)
		violation("result", "%c has changed something: S2_E_BATCH", 'a' + call);
	if (c->kind == CALL_BATCH_END)
		batch_ended(thread);
	if (world.thread[thread].unanswered && ret != S2_E_AGENTS)
		violation("result", "%c returns %s: an agent has not answered",
			  'a' + call, s2_strerror(ret));
	judge(call, false);
	r->state = CALL_DONE;
	weak_call_returns(thread);
}

static void run_call(int thread, unsigned call, const struct bag *bag)
{
	struct thread *t = &world.thread[thread];
	const struct call *c = &sc->call[call];
	struct call_run *r = &world.call[call];
	struct s2_limbo limbo = { 0 };
	struct s2_op op;
	uint64_t written;
	uint8_t readers;
	unsigned steps = 0;
	bool shared = !sc->locked || c->shared, goes_on;
	int ret;

	t->call = (int8_t)call;
	point(EV_START, NOWHERE, 0);
	call_begins(call);
	weak_call_begins(thread);
	readers = others_in_section(thread);
	written = dirty_probes();
	new_op(&op, c, &limbo, bag);
	for (;;) {
		t->others_wrote = t->misread = false;
		if (sc->locked) {
			point(shared ? EV_LOCK_READ : EV_LOCK, NOWHERE, 0);
			weak_locked(thread, shared);
		}
		world.locked = !shared;
		t->in_section = true;
		weak_section_begins(thread);
		ret = make_call(call, &op, bag, shared);
		within_budgets(call, &op);
		goes_on = ret == S2_MORE || (r->stepped && ret == S2_E_BATCH);
		if (!goes_on && (ret != S2_E_BUSY || c->once)) {
			call_returns(thread, call, &op, ret);
			if (bag->log)
				dirty_reported(call, bag->log, written);
		}
		r->stepped = goes_on;
		point(EV_LEAVE, NOWHERE, 0);
		leave_section(thread, shared);
		if (goes_on && c->abandoned) {
			r->ret = S2_MORE;
			r->state = CALL_DONE;
		}
		if (r->state != CALL_RUNS)
			break;
		if (ret != S2_MORE || shared) /* It waits for somebody. */
			wait_for_others();
		else if (++steps == STEPS_MAX)
			violation("no-progress", "%c: %u steps", 'a' + call, steps);
		if (!goes_on || shared)
			new_op(&op, c, &limbo, bag);
	}
	if (planted != PLANT_EARLY_GRACE)
		readers = UINT8_MAX;
	if (ret == S2_E_AGENTS)
		pe_agents_stop();
	t->unanswered = false;
	release(thread, &limbo, readers);
	t->call = -1;
}

/* Apart, so that these are on the stack of those calls only that have them. */
static __attribute__((noinline)) void run_logged(int thread, unsigned call)
{
	uint64_t bits[LOG_SIZE / 4096 / 64] = { 0 };
	struct s2_dirty_log log = { s2_ipa(LOG_START), LOG_SIZE, bits, false };

	run_call(thread, call, &(struct bag){ .log = &log });
}

static __attribute__((noinline)) void run_batched(int thread)
{
	struct s2_batch batch;

	memset(&batch, 0xa5, sizeof(batch));
	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind && (int)sc->call[i].who == thread + 1)
			run_call(thread, i, &(struct bag){ .batch = &batch });
}

/* What hardware does is one step, of no section and under no lock. */
static void run_hardware(int thread, unsigned call)
{
	const struct call *c = &sc->call[call];

	world.thread[thread].call = (int8_t)call;
	point(EV_HARDWARE, NOWHERE, c->ipa);
	call_begins(call);
	dirty_access(c->ipa, c->kind == CALL_WRITE);
	weak_hardware_returns();
	world.call[call].state = CALL_DONE;
	world.thread[thread].call = -1;
}

void calls_run(int thread)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (!c->kind || (int)c->who != thread + 1)
			continue;
		if (c->kind == CALL_BATCH_BEGIN) {
			run_batched(thread);
			return;
		}
		if (c->kind == CALL_TOUCH || c->kind == CALL_WRITE)
			run_hardware(thread, i);
		else if (dirty_logged(c))
			run_logged(thread, i);
		else
			run_call(thread, i, &(struct bag){ 0 });
	}
}

/* ---- the beginning and the end ---- */

static void add_probe(uint64_t ipa)
{
	for (unsigned i = 0; i < nprobe; i++)
		if (probe[i] == ipa)
			return;
	probe[nprobe++] = ipa;
}

void calls_setup(const struct scenario *scenario)
{
	uint8_t bits = scenario->ipa_bits ? (uint8_t)scenario->ipa_bits : 35;
	const struct s2_config cfg = { .ipa_bits = bits,
				       .pa_bits = bits > 40 ? 44 : 40,
				       .features = scenario->features,
				       /* All software bits are 0. */
				       .counted = scenario->counted };

	sc = scenario;
	nprobe = 0;
	world.retypes = sc->retypes;
	if (s2_init(&world.s2, &cfg))
		violation("set-up", "s2_init()");
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (c->kind && c->size) {
			add_probe(c->ipa);
			add_probe(c->ipa + c->size - 4096);
		}
	}
	for (unsigned i = 0; i < 4 && sc->watch[i]; i++)
		add_probe(sc->watch[i]);
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];
		int ret;

		if (!c->kind || c->who != AT_FIRST)
			continue;
		ret = make_call(i, NULL, &(struct bag){ 0 }, false);
		if (ret)
			violation("set-up", "call %c: %s", 'a' + i, s2_strerror(ret));
		world.call[i].state = CALL_DONE;
	}
	if (sc->one_tag)
		world.s2.tags |= ~UINT64_C(0) << 2;
	dirty_may_write();
}

static char name_page(uint64_t ipa)
{
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);
	unsigned own = pa ? owners(ipa, pa) : 0;
	char name;

	if (!pa && desc_note(d))
		return (char)('0' + (d >> DESC_NOTE_SHIFT));
	if (!pa)
		return '-';
	if (!own)
		return '?';
	name = (char)('a' + __builtin_ctz(own));
	return d & DESC_S2AP_W ? (char)(name - 'a' + 'A') : name;
}

static bool refused(int ret)
{
	return ret == S2_E_BLOCK || ret == S2_E_BUSY || ret == S2_E_BATCH ||
	       ret == S2_E_AGENTS;
}

void calls_end(const struct scenario *scenario, char outcome[96])
{
	unsigned n = 0;
	int ret;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind && sc->call[i].who != AT_FIRST)
			judge(i, true);
	dirty_end();
	look_notes();
	counted_end(false);
	rest_at_end();
	memset(outcome, 0, 96);
	for (unsigned i = 0; i < 4 && scenario->watch[i]; i++)
		outcome[n++] = name_page(scenario->watch[i]);
	for (unsigned i = 0; i < CALLS; i++)
		if (refused(world.call[i].ret)) {
			outcome[n++] = '!';
			outcome[n++] = (char)('a' + i);
		}
	if (sc->one_tag)
		world.s2.tags &= 3;
	ret = s2_destroy(&world.s2, S2_NO_CLEAN, NULL);
	judge_destroyed();
	counted_end(true);
	if (ret || mem_in_use())
		violation("table-leaked", "%u tables are left (%s)", mem_in_use(),
			  s2_strerror(ret));
}
