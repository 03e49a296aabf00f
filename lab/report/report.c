/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab report: a replay as a page with charts, or as a trace for ui.perfetto.dev. It
 * runs s2lab replay and takes its options.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "common/options.h"
#include "page.h"
#include "perfetto.h"
#include "replay/command.h"

static const char usage[] =
	"usage: s2lab report FILE|- -o PAGE [--perfetto TRACE] [OPTIONS]\n"
	"\n"
	"Replays a recording of KVM as s2lab replay does, and writes a page that shows\n"
	"what happened over time, what calls cost by Linux 6.12 and by this library, the\n"
	"worst calls, what is mapped by which level, and what to change. The page is one\n"
	"file, needs no network, and opens from disk in any browser of today.\n"
	"\n"
	"  -o, --output PAGE  write the page; - is standard output, for TRACE too\n"
	"  --perfetto TRACE   write a trace in the JSON that ui.perfetto.dev opens: each\n"
	"                     call in the track of its task, phases, counters\n"
	"\n"
	"The other options are those of s2lab replay that make sense here: --features,\n"
	"--cpu, --worst, --vm, --partial, --kernel, --seed, --ipa-bits, --quiet.\n"
	"\n"
	"Exit status as of s2lab replay: 1 if a violation was found (the page shows it).\n";

struct report {
	const char *page, *trace; /* paths */
	struct perfetto perfetto;
	bool failed;
};

static FILE *open_file(const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "wb") : stdout;

	if (!f)
		lab_usage("%s: %s", path, strerror(errno));
	return f;
}

static bool close_file(FILE *f, const char *path)
{
	bool ok = !ferror(f);

	errno = 0;
	ok &= !(f == stdout ? fflush(f) : fclose(f));
	if (!ok)
		lab_usage("%s: %s", path, errno ? strerror(errno) : "write error");
	return ok;
}

enum { O_OUTPUT = 'o', O_PERFETTO = REPLAY_OWN_OPTION };

static const struct option options[] = {
	{ "output", required_argument, NULL, O_OUTPUT },
	{ "perfetto", required_argument, NULL, O_PERFETTO },
	{ NULL, 0, NULL, 0 },
};

static bool option(void *arg, int id)
{
	struct report *r = arg;

	*(id == O_OUTPUT ? &r->page : &r->trace) = optarg;
	return true;
}

static bool begin(void *arg, struct account *a)
{
	struct report *r = arg;

	if (!r->page && !r->trace) {
		lab_usage("where to? -o PAGE, --perfetto TRACE or both");
		return false;
	}
	if (a->ways < WAYS) {
		lab_usage("a report is a comparison: not with --no-merged");
		return false;
	}
	if (r->page && !page_before_len) {
		lab_usage("this s2lab was built without Chart.js, which the page needs: "
			  "install libjs-chart.js, or configure with -Dchartjs=PATH, and "
			  "build again");
		return false;
	}
	if (r->page && !lab_parse_output("-o", r->page, a->t->name))
		return false;
	if (!r->trace)
		return true;
	if (!lab_parse_output("--perfetto", r->trace, a->t->name) ||
	    (r->page && !lab_parse_output("--perfetto", r->trace, r->page)))
		return false;
	r->perfetto.f = open_file(r->trace);
	if (r->perfetto.f)
		perfetto_begin(&r->perfetto, a);
	return r->perfetto.f;
}

static void call(void *arg, const struct account *a, const struct account_call *c)
{
	struct report *r = arg;

	if (r->perfetto.f)
		perfetto_call(&r->perfetto, a, c);
}

static bool write_page(const char *path, const struct replay_result *result)
{
	struct cJSON *data = replay_json(result);
	FILE *f = open_file(path);
	bool ok = f && page_write(f, data);

	cJSON_Delete(data);
	return f && close_file(f, path) && ok;
}

static bool result(void *arg, const struct replay_result *out)
{
	struct report *r = arg;

	if (r->perfetto.f)
		perfetto_end(&r->perfetto, out->account);
	return !r->page || write_page(r->page, out);
}

int cmd_report(int argc, char **argv)
{
	struct report r = { 0 };
	const struct replay_user user = {
		.usage = usage,
		.letters = "o:",
		.options = options,
		.option = option,
		.begin = begin,
		.call = call,
		.result = result,
		.arg = &r,
	};
	int status = replay_command(argc, argv, &user);

	if (r.perfetto.f && !close_file(r.perfetto.f, r.trace))
		status = LAB_USAGE;
	return status;
}
