/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_plants [-v]: rules broken on purpose, each by the port (PLANT_* in port.c),
 * each convicted by name. Prints TAP.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios.h"

#define FULL (S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL)

static const struct {
	enum plant plant;
	const char *what, *scenario;
	uint32_t features;
	const char *rule;
} plants[] = {
	{ PLANT_NO_GRACE, "release without a grace period",
	  "lookup, unmap of the table above", FULL, "freed-under-walker" },
	{ PLANT_EARLY_GRACE, "release after a grace period begun before the detach",
	  "lookup, unmap of the table above", FULL, "freed-under-walker" },
	{ PLANT_NO_GRACE, "release without a grace period, beside a map",
	  "map of a new table, unmap of the table above", FULL, "freed-under-walker" },
	{ PLANT_MARKER_TAKEN, "a marker replaced by a map",
	  "map, unmap of the mapped page, its table stays", FULL,
	  "marker-replaced-early" },
	{ PLANT_MARKER_UNSEEN, "the second unmap returning early",
	  "unmap, unmap of one page, its table stays", FULL, "stale-after-unmap" },
	{ PLANT_MARKER_UNSEEN, "the second unmap returning early, before the clean",
	  "unmap, unmap of one page, its table stays", 0, "not-cleaned" },
	{ PLANT_DEAD_IGNORED, "install after the table is dead",
	  "map, unmap of the only other page of the table", FULL, "map-lost" },
	{ PLANT_FLAG_IGNORED, "a leaf to clean in a table that does not say so",
	  "map of the first page to clean, unmap of the whole table", 0, "metadata" },
	{ PLANT_CAS_TORN, "a compare and a store in place of a compare-and-swap",
	  "map, map of the same page, other frame", FULL, "break-before-make" },
	{ PLANT_CAS_TORN, "the same, relax beside unmap", "relax, unmap of the page",
	  FULL, "marker-replaced-early" },
	{ PLANT_ADD_TORN, "a load and a store in place of an atomic add",
	  "map, map of two pages of one table", FULL, "metadata" },
	{ PLANT_NO_DSB_BEFORE, "no DSB before the TLBI", "unmap, unmap of one page", FULL,
	  "marker-replaced-early" },
	{ PLANT_NO_DSB_AFTER, "DSB ISHST after the TLBI", "unmap, unmap of one page",
	  FULL, "marker-replaced-early" },
	{ PLANT_NO_TLBI, "no TLBI by IPA", "lookup, unmap of the page", FULL,
	  "marker-replaced-early" },
	{ PLANT_NO_TLBI, "no TLBI for a wrprotect", "wrprotect, wrprotect", FULL,
	  "stale-after-wrprotect" },
	{ PLANT_NO_STAGE1, "no VMALLE1IS", "lookup, unmap of the page", FULL,
	  "marker-replaced-early" },
	{ PLANT_NO_AGENTS, "other agents forgotten", "lookup, unmap of the page", FULL,
	  "marker-replaced-early" },
	{ PLANT_NO_CLEAN, "no clean", "lookup, unmap of the page", 0, "not-cleaned" },
};

int main(int argc, char **argv)
{
	const unsigned n = sizeof(plants) / sizeof(plants[0]);
	unsigned failed = 0;

	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		struct result res = { 0 };
		const struct scenario *from;
		struct scenario sc = { 0 };
		bool good;

		for (unsigned j = 0; (from = scenario_at(j)); j++)
			if (!strcmp(from->name, plants[i].scenario))
				sc = *from;
		sc.features |= plants[i].features;
		planted = plants[i].plant;
		explore(&sc, &res);
		good = res.rule && !strcmp(res.rule, plants[i].rule);
		printf("%s %u - %s: %s\n", good ? "ok" : "not ok", i + 1, plants[i].what,
		       res.rule ? res.rule : "not found");
		if (!good || (argc > 1 && !strcmp(argv[1], "-v"))) {
			printf("#   %s, expected %s; %s\n", sc.name, plants[i].rule,
			       res.detail);
			if (res.rule)
				explore_replay(&sc);
		}
		failed += !good;
		fflush(stdout);
	}
	return !!failed;
}
