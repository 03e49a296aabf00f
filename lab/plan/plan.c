// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * s2lab plan: the TLBIs that s2_plan_range() plans for a range. They are decoded by
 * common/tlbi.c, which shares no code with the engine, and checked to cover the range.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "common/granule.h"
#include "common/lab.h"
#include "common/options.h"
#include "common/report.h"
#include "common/tlbi.h"

/*
 * A copy of the cost rule in src/inval.c, to show the cost of the plans that were not
 * chosen. tests/replay/plan.py fails if the two differ.
 */
#define COST_TLBI 525u
#define COST_PAGE 1u

static const char usage[] =
	"usage: s2lab plan --ipa START --size SIZE [OPTIONS]\n"
	"\n"
	"The stage-2 TLB invalidations for a range, each taken apart, and what the other\n"
	"ways to invalidate it would cost. Exit status 1 if the plan does not cover.\n"
	"\n"
	"  --ipa START      start of the range\n"
	"  --size SIZE      its size\n"
	"  --granule SIZE   4k, 16k or 64k (the leaf's, or 4k)\n"
	"  --leaf SIZE      the smallest leaf removed, or the granule if a table was\n"
	"                   removed whose leaves are not known (the granule, or by\n"
	"                   --level); --stride is the same\n"
	"  --level N        every leaf removed was at this level, 1 to 3, and no table\n"
	"                   went; 0: not known (0)\n"
	"  --features LIST  tlbirange, ttl and lpa2 count (fwb,tlbirange)\n"
	"  --json           print an object\n"
	"\n"
	"Sizes take K, M, G, T, or are as s2lab prints them (\"1 GiB + 4 KiB\").\n";

struct request {
	uint64_t ipa, size;
	struct lab_leaf leaf; /* size 0: not given */
	unsigned page_shift;  /* 0: not given */
	int level;
	uint32_t features;
};

/* BaseADDR counts units of 64 KiB with LPA2, granules without. */
static unsigned base_shift(const struct request *rq)
{
	return rq->features & S2_FEAT_LPA2 ? 16 : rq->page_shift;
}

/* With 64 KiB granules 52 bits do not need LPA2. */
static unsigned ipa_bits_max(const struct request *rq)
{
	return rq->features & S2_FEAT_LPA2 || rq->page_shift == 16 ? 52 : 48;
}

/* ---- the addresses that the plan reaches ---- */

struct step {
	const struct tlbi_name *name;
	uint64_t operand;
	struct decoded text;
	struct tlbi_reach reach;
	uint64_t end;
};

struct result {
	struct s2_plan plan;
	struct step step[S2_PLAN_OPS];
	uint64_t beyond;   /* bytes reached outside the range, by the operands */
	const char *wrong; /* NULL: the plan covers the range */
};

static const char *const tlbi_names[] = {
	[S2_TLBI_IPAS2E1IS] = "ipas2e1is",
	[S2_TLBI_RIPAS2E1IS] = "ripas2e1is",
	[S2_TLBI_VMALLS12E1IS] = "vmalls12e1is",
};

/* The plan is sorted by address, so one pass finds every gap. */
static void examine(const struct request *rq, struct result *r)
{
	const struct s2_config engine = {
		.pa_bits = (uint8_t)ipa_bits_max(rq),
		.granule_shift = (uint8_t)rq->page_shift,
		.features = rq->features,
	};
	const struct decode_config config = {
		.page_shift = rq->page_shift,
		.features = rq->features,
	};
	uint64_t pos = rq->ipa, end = rq->ipa + rq->size;

	s2_plan_range(&engine, rq->ipa, rq->size, rq->leaf.size, rq->level, &r->plan);
	if (r->plan.n > S2_PLAN_OPS) {
		r->wrong = "more instructions than a plan may have";
		return;
	}
	for (unsigned i = 0; i < r->plan.n; i++) {
		struct step *s = &r->step[i];

		s->name = decode_tlbi_find(tlbi_names[r->plan.op[i]]);
		s->operand = s->text.value = r->plan.operand[i];
		decode_tlbi(&s->text, s->name, &config, &s->reach);
		if (s->name->form == TLBI_ALL) {
			r->beyond = UINT64_MAX;
			pos = end;
			continue;
		}
		if (!s->reach.sure || s->text.problems)
			r->wrong = "an operand is reserved or UNPREDICTABLE";
		if (s->name->form == TLBI_RANGE && !(rq->features & S2_FEAT_TLBIRANGE))
			r->wrong = "a range instruction without FEAT_TLBIRANGE";
		if (s->reach.hint && (!rq->level || (int)s->reach.ttl != rq->level))
			r->wrong = "a level hint that is not the leaves' level";
		if (s->reach.hint && s->name->form == TLBI_IPA &&
		    !(rq->features & S2_FEAT_TTL))
			r->wrong = "a level hint without FEAT_TTL";
		/* A TLBI by address invalidates the whole leaf, which is in the range. */
		s->end = s->reach.start +
			 (s->name->form == TLBI_IPA ? rq->leaf.size : s->reach.size);
		if (s->reach.start > pos)
			r->wrong = "a gap between two instructions";
		if (s->reach.start < rq->ipa)
			r->beyond += rq->ipa - s->reach.start;
		if (s->end > pos)
			pos = s->end;
	}
	if (pos < end && !r->wrong)
		r->wrong = "the end of the range is not reached";
	if (pos > end)
		r->beyond += pos - end;
	if (!r->wrong && r->beyond != r->plan.beyond)
		r->wrong = "the plan reports another number of bytes beyond the range";
}

/* ---- the other plans ---- */

struct choice {
	char name[48];
	bool possible, taken;
	uint64_t tlbis, beyond, cost;
};
#define CHOICES 7

static void choice(const struct request *rq, struct choice *c, const char *name,
		   bool possible, uint64_t tlbis, uint64_t beyond)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->possible = possible;
	c->tlbis = tlbis;
	c->beyond = beyond;
	c->cost = tlbis * COST_TLBI + (beyond >> rq->page_shift) * COST_PAGE;
}

/*
 * The number of range TLBIs for the range. The first begins at a multiple of BaseADDR's
 * unit, at or before the range. The size is rounded up to 2^shift pages; with shift 0 an
 * odd last page takes a TLBI of its own.
 */
static uint64_t ranges(const struct request *rq, unsigned shift, uint64_t *beyond)
{
	uint64_t before = rq->ipa & ((UINT64_C(1) << base_shift(rq)) - 1);
	uint64_t pages = (before + rq->size) >> rq->page_shift;
	uint64_t unit = UINT64_C(1) << shift, odd = shift ? 0 : pages & 1;
	uint64_t full = pages >> 21, n = full + odd;
	uint64_t rest = pages - (full << 21) - odd;
	uint64_t up = (rest + unit - 1) & ~(unit - 1);

	*beyond = before + ((up - rest) << rq->page_shift);
	for (int scale = 3; scale >= 0; scale--) {
		unsigned s = 5u * (unsigned)scale + 1;

		n += up >> s > 0;
		up &= (UINT64_C(1) << s) - 1;
	}
	return n;
}

static void choices(const struct request *rq, const struct result *r, struct choice *c)
{
	bool range = rq->features & S2_FEAT_TLBIRANGE, found = false;
	uint64_t n, beyond, tlbis = r->plan.n;

	choice(rq, &c[0], "one by address for each leaf", true, rq->size / rq->leaf.size,
	       0);
	n = ranges(rq, 0, &beyond);
	choice(rq, &c[1], beyond ? "ranges, exactly to the end" : "ranges, exactly",
	       range, n, beyond);
	for (unsigned s = 0; s < 4; s++) {
		char name[48];

		snprintf(name, sizeof(name), "ranges, up to whole units of SCALE %u", s);
		n = ranges(rq, 5 * s + 1, &beyond);
		choice(rq, &c[2 + s], name, range, n, beyond);
	}
	choice(rq, &c[6], "the whole VMID", true, 1, UINT64_MAX);
	c[6].cost = S2_PLAN_OPS * COST_TLBI;
	if (r->beyond == UINT64_MAX) {
		c[6].taken = true;
		return;
	}
	for (unsigned i = 0; i < 6 && !found; i++) {
		bool single = tlbis && r->step[0].name->form == TLBI_IPA &&
			      tlbis == c[0].tlbis;

		found = c[i].possible && c[i].tlbis == tlbis &&
			c[i].beyond == r->beyond && (i == 0) == single;
		c[i].taken = found;
	}
}

/* ---- output ---- */

static const char *hex_range(uint64_t start, uint64_t end, char *buf, size_t len)
{
	snprintf(buf, len, "[0x%" PRIx64 ", 0x%" PRIx64 ")", start, end);
	return buf;
}

static void print_text(const struct request *rq, const struct result *r,
		       const struct choice *c)
{
	char size[LAB_SIZE_LEN], leaf[LAB_SIZE_LEN], feat[LAB_FEATURES_LEN], range[64];
	struct lab_table t = { 0 };

	printf("Invalidating %s, %s\n"
	       "Granule %u KiB, smallest leaf %s, level %s, features %s\n\n",
	       hex_range(rq->ipa, rq->ipa + rq->size, range, sizeof(range)),
	       lab_size_text(rq->size, size), 1u << (rq->page_shift - 10),
	       lab_size_text(rq->leaf.size, leaf),
	       rq->level ? (const char *[]){ "1", "2", "3" }[rq->level - 1] : "not known",
	       lab_features_text(rq->features, feat));
	if (!rq->size) {
		printf("  nothing: no barrier, no TLBI\n\n");
	} else {
		printf("  dsb ishst\n");
		for (unsigned i = 0; i < r->plan.n; i++) {
			const struct step *s = &r->step[i];

			if (s->name->form == TLBI_ALL) {
				printf("  tlbi vmalls12e1is                  "
				       "the whole VMID, stage 1 too\n");
				continue;
			}
			printf("  tlbi %-10s 0x%016" PRIx64 "  %s",
			       tlbi_names[r->plan.op[i]], s->operand,
			       hex_range(s->reach.start, s->end, range, sizeof(range)));
			if (s->name->form == TLBI_RANGE)
				printf(" BaseADDR 0x%" PRIx64
				       " SCALE %u NUM %u TG %u KiB",
				       s->reach.start >> base_shift(rq), s->reach.scale,
				       s->reach.num, 1u << (rq->page_shift - 10));
			printf(s->reach.hint ? " TTL level %u\n" : " TTL none\n",
			       s->reach.ttl);
		}
		printf("  dsb ish\n");
		if (r->beyond != UINT64_MAX)
			printf("  tlbi vmalle1is\n  dsb ish\n");
		printf("  isb\n\n");
	}
	if (r->beyond == UINT64_MAX)
		printf("beyond the range: everything else of the VMID\n");
	else
		printf("beyond the range: %s\n", lab_size_text(r->beyond, size));
	printf("covers: %s%s%s%s\n\n", lab_style(stdout, r->wrong ? LAB_BAD : LAB_GOOD),
	       r->wrong ? "no: " : "yes", r->wrong ? r->wrong : "",
	       lab_style(stdout, LAB_PLAIN));
	if (!rq->size)
		return;

	lab_table_column(&t, "what could be issued", false);
	lab_table_column(&t, "TLBIs", true);
	lab_table_column(&t, "beyond", true);
	lab_table_column(&t, "cost", true);
	lab_table_column(&t, "", false);
	for (unsigned i = 0; i < CHOICES; i++) {
		lab_table_text(&t, c[i].taken ? LAB_BOLD : LAB_PLAIN, "%s", c[i].name);
		lab_table_count(&t, c[i].tlbis);
		lab_table_text(&t, LAB_PLAIN, "%s",
			       c[i].beyond == UINT64_MAX ?
				       "VMID" :
				       lab_size_text(c[i].beyond, size));
		lab_table_count(&t, c[i].cost);
		lab_table_text(&t, LAB_PLAIN, "%s",
			       c[i].taken			 ? "taken" :
			       !c[i].possible			 ? "no FEAT_TLBIRANGE" :
			       i < 6 && c[i].tlbis > S2_PLAN_OPS ? "too many" :
								   "");
	}
	lab_table_print(&t, stdout, 2);
	printf("\n  cost: %u a TLBI, %u for each page beyond the range; the whole VMID is"
	       " taken where\n  no other costs at most %u (src/inval.c)\n",
	       COST_TLBI, COST_PAGE, S2_PLAN_OPS * COST_TLBI);
}

static void add_hex(cJSON *o, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	cJSON_AddStringToObject(o, name, text);
}

/* Bytes outside the range; null: all of the VMID. */
static void add_beyond(cJSON *o, uint64_t beyond)
{
	if (beyond == UINT64_MAX)
		cJSON_AddNullToObject(o, "beyond");
	else
		cJSON_AddNumberToObject(o, "beyond", (double)beyond);
}

static void print_json(const struct request *rq, const struct result *r,
		       const struct choice *c)
{
	cJSON *top = cJSON_CreateObject(), *list;
	char feat[LAB_FEATURES_LEN];

	add_hex(top, "ipa", rq->ipa);
	cJSON_AddNumberToObject(top, "size", (double)rq->size);
	cJSON_AddNumberToObject(top, "granule", (double)(UINT64_C(1) << rq->page_shift));
	cJSON_AddNumberToObject(top, "leaf", (double)rq->leaf.size);
	cJSON_AddNumberToObject(top, "level", rq->level);
	list = cJSON_AddArrayToObject(top, "features");
	for (uint32_t bit = 1; bit <= S2_FEAT_LPA2; bit <<= 1)
		if (rq->features & bit)
			cJSON_AddItemToArray(
				list, cJSON_CreateString(lab_features_text(bit, feat)));
	cJSON_AddBoolToObject(top, "covers", !r->wrong);
	if (r->wrong)
		cJSON_AddStringToObject(top, "wrong", r->wrong);
	add_beyond(top, r->beyond);
	cJSON_AddNumberToObject(top, "dsb",
				!r->plan.n		? 0 :
				r->beyond == UINT64_MAX ? 2 :
							  3);
	cJSON_AddBoolToObject(top, "vmalle1is", r->plan.n && r->beyond != UINT64_MAX);
	list = cJSON_AddArrayToObject(top, "instructions");
	for (unsigned i = 0; i < r->plan.n; i++) {
		const struct step *s = &r->step[i];
		cJSON *e = cJSON_CreateObject();

		cJSON_AddStringToObject(e, "tlbi", tlbi_names[r->plan.op[i]]);
		if (s->name->form != TLBI_ALL) {
			add_hex(e, "operand", s->operand);
			add_hex(e, "start", s->reach.start);
			add_hex(e, "end", s->end);
			cJSON_AddNumberToObject(e, "ttl", s->reach.ttl);
		}
		if (s->name->form == TLBI_RANGE) {
			cJSON_AddNumberToObject(e, "scale", s->reach.scale);
			cJSON_AddNumberToObject(e, "num", s->reach.num);
		}
		cJSON_AddItemToArray(list, e);
	}
	list = cJSON_AddArrayToObject(top, "choices");
	for (unsigned i = 0; rq->size && i < CHOICES; i++) {
		cJSON *e = cJSON_CreateObject();

		cJSON_AddStringToObject(e, "name", c[i].name);
		cJSON_AddBoolToObject(e, "possible", c[i].possible);
		cJSON_AddBoolToObject(e, "taken", c[i].taken);
		cJSON_AddNumberToObject(e, "tlbis", (double)c[i].tlbis);
		add_beyond(e, c[i].beyond);
		cJSON_AddNumberToObject(e, "cost", (double)c[i].cost);
		cJSON_AddItemToArray(list, e);
	}
	lab_json_print(top);
}

/* ---- the command line ---- */

enum { O_IPA = 1, O_SIZE, O_GRANULE, O_LEAF, O_LEVEL, O_FEATURES, O_JSON };

static const struct option options[] = {
	{ "ipa", required_argument, NULL, O_IPA },
	{ "size", required_argument, NULL, O_SIZE },
	{ "granule", required_argument, NULL, O_GRANULE },
	{ "leaf", required_argument, NULL, O_LEAF },
	{ "stride", required_argument, NULL, O_LEAF },
	{ "level", required_argument, NULL, O_LEVEL },
	{ "features", required_argument, NULL, O_FEATURES },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_option(int id, struct request *rq)
{
	uint64_t n;

	switch (id) {
	case O_IPA:
		return lab_parse_pages("--ipa", optarg, &rq->ipa);
	case O_SIZE:
		return lab_parse_pages("--size", optarg, &rq->size);
	case O_LEAF:
		return lab_parse_leaf("--leaf", optarg, &rq->leaf);
	case O_GRANULE:
		return lab_parse_granule("--granule", optarg, &rq->page_shift);
	case O_LEVEL:
		if (!lab_parse_number("--level", optarg, 0, 3, &n))
			return false;
		rq->level = (int)n;
		return true;
	default:
		return lab_parse_features("--features", optarg, &rq->features);
	}
}

/* Completes the options and checks them against each other. */
static int check(struct request *rq)
{
	struct lab_leaf *leaf = &rq->leaf;

	if (!rq->page_shift)
		rq->page_shift = leaf->size ? leaf->page_shift : 12;
	if (!leaf->size) {
		leaf->level = rq->level ? rq->level : 3;
		leaf->page_shift = rq->page_shift;
		leaf->size = level_size(rq->page_shift, leaf->level);
		leaf->wide = rq->level == 1 && rq->page_shift > 12;
	}
	if (leaf->page_shift != rq->page_shift)
		return lab_usage("--leaf is not a leaf of the granule");
	if (rq->level && leaf->level != rq->level)
		return lab_usage("--leaf is not the size of a leaf at --level %d",
				 rq->level);
	if (rq->features & S2_FEAT_LPA2 && rq->page_shift == 16)
		return lab_usage("--features: lpa2 is for granules of 4 and 16 KiB");
	if (leaf->wide && ipa_bits_max(rq) == 48)
		return lab_usage("so large a leaf needs --features lpa2");
	if (rq->ipa % leaf->size || rq->size % leaf->size)
		return lab_usage("--ipa and --size must be multiples of the leaf");
	if (rq->ipa >> ipa_bits_max(rq) ||
	    rq->size > (UINT64_C(1) << ipa_bits_max(rq)) - rq->ipa)
		return lab_usage("the range ends beyond %u bits", ipa_bits_max(rq));
	return LAB_OK;
}

int cmd_plan(int argc, char **argv)
{
	struct request rq = { .features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE };
	unsigned seen = 0;
	bool json = false;
	struct result r = { 0 };
	struct choice c[CHOICES];
	int id;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'h') {
			fputs(usage, stdout);
			return LAB_OK;
		}
		if (id == '?') {
			fputs("Try 's2lab plan --help'.\n", stderr);
			return LAB_USAGE;
		}
		if (id == O_JSON)
			json = true;
		else if (!parse_option(id, &rq))
			return LAB_USAGE;
		seen |= 1u << id;
	}
	if (optind < argc)
		return lab_usage("'%s' is not an option", argv[optind]);
	if (!(seen & 1u << O_IPA) || !(seen & 1u << O_SIZE))
		return lab_usage("--ipa and --size must be given");
	if (check(&rq) != LAB_OK)
		return LAB_USAGE;
	examine(&rq, &r);
	choices(&rq, &r, c);
	if (json)
		print_json(&rq, &r, c);
	else
		print_text(&rq, &r, c);
	return r.wrong ? LAB_VIOLATION : LAB_OK;
}
