/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared calls in the middle of shared calls (nested.h).
 *
 *   nested [CALLS [SEED [WORLD]]]
 *
 * Runs worlds until so many calls of the engine have been made; with WORLD only that one,
 * with its trace. NESTED_ALLOW in the environment is a list of rules that are not judged,
 * to see what else there is; NESTED_DEPTH is how many calls may be under way, 1 to 4. A
 * world has its own seed, made of SEED and its number, so one that fails is run again
 * alone. What a call has to wait for is below it on the stack: a shared call that returns
 * S2_MORE is made again when no call is under way.
 */
#include <signal.h>
#include <unistd.h>

#include "nested.h"
#include "rnd.h"

#define EVENTS_MAX 400000000u
#define TRIES 12u
#define FLIGHTS 3u

struct world world;

static uint64_t base, edge[16], page, block, top;
static unsigned edges;
static struct s2_batch batch;
static bool closing;		   /* the world ends */
static bool ends;		   /* a flush that is the batch's last */
static uint64_t countdown, places; /* events to the next call; as many on average */
static uint64_t calls_made, calls_wanted;
static unsigned deepest = DEPTH; /* calls under way at a time */
static uint64_t events_from = UINT64_MAX;
static bool verbose;
static char trace[1 << 20];
static size_t traced;

static const char *const kind_name[KINDS] = {
	"map",	 "unmap",    "wrprotect", "relax", "mkyoung", "age",
	"split", "collapse", "clean",	  "count", "lookup",  "flush",
};

/* ---- the trace --------------------------------------------------------------------- */

void nested_trace(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(trace + traced, sizeof(trace) - traced, format, args);
	va_end(args);
	if (verbose)
		fputs(trace + traced, stdout);
	if (n > 0 && traced + (size_t)n < sizeof(trace) - 512)
		traced += (size_t)n;
}

static void print_world(void)
{
	if (!verbose)
		fwrite(trace, 1, traced, stdout);
	printf("# seed %" PRIu64 ", world %" PRIu64 ": nested 0 %" PRIu64 " %" PRIu64
	       "\n",
	       world.seed, world.number, world.seed, world.number);
	fflush(stdout);
}

/* Whether the rule is in the list, of names with commas between. */
static bool is_allowed(const char *rule)
{
	const char *list = getenv("NESTED_ALLOW");
	size_t n = strlen(rule);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, rule, n) && (at[n] == ',' || !at[n]))
			return true;
	}
	return false;
}

void nested_fail(const char *rule, const char *format, ...)
{
	va_list args;

	if (is_allowed(rule))
		return;
	if (world.depth)
		nested_trace("%*s! event %" PRIu64 " of the world, in call %" PRIu64 "\n",
			     2 * (int)world.depth, "", world.events, call_now()->id);
	print_world();
	printf("not ok %s: ", rule);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

/* S2_ASSERT() of the port, or the sanitizer's end. */
static void aborted(int number)
{
	(void)number;
	print_world();
	printf("not ok aborted\n");
	fflush(stdout);
	_exit(1);
}

static void trace_call(const struct call *c)
{
	static const char *const flag[] = { "pages",   "replace", "drop",   "split",
					    "noclean", "",	  "shared", "clear" };

	nested_trace("%*s%" PRIu64 " %s +0x%" PRIx64 " 0x%" PRIx64, 2 * (int)world.depth,
		     "", c->id, kind_name[c->kind], c->ipa - base, c->size);
	if (c->kind == MAP)
		nested_trace(" to 0x%" PRIx64, c->pa);
	if (c->kind == MAP || c->kind == RELAX)
		nested_trace(" attr 0x%x", c->attr);
	for (unsigned i = 0; i < 8; i++)
		if (c->flags >> i & 1)
			nested_trace(" %s", flag[i]);
	if (c->batched)
		nested_trace(" batched");
	if (c->op.max_entries || c->op.max_bytes)
		nested_trace(" entries %u bytes 0x%" PRIx64, c->op.max_entries,
			     c->op.max_bytes);
	nested_trace(" at event %" PRIu64 "\n", world.events);
}

/* ---- one call ---------------------------------------------------------------------- */

static struct call *new_call(void)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (!world.call[i].used) {
			struct call *c = &world.call[i];

			memset(c, 0, sizeof(*c));
			c->used = true;
			c->id = ++world.ids;
			return c;
		}
	return NULL;
}

static int look_up(struct call *c)
{
	struct view v = { .hard = true };
	struct s2_mapping m;
	int err = s2_lookup(&world.bed.s2, s2_ipa(c->ipa), &m);

	if (err || m.state == S2_BUSY || c->nseen == SEEN) {
		c->inside = 0;
		return err;
	}
	if (m.state == S2_LEAF) {
		v.state = LEAF;
		v.pa = m.pa.pa + (c->ipa - m.ipa.ipa);
		v.bits = leaf_bits(m.desc);
	}
	c->seen[c->nseen++] = v;
	return 0;
}

static int engine(struct call *c)
{
	struct s2 *s2 = &world.bed.s2;
	struct s2_op *op = &c->op;
	s2_ipa_t ipa = s2_ipa(c->ipa);
	uint64_t bytes[S2_LEVELS] = { 0 };
	bool young = false;

	switch (c->kind) {
	case MAP:
		return s2_map(s2, ipa, s2_pa(c->pa), c->size, c->attr, c->flags, op);
	case UNMAP:
		return s2_unmap(s2, ipa, c->size, c->flags, op);
	case WRPROTECT:
		return s2_wrprotect(s2, ipa, c->size, c->flags, op);
	case RELAX:
		return s2_relax_perms(s2, ipa, c->attr, c->flags);
	case MKYOUNG:
		return s2_mkyoung(s2, ipa, c->flags);
	case AGE:
		return s2_age(s2, ipa, c->size, c->flags, &young, op);
	case SPLIT:
		return s2_split(s2, ipa, c->size, c->flags, op);
	case COLLAPSE:
		return s2_collapse(s2, ipa, c->size, c->flags, op);
	case CLEAN:
		return s2_clean(s2, ipa, c->size, c->flags, op);
	case COUNT:
		return s2_count(s2, ipa, c->size, c->flags, bytes, op);
	case FLUSH:
		return (ends ? s2_batch_end : s2_batch_flush)(s2, &batch, op);
	default:
		return look_up(c);
	}
}

static bool may_return(const struct call *c, int ret)
{
	bool edges_said = c->flags & (S2_DROP_EDGES | S2_SPLIT_EDGES);

	switch (ret) {
	case 0:
		return true;
	case S2_MORE:
		return c->kind != LOOKUP && c->kind != RELAX && c->kind != MKYOUNG &&
		       (!c->exclusive || c->steps);
	case S2_E_BUSY:
		return c->kind == MAP || c->kind == RELAX || c->kind == MKYOUNG;
	case S2_E_EXIST:
		return c->kind == MAP;
	case S2_E_NOENT:
		return c->kind == RELAX || c->kind == MKYOUNG;
	case S2_E_BATCH:
		return world.bed.s2.batch;
	case S2_E_ATTR: /* execute on Device memory */
		return c->kind == RELAX && c->attr & S2_X;
	case S2_E_BLOCK:
		return !edges_said && (c->kind == UNMAP ||
				       (c->kind == MAP && c->flags & S2_MAP_REPLACE));
	case S2_E_NOMEM:
		return c->kind == MAP || c->kind == SPLIT ||
		       (c->kind == UNMAP && c->flags & S2_SPLIT_EDGES);
	default:
		return false;
	}
}

static void call(struct call *c, bool first)
{
	struct pe *pe = &world.pe[world.depth];

	trace_call(c);
	calls_made++;
	world.made[c->kind]++;
	world.nested[world.depth]++;
	if (first)
		ref_begin(c);
	memset(pe, 0, sizeof(*pe));
	pe->call = c;
	world.depth++;
	c->ret = engine(c);
	world.now++;
	tlb_returned(pe);
	world.depth--;
	nested_trace("%*s%" PRIu64 " returns %d\n", 2 * (int)world.depth, "", c->id,
		     c->ret);
	world.answers[c->kind][c->ret == S2_MORE ? 23 : -c->ret]++;
	if (!may_return(c, c->ret))
		nested_fail("wrong-answer", "call %" PRIu64 " returns %d", c->id, c->ret);
	if (c->op.max_entries && c->op.visited > c->op.max_entries)
		nested_fail("budget", "call %" PRIu64 " visits %" PRIu64, c->id,
			    c->op.visited);
	if (c->op.max_bytes && c->op.cleaned > c->op.max_bytes)
		nested_fail("budget", "call %" PRIu64 " cleans 0x%" PRIx64, c->id,
			    c->op.cleaned);
	/* The op is where it was. */
	if (c->ret == S2_E_BATCH && !first)
		c->ret = S2_MORE;
	if (c->ret != S2_MORE && !(c->batched && !c->ret))
		ref_returned(c);
}

/* ---- which call -------------------------------------------------------------------- */

static void pick_range(struct call *c, uint64_t most)
{
	const struct call *under = call_now();

	for (int tries = 0;; tries++) {
		unsigned lo = (unsigned)below(edges - 1), n = 1;

		if (!below(3))
			n += (unsigned)below(edges - 1 - lo);
		c->ipa = edge[lo];
		c->size = edge[lo + n] - edge[lo];
		if (c->size > most && tries < 20)
			continue;
		/* Mostly where the call below is at work. */
		if (under && tries < 12 &&
		    (c->ipa >= under->ipa + under->size ||
		     under->ipa >= c->ipa + c->size))
			continue;
		break;
	}
	if (c->size > most)
		c->size = most;
}

static void pick_place(struct call *c)
{
	const struct call *under = call_now();

	for (int tries = 0; tries < 12; tries++) {
		c->ipa = world.probe[below(world.probes)].ipa;
		if (!under || (c->ipa >= under->ipa && c->ipa < under->ipa + under->size))
			break;
	}
	c->size = page;
}

static void pick_map(struct call *c)
{
	static const s2_attr_t perms[] = { RW, RW, RW, S2_R, RWX, S2_R | S2_X };
	uint64_t i;

	c->attr = perms[below(6)];
	if (!below(4))
		c->attr |= S2_MEM_NC;
	else if (!below(12) && !(c->attr & S2_X))
		c->attr |= S2_MEM_DEV_nGnRE;
	if (below(3))
		c->flags |= S2_MAP_PAGES;
	if (below(2)) {
		c->flags |= S2_MAP_REPLACE;
		i = below(4);
		c->flags |= i < 2 ? S2_SPLIT_EDGES : i < 3 ? S2_DROP_EDGES : 0;
	}
	i = below(8);
	i = i < 4 ? 0 : i < 6 ? 1 : i < 7 ? 2 : 3;
	pick_range(c, c->flags & S2_MAP_PAGES || i == 3 ? 2 * block + page : 2 * top);
	if (!below(2) && c->size > 2 * page && c->flags & S2_MAP_PAGES)
		c->size = page;
	c->pa = c->ipa + world.delta[i];
	if (world.alias && i == 3)
		c->pa = c->ipa + world.delta[0];
	else if (world.alias)
		c->pa = world.delta[1] + (c->ipa & ((i == 1 ? top :
						     i == 2 ? block :
							      page) -
						    1));
}

static void pick_kind(struct call *c)
{
	static const struct {
		enum kind kind;
		unsigned weight;
	} list[] = {
		{ MAP, 32 },	{ UNMAP, 24 }, { WRPROTECT, 7 }, { RELAX, 6 },
		{ MKYOUNG, 2 }, { AGE, 3 },    { SPLIT, 9 },	 { COLLAPSE, 9 },
		{ CLEAN, 3 },	{ COUNT, 1 },  { LOOKUP, 6 },
	};
	uint64_t n = below(102);
	unsigned i = 0;

	while (n >= list[i].weight)
		n -= list[i++].weight;
	c->kind = list[i].kind;
}

static void pick_call(struct call *c)
{
	uint64_t i;

	c->flags = 0;
	pick_kind(c);
	switch (c->kind) {
	case MAP:
		pick_map(c);
		break;
	case UNMAP:
		pick_range(c, UINT64_MAX);
		i = below(4);
		c->flags |= i < 2 ? S2_SPLIT_EDGES : i < 3 ? S2_DROP_EDGES : 0;
		break;
	case RELAX:
		c->attr = (s2_attr_t[]){ S2_W, S2_R, S2_X, RW }[below(4)];
		pick_place(c);
		break;
	case MKYOUNG:
	case LOOKUP:
		pick_place(c);
		break;
	case SPLIT:
		pick_range(c, 2 * block);
		break;
	case AGE:
		c->flags |= below(2) ? S2_CLEAR : 0;
		pick_range(c, UINT64_MAX);
		break;
	case COLLAPSE:
		pick_range(c, UINT64_MAX);
		if (below(2) && c->ipa - base < 2 * top) {
			c->ipa = base + (c->ipa - base) / block * block;
			c->size = below(4) ? block : 2 * block;
		}
		break;
	default:
		pick_range(c, UINT64_MAX);
		break;
	}
	if ((c->kind == MAP || c->kind == UNMAP) && (world.waive || !below(5)))
		c->flags |= S2_NO_CLEAN;
}

static void shared_call(void)
{
	struct call *c = new_call();

	if (!c)
		return;
	pick_call(c);
	if (c->kind != LOOKUP)
		c->flags |= S2_SHARED;
	c->op.limbo = &c->limbo;
	call(c, true);
}

/* ---- events ------------------------------------------------------------------------ */

static void draw_countdown(void)
{
	/* As often a few events as many. */
	countdown = 1 + below(UINT64_C(1) << below(places + 1));
}

/* A guest uses a page: hardware sets its access flag, if it is to. */
static void hardware(void)
{
	struct probe *p = &world.probe[below(world.probes)];
	uint64_t *entry = s2_port_table_va(&world.bed.port, p->now.entry);

	if (p->now.state == LEAF && p->now.hard && desc_valid(*entry))
		*entry |= DESC_AF;
}

/* NESTED_EVENTS: from which event on each is printed, of a world that runs alone. */
static void print_event(enum count_event what, uint64_t at, uint64_t value)
{
	static const char *const name[] = {
		"load",	     "store",	   "release",	 "cas",	      "dsb ishst",
		"dsb ish",   "dsb sy",	   "dsb nsh",	 "isb",	      "ipas2e1",
		"vmalle1",   "ipas2e1is",  "ripas2e1is", "vmalle1is", "vmalls12e1is",
		"agents",    "clean",	   "executable", "alloc",     "free",
		"root free", "vmid enter", "vmid leave", "word",
	};

	printf("%*s%" PRIu64 ": %s 0x%" PRIx64 " 0x%" PRIx64 "\n", 2 * (int)world.depth,
	       "", world.events, name[what], at, value);
}

static void on_event(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	const struct call *c = call_now();

	world.events++;
	if (world.events > EVENTS_MAX)
		nested_fail("no-progress", "%u events", EVENTS_MAX);
	if (port->shift && world.bed.s2.features & S2_FEAT_HAFDBS && !below(100))
		hardware();
	/* A store into a table that nobody reaches is no place. */
	if (c && !c->exclusive && world.depth < deepest &&
	    !((what == COUNT_STORE || what == COUNT_LOAD) &&
	      !world.table[(at - COUNT_PORT_BASE) >> port->shift].known) &&
	    !--countdown) {
		draw_countdown();
		shared_call();
	}
	world.now++;
	if (verbose && world.events >= events_from)
		print_event(what, at, value);
	tlb_event(what, at, value);
}

/* ---- between calls ----------------------------------------------------------------- */

static bool pending(const struct call *c)
{
	return c->used && c->ret == S2_MORE;
}

static unsigned count_pending(bool exclusive)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALLS; i++)
		n += pending(&world.call[i]) && world.call[i].exclusive == exclusive;
	return n;
}

static void release(struct call *c)
{
	struct s2_op op = { .max_entries = below(2) ? S2_BUDGET_ENTRIES_MIN : 0 };

	while (s2_release(&world.bed.s2, &c->limbo, &op) == S2_MORE)
		if (op.visited > op.max_entries)
			nested_fail("budget", "release visits %" PRIu64, op.visited);
}

/* Calls that are over, and what they have detached: nobody is below any table now. */
static void tidy(void)
{
	for (unsigned i = 0; i < CALLS; i++) {
		struct call *c = &world.call[i];

		if (!c->used || pending(c) || c->under_way)
			continue;
		release(c);
		c->used = false;
	}
}

/* The call goes on; one that keeps nothing is made again, and promises from now on. */
static void go_on(struct call *c)
{
	bool fresh = !c->exclusive && !c->op.st.kind;

	if (c->exclusive && !below(8))
		c->op.max_entries = c->op.max_entries ? 4096 : 0;
	/* Or it has no budget from now on, and ends here. */
	if (c->exclusive && !below(closing ? 4 : 32))
		c->op.max_entries = c->op.max_bytes = 0;
	call(c, fresh);
}

/* What has had to wait is made again, with nobody in its way at last. */
static void catch_up(void)
{
	uint64_t saved = places;

	for (unsigned tries = 0; count_pending(false); tries++) {
		if (tries == TRIES)
			nested_fail("no-progress", "a call waits, and no other is there");
		places = tries < 2 ? saved : 40;
		draw_countdown();
		for (unsigned i = 0; i < CALLS; i++)
			if (pending(&world.call[i]) && !world.call[i].exclusive)
				go_on(&world.call[i]);
		if (tries > TRIES / 2)
			for (unsigned i = 0; i < CALLS; i++)
				while (pending(&world.call[i]) && world.call[i].exclusive)
					go_on(&world.call[i]);
	}
	places = saved;
	draw_countdown();
}

static void no_marker(const uint64_t *table, int level, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		uint64_t d = table[i];

		if (desc_busy(d) && (desc_tag(d) || d & DESC_REMAKE))
			nested_fail("marker-left", "0x%" PRIx64 " at level %d", d, level);
		if (desc_valid_table(d, level))
			no_marker(s2_port_table_va(&world.bed.port,
						   desc_oa(&world.bed.s2, d)),
				  level + 1, table_entries(&world.bed.s2));
	}
}

/* When no call is under way. */
static void check(void)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t tables;
	const char *what;

	if (count_pending(false) || s2->batch)
		return;
	if (s2->tags != 1)
		nested_fail("tag-left", "0x%" PRIx64, s2->tags);
	no_marker(s2->root, s2->start_level, table_entries(s2) * s2->root_pages);
	if (count_pending(true))
		return;
	world.bed.port.record = NULL;
	ref_all();
	what = meta_check(s2, &tables);
	world.bed.port.record = on_event;
	if (what)
		nested_fail("metadata", "%s", what);
	if (tables != bed_tables(&world.bed))
		nested_fail("table-leaked", "%" PRIu64 " are linked, %" PRIu64 " taken",
			    tables, bed_tables(&world.bed));
}

/* One more unmap in the batch; anything else is refused. */
static void batched_call(void)
{
	struct call *c = new_call();

	if (!c)
		return;
	c->exclusive = c->batched = true;
	do
		pick_call(c);
	while (c->kind == LOOKUP || c->kind == RELAX || c->kind == MKYOUNG ||
	       (c->kind != UNMAP && below(8)));
	c->op.batch = &batch;
	call(c, true);
	if (c->kind != UNMAP && c->ret != S2_E_BATCH)
		nested_fail("wrong-answer", "call %" PRIu64 " in a batch returns %d",
			    c->id, c->ret);
}

/* Now all that the batch's calls have promised holds. */
static void flush(bool last)
{
	struct call *c = new_call();

	if (!c)
		return;
	c->exclusive = true;
	c->kind = FLUSH;
	if (below(2))
		c->op.limbo = &c->limbo;
	ends = last;
	call(c, true);
	for (unsigned i = 0; i < CALLS; i++)
		if (world.call[i].used && world.call[i].batched &&
		    world.call[i].under_way)
			ref_returned(&world.call[i]);
	tidy();
}

/* Some unmaps that share an invalidation, with other exclusive calls between them. */
static void exclusive_call(void);
static void run_batch(void)
{
	if (s2_batch_begin(&world.bed.s2, &batch))
		nested_fail("wrong-answer", "no batch");
	nested_trace("batch\n");
	for (uint64_t n = 1 + below(24); n; n--) {
		uint64_t what = below(12);

		if (what < 8)
			batched_call();
		else if (what < 10)
			exclusive_call();
		else if (what < 11)
			flush(false);
		else if (!below(4))
			shared_call();
		tidy();
	}
	/* There is always a place for the last. */
	flush(false);
	flush(true);
}

/* A block is there, and an unmap has begun to clean it and has not come to its end. */
static void park(void)
{
	struct call *c = new_call();
	uint64_t ipa = base + (below(3) ? 0 : top);

	if (!c)
		return;
	c->exclusive = true;
	c->kind = MAP;
	c->ipa = ipa;
	c->size = top;
	c->pa = world.alias ? world.delta[1] : ipa + world.delta[0];
	c->attr = RW | S2_MEM_NC;
	c->flags = S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_NO_CLEAN;
	call(c, true);
	tidy();
	c = new_call();
	if (!c)
		return;
	c->exclusive = c->steps = true;
	c->kind = UNMAP;
	c->ipa = ipa;
	c->size = top;
	c->op.max_bytes = top / 256 > S2_BUDGET_BYTES_MIN ? top / 256 :
							    S2_BUDGET_BYTES_MIN;
	call(c, true);
}

static void exclusive_call(void)
{
	struct call *c;
	unsigned flights = count_pending(true);

	if (world.parks && flights < FLIGHTS && !below(4)) {
		park();
		return;
	}

	if (flights && (flights == FLIGHTS || below(2))) {
		unsigned n = (unsigned)below(flights);

		for (unsigned i = 0; i < CALLS; i++) {
			c = &world.call[i];
			if (!pending(c) || !c->exclusive || n--)
				continue;
			for (uint64_t k = 1 + below(4); k && pending(c); k--)
				go_on(c);
			return;
		}
	}
	c = new_call();
	if (!c)
		return;
	c->exclusive = true;
	do
		pick_call(c);
	while (c->kind == LOOKUP);
	if (below(2))
		c->op.limbo = &c->limbo;
	if (below(3) && c->kind != RELAX && c->kind != MKYOUNG) {
		c->steps = true;
		c->op.max_entries = (uint32_t[]){ 0, 512, 600, 4096 }[below(4)];
		if (!c->op.max_entries || below(2))
			c->op.max_bytes = (2 + below(2)) * MIB;
		/* Not more than some hundred steps. */
		if (c->op.max_bytes && c->op.max_bytes < c->size / 256)
			c->op.max_bytes = c->size / 256;
		/* A table is looked through at once. */
		if (c->kind == COLLAPSE && c->op.max_entries)
			c->op.max_entries = 4 * table_entries(&world.bed.s2);
	}
	call(c, true);
}

/* ---- worlds ------------------------------------------------------------------------ */

static const struct {
	uint8_t ipa_bits, pa_bits, granule;
	uint32_t features;
	unsigned weight;
} shape[] = {
	{ 40, 48, 12, 0, 6 },
	{ 48, 48, 12, 0, 2 },
	{ 33, 48, 12, 0, 2 },
	{ 48, 52, 12, S2_FEAT_LPA2, 2 },
	{ 40, 48, 14, 0, 2 },
	{ 47, 48, 14, 0, 1 },
	{ 48, 52, 14, S2_FEAT_LPA2, 1 },
	{ 42, 48, 16, 0, 1 },
	{ 47, 48, 16, 0, 1 },
	{ 48, 52, 16, 0, 1 },
};

static struct s2_config pick_config(void)
{
	struct s2_config cfg = { 0 };
	uint64_t n = below(19);
	unsigned i = 0;

	while (n >= shape[i].weight)
		n -= shape[i++].weight;
	cfg.ipa_bits = shape[i].ipa_bits;
	cfg.pa_bits = shape[i].pa_bits;
	cfg.granule_shift = shape[i].granule;
	cfg.features = shape[i].features;
	cfg.features |= below(2) ? S2_FEAT_FWB : 0;
	cfg.features |= below(2) ? S2_FEAT_TLBIRANGE : 0;
	cfg.features |= below(2) ? S2_FEAT_TTL : 0;
	cfg.features |= below(3) ? 0 : S2_FEAT_HAFDBS;
	return cfg;
}

static void add_probe(uint64_t ipa)
{
	for (unsigned i = 0; i < world.probes; i++)
		if (world.probe[i].ipa == ipa)
			return;
	world.probe[world.probes++].ipa = ipa;
}

/* Some addresses at which something begins or ends, in order. */
static void pick_edges(void)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t list[] = { 0,
			    page,
			    2 * page,
			    block / 2,
			    block - page,
			    block,
			    block + page,
			    2 * block - page,
			    2 * block,
			    3 * block,
			    top - block,
			    top - page,
			    top,
			    top + page,
			    top + block,
			    2 * top - page,
			    2 * top };
	unsigned n = sizeof(list) / sizeof(*list), want = 3 + (unsigned)below(9);

	edges = 0;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 1; k < n; k++)
			if (list[k] < list[i]) {
				uint64_t was = list[i];

				list[i] = list[k];
				list[k] = was;
			}
	for (unsigned i = 0; i < n && edges < want; i++)
		if ((!i || list[i] != list[i - 1]) && below(n - i) < want - edges)
			edge[edges++] = base + list[i];
	if (edges < 2) {
		edge[0] = base;
		edge[1] = base + block;
		edges = 2;
	}
	/* The whole of a block is a range of its own. */
	if (world.parks)
		edge[0] = base;
	if (world.parks && edge[edges - 1] > base + top)
		edge[edges - 1] = base + top > edge[edges - 2] ? base + top :
								 edge[edges - 1];
	world.probes = 0;
	for (unsigned i = 0; i < edges; i++) {
		if (edge[i])
			add_probe(edge[i] - page);
		if (edge[i] < s2->ipa_end)
			add_probe(edge[i]);
	}
}

static void open_world(uint64_t number)
{
	struct s2_config cfg;
	int level;

	world.number = number;
	rnd_state = world.seed * UINT64_C(0x100000001) + number;
	rnd();
	traced = 0;
	world.now = 1;
	world.events = world.ids = 0;
	world.depth = 0;
	memset(world.call, 0, sizeof(world.call));
	memset(world.probe, 0, sizeof(world.probe));
	cfg = pick_config();
	bed_open_as(&world.bed, cfg, cfg.granule_shift == 16 ? 40 : 100);
	page = page_size(&world.bed.s2);
	block = level_size(&world.bed.s2, 2);
	level = first_block_level(&world.bed.s2);
	if (level < world.bed.s2.start_level)
		level = world.bed.s2.start_level;
	top = below(2) ? block : level_size(&world.bed.s2, level);
	world.alias = !below(4);
	world.waive = !below(8);
	world.parks = !world.waive && !below(3);
	if (world.parks)
		top = level_size(&world.bed.s2, level);
	base = 4 * top <= world.bed.s2.ipa_end && below(2) ? 2 * top : 0;
	for (unsigned i = 0; i < 4; i++)
		world.delta[i] = (UINT64_C(1) << (cfg.pa_bits - 3)) * (i + 1);
	if (world.bed.s2.ipa_end > world.delta[0])
		world.delta[0] = world.bed.s2.ipa_end / 4;
	/* No block can be there. */
	world.delta[3] += page;
	places = 3 + below(8);
	draw_countdown();
	pick_edges();
	ref_open();
	world.bed.port.record = on_event;
	nested_trace("granule %u KiB, ipa %u, pa %u, features 0x%x%s%s, base 0x%" PRIx64
		     "\n",
		     1u << (cfg.granule_shift - 10), cfg.ipa_bits, cfg.pa_bits,
		     cfg.features, world.alias ? ", aliases" : "",
		     world.waive ? ", no cleans" : "", base);
}

static void close_world(void)
{
	struct call *c;

	closing = true;
	for (unsigned i = 0; i < CALLS; i++)
		while (pending(&world.call[i]))
			go_on(&world.call[i]);
	tidy();
	check();
	c = new_call();
	c->kind = UNMAP;
	c->exclusive = true;
	c->size = world.bed.s2.ipa_end;
	c->flags = world.waive ? S2_NO_CLEAN : 0;
	call(c, true);
	if (c->ret || bed_tables(&world.bed))
		nested_fail("table-left", "%" PRIu64, bed_tables(&world.bed));
	world.bed.port.record = NULL;
	world.bed.port.wrote = NULL;
	bed_close(&world.bed);
	ref_close();
	closing = false;
}

static void run_world(uint64_t number)
{
	uint64_t turns;

	open_world(number);
	turns = 1 + below(UINT64_C(1) << (1 + below(6)));
	for (uint64_t n = 0; n < turns; n++) {
		world.bed.port.fail_after = below(16) ? -1 : (long)below(4);
		if (!n || !below(3))
			exclusive_call();
		else if (!below(24))
			run_batch();
		else
			shared_call();
		world.bed.port.fail_after = -1;
		catch_up();
		tidy();
		check();
	}
	close_world();
}

int main(int argc, char **argv)
{
	uint64_t number = 0;

	calls_wanted = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	world.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (getenv("NESTED_DEPTH"))
		deepest = (unsigned)strtoul(getenv("NESTED_DEPTH"), NULL, 0);
	signal(SIGABRT, aborted);
	if (argc > 3) {
		verbose = true;
		if (getenv("NESTED_EVENTS"))
			events_from = strtoull(getenv("NESTED_EVENTS"), NULL, 0);
		number = strtoull(argv[3], NULL, 0);
		run_world(number);
	}
	printf("# seed %" PRIu64 "\n", world.seed);
	for (; calls_made < calls_wanted; number++)
		run_world(number);
	printf("ok %" PRIu64 " calls in %" PRIu64 " worlds;", calls_made, number);
	for (unsigned i = 0; i < DEPTH; i++)
		printf(" %" PRIu64, world.nested[i]);
	printf(" by depth\n");
	for (unsigned k = 0; k < KINDS; k++) {
		printf("# %s: %" PRIu64 ";", kind_name[k], world.made[k]);
		for (unsigned r = 0; r < 24; r++)
			if (world.answers[k][r])
				printf(" %s %" PRIu64,
				       r == 23 ? "more" :
				       r       ? s2_strerror(-(int)r) :
						 "0",
				       world.answers[k][r]);
		printf("\n");
	}
	return 0;
}
