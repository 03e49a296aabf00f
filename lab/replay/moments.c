/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "moments.h"
#include "trace_parts.h"

#define FIRST_SHIFT 21u

bool moments_new(struct moments *ms, const struct trace *t)
{
	memset(ms, 0, sizeof(*ms));
	ms->t = t;
	for (size_t i = 0; i < t->events; i++)
		ms->phases += t->event[i].op == TRACE_PHASE;
	ms->shift = malloc(t->vms);
	if (!ms->shift)
		return false;
	memset(ms->shift, FIRST_SHIFT, t->vms);
	return true;
}

void moments_free(struct moments *ms)
{
	for (size_t i = 0; i < ms->n; i++)
		free(ms->moment[i].cell);
	free(ms->moment);
	free(ms->shift);
	memset(ms, 0, sizeof(*ms));
}

const char *moments_due(struct moments *ms, const struct trace_event *ev)
{
	const uint64_t every = (ms->phases + MOMENTS_MOST - 1) / MOMENTS_MOST;
	const uint64_t duration = ms->t->end - ms->t->start;
	unsigned eighth;

	if (ev->op == TRACE_PHASE)
		return ms->phase++ % every ? NULL : "phase";
	if (ev->op == TRACE_DESTROY)
		return "destroy";
	if (duration < 8)
		return NULL;
	eighth = (unsigned)(ev->time / (duration / 8));
	if (eighth == ms->eighth || eighth > 7)
		return NULL;
	ms->eighth = eighth;
	return "time";
}

/* Makes the cells twice as large; they are in the order of their addresses. */
static void coarsen(struct level_map *m)
{
	unsigned n = 0;

	m->shift++;
	for (unsigned i = 0; i < m->cells; i++) {
		struct level_cell c = m->cell[i];

		c.ipa = c.ipa >> m->shift << m->shift;
		if (n && m->cell[n - 1].ipa == c.ipa)
			for (unsigned l = 0; l < 4; l++)
				m->cell[n - 1].bytes[l] += c.bytes[l];
		else
			m->cell[n++] = c;
	}
	m->cells = n;
}

/* Adds what is behind the cells so far. */
static void add(struct level_map *m, uint64_t ipa, uint64_t size, unsigned level)
{
	while (size) {
		const uint64_t start = ipa >> m->shift << m->shift;
		const uint64_t room = start + (UINT64_C(1) << m->shift) - ipa;
		const uint64_t n = size < room ? size : room;

		if (!m->cells || m->cell[m->cells - 1].ipa != start) {
			if (m->cells == MOMENT_CELLS) {
				coarsen(m);
				continue;
			}
			m->cell[m->cells++] = (struct level_cell){ .ipa = start };
		}
		m->cell[m->cells - 1].bytes[level] += n;
		ipa += n;
		size -= n;
	}
}

bool moments_take(struct moments *ms, const struct trace_event *ev, const char *why,
		  uint32_t vm, struct flatmap *fm)
{
	const uint64_t end = UINT64_C(1) << 52;
	struct level_map *m, now = { .time = ev->time,
				     .why = why,
				     .line = ev->line,
				     .vm = vm,
				     .shift = ms->shift[vm] };
	uint64_t at;

	if (!fm->pages)
		return true;
	now.cell = malloc(MOMENT_CELLS * sizeof(*now.cell));
	if (!now.cell || !trace_grow(&ms->moment, ms->n, &ms->room, 1, sizeof(*m))) {
		free(now.cell);
		return false;
	}
	for (at = flat_next(fm, 0, end); at < end;) {
		const struct flat_leaf *leaf = flat_get(fm, at, NULL);
		const uint64_t size = flat_leaf_size(leaf);

		add(&now, at, size, leaf->level);
		at = flat_next(fm, at + size, end);
	}
	ms->shift[vm] = (uint8_t)now.shift;
	ms->moment[ms->n++] = now;
	return true;
}

void moments_end(struct moments *ms)
{
	for (size_t i = 0; i < ms->n; i++)
		while (ms->moment[i].shift < ms->shift[ms->moment[i].vm])
			coarsen(&ms->moment[i]);
}
