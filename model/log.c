/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The log: events in words, one line each. */
#include <stdarg.h>

#include "internal.h"

void s2m_log(struct machine *m, FILE *f)
{
	m->log = f;
}

void s2m_note(struct machine *m, const char *text)
{
	if (m->log)
		fprintf(m->log, "-- %s\n", text);
}

void log_event(struct machine *m, unsigned pe, const char *fmt, ...)
{
	va_list ap;

	if (!m->log)
		return;
	fprintf(m->log, "step %-5llu PE%u  ", (unsigned long long)m->step, pe);
	va_start(ap, fmt);
	vfprintf(m->log, fmt, ap);
	va_end(ap);
	fputc('\n', m->log);
}

static void describe(const struct machine *m, const struct page *p, uint64_t v, char *buf,
		     size_t n)
{
	const struct desc d = desc_read(v, p->level, mode(m, p->tree));

	if (d.kind == DESC_TABLE)
		snprintf(buf, n, "table %#llx", (unsigned long long)d.pa);
	else if (d.kind == DESC_LEAF)
		snprintf(buf, n, "%s %#llx %s%s%s%s%s%s%s",
			 p->level == 3 ? "page" : "block", (unsigned long long)d.pa,
			 d.write ? "w" : "-",
			 !d.exec  ? "-" :
			 !d.exec1 ? "x0" :
			 !d.exec0 ? "x1" :
				    "x",
			 d.af ? " af" : "", d.dbm ? " dbm" : "",
			 d.contiguous ? " contiguous" : "", d.nt ? " nt" : "",
			 d.weak	  ? " (to be cleaned)" :
			 d.normal ? "" :
				    " device");
	else if (v)
		snprintf(buf, n, "invalid (%#llx)", (unsigned long long)v);
	else
		snprintf(buf, n, "empty");
}

void log_write(struct machine *m, unsigned pe, const char *verb, uint64_t pa,
	       uint64_t old, uint64_t new)
{
	const struct page *p = page_at(m, pa);
	unsigned slot = (unsigned)(pa % granule(m) / 8);
	char from[64], to[64];
	uint64_t ipa;

	if (p->level < 0) {
		log_event(m, pe, "%s %#llx: %#llx -> %#llx", verb, (unsigned long long)pa,
			  (unsigned long long)old, (unsigned long long)new);
		return;
	}
	ipa = p->ipa + slot * span(m, p->level);
	describe(m, p, old, from, sizeof(from));
	describe(m, p, new, to, sizeof(to));
	if (old == new)
		log_event(m, pe, "%s L%d[%u] (%#llx): %s", verb, p->level, slot,
			  (unsigned long long)ipa, to);
	else
		log_event(m, pe, "%s L%d[%u] (%#llx): %s -> %s", verb, p->level, slot,
			  (unsigned long long)ipa, from, to);
}
