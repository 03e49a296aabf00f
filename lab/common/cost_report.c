/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Estimated times, for people and for programs. */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cost_report.h"
#include "report.h"

/* ---- JSON ---- */

/* The prices, each with its source and the assumptions behind it. */
struct cJSON *cost_json(const struct cost_profile *cpu)
{
	struct cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", cpu->name);
	cJSON_AddStringToObject(json, "says", cpu->says);
	cJSON_AddStringToObject(json, "unit", cpu->unit);
	for (int i = 0; i < COST_PARTS; i++) {
		const struct cost_price *p = &cpu->price[i];
		struct cJSON *one = cJSON_AddObjectToObject(json, cost_part_keys[i]);

		if (p->value >= 0)
			cJSON_AddNumberToObject(one, "value", p->value);
		else
			cJSON_AddNullToObject(one, "value");
		cJSON_AddStringToObject(one, "source", p->source);
		cJSON_AddStringToObject(one, "assumes", p->assumes);
	}
	return json;
}

struct cJSON *cost_estimate_json(const struct cost_profile *cpu, const uint64_t *times)
{
	struct cJSON *json = cJSON_CreateObject();
	bool all;

	cJSON_AddNumberToObject(json, "total", cost_estimate(cpu, times, &all));
	cJSON_AddBoolToObject(json, "complete", all);
	for (int i = 0; i < COST_PARTS; i++)
		cJSON_AddNumberToObject(json, cost_part_keys[i], (double)times[i]);
	return json;
}

/* ---- a table ---- */

const char *cost_text(double n, char *buf)
{
	if (n >= 100)
		return lab_count_text((uint64_t)(n + 0.5), buf);
	/* An unknown price, which is negative, times 0 is -0. */
	snprintf(buf, LAB_COUNT_LEN, "%.3g", n > 0 ? n : 0);
	return buf;
}

void cost_print(const struct cost_profile *cpu, const char *const *names,
		const uint64_t (*times)[COST_PARTS], unsigned n)
{
	struct lab_table t = { 0 };
	char buf[LAB_COUNT_LEN];
	bool all;

	printf("\n%sEstimated time on %s, %s%s\n", lab_style(stdout, LAB_BOLD), cpu->name,
	       cpu->unit, lab_style(stdout, LAB_PLAIN));
	lab_wrap(stdout, 0, 79, cpu->says);
	lab_table_column(&t, "", false);
	lab_table_column(&t, "one", true);
	for (unsigned i = 0; i < n; i++)
		lab_table_column(&t, names[i], true);
	for (int part = 0; part < COST_PARTS; part++) {
		const double price = cpu->price[part].value;

		lab_table_text(&t, LAB_PLAIN, "%s", cost_part_names[part]);
		if (price < 0)
			lab_table_text(&t, LAB_PLAIN, "?");
		else
			lab_table_text(&t, LAB_PLAIN, "%.4g", price);
		for (unsigned i = 0; i < n; i++)
			lab_table_text(&t, LAB_PLAIN, "%s",
				       price >= 0 || !times[i][part] ?
					       cost_text(price * (double)times[i][part],
							 buf) :
					       "?");
	}
	lab_table_text(&t, LAB_BOLD, "in all");
	lab_table_text(&t, LAB_PLAIN, "%s", "");
	for (unsigned i = 0; i < n; i++) {
		double sum = cost_estimate(cpu, times[i], &all);

		lab_table_text(&t, LAB_BOLD, "%s%s",
			       all ? "" : ">= ", cost_text(sum, buf));
	}
	lab_table_print(&t, stdout, 0);

	printf("\nNot measured by us. Where each price comes from, and what it takes:\n");
	for (int part = 0; part < COST_PARTS; part++) {
		const struct cost_price *p = &cpu->price[part];

		printf("  %s", cost_part_names[part]);
		if (p->value >= 0)
			printf(": %.4g %s", p->value, cpu->unit);
		putchar('\n');
		if (*p->source)
			lab_wrap(stdout, 4, 79, p->source);
		if (*p->assumes)
			lab_wrap(stdout, 4, 79, p->assumes);
	}
}
