/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "log.h"

static uint64_t words(const struct log *l)
{
	return ((l->dirty.size >> l->before.shift) + 63) / 64;
}

static uint64_t log_end(const struct log *l)
{
	return l->dirty.ipa.ipa + l->dirty.size;
}

void log_open(struct log *l, const struct flat *f, uint64_t lo, uint64_t hi)
{
	l->before.shift = f->shift;
	l->dirty.ipa = s2_ipa(lo);
	l->dirty.size = hi - lo;
	if (l->dirty.size >> f->shift > LOG_PAGES)
		l->dirty.size = (uint64_t)LOG_PAGES << f->shift;
	l->dirty.bits = l->bits;
	l->dirty.missed = l->missed = false;
	memset(l->bits, 0, words(l) * sizeof(*l->bits));
	memset(l->known, 0, words(l) * sizeof(*l->known));
}

void log_free(struct log *l)
{
	flat_free(&l->before);
}

void log_before(struct log *l, const struct flat *f)
{
	flat_copy(&l->before, f);
}

/* What has become of a piece that was dirty; what is now another page's is lost. */
enum { SAME = 1, TOUCHED = 2, LOST = 4 };

static int became(const struct flat_run *old, const struct flat_run *now)
{
	if (!now || now->ipa > old->ipa || !flat_dirty(now) ||
	    now->pa - now->ipa != old->pa - old->ipa)
		return LOST | TOUCHED;
	return now->level != old->level || now->attr != old->attr ? TOUCHED : SAME;
}

/* The next piece in [*at, hi) that was dirty in @old and is one run now; 0 at the end. */
static int next_dirty(const struct flat *old, const struct flat *now, uint64_t *at,
		      uint64_t hi, uint64_t *lo)
{
	while (*at < hi) {
		const struct flat_run *r = flat_at(old, *at), *n;
		struct flat_run p;

		if (!r || r->ipa >= hi)
			break;
		*lo = r->ipa > *at ? r->ipa : *at;
		*at = r->end < hi ? r->end : hi;
		if (!flat_dirty(r))
			continue;
		p = *r;
		p.pa += *lo - p.ipa;
		p.ipa = *lo;
		n = flat_at(now, *lo);
		if (n && n->ipa > *lo && n->ipa < *at)
			*at = n->ipa;
		else if (n && n->ipa <= *lo && n->end < *at)
			*at = n->end;
		return became(&p, n);
	}
	return 0;
}

/* A bit for each page that the log has one for and that was dirty and is what @what. */
static void fill(const struct log *l, const struct flat *now, int what, uint64_t *bits)
{
	uint64_t at = l->dirty.ipa.ipa, lo;
	int is;

	memset(bits, 0, words(l) * sizeof(*bits));
	while ((is = next_dirty(&l->before, now, &at, log_end(l), &lo))) {
		uint64_t i = (lo - l->dirty.ipa.ipa) >> now->shift;
		uint64_t to = (at - l->dirty.ipa.ipa) >> now->shift;

		for (; is & what && i < to; i++)
			bits[i / 64] |= UINT64_C(1) << i % 64;
	}
}

/* What has become of dirty pages outside the log. */
static int outside(const struct log *l, const struct flat *now)
{
	uint64_t at = 0, lo;
	int is, all = 0;

	while ((is = next_dirty(&l->before, now, &at, l->dirty.ipa.ipa, &lo)))
		all |= is;
	at = log_end(l);
	while ((is = next_dirty(&l->before, now, &at, UINT64_MAX, &lo)))
		all |= is;
	return all;
}

const char *log_after(struct log *l, const struct flat *f)
{
	static uint64_t was[LOG_WORDS], lost[LOG_WORDS];
	int all = outside(l, f);

	fill(l, f, SAME | TOUCHED, was);
	fill(l, f, LOST, lost);
	for (uint64_t i = 0; i < words(l); i++) {
		if (lost[i] & ~l->bits[i])
			return "dirty state is lost";
		if (l->bits[i] & ~l->known[i] & ~was[i])
			return "dirty state is invented";
		l->known[i] = l->bits[i];
	}
	if (all & LOST && !l->dirty.missed)
		return "dirty state outside the log is lost silently";
	if (l->dirty.missed && !l->missed && !(all & TOUCHED))
		return "dirty state is said to be lost that is not";
	l->missed = l->dirty.missed;
	return NULL;
}

bool log_complete(const struct log *l, const struct flat *f, uint64_t lo, uint64_t hi)
{
	uint64_t at, from;

	if (lo < l->dirty.ipa.ipa)
		lo = l->dirty.ipa.ipa;
	if (hi > log_end(l))
		hi = log_end(l);
	for (at = lo; next_dirty(f, f, &at, hi, &from);)
		for (uint64_t p = from; p < at; p += UINT64_C(1) << f->shift) {
			uint64_t i = (p - l->dirty.ipa.ipa) >> f->shift;

			if (!(l->bits[i / 64] & UINT64_C(1) << i % 64))
				return false;
		}
	return true;
}
