// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prices. There is no published table of the costs of DC CIVAC, TLBI and DSB, so each
 * price is derived from a published total, and says what is assumed. A part without a
 * source has no price; the sum then leaves it out and says so.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cost.h"
#include "common/options.h"

const char *const cost_part_names[COST_PARTS] = {
	[COST_VISIT] = "entry visited",
	[COST_BY_IPA] = "invalidation by IPA",
	[COST_BY_RANGE] = "invalidation by range",
	[COST_FURTHER] = "each further TLBI in one",
	[COST_WHOLE] = "invalidation of the VMID",
	[COST_LINE] = "line cleaned",
};

/* Their names in a file. */
const char *const cost_part_keys[COST_PARTS] = {
	[COST_VISIT] = "visit",	      [COST_BY_IPA] = "by_ipa",
	[COST_BY_RANGE] = "by_range", [COST_FURTHER] = "further",
	[COST_WHOLE] = "whole",	      [COST_LINE] = "line",
};

#define UNKNOWN(why)        \
	{                   \
		-1, "", why \
	}
#define GRAVITON3 "20240404212742.11248-1-alisaidi@amazon.com"
#define V1 "20230109215347.3119271-1"
#define V7 "20230722022251.3446223-1"
#define RANGE_SERIES "20200708124031.1414-1"

static const struct cost_profile profiles[] = {
	{ "graviton3",
	  "Graviton3, without FEAT_TLBIRANGE: 128 GiB of 4 KiB pages unmapped",
	  "us",
	  {
		  [COST_VISIT] = { 0.176,
				   "5.9 s for 33,554,432 pages with one flush of the VMID: " GRAVITON3,
				   "all of it is the walk, tables freed included, and any "
				   "walk costs as much an entry as Linux's" },
		  [COST_BY_IPA] = { 1.001,
				    "39.5 s with a TLBI for each page, less the 5.9 s: " GRAVITON3,
				    "the rest is the same in both runs" },
		  [COST_BY_RANGE] = { 1.001, "none published for this machine",
				      "as much as by IPA: nearly all is its DSBs "
				      "(" RANGE_SERIES ")" },
		  [COST_FURTHER] = { 0.024, "525 of 11,000 units a TLBI: " RANGE_SERIES,
				     "the same share, of half an invalidation: it has two "
				     "DSBs" },
		  [COST_WHOLE] = { 1.001, "none published for this machine",
				   "as much as by IPA; filling the TLB again, which "
				   "every CPU of the guest pays, is left out" },
		  [COST_LINE] = UNKNOWN("nobody has published one"),
	  } },
	{ "kvm-2023",
	  "the machine of the patches of 2023, with FEAT_TLBIRANGE: as much",
	  "us",
	  {
		  [COST_VISIT] = { 0.429,
				   "14.39 s for 33,554,432 pages with the leaves' TLBIs "
				   "deferred: " V7,
				   "all of it is the walk, and any walk costs as much an "
				   "entry as Linux's" },
		  [COST_BY_IPA] = { 1.625,
				    "68.92 s with a TLBI for each page, less the 14.39 s: " V7,
				    "the rest is the same in both runs" },
		  [COST_BY_RANGE] = { 208.1, "one flush of a range: " V1,
				      "as much whatever the size of the range" },
		  [COST_FURTHER] = { 0.039, "525 of 11,000 units a TLBI: " RANGE_SERIES,
				     "the same share, of half an invalidation: it has two "
				     "DSBs" },
		  [COST_WHOLE] = { 73.2, "one flush of a VMID: " V1,
				   "none; filling the TLB again is left out" },
		  [COST_LINE] = UNKNOWN("nobody has published one"),
	  } },
	{ "fpga-2020",
	  "the FPGA of the range TLBI patches, in a unit they do not state",
	  "units",
	  {
		  [COST_VISIT] = UNKNOWN("they measured no walk"),
		  [COST_BY_IPA] = { 22525, "11,000 fixed, 525 a TLBI: " RANGE_SERIES,
				    "stage 2 costs what stage 1 did there, and needs the "
				    "fixed part, a DSB, twice" },
		  [COST_BY_RANGE] = { 22525,
				      "11,092 for 64 pages, 11,111 for 512: " RANGE_SERIES,
				      "as by IPA" },
		  [COST_FURTHER] = { 525, "280,932 for 512 pages: " RANGE_SERIES,
				     "the same for every kind" },
		  [COST_WHOLE] = { 11525, "none published for this machine",
				   "one fixed part, one TLBI; filling the TLB again is "
				   "left out" },
		  [COST_LINE] = UNKNOWN("they cleaned none"),
	  } },
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

void cost_list(void)
{
	for (size_t i = 0; i < PROFILES; i++)
		printf("  %-10s %s\n", profiles[i].name, profiles[i].says);
}

/* ---- from a file ---- */

static const char *text(const struct cJSON *json, const char *name)
{
	const char *s =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	return s ? s : "";
}

/* @json must live as long as the profile, which points into it. */
static const struct cost_profile *from_json(const char *name, const struct cJSON *json)
{
	static struct cost_profile p;

	p = (struct cost_profile){ .name = name,
				   .says = text(json, "says"),
				   .unit = text(json, "unit") };
	if (!*p.unit)
		return lab_usage("%s: no \"unit\"", name), NULL;
	for (int i = 0; i < COST_PARTS; i++) {
		const struct cJSON *e =
			cJSON_GetObjectItemCaseSensitive(json, cost_part_keys[i]);
		const struct cJSON *v = cJSON_GetObjectItemCaseSensitive(e, "value");

		p.price[i] =
			(struct cost_price){ -1, text(e, "source"), text(e, "assumes") };
		if (!e)
			continue;
		if (!cJSON_IsNumber(v) || v->valuedouble < 0)
			return lab_usage("%s: \"%s\" has no \"value\" of 0 or more", name,
					 cost_part_keys[i]),
			       NULL;
		p.price[i].value = v->valuedouble;
	}
	return &p;
}

/* Freed at exit, because the profile points into it. */
static struct cJSON *profile_json;

static void forget_profile(void)
{
	cJSON_Delete(profile_json);
}

static const struct cost_profile *from_file(const char *name)
{
	static char buf[1 << 16];
	FILE *f = fopen(name, "r");
	struct cJSON *json;
	size_t n;

	if (!f) {
		lab_usage("--cpu: '%s' is no profile, and as a file: %s", name,
			  strerror(errno));
		fputs("Profiles:\n", stderr);
		for (size_t i = 0; i < PROFILES; i++)
			fprintf(stderr, "  %s\n", profiles[i].name);
		return NULL;
	}
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	json = cJSON_Parse(buf);
	if (!cJSON_IsObject(json)) {
		const char *at = cJSON_GetErrorPtr();
		unsigned line = 1, column = 1;

		for (const char *s = buf; at && s < at; s++, column++)
			if (*s == '\n') {
				line++;
				column = 0;
			}
		lab_usage("%s:%u:%u: not a JSON object", name, line, column);
		cJSON_Delete(json);
		return NULL;
	}
	if (!profile_json)
		atexit(forget_profile);
	cJSON_Delete(profile_json);
	profile_json = json;
	return from_json(name, json);
}

const struct cost_profile *cost_profile(const char *name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (!strcmp(name, profiles[i].name))
			return &profiles[i];
	return from_file(name);
}

/* ---- the estimate ---- */

/*
 * Each invalidation by address ends with one VMALLE1IS, so their number is the number of
 * invalidations. How many of these have range TLBIs is not known; as many as there are
 * range TLBIs is the most, and is what is charged.
 */
void cost_occurrences(const struct s2m_counters *n, uint64_t *times)
{
	uint64_t by_address = n->tlbi[S2M_VMALLE1IS];
	uint64_t ranges = n->tlbi[S2M_RIPAS2E1IS];
	uint64_t tlbis = n->tlbi[S2M_IPAS2E1IS] + ranges;

	if (ranges > by_address)
		ranges = by_address;
	times[COST_VISIT] = n->pte_reads;
	times[COST_BY_IPA] = by_address - ranges;
	times[COST_BY_RANGE] = ranges;
	times[COST_FURTHER] = tlbis > by_address ? tlbis - by_address : 0;
	times[COST_WHOLE] = n->tlbi[S2M_VMALLS12E1IS];
	times[COST_LINE] = n->clean_lines;
}

double cost_estimate(const struct cost_profile *p, const uint64_t *times, bool *all)
{
	double sum = 0;

	*all = true;
	for (int i = 0; i < COST_PARTS; i++) {
		if (p->price[i].value >= 0)
			sum += p->price[i].value * (double)times[i];
		else if (times[i])
			*all = false;
	}
	return sum;
}
