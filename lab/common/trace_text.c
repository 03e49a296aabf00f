/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>

#include "trace_text.h"

void trace_put(struct trace_out *t, const char *name, unsigned tid, const char *fmt, ...)
{
	va_list ap;

	fprintf(t->f, "(%s (id %" PRIu64 ") (tid %u) ", name,
		t->format == TRACE_FOR_CASEMATE ? t->records : t->id, tid);
	va_start(ap, fmt);
	if (vfprintf(t->f, fmt, ap) > 0)
		fputc(' ', t->f);
	va_end(ap);
	fprintf(t->f, "(src \"%s:%" PRIu64 "\"))\n", t->what, t->n);
	t->records++;
}

void trace_refuse(struct trace_out *t, const char *fmt, ...)
{
	va_list ap;

	if (t->refused[0])
		return;
	va_start(ap, fmt);
	vsnprintf(t->refused, sizeof(t->refused), fmt, ap);
	va_end(ap);
}
