/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A bed with the referee (watch.h) at it from its opening to its end. */
#ifndef TESTS_ENGINE_WATCHED_H
#define TESTS_ENGINE_WATCHED_H

#include "watch.h"

#define IPA_BITS 40

static struct bed bed;
static struct watch watcher;

static inline void open_bed(uint32_t features)
{
	bed_open(&bed, IPA_BITS, features, 1100);
	watcher = (struct watch){ 0 };
	watch_start(&bed, &watcher);
}

static inline void close_bed(void)
{
	watch_return(&watcher);
	watch_call(&watcher);
	if (bed.s2.root)
		bed_check(&bed);
	bed_close(&bed);
}

#endif
