/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared calls in the middle of shared calls (nested.h).
 *
 *   nested [CALLS [SEED [WORLD]]]
 *
 * Runs worlds until so many calls of the engine have been made; with WORLD only that one,
 * with its trace. A world has its own seed, made of SEED and its number, so one that
 * fails is run again alone. In the environment:
 *
 *   NESTED_ALLOW	rules that are not judged, with commas between, to see what else
 *			there is
 *   NESTED_DEPTH	how many calls may be under way at a time, 1 to 4
 *   NESTED_EVENTS	of a world that runs alone: print each event, from this one on
 *
 * What a call has to wait for is below it on the stack: a shared call that returns
 * S2_MORE is made again when no call is under way.
 */
#include "nested.h"

#define EVENTS_MAX 400000000u
#define TRIES 12u
#define FLIGHTS 3u

struct world world;

static uint64_t countdown, places; /* events to the next call; bits of their number */
static unsigned deepest = DEPTH;   /* calls under way at a time */
static bool closing;		   /* the world ends */

static void shared_call(void)
{
	struct call *c = new_call();

	if (!c)
		return;
	pick_call(c);
	if (c->kind != LOOKUP)
		c->flags |= S2_SHARED;
	c->op.limbo = &c->limbo;
	make_call(c, true);
}

/* ---- events ------------------------------------------------------------------------ */

static void draw_countdown(void)
{
	/* As often a few events as many. */
	countdown = 1 + dice(UINT64_C(1) << dice(places + 1));
}

/* A guest uses a page: hardware sets its access flag, if it is to. */
static void hardware(void)
{
	struct probe *p = &world.probe[dice(world.probes)];
	uint64_t *entry = s2_port_table_va(&world.bed.port, p->now.entry);

	if (p->now.state == LEAF && p->now.hard && desc_valid(*entry))
		*entry |= DESC_AF;
}

static void on_event(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	/* A call that begins here may report others. */
	const struct count_gone gone = port->last;
	const struct call *c = call_now();

	world.events++;
	if (world.events > EVENTS_MAX)
		nested_fail("no-progress", "%u events", EVENTS_MAX);
	if (port->shift && world.bed.s2.features & S2_FEAT_HAFDBS && !dice(100))
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
	nested_event(what, at, value);
	tlb_event(what, at, value);
	if (what == COUNT_GONE)
		count_gone(&gone);
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
	struct s2_op op = { .max_entries = dice(2) ? S2_BUDGET_ENTRIES_MIN : 0 };

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

	if (c->exclusive && !dice(8))
		c->op.max_entries = c->op.max_entries ? 4096 : 0;
	/* Or it has no budget from now on, and ends here. */
	if (c->exclusive && !dice(closing ? 4 : 32))
		c->op.max_entries = c->op.max_bytes = 0;
	make_call(c, fresh);
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
	struct meta_seen seen;
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
	count_all();
	what = meta_look(s2, &seen);
	world.bed.port.record = on_event;
	/*
	 * A map counts an annotation out after its swap. Who takes that page away
	 * between the two leaves the table for the next call.
	 */
	if (!what && seen.empty > seen.noted)
		what = "an empty table";
	if (what)
		nested_fail("metadata", "%s", what);
	if (seen.tables != bed_tables(&world.bed))
		nested_fail("table-leaked", "%" PRIu64 " are linked, %" PRIu64 " taken",
			    seen.tables, bed_tables(&world.bed));
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
	       (c->kind != UNMAP && dice(8)));
	c->op.batch = &world.batch;
	make_call(c, true);
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
	if (dice(2))
		c->op.limbo = &c->limbo;
	c->last = last;
	make_call(c, true);
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
	if (s2_batch_begin(&world.bed.s2, &world.batch))
		nested_fail("wrong-answer", "no batch");
	nested_trace("batch\n");
	for (uint64_t n = 1 + dice(24); n; n--) {
		uint64_t what = dice(12);

		if (what < 8)
			batched_call();
		else if (what < 10)
			exclusive_call();
		else if (what < 11)
			flush(false);
		else if (!dice(4))
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
	uint64_t ipa = world.base + (dice(3) ? 0 : world.top);

	if (!c)
		return;
	c->exclusive = true;
	c->kind = MAP;
	c->ipa = ipa;
	c->size = world.top;
	c->pa = world.alias ? world.delta[1] : ipa + world.delta[0];
	c->attr = RW | S2_MEM_NC;
	c->flags = S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_NO_CLEAN;
	make_call(c, true);
	tidy();
	c = new_call();
	if (!c)
		return;
	c->exclusive = c->steps = true;
	c->kind = UNMAP;
	c->ipa = ipa;
	c->size = world.top;
	c->op.max_bytes = world.top / 256 > S2_BUDGET_BYTES_MIN ? world.top / 256 :
								  S2_BUDGET_BYTES_MIN;
	make_call(c, true);
}

static void exclusive_call(void)
{
	struct call *c;
	unsigned flights = count_pending(true);

	if (world.parks && flights < FLIGHTS && !dice(4)) {
		park();
		return;
	}

	if (flights && (flights == FLIGHTS || dice(2))) {
		unsigned n = (unsigned)dice(flights);

		for (unsigned i = 0; i < CALLS; i++) {
			c = &world.call[i];
			if (!pending(c) || !c->exclusive || n--)
				continue;
			for (uint64_t k = 1 + dice(4); k && pending(c); k--)
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
	if (world.notes && !dice(3))
		pick_note(c);
	else if (c->kind == UNMAP && world.notes && !dice(4))
		c->flags |= S2_KEEP_NOTES;
	if (dice(2))
		c->op.limbo = &c->limbo;
	if (dice(3) && c->kind != RELAX && c->kind != MKYOUNG) {
		c->steps = true;
		c->op.max_entries = (uint32_t[]){ 0, 512, 600, 4096 }[dice(4)];
		if (!c->op.max_entries || dice(2))
			c->op.max_bytes = (2 + dice(2)) * MIB;
		/* Not more than some hundred steps. */
		if (c->op.max_bytes && c->op.max_bytes < c->size / 256)
			c->op.max_bytes = c->size / 256;
		/* A table is looked through at once. */
		if (c->kind == COLLAPSE && c->op.max_entries)
			c->op.max_entries = 4 * table_entries(&world.bed.s2);
	}
	make_call(c, true);
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
	uint64_t n = dice(19);
	unsigned i = 0;

	while (n >= shape[i].weight)
		n -= shape[i++].weight;
	cfg.ipa_bits = shape[i].ipa_bits;
	cfg.pa_bits = shape[i].pa_bits;
	cfg.granule_shift = shape[i].granule;
	cfg.features = shape[i].features;
	cfg.features |= dice(2) ? S2_FEAT_FWB : 0;
	cfg.features |= dice(2) ? S2_FEAT_TLBIRANGE : 0;
	cfg.features |= dice(2) ? S2_FEAT_TTL : 0;
	cfg.features |= dice(3) ? 0 : S2_FEAT_HAFDBS;
	cfg.features |= dice(4) ? 0 : S2_FEAT_XNX;
	/* Accepted, and every change of size breaks first all the same. */
	cfg.features |= dice(4) ? 0 : S2_FEAT_BBM1 | S2_FEAT_BBM2;
	cfg.errata = dice(8) ? 0 : S2_ERRATUM_REPEAT_TLBI;
	/* Software bits are 0 everywhere. */
	cfg.counted = !dice(4);
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
			    world.page,
			    2 * world.page,
			    world.block / 2,
			    world.block - world.page,
			    world.block,
			    world.block + world.page,
			    2 * world.block - world.page,
			    2 * world.block,
			    3 * world.block,
			    world.top - world.block,
			    world.top - world.page,
			    world.top,
			    world.top + world.page,
			    world.top + world.block,
			    2 * world.top - world.page,
			    2 * world.top };
	uint64_t *last;
	unsigned n = sizeof(list) / sizeof(*list), want = 3 + (unsigned)dice(9);

	world.edges = 0;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 1; k < n; k++)
			if (list[k] < list[i]) {
				uint64_t was = list[i];

				list[i] = list[k];
				list[k] = was;
			}
	for (unsigned i = 0; i < n && world.edges < want; i++)
		if ((!i || list[i] != list[i - 1]) && dice(n - i) < want - world.edges)
			world.edge[world.edges++] = world.base + list[i];
	if (world.edges < 2) {
		world.edge[0] = world.base;
		world.edge[1] = world.base + world.block;
		world.edges = 2;
	}
	last = &world.edge[world.edges - 1];
	/* The whole of a block is a range of its own. */
	if (world.parks)
		world.edge[0] = world.base;
	if (world.parks && *last > world.base + world.top &&
	    world.base + world.top > last[-1])
		*last = world.base + world.top;
	world.probes = 0;
	for (unsigned i = 0; i < world.edges; i++) {
		if (world.edge[i])
			add_probe(world.edge[i] - world.page);
		if (world.edge[i] < s2->ipa_end)
			add_probe(world.edge[i]);
	}
}

static void open_world(uint64_t number)
{
	struct s2_config cfg;
	int level;

	world.number = number;
	dice_seed(world.seed * UINT64_C(0x100000001) + number);
	trace_clear();
	world.now = 1;
	world.events = world.ids = 0;
	world.depth = 0;
	memset(world.call, 0, sizeof(world.call));
	memset(world.probe, 0, sizeof(world.probe));
	cfg = pick_config();
	world.counted = cfg.counted;
	bed_open_as(&world.bed, cfg, cfg.granule_shift == 16 ? 40 : 100);
	world.page = page_size(&world.bed.s2);
	world.block = level_size(&world.bed.s2, 2);
	level = first_block_level(&world.bed.s2);
	if (level < world.bed.s2.start_level)
		level = world.bed.s2.start_level;
	world.top = dice(2) ? world.block : level_size(&world.bed.s2, level);
	world.alias = !dice(4);
	world.waive = !dice(8);
	world.notes = !dice(5);
	world.parks = !world.waive && !dice(3);
	if (world.parks)
		world.top = level_size(&world.bed.s2, level);
	world.base = 4 * world.top <= world.bed.s2.ipa_end && dice(2) ? 2 * world.top : 0;
	for (unsigned i = 0; i < 4; i++)
		world.delta[i] = (UINT64_C(1) << (cfg.pa_bits - 3)) * (i + 1);
	if (world.bed.s2.ipa_end > world.delta[0])
		world.delta[0] = world.bed.s2.ipa_end / 4;
	/* No block can be there. */
	world.delta[3] += world.page;
	places = 3 + dice(8);
	draw_countdown();
	pick_edges();
	ref_open();
	world.bed.port.record = on_event;
	nested_trace("granule %u KiB, ipa %u, pa %u, features 0x%x%s%s%s, base 0x%" PRIx64
		     "\n",
		     1u << (cfg.granule_shift - 10), cfg.ipa_bits, cfg.pa_bits,
		     cfg.features, world.alias ? ", aliases" : "",
		     world.counted ? ", counted" : "", world.waive ? ", no cleans" : "",
		     world.base);
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
	make_call(c, true);
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
	turns = 1 + dice(UINT64_C(1) << (1 + dice(6)));
	for (uint64_t n = 0; n < turns; n++) {
		world.bed.port.fail_after = dice(16) ? -1 : (long)dice(4);
		if (!n || !dice(3))
			exclusive_call();
		else if (!dice(24))
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
	uint64_t number = 0, calls_wanted;

	world.print_from = UINT64_MAX;
	calls_wanted = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	world.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (getenv("NESTED_DEPTH"))
		deepest = (unsigned)strtoul(getenv("NESTED_DEPTH"), NULL, 0);
	trace_aborts();
	if (argc > 3) {
		world.verbose = true;
		if (getenv("NESTED_EVENTS"))
			world.print_from = strtoull(getenv("NESTED_EVENTS"), NULL, 0);
		number = strtoull(argv[3], NULL, 0);
		run_world(number);
	}
	printf("# seed %" PRIu64 "\n", world.seed);
	for (; world.calls_made < calls_wanted; number++)
		run_world(number);
	printf("ok %" PRIu64 " calls in %" PRIu64 " worlds;", world.calls_made, number);
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
