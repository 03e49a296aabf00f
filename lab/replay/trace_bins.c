/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "trace_parts.h"

#define FIRST_WIDTH 1000u /* ns; then doubled as often as the time needs it */

void trace_bins_reach(struct trace_bins *b, uint64_t time)
{
	if (!b->width)
		b->width = FIRST_WIDTH;
	while (time / b->width >= TRACE_BINS) {
		for (unsigned i = 0; i < TRACE_BINS / 2; i++)
			b->n[i] = b->n[2 * i] + b->n[2 * i + 1];
		memset(&b->n[TRACE_BINS / 2], 0, sizeof(b->n) / 2);
		b->width *= 2;
	}
}

void trace_bins_count(struct trace_bins *b, uint64_t time)
{
	trace_bins_reach(b, time);
	b->n[time / b->width]++;
}
