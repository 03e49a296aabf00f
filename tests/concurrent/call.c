/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One call of a thread: made in a read-side section, again when it says so, and
 * judged when it returns by what it promised. A promise holds against what was done
 * before the call began; what runs beside it may come first or second.
 */
#include <stdio.h>
#include <string.h>

#include "judge.h"

#define BLOCK_SIZE (UINT64_C(2) << 20)

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
	[CALL_COUNT] = "count",
	[CALL_ITER] = "iter",
	[CALL_ANNOTATE] = "annotate",
	[CALL_TOUCH] = "access by a PE",
	[CALL_WRITE] = "write by a PE",
};

void call_describe(unsigned call, char *buf, size_t size)
{
	const struct call *c = &sc->call[call];

	snprintf(buf, size, "%c %s 0x%llx+0x%llx", 'a' + call, kind_name[c->kind],
		 (unsigned long long)c->ipa, (unsigned long long)c->size);
}

enum call_kind call_running(int thread)
{
	int call = world.thread[thread].call;

	return call < 0 ? CALL_NONE : sc->call[call].kind;
}

/* ---- who did what ---- */

bool covers(const struct call *c, uint64_t ipa)
{
	return ipa >= c->ipa && ipa - c->ipa < c->size;
}

unsigned owners(uint64_t ipa, uint64_t pa)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == CALL_MAP && covers(&sc->call[i], ipa) &&
		    pa - sc->call[i].pa == ipa - sc->call[i].ipa)
			mask |= 1u << i;
	return mask;
}

unsigned not_before(enum call_kind kind, uint64_t ipa, unsigned than)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == kind && covers(&sc->call[i], ipa) &&
		    world.call[i].state != CALL_IDLE &&
		    !(world.call[than].before & 1u << i))
			mask |= 1u << i;
	return mask;
}

bool removes(const struct call *c, uint64_t ipa)
{
	uint64_t start = c->ipa, end = c->ipa + c->size;

	if (c->kind != CALL_UNMAP && !(c->kind == CALL_MAP && c->flags & S2_MAP_REPLACE))
		return false;
	if (c->flags & S2_DROP_EDGES) {
		start &= ~(BLOCK_SIZE - 1);
		end = (end + BLOCK_SIZE - 1) & ~(BLOCK_SIZE - 1);
	}
	return ipa >= start && ipa < end;
}

bool may_be_gone(uint64_t ipa, unsigned since)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (i != since && removes(&sc->call[i], ipa) &&
		    world.call[i].state != CALL_IDLE &&
		    !(world.call[since].before & 1u << i))
			return true;
	return false;
}

/* ---- what a call promised ---- */

struct asked {
	unsigned call;
	uint64_t ipa;
};

static void still_usable(void *data, uint64_t pa, uint64_t desc,
			 const struct stale *stale)
{
	const struct asked *a = data;
	unsigned own = owners(a->ipa, pa);

	if (own & ~world.call[a->call].before)
		return;
	violation(stale ? "stale-after-unmap" : "left-mapped",
		  "%c has returned, a PE may use 0x%llx for 0x%llx%s", 'a' + a->call,
		  (unsigned long long)desc, (unsigned long long)a->ipa,
		  own ? "" : ", which nobody mapped");
}

static void still_writable(void *data, uint64_t pa, uint64_t desc,
			   const struct stale *stale)
{
	const struct asked *a = data;

	if (!(desc & DESC_S2AP_W) || owners(a->ipa, pa) & ~world.call[a->call].before ||
	    not_before(CALL_RELAX, a->ipa, a->call))
		return;
	violation(stale ? "stale-after-wrprotect" : "left-writable",
		  "wrprotect %c has returned, a PE may write by 0x%llx for 0x%llx",
		  'a' + a->call, (unsigned long long)desc, (unsigned long long)a->ipa);
}

uint64_t page_now(uint64_t ipa, uint64_t *pa, int *level)
{
	uint32_t entry;
	uint64_t d = pe_walk(ipa, level, &entry), size = UINT64_C(1)
							 << (12 + 9 * (3 - *level));

	*pa = desc_valid(d) ? (d & UINT64_C(0xfffffffff000)) + (ipa & (size - 1)) : 0;
	return d;
}

/* Of a map that has returned 0: each page is there, or may have gone since. */
static void is_mapped(unsigned call, uint64_t ipa, bool at_end)
{
	const struct call *c = &sc->call[call];
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	if (pa == c->pa + (ipa - c->ipa) || may_be_gone(ipa, call))
		return;
	if (!at_end && desc_busy(d) &&
	    (not_before(CALL_SPLIT, ipa, call) || not_before(CALL_COLLAPSE, ipa, call)))
		return;
	violation("map-lost", "map %c has returned 0, 0x%llx is 0x%llx", 'a' + call,
		  (unsigned long long)ipa, (unsigned long long)d);
}

static void looked_up(unsigned call, uint64_t ipa)
{
	const struct call_run *r = &world.call[call];
	uint64_t pa = r->seen & UINT64_C(0xfffffffff000);
	unsigned own = owners(ipa, pa);

	if (desc_valid(r->seen)) {
		bool fine = false;

		for (unsigned m = 0; m < CALLS; m++) {
			bool gone = false;

			if (!(own & 1u << m) || world.call[m].state == CALL_IDLE)
				continue;
			for (unsigned u = 0; u < CALLS; u++)
				gone |= removes(&sc->call[u], ipa) && u != m &&
					r->before & 1u << u &&
					world.call[u].before & 1u << m;
			fine |= !gone;
		}
		if (!fine)
			violation("lookup-stale", "lookup %c found 0x%llx", 'a' + call,
				  (unsigned long long)r->seen);
		return;
	}
	for (unsigned m = 0; m < CALLS; m++)
		if (sc->call[m].kind == CALL_MAP && covers(&sc->call[m], ipa) &&
		    r->before & 1u << m && !world.call[m].ret && !r->seen &&
		    !may_be_gone(ipa, m))
			violation("lookup-missed", "lookup %c found nothing at 0x%llx",
				  'a' + call, (unsigned long long)ipa);
}

static void has_perms(unsigned call, uint64_t ipa)
{
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	if (pa && sc->call[call].attr & S2_W && !(d & DESC_S2AP_W) &&
	    !may_be_gone(ipa, call) && !not_before(CALL_WRPROTECT, ipa, call) &&
	    !not_before(CALL_DIRTY, ipa, call) && !not_before(CALL_MAP, ipa, call))
		violation("relax-lost", "relax %c has returned 0, 0x%llx is 0x%llx",
			  'a' + call, (unsigned long long)ipa, (unsigned long long)d);
}

static void is_split(unsigned call, uint64_t ipa)
{
	int level;
	uint64_t pa;

	page_now(ipa, &pa, &level);
	if (pa && level < 3 && !not_before(CALL_MAP, ipa, call) &&
	    !not_before(CALL_COLLAPSE, ipa, call))
		violation("left-block", "split %c has returned, 0x%llx is in a block",
			  'a' + call, (unsigned long long)ipa);
}

static void judge_page(unsigned call, uint64_t ipa, bool at_end)
{
	struct asked a = { call, ipa };

	switch (sc->call[call].kind) {
	case CALL_MAP:
		is_mapped(call, ipa, at_end);
		if (sc->call[call].flags & S2_MAP_REPLACE)
			pe_each(ipa, still_usable, &a);
		break;
	case CALL_UNMAP:
		pe_each(ipa, still_usable, &a);
		break;
	case CALL_WRPROTECT:
		pe_each(ipa, still_writable, &a);
		break;
	case CALL_RELAX:
		has_perms(call, ipa);
		break;
	case CALL_SPLIT:
		is_split(call, ipa);
		break;
	case CALL_LOOKUP:
	case CALL_TRANSLATE:
		if (!at_end)
			looked_up(call, ipa);
		break;
	case CALL_DIRTY:
		if (!at_end)
			dirty_is_clean(call, ipa);
		break;
	default:
		break;
	}
}

static bool allowed(enum call_kind kind, int ret)
{
	return !ret || (kind == CALL_MAP && ret == S2_E_EXIST) ||
	       ((kind == CALL_RELAX || kind == CALL_MKYOUNG) && ret == S2_E_NOENT);
}

/* Promises of a call, when it returns and, those that last, at the end. */
static void judge(unsigned call, bool at_end)
{
	const struct call *c = &sc->call[call];
	const struct stale *s;

	if (!allowed(c->kind, world.call[call].ret))
		violation("result", "%s %c returned %d (%s)", kind_name[c->kind],
			  'a' + call, world.call[call].ret,
			  s2_strerror(world.call[call].ret));
	if (world.call[call].ret)
		return;
	for (unsigned i = 0; i < nprobe; i++)
		if (covers(c, probe[i]))
			judge_page(call, probe[i], at_end);
	s = c->kind == CALL_UNMAP && !(c->flags & S2_NO_CLEAN) ?
		    pe_uncleaned(c->ipa, c->size) :
		    NULL;
	/* What was mapped beside the unmap, another may be about to clean. */
	if (s && !(owners(s->ipa, s->desc & UINT64_C(0xfffffffff000)) &
		   ~world.call[call].before))
		violation("not-cleaned", "unmap %c has returned, 0x%llx is not clean",
			  'a' + call, (unsigned long long)s->desc);
}

/* ---- a call ---- */

static int make_call(unsigned call, struct s2_op *op, struct s2_dirty_log *log,
		     bool shared)
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
		return s2_dirty(&world.s2, ipa, c->size, flags, log, op);
	case CALL_SPLIT:
		return s2_split(&world.s2, ipa, c->size, flags, op);
	case CALL_COLLAPSE:
		return s2_collapse(&world.s2, ipa, c->size, flags, op);
	case CALL_CLEAN:
		return s2_clean(&world.s2, ipa, c->size, flags, op);
	case CALL_LOOKUP:
		ret = s2_lookup(&world.s2, ipa, &m);
		world.call[call].seen = m.desc;
		return ret;
	case CALL_TRANSLATE:
		ret = s2_translate(&world.s2, ipa, &leaf);
		world.call[call].seen = !ret		 ? leaf.desc :
					ret == S2_E_BUSY ? DESC_BUSY :
							   0;
		return 0;
	case CALL_COUNT:
		return look_count(call, op, flags);
	case CALL_ITER:
		return look_iter(call);
	case CALL_ANNOTATE:
		return s2_annotate(&world.s2, ipa, c->size, c->pa, c->flags, op);
	default:
		return 0;
	}
}

static void leave_section(int thread)
{
	world.thread[thread].in_section = false;
	world.thread[thread].holds = 0;
	for (int i = 0; i < THREADS; i++)
		world.thread[i].grace &= (uint8_t) ~(1u << thread);
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
	if (planted != PLANT_NO_GRACE)
		world.thread[thread].grace = readers & others_in_section(thread);
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

static void run_call(int thread, unsigned call, struct s2_dirty_log *log)
{
	struct thread *t = &world.thread[thread];
	struct call_run *r = &world.call[call];
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo,
			    .max_entries = sc->entries,
			    .max_bytes = sc->bytes,
			    .dirty = sc->call[call].kind == CALL_DIRTY ? NULL : log };
	uint64_t done = 0, written;
	uint8_t readers;
	int ret;

	t->call = (int8_t)call;
	point(EV_START, NOWHERE, 0);
	call_begins(call);
	readers = others_in_section(thread);
	written = dirty_probes();
	for (;;) {
		t->others_wrote = false;
		if (sc->locked) {
			point(EV_LOCK, NOWHERE, 0);
			world.locked = true;
		}
		t->in_section = true;
		ret = make_call(call, &op, log, !sc->locked);
		/* What it promised holds from here on, however long it takes to leave. */
		if (ret != S2_MORE && ret != S2_E_BUSY) {
			r->ret = (int8_t)ret;
			judge(call, false);
			if (log)
				dirty_reported(call, log, written);
			r->state = CALL_DONE;
		}
		point(EV_LEAVE, NOWHERE, 0);
		leave_section(thread);
		world.locked = false;
		if (r->state == CALL_DONE)
			break;
		/* Its budget ended the step, or it waits for somebody. */
		if (!op.cleaned && op.done.ipa == done)
			wait_for_others();
		done = op.done.ipa;
	}
	if (planted != PLANT_EARLY_GRACE)
		readers = UINT8_MAX;
	release(thread, &limbo, readers);
	t->call = -1;
}

/* Apart, so that the log is on the stack of those calls only that have one. */
static __attribute__((noinline)) void run_logged(int thread, unsigned call)
{
	uint64_t bits[LOG_SIZE / 4096 / 64] = { 0 };
	struct s2_dirty_log log = { s2_ipa(LOG_START), LOG_SIZE, bits, false };

	run_call(thread, call, &log);
}

/* What hardware does is one step, of no section and under no lock. */
static void run_hardware(int thread, unsigned call)
{
	const struct call *c = &sc->call[call];

	world.thread[thread].call = (int8_t)call;
	point(EV_HARDWARE, NOWHERE, c->ipa);
	call_begins(call);
	dirty_access(c->ipa, c->kind == CALL_WRITE);
	world.call[call].state = CALL_DONE;
	world.thread[thread].call = -1;
}

void calls_run(int thread)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (!c->kind || (int)c->who != thread + 1)
			continue;
		if (c->kind == CALL_TOUCH || c->kind == CALL_WRITE)
			run_hardware(thread, i);
		else if (dirty_logged(c))
			run_logged(thread, i);
		else
			run_call(thread, i, NULL);
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
	const struct s2_config cfg = { .ipa_bits = 35,
				       .pa_bits = 40,
				       .features = scenario->features };

	sc = scenario;
	nprobe = 0;
	if (s2_init(&world.s2, &cfg))
		violation("set-up", "s2_init()");
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];
		int ret;

		if (!c->kind)
			continue;
		add_probe(c->ipa);
		add_probe(c->ipa + c->size - 4096);
		if (c->who != AT_FIRST)
			continue;
		ret = make_call(i, NULL, NULL, false);
		if (ret)
			violation("set-up", "call %c: %s", 'a' + i, s2_strerror(ret));
		world.call[i].state = CALL_DONE;
	}
	for (unsigned i = 0; i < 4 && sc->watch[i]; i++)
		add_probe(sc->watch[i]);
	dirty_may_write();
}

/* What a table with such an entry, and all above, must say that they may hold. */
static uint64_t remembered(uint64_t d)
{
	if (desc_note(d))
		return META_NOTED;
	return (desc_needs_clean(world.s2.features, d) ? META_CLEAN : 0) |
	       (d & DESC_DBM ? META_DBM : 0);
}

/* @above: what the tables on the way say that they may hold. */
static void count_table(unsigned page, int level, bool root, uint64_t above,
			unsigned made[S2_LEVELS])
{
	const uint64_t *table = &arena[page * ENTRIES];
	uint64_t state = world.meta[page][META_STATE];
	unsigned live = 0, tables = 0, notes = 0;

	above &= state;
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t d = table[i];

		if (desc_busy(d))
			violation("marker-left", "page %u entry %u: 0x%llx", page, i,
				  (unsigned long long)d);
		if (!d || desc_busy(d))
			continue;
		notes += desc_note(d);
		live += desc_valid(d);
		if (desc_valid_table(d, level)) {
			tables++;
			made[level + 1]++;
			count_table((unsigned)mem_page(d & UINT64_C(0xfffffffff000)),
				    level + 1, false, above, made);
		} else if (remembered(d) & ~above) {
			violation("metadata",
				  "0x%llx is in page %u: it, or one above, "
				  "does not remember that",
				  (unsigned long long)d, page);
		}
	}
	if (meta_live(state) != live || meta_tables(state) != tables ||
	    meta_notes(state) != notes || meta_busy(state) || state & META_DEAD)
		violation("metadata",
			  "page %u: live %u tables %u notes %u, its word says 0x%llx",
			  page, live, tables, notes, (unsigned long long)state);
	/*
	 * A map counts the annotation out after its swap: who takes that page away
	 * between the two leaves the table for the next one.
	 */
	if (!live && !notes && !root && !(state & META_NOTED))
		violation("empty-table-left", "page %u", page);
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

void calls_end(const struct scenario *scenario, char outcome[96])
{
	unsigned n = 0, made[S2_LEVELS] = { 0 };
	int ret;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind && sc->call[i].who != AT_FIRST)
			judge(i, true);
	dirty_end();
	look_notes();
	count_table((unsigned)mem_index(world.s2.root) / ENTRIES, world.s2.start_level,
		    true, UINT64_MAX, made);
	for (int l = 0; l < S2_LEVELS; l++)
		if (world.s2.made[l] - world.s2.freed[l] != made[l])
			violation("statistics",
				  "level %d: %llu tables made, %llu freed, %u there", l,
				  (unsigned long long)world.s2.made[l],
				  (unsigned long long)world.s2.freed[l], made[l]);
	memset(outcome, 0, 96);
	for (unsigned i = 0; i < 4 && scenario->watch[i]; i++)
		outcome[n++] = name_page(scenario->watch[i]);
	ret = s2_destroy(&world.s2, S2_NO_CLEAN, NULL);
	if (ret || mem_in_use())
		violation("table-leaked", "%u tables are left (%s)", mem_in_use(),
			  s2_strerror(ret));
}
