/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is mapped by leaves of which level, at some moments of a replay. */
#ifndef STAGE2_LAB_MOMENTS_H
#define STAGE2_LAB_MOMENTS_H

#include "flatmap.h"
#include "trace.h"

#define MOMENT_CELLS 256u
/* The most marks at which a VM is looked at. */
#define MOMENTS_MOST 24u

struct level_cell {
	uint64_t ipa;
	uint64_t bytes[4]; /* by level */
};

struct level_map {
	uint64_t time;
	const char *why; /* "phase", "time", "destroy" */
	uint32_t line, vm;
	unsigned cells, shift; /* a cell has 1 << shift bytes; empty ones are left out */
	struct level_cell *cell;
};

struct moments {
	const struct trace *t;
	struct level_map *moment;
	size_t n, room;
	uint8_t *shift;		/* of each VM, so far */
	uint64_t phases, phase; /* marks in the recording; so far */
	unsigned eighth;
};

/* False: memory is short; nothing is left to free. */
bool moments_new(struct moments *ms, const struct trace *t);
void moments_free(struct moments *ms);
/*
 * Why VMs should be looked at before @ev, or NULL: at marks, and at each eighth of the
 * time, because a test may map and unmap between two marks. Call it once for each event.
 */
const char *moments_due(struct moments *ms, const struct trace_event *ev);
/* Looks at VM @vm. False: memory is short. */
bool moments_take(struct moments *ms, const struct trace_event *ev, const char *why,
		  uint32_t vm, struct flatmap *fm);
/* After the last: all of a VM get cells of one size. */
void moments_end(struct moments *ms);

#endif /* STAGE2_LAB_MOMENTS_H */
