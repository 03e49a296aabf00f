/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each call does to the machine, event by event, for one guest in many modes: the
 * loads, stores, barriers and TLBIs in their order, and what the call says of itself.
 * Other tests say what must hold; this one says what is done, so nothing is added, left
 * out or weakened unseen. events.txt has the lines, and how to read them. test_events
 * --update FILE writes it anew; read the difference.
 */
#include "bed.h"

/* Pages from here on: with 4 KiB granules two tables of them, then blocks. */
#define START (UINT64_C(1) << 18)
#define BLOCKS 2048
#define LARGE START

enum call {
	MAP,
	UNMAP,
	RELEASE,
	WRPROTECT,
	RELAX,
	YOUNG,
	AGE,
	DIRTY,
	SPLIT,
	COLLAPSE,
	CLEAN,
	SURVEY,
	NOTE,
	FLUSH,
	LOOKUP,
	DESTROY,
};

struct act {
	const char *says;
	enum call call;
	uint64_t page, pages;
	uint64_t what; /* the physical page, the permissions, the annotation */
	s2_attr_t attr;
	uint32_t flags;
};

static const struct act acts[] = {
	{ "map one page, in an empty tree", MAP, 0, 1, 0, RW, 0 },
	{ "map the next page", MAP, 1, 1, 1, RW, 0 },
	{ "map a page that may execute", MAP, 2, 1, 2, RWX, 0 },
	{ "map three pages", MAP, 3, 3, 3, RW, 0 },
	{ "map two pages over a table's end", MAP, 511, 2, 511, RW, 0 },
	{ "map a page, waived", MAP, 6, 1, 6, RW, S2_NO_CLEAN },
	{ "map pages that are there, new only", MAP, 0, 2, 0, RW, S2_MAP_NEW },
	{ "map them again", MAP, 0, 6, 0, RW, 0 },
	{ "map them with fewer permissions", MAP, 0, 2, 0, S2_R, 0 },
	{ "map them with more", MAP, 0, 2, 0, RWX, 0 },
	{ "map device memory", MAP, 7, 2, 7, RW | S2_MEM_DEV_nGnRE, 0 },
	{ "map four blocks", MAP, BLOCKS, 2048, BLOCKS, RW, S2_NO_CLEAN },
	{ "map one block more", MAP, BLOCKS + 2048, 512, BLOCKS + 2048, RW, S2_NO_CLEAN },
	{ "map a block over again, executable", MAP, BLOCKS, 512, BLOCKS, RWX, 0 },
	{ "replace a page", MAP, 1, 1, 9, RW, S2_MAP_REPLACE },
	{ "replace three pages by others", MAP, 2, 3, 12, S2_R, S2_MAP_REPLACE },
	{ "replace pages by a block", MAP, 0, 512, 512, RW, S2_MAP_REPLACE },
	{ "replace a page of a block, split", MAP, 5, 1, 99, RW,
	  S2_MAP_REPLACE | S2_SPLIT_EDGES },
	{ "a page of a block loses a permission", MAP, BLOCKS + 512, 1, BLOCKS + 512,
	  S2_R, S2_SPLIT_EDGES },
	{ "write-protect pages", WRPROTECT, 0, 8, 0, 0, 0 },
	{ "write-protect pages, again", WRPROTECT, 0, 8, 0, 0, 0 },
	{ "write-protect blocks and pages", WRPROTECT, BLOCKS, 1536, 0, 0, 0 },
	{ "relax a page", RELAX, 3, 1, S2_W, 0, 0 },
	{ "relax a page to execute", RELAX, 3, 1, S2_X, 0, 0 },
	{ "relax a block", RELAX, BLOCKS, 1, S2_W, 0, 0 },
	{ "age without clearing", AGE, 0, 16, 0, 0, 0 },
	{ "age", AGE, 0, 16, 0, 0, S2_CLEAR },
	{ "age blocks", AGE, BLOCKS, 2048, 0, 0, S2_CLEAR },
	{ "young again", YOUNG, 4, 1, 0, 0, 0 },
	{ "young a block", YOUNG, BLOCKS + 9, 1, 0, 0, 0 },
	{ "map over an old page", MAP, 8, 1, 520, RW, 0 },
	{ "log dirty pages", DIRTY, 0, 600, 0, 0, 0 },
	{ "log and clear them", DIRTY, 0, 600, 0, 0, S2_CLEAR },
	{ "clean pages", CLEAN, 0, 20, 0, 0, 0 },
	{ "clean parts of blocks", CLEAN, BLOCKS + 1000, 100, 0, 0, 0 },
	{ "clean blocks, from inside one", CLEAN, BLOCKS + 1124, 800, 0, 0, 0 },
	{ "survey all", SURVEY, 0, 4096, 0, 0, 0 },
	{ "annotate", NOTE, 600, 4, 77, 0, 0 },
	{ "annotate a block's room", NOTE, 1024, 512, 78, 0, 0 },
	{ "map over annotations", MAP, 602, 1, 602, RW, 0 },
	{ "map a page into a large annotation", MAP, 1030, 1, 1030, RW, 0 },
	{ "split two blocks", SPLIT, BLOCKS + 1024, 1024, 0, 0, 0 },
	{ "collapse them", COLLAPSE, BLOCKS + 1024, 1024, 0, 0, 0 },
	{ "collapse what cannot be", COLLAPSE, 0, 1024, 0, 0, 0 },
	{ "look up a page", LOOKUP, 4, 1, 0, 0, 0 },
	{ "look up a block", LOOKUP, BLOCKS + 700, 1, 0, 0, 0 },
	{ "unmap a page", UNMAP, 10, 1, 0, 0, 0 },
	{ "unmap it again", UNMAP, 10, 1, 0, 0, 0 },
	{ "unmap three pages", UNMAP, 11, 3, 0, 0, 0 },
	{ "unmap pages, waived", UNMAP, 14, 3, 0, 0, S2_NO_CLEAN },
	{ "unmap, annotations stay", UNMAP, 598, 6, 0, 0, S2_KEEP_NOTES },
	{ "unmap a part of a block", UNMAP, BLOCKS + 1024, 8, 0, 0, 0 },
	{ "unmap a part of a block, split", UNMAP, BLOCKS + 1030, 1, 0, 0,
	  S2_SPLIT_EDGES },
	{ "unmap a part of a block, all of it", UNMAP, BLOCKS + 1536, 8, 0, 0,
	  S2_DROP_EDGES },
	{ "unmap a whole table", UNMAP, 0, 512, 0, 0, 0 },
	{ "unmap a block", UNMAP, BLOCKS, 512, 0, 0, 0 },
	{ "unmap with holes, tables and blocks", UNMAP, 500, 3000, 0, 0, S2_DROP_EDGES },
	{ "flush", FLUSH, 0, 0, 0, 0, 0 },
	{ "release", RELEASE, 0, 0, 0, 0, 0 },
	{ "map 600 pages", MAP, 0, 600, 0, RW, S2_NO_CLEAN | S2_MAP_PAGES },
	{ "map 100 pages", MAP, 601, 100, 601, RW, 0 },
	{ "unmap them", UNMAP, 600, 102, 0, 0, 0 },
	{ "unmap the last but one", UNMAP, 599, 1, 0, 0, 0 },
	{ "unmap the rest of its table", UNMAP, 512, 88, 0, 0, 0 },
	{ "release again", RELEASE, 0, 0, 0, 0, 0 },
	{ "map a large block and more", MAP, LARGE, LARGE + 600, LARGE, RW, S2_NO_CLEAN },
	{ "unmap it and more", UNMAP, LARGE, LARGE + 600, 0, 0, 0 },
	{ "release for the third time", RELEASE, 0, 0, 0, 0, 0 },
	{ "destroy", DESTROY, 0, 0, 0, 0, 0 },
};

/* How the guest is configured, and how every call is made. */
struct mode {
	const char *name;
	uint32_t features, errata;
	uint32_t flags; /* of every call that takes them */
	s2_attr_t attr; /* of every map */
	uint32_t max_entries;
	uint64_t max_bytes;
	uint16_t counted;
	bool batch, log;
	uint8_t granule, ipa_bits, pa_bits, min_levels; /* 0: 4 KiB, 40, 48 */
};

static const struct mode modes[] = {
	{ .name = "plain" },
	{ .name = "fwb,tlbirange,ttl",
	  .features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL },
	{ .name = "hafdbs,dbm",
	  .features = S2_FEAT_HAFDBS | S2_FEAT_DBM | S2_FEAT_TLBIRANGE,
	  .attr = S2_DBM },
	{ .name = "shared", .features = S2_FEAT_TLBIRANGE, .flags = S2_SHARED },
	{ .name = "shared,hafdbs",
	  .features = S2_FEAT_FWB | S2_FEAT_HAFDBS,
	  .flags = S2_SHARED },
	{ .name = "runs", .features = S2_FEAT_FWB, .flags = S2_MAP_CONT },
	{ .name = "batch", .features = S2_FEAT_TLBIRANGE, .batch = true },
	{ .name = "steps",
	  .features = S2_FEAT_TTL,
	  .max_entries = S2_BUDGET_ENTRIES_MIN,
	  .max_bytes = S2_BUDGET_BYTES_MIN },
	{ .name = "steps,bytes", .max_bytes = UINT64_C(384) << 20 },
	{ .name = "steps,runs",
	  .flags = S2_MAP_CONT,
	  .max_entries = S2_BUDGET_ENTRIES_MIN,
	  .max_bytes = S2_BUDGET_BYTES_MIN },
	{ .name = "steps,fwb,counted",
	  .features = S2_FEAT_FWB | S2_FEAT_HAFDBS,
	  .attr = S2_SW(3),
	  .max_entries = S2_BUDGET_ENTRIES_MIN,
	  .counted = 1 << 3 },
	{ .name = "shared,counted",
	  .features = S2_FEAT_TTL,
	  .flags = S2_SHARED,
	  .attr = S2_SW(3),
	  .counted = 1 << 3 },
	{ .name = "batch,counted",
	  .features = S2_FEAT_FWB | S2_FEAT_HAFDBS,
	  .attr = S2_SW(3),
	  .counted = 1 << 3,
	  .batch = true },
	{ .name = "log",
	  .features = S2_FEAT_HAFDBS | S2_FEAT_DBM,
	  .attr = S2_DBM,
	  .log = true },
	{ .name = "xnx,outer",
	  .features = S2_FEAT_XNX,
	  .attr = S2_XU | S2_SH_OUTER | S2_MEM_NC },
	{ .name = "counted", .attr = S2_SW(3), .counted = 1 << 3 },
	{ .name = "repeat", .errata = S2_ERRATUM_REPEAT_TLBI },
	{ .name = "4K,lpa2,runs",
	  .features = S2_FEAT_FWB | S2_FEAT_LPA2 | S2_FEAT_TLBIRANGE,
	  .flags = S2_MAP_CONT,
	  .ipa_bits = 52,
	  .pa_bits = 52 },
	{ .name = "16K,lpa2",
	  .features = S2_FEAT_LPA2 | S2_FEAT_TLBIRANGE | S2_FEAT_TTL,
	  .granule = 14,
	  .ipa_bits = 48,
	  .pa_bits = 52,
	  .min_levels = 4 },
	{ .name = "16K,runs",
	  .features = S2_FEAT_FWB | S2_FEAT_TTL,
	  .flags = S2_MAP_CONT,
	  .granule = 14 },
	{ .name = "64K,lpa,hafdbs,dbm",
	  .features = S2_FEAT_HAFDBS | S2_FEAT_DBM | S2_FEAT_TLBIRANGE,
	  .attr = S2_DBM,
	  .granule = 16,
	  .ipa_bits = 52,
	  .pa_bits = 52 },
	{ .name = "64K,batch", .batch = true, .granule = 16, .ipa_bits = 42 },
};

#define PAGES UINT64_C(4096)

static struct bed bed;
static struct s2_batch batch;
static struct s2_limbo limbo;
static uint64_t bits[PAGES / 64];
static struct s2_dirty_log log_of_pages;
static unsigned shift;	/* of the granule */
static uint64_t memory; /* where the guest's is */

/* ---- the line of a call ------------------------------------------------------- */

static char line[4096];
static size_t used;
static char run[1 << 16]; /* letters that are not in the line yet */
static size_t letters;

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	used += (size_t)vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	assert_true(used < sizeof(line));
}

/* One letter for an event without an operand. */
static const char letter_of[] = {
	[COUNT_LOAD] = 'l',	  [COUNT_STORE] = 's',	    [COUNT_STORE_RELEASE] = 'S',
	[COUNT_CAS] = 'c',	  [COUNT_DSB_ISHST] = 'w',  [COUNT_DSB_ISH] = 'd',
	[COUNT_DSB_SY] = 'D',	  [COUNT_DSB_NSH] = 'n',    [COUNT_ISB] = 'i',
	[COUNT_VMALLE1] = 'o',	  [COUNT_VMALLE1IS] = 'O',  [COUNT_VMALLS12E1IS] = 'A',
	[COUNT_ALLOC] = 'N',	  [COUNT_FREE] = 'F',	    [COUNT_ROOT_FREE] = 'R',
	[COUNT_VMID_ENTER] = '(', [COUNT_VMID_LEAVE] = ')', [COUNT_WORD] = 'm',
	[COUNT_GONE] = 'g',
};

/* How often the first @period letters come one after the other. */
static size_t repeats(const char *at, const char *end, size_t period)
{
	size_t n = 1;

	while (at + (n + 1) * period <= end && !memcmp(at, at + n * period, period))
		n++;
	return n;
}

/* Into the line: "l3" for three in a row, "[lsl]5" for five times three. */
static void end_run(void)
{
	const char *at = run, *end = run + letters;

	while (at < end) {
		size_t period = 1, n = repeats(at, end, 1);

		while (n < 2 && period < 8)
			n = repeats(at, end, ++period);
		if (n < 2 || (period > 1 && n < 3)) {
			n = 1;
			period = 1;
		}
		say(period > 1 ? " [%.*s]" : " %.*s", (int)period, at);
		if (n > 1)
			say("%zu", n);
		at += n * period;
	}
	letters = 0;
}

static void note(struct count_port *port, enum count_event what, uint64_t at,
		 uint64_t value)
{
	(void)port;
	if (letter_of[what]) {
		assert_true(letters < sizeof(run));
		run[letters++] = letter_of[what];
		return;
	}
	end_run();
	switch (what) {
	case COUNT_IPAS2E1:
		say(" t=%" PRIx64, value);
		break;
	case COUNT_IPAS2E1IS:
		say(" T=%" PRIx64, value);
		break;
	case COUNT_RIPAS2E1IS:
		say(" P=%" PRIx64, value);
		break;
	case COUNT_AGENTS:
		say(" a=%" PRIx64 "+%" PRIx64, at >> shift, value >> shift);
		break;
	case COUNT_CLEAN:
		say(" k=%" PRIx64 "+%" PRIx64, at >> shift, value >> shift);
		break;
	case COUNT_EXECUTABLE:
		say(" x=%" PRIx64 "+%" PRIx64, at >> shift, value >> shift);
		break;
	default:
		fail_msg("event %d is not known here", what);
	}
}

/* Which pages have been logged: a word of the log and its bits. */
static void say_dirty(void)
{
	for (unsigned i = 0; i < PAGES / 64; i++)
		if (bits[i])
			say(" %u:%" PRIx64, i, bits[i]);
	memset(bits, 0, sizeof(bits));
}

/* ---- the calls ------------------------------------------------------------------ */

static int call(const struct act *a, const struct mode *m, struct s2_op *op)
{
	struct s2 *s2 = &bed.s2;
	s2_ipa_t ipa = s2_ipa((START + a->page) << shift);
	uint64_t size = a->pages << shift;
	uint32_t shared = m->flags & S2_SHARED, flags = a->flags | shared;
	struct s2_mapping found;
	struct s2_survey survey;
	bool young = false;
	int ret;

	if (m->log && (a->call == MAP || a->call == UNMAP || a->call == WRPROTECT))
		op->dirty = &log_of_pages;
	switch (a->call) {
	case MAP:
		flags = a->flags | m->flags;
		if (flags & S2_MAP_PAGES)
			flags &= ~S2_MAP_CONT;
		return s2_map(s2, ipa, s2_pa(memory + (a->what << shift)), size,
			      a->attr & S2_MEM_DEV_nGnRnE ? a->attr : a->attr | m->attr,
			      flags, op);
	case UNMAP:
		op->batch = m->batch ? &batch : NULL;
		return s2_unmap(s2, ipa, size, flags, op);
	case RELEASE:
		return s2_release(s2, &limbo, op);
	case WRPROTECT:
		return s2_wrprotect(s2, ipa, size, flags, op);
	case RELAX:
		return s2_relax_perms(s2, ipa, (s2_attr_t)a->what, flags);
	case YOUNG:
		return s2_mkyoung(s2, ipa, flags);
	case AGE:
		ret = s2_age(s2, ipa, size, flags, &young, op);
		say(" young %d", young);
		return ret;
	case DIRTY:
		return s2_dirty(s2, ipa, size, flags, &log_of_pages, op);
	case SPLIT:
		return s2_split(s2, ipa, size, flags, op);
	case COLLAPSE:
		return s2_collapse(s2, ipa, size, flags, op);
	case CLEAN:
		return s2_clean(s2, ipa, size, flags, op);
	case SURVEY:
		ret = s2_survey(s2, ipa, size, flags, &survey, op);
		say(" mapped %" PRIx64 " noted %" PRIx64 " empty %" PRIx64,
		    survey.mapped >> shift, survey.noted >> shift, survey.empty >> shift);
		return ret;
	case NOTE:
		return s2_annotate(s2, ipa, size, a->what, 0, op);
	case FLUSH:
		return m->batch ? s2_batch_flush(s2, &batch, op) : 0;
	case LOOKUP:
		ret = s2_lookup(s2, ipa, &found);
		say(" %" PRIx64 " level %d young %d contiguous %d", found.desc,
		    found.level, found.young, found.contiguous);
		return ret;
	case DESTROY:
		if (m->batch)
			assert_int_equal(s2_batch_end(s2, &batch, NULL), 0);
		op->limbo = NULL;
		return s2_destroy(s2, 0, op);
	}
	return 0;
}

/* Every line, to @take. */
static void every_line(void (*take)(void *arg), void *arg)
{
	for (unsigned k = 0; k < sizeof(modes) / sizeof(modes[0]); k++) {
		const struct mode *m = &modes[k];

		shift = m->granule ? m->granule : 12;
		/* Aligned to the largest block, and with the top bits that there are. */
		memory = UINT64_C(15) << (m->pa_bits == 52 ? 48 : 44);
		bed_open_as(&bed,
			    (struct s2_config){ .ipa_bits = m->ipa_bits ? m->ipa_bits :
									  40,
						.pa_bits = m->pa_bits ? m->pa_bits : 48,
						.granule_shift = m->granule,
						.min_levels = m->min_levels,
						.features = m->features,
						.errata = m->errata,
						.counted = m->counted },
			    64);
		bed.port.record = note;
		log_of_pages = (struct s2_dirty_log){ .ipa = s2_ipa(START << shift),
						      .size = PAGES << shift,
						      .bits = bits };
		limbo = (struct s2_limbo){ 0 };
		if (m->batch)
			assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
		for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
			struct s2_op op = { .max_entries = m->max_entries,
					    .max_bytes = m->max_bytes };
			unsigned steps = 0;
			int ret;

			/* Hundreds of steps, or of cleans, say no more than a few. */
			if (acts[i].call == CLEAN && acts[i].pages > 512 && shift > 12)
				continue;
			if (m->max_bytes && acts[i].pages << shift > 8 * m->max_bytes)
				continue;
			if (m->flags & S2_SHARED)
				op.limbo = &limbo;
			do {
				used = 0;
				say("%s: %s:", m->name, acts[i].says);
				ret = call(&acts[i], m, &op);
				end_run();
				say_dirty();
				say(" = %d", ret);
				if (op.end.ipa)
					say(" [%" PRIx64 " %" PRIx64 " %" PRIx64
					    "] %" PRIu64 " %" PRIu64 " %" PRIu64,
					    op.start.ipa >> shift, op.done.ipa >> shift,
					    op.end.ipa >> shift, op.changed, op.visited,
					    op.cleaned >> shift);
				take(arg);
				assert_true(++steps < 1000);
			} while (ret == S2_MORE && (m->max_entries || m->max_bytes));
		}
		bed_close(&bed);
	}
}

static const char legend[] =
	"# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n"
	"#\n"
	"# Written by test_events --update. Mode, call: events = what it returned [start done\n"
	"# end, in pages] changed visited cleaned. A number behind a letter: so often; behind\n"
	"# [...]: all of those. Of entries: l load, s store, S store-release, c compare and\n"
	"# swap. m: a state word or counter by an atomic function of the port. Barriers: w DSB\n"
	"# ISHST, d DSB ISH, D DSB SY, n DSB NSH, i ISB. TLBIs: T=operand IPAS2E1IS, P=operand\n"
	"# RIPAS2E1IS, O VMALLE1IS, A VMALLS12E1IS, t=operand IPAS2E1, o VMALLE1; ( ) the VMID\n"
	"# is entered and left. In pages: a=ipa+size other agents, k=pa+size clean, x=pa+size\n"
	"# make executable. N a table taken, F freed, R the root freed, g a counted leaf gone.\n";

static void write_line(void *file)
{
	fprintf(file, "%s\n", line);
}

static void compare_line(void *file)
{
	char expected[sizeof(line) + 1];

	do
		if (!fgets(expected, sizeof(expected), file))
			fail_msg("events.txt ends before: %s", line);
	while (expected[0] == '#');
	expected[strcspn(expected, "\n")] = 0;
	/* If it is meant: docs/mutants.md says how to write the file anew. */
	if (strcmp(line, expected))
		fail_msg("events.txt differs (docs/mutants.md):\n- %s\n+ %s", expected,
			 line);
}

static const char *path = EVENTS;

static void every_call_does_what_it_did(void **state)
{
	char rest[2];
	FILE *file = fopen(path, "r");

	(void)state;
	assert_non_null(file);
	every_line(compare_line, file);
	assert_null(fgets(rest, sizeof(rest), file));
	fclose(file);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_does_what_it_did),
	};

	if (argc == 3 && !strcmp(argv[1], "--update")) {
		FILE *file = fopen(argv[2], "w");

		if (!file)
			return 1;
		fputs(legend, file);
		every_line(write_line, file);
		return fclose(file) ? 1 : 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
