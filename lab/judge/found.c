/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: what is found, said of records and threads instead of steps and PEs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

/* The rules of locks.c: not of the architecture, and off without --locks. */
static const struct s2m_rule lock_rules[] = {
	{ "lock-not-held",
	  "a live table was written by a thread without the tree's lock" },
	{ "lock-unknown", "a live table was written, and its tree has no lock" },
	{ "lock-held-elsewhere", "a lock was taken while another thread held it" },
	{ "unlock-not-held", "a lock was released by a thread that did not hold it" },
	{ NULL, NULL },
};

const char *judge_rule_says(const char *rule)
{
	const struct s2m_rule *const tables[] = { s2m_rules, lock_rules };

	for (unsigned t = 0; t < 2; t++) {
		for (const struct s2m_rule *r = tables[t]; r->name; r++) {
			if (!strcmp(r->name, rule))
				return r->says;
		}
	}
	return "";
}

bool judge_origin_add(struct judge *j, const struct record *r)
{
	const struct judge_origin o = { s2m_step(j->m) + 1, r->n[F_ID], j->rd.line, 1 };
	struct judge_origin *last = j->origins ? &j->origin[j->origins - 1] : NULL;
	struct judge_origin *more;

	if (last && o.step - last->step == last->n &&
	    o.record - last->record == last->n && o.line - last->line == last->n) {
		last->n++;
		return true;
	}
	if (j->origins == j->origin_max) {
		j->origin_max = 2 * j->origin_max + 64;
		more = realloc(j->origin, j->origin_max * sizeof(*more));
		if (!more)
			return false;
		j->origin = more;
	}
	j->origin[j->origins++] = o;
	return true;
}

/* The record that caused a step, and its line. */
static struct judge_origin origin(const struct judge *j, uint64_t step)
{
	size_t lo = 0, hi = j->origins;
	struct judge_origin o = { 0 };
	uint64_t n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (j->origin[mid].step <= step)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return o;
	o = j->origin[lo - 1];
	n = step - o.step < o.n ? step - o.step : o.n - 1;
	o.record += n;
	o.line += n;
	return o;
}

/* "step 12" becomes "record 11", and "PE1" the PE whose number the trace has. */
static void translate(const struct judge *j, const char *text, char *out, size_t room)
{
	size_t at = 0;
	char *end;

	while (*text && at + 1 < room) {
		bool step = !strncmp(text, "step ", 5);
		const char *digits = text + (step ? 5 : 2);
		unsigned long long n;

		if ((!step && strncmp(text, "PE", 2)) || *digits < '0' || *digits > '9') {
			out[at++] = *text++;
			continue;
		}
		n = strtoull(digits, &end, 10);
		if (step)
			n = origin(j, n).record;
		else if (n < j->threads)
			n = j->thread[n].tid;
		at += (size_t)snprintf(out + at, room - at, "%s%llu",
				       step ? "record " : "PE", n);
		text = end;
	}
	out[at < room ? at : room - 1] = '\0';
}

static struct judge_finding *finding(struct judge *j, const char *rule,
				     const struct record *r)
{
	struct judge_finding *f = &j->finding[j->findings];

	j->found++;
	if (j->findings == JUDGE_FINDINGS)
		return NULL;
	j->findings++;
	*f = (struct judge_finding){ .rule = rule,
				     .record = r->n[F_ID],
				     .line = j->rd.line,
				     .cause = UINT64_MAX };
	snprintf(f->src, sizeof(f->src), "%s", r->src);
	return f;
}

static void take_over(struct judge *j, bool settled)
{
	if (!s2m_violations(j->m))
		return;
	for (unsigned i = 0; i < s2m_violations_kept(j->m); i++) {
		const struct s2m_violation *v = s2m_violation(j->m, i);
		struct judge_finding *f = finding(j, v->rule, &j->rd.last);
		struct judge_origin o;

		if (!f)
			break;
		f->ipa = v->ipa;
		f->pa = v->pa;
		o = origin(j, v->cause);
		if (v->cause)
			f->cause = o.record;
		if (settled && v->cause && f->record != o.record) {
			/* The last record is not to blame, nor is its source. */
			f->record = o.record;
			f->line = o.line;
			f->src[0] = '\0';
		}
		translate(j, v->detail, f->sentence, sizeof(f->sentence));
	}
	j->found += s2m_violations(j->m) - s2m_violations_kept(j->m);
	s2m_violations_clear(j->m);
}

void judge_take_over(struct judge *j)
{
	take_over(j, false);
}

void judge_take_over_settled(struct judge *j)
{
	take_over(j, true);
}

void judge_found(struct judge *j, const char *rule, const struct record *r,
		 const char *fmt, ...)
{
	struct judge_finding *f = finding(j, rule, r);
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
}

void judge_cannot(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	if (j->reason[0])
		return;
	va_start(ap, fmt);
	vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
	va_end(ap);
}

bool judge_wrong(struct judge *j, const struct record *r, enum record_field f,
		 const char *fmt, ...)
{
	va_list ap;

	reader_place(&j->rd, r->at[f], &j->error);
	va_start(ap, fmt);
	vsnprintf(j->error.what, sizeof(j->error.what), fmt, ap);
	va_end(ap);
	j->malformed = true;
	return false;
}
