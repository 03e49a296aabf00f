/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A replay as a trace for ui.perfetto.dev (the JSON of Chrome's Trace Event Format): a
 * track for each task with its calls, one for phases, one for each VM, and counters.
 */
#ifndef STAGE2_LAB_REPORT_PERFETTO_H
#define STAGE2_LAB_REPORT_PERFETTO_H

#include <stdio.h>

#include "replay/account.h"

struct perfetto {
	FILE *f;
	uint64_t sum[WAYS][2]; /* TLBIs and DSBs so far */
	uint64_t shown;	       /* when the counters were last written, in ns */
	bool begun;
};

void perfetto_begin(struct perfetto *p, const struct account *a);
void perfetto_call(struct perfetto *p, const struct account *a,
		   const struct account_call *call);
/* After the last call. The caller closes p->f. */
void perfetto_end(struct perfetto *p, const struct account *a);

#endif /* STAGE2_LAB_REPORT_PERFETTO_H */
