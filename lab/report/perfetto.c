/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>

#include <cjson/cJSON.h>

#include "common/report.h"
#include "perfetto.h"

/* The tracks are in groups, which the format calls processes. */
enum { TASKS = 1, RECORDING, COSTS };
#define PHASES 1 /* a track of RECORDING, as is each VM */
#define VM(n) ((uint64_t)(n) + 2)
/* A counter changes once in that time, in ns, so that the file stays small. */
#define COUNTERS_EVERY 1000000

static const char *const way_says[WAYS] = { "this library", "Linux 6.12" };

static void begin(struct perfetto *p, const char *kind, unsigned group, uint64_t track)
{
	fprintf(p->f, "%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%" PRIu64,
		p->begun ? "," : "", kind, group, track);
	p->begun = true;
}

/* In microseconds. */
static void at(struct perfetto *p, const char *what, uint64_t ns)
{
	fprintf(p->f, ",\"%s\":%" PRIu64 ".%03u", what, ns / 1000, (unsigned)(ns % 1000));
}

static void string(struct perfetto *p, const char *text)
{
	cJSON *string = cJSON_CreateString(text);
	char *json = string ? cJSON_PrintUnformatted(string) : NULL;

	if (json)
		lab_utf8(json);
	fputs(json ? json : "\"\"", p->f);
	cJSON_free(json);
	cJSON_Delete(string);
}

static void name(struct perfetto *p, const char *what, unsigned group, uint64_t track,
		 const char *text)
{
	begin(p, "M", group, track);
	fprintf(p->f, ",\"name\":\"%s\",\"args\":{\"name\":", what);
	string(p, text);
	fputs("}}", p->f);
}

/* The VM's life, on a track of its own. */
static void vm_lives(struct perfetto *p, const struct trace_event *ev)
{
	char text[32];

	if (ev->op == TRACE_INIT) {
		snprintf(text, sizeof(text), "VM %" PRIu32, ev->vm);
		name(p, "thread_name", RECORDING, VM(ev->vm), text);
		begin(p, "B", RECORDING, VM(ev->vm));
		fprintf(p->f, ",\"name\":\"%s\"", text);
	} else if (ev->op == TRACE_DESTROY) {
		begin(p, "E", RECORDING, VM(ev->vm));
	} else {
		return;
	}
	at(p, "ts", ev->time);
	putc('}', p->f);
}

/* Tracks have 32 bits. */
static uint64_t track_of(const struct account *a, const struct trace_event *ev)
{
	return ev->task == ACCOUNT_NO_TASK ? 0 : a->t->task[ev->task].pid & UINT32_MAX;
}

static void counters(struct perfetto *p, const struct account *a, uint64_t ns)
{
	static const char *const names[] = { "TLBIs so far", "DSBs so far" };

	for (unsigned i = 0; i < 2; i++) {
		begin(p, "C", COSTS, 0);
		at(p, "ts", ns);
		fprintf(p->f, ",\"name\":\"%s\",\"args\":{", names[i]);
		for (unsigned w = 0; w < a->ways; w++)
			fprintf(p->f, "%s\"%s\":%" PRIu64, w ? "," : "", way_says[w],
				p->sum[w][i]);
		fputs("}}", p->f);
	}
	p->shown = ns;
}

void perfetto_begin(struct perfetto *p, const struct account *a)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", p->f);
	name(p, "process_name", TASKS, 0, "Tasks");
	name(p, "process_name", RECORDING, 0, a->t->name);
	name(p, "process_name", COSTS, 0, "Costs");
	name(p, "thread_name", RECORDING, PHASES, "phases");
	for (size_t i = 0; i < a->t->tasks; i++)
		name(p, "thread_name", TASKS, a->t->task[i].pid & UINT32_MAX,
		     a->t->task_name[a->t->task[i].name]);
	counters(p, a, 0);
}

void perfetto_call(struct perfetto *p, const struct account *a,
		   const struct account_call *call)
{
	const struct trace_event *ev = &call->ev;

	/* The recording says when a call began, and not how long it took. */
	begin(p, "i", TASKS, track_of(a, ev));
	at(p, "ts", ev->time);
	fprintf(p->f,
		",\"s\":\"t\",\"name\":\"%s\",\"args\":{\"line\":%" PRIu32
		",\"vm\":%" PRIu32 ",\"ipa\":\"0x%" PRIx64 "\",\"bytes\":%" PRIu64,
		trace_op_names[ev->op], ev->line, ev->vm, ev->addr, ev->size);
	for (unsigned w = 0; w < a->ways; w++) {
		for (unsigned m = 0; m < LINES; m++)
			if (call->cost[w].n[m])
				fprintf(p->f, ",\"%s, %s\":%" PRIu64,
					account_measure_names[m], way_says[w],
					call->cost[w].n[m]);
		p->sum[w][0] += call->cost[w].n[TLBIS];
		p->sum[w][1] += call->cost[w].n[DSBS];
	}
	fputs("}}", p->f);
	vm_lives(p, ev);
	if (ev->time - p->shown >= COUNTERS_EVERY)
		counters(p, a, ev->time);
}

static void slice(struct perfetto *p, uint64_t track, uint64_t from, uint64_t to,
		  const char *text)
{
	begin(p, "X", RECORDING, track);
	at(p, "ts", from);
	at(p, "dur", to - from);
	fputs(",\"name\":", p->f);
	string(p, text);
	putc('}', p->f);
}

void perfetto_end(struct perfetto *p, const struct account *a)
{
	const uint64_t end = a->t->end - a->t->start;

	counters(p, a, end);
	for (uint32_t i = 0; i < a->phases; i++)
		if (*a->phase[i].text)
			slice(p, PHASES, a->phase[i].time,
			      i + 1 < a->phases ? a->phase[i + 1].time : end,
			      a->phase[i].text);
	fputs("\n]}\n", p->f);
}
