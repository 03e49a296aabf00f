/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --trace-out and --trace-for. */
#include <errno.h>
#include <string.h>

#include "options.h"
#include "trace_option.h"

struct trace_out *trace_option_open(const struct trace_option *o, bool *failed)
{
	struct trace_out *t = o->path ? trace_out_open(o->path, o->format) : NULL;

	*failed = o->path && !t;
	if (*failed)
		lab_usage("--trace-out: %s: %s", o->path, strerror(errno));
	return t;
}

bool trace_option_close(const struct trace_option *o, struct trace_out *t)
{
	char why[256];

	if (!t || !trace_out_close(t, why, sizeof(why)))
		return true;
	lab_usage("--trace-out: %s: %s%s", o->path,
		  o->format == TRACE_FOR_CASEMATE ? "Casemate's format cannot say: " : "",
		  why);
	return false;
}
