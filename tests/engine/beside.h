/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One shared call beside another, at every place: the same two calls run again and
 * again, and the second comes in at the first event of the first call, then at the
 * second event, and so on, until there is no further event.
 *
 *	for (beside_begin(other); beside_next(&bed);) {
 *		... open the bed and map what there is ...
 *		beside_arm(&bed);
 *		... the first call ...
 *		beside_disarm(&bed);
 *		... judge, close the bed ...
 *	}
 *
 * In the last turn the other call has not run. Plain stores are no place of their own:
 * they fill tables that nobody reaches, or stand between two other events.
 */
#ifndef TESTS_ENGINE_BESIDE_H
#define TESTS_ENGINE_BESIDE_H

#include "bed.h"

#define FRAMES 4096u

struct beside {
	void (*act)(void);
	uint64_t at, count;
	bool acting, acted;
	/* When each page of physical memory from @pa on was last cleaned, by events. */
	uint64_t pa, cleaned[FRAMES], now;
	uint64_t executable; /* what was last made visible to instruction fetch */
	uint64_t over;	     /* when the other call had returned */
	/* Of the first call: an invalidation is under way, or has been completed. */
	bool stage1, invalidated;
	uint64_t tlbi; /* issued by the other call */
};

static struct beside beside;

static inline void beside_clean(uint64_t pa, uint64_t size)
{
	for (uint64_t at = pa; at < pa + size; at += PAGE)
		if (at >= beside.pa && (at - beside.pa) / PAGE < FRAMES)
			beside.cleaned[(at - beside.pa) / PAGE] = beside.now;
}

static inline void beside_event(struct count_port *port, enum count_event what,
				uint64_t at, uint64_t value)
{
	uint64_t tlbi = port->tlbi;

	beside.now++;
	if (what == COUNT_CLEAN)
		beside_clean(at, value);
	if (what == COUNT_EXECUTABLE)
		beside.executable = at;
	if (beside.acting || what == COUNT_STORE)
		return;
	beside.stage1 |= what == COUNT_VMALLE1IS || what == COUNT_VMALLS12E1IS;
	if (beside.count++ != beside.at) {
		beside.invalidated |= beside.stage1 && what == COUNT_DSB_ISH;
		return;
	}
	beside.acting = beside.acted = true;
	beside.act();
	beside.acting = false;
	beside.over = beside.now;
	beside.tlbi = port->tlbi - tlbi;
	/* The event comes before the barrier. */
	beside.invalidated |= beside.stage1 && what == COUNT_DSB_ISH;
}

static inline void beside_begin(void (*act)(void))
{
	beside = (struct beside){ .act = act };
}

static inline bool beside_next(void)
{
	/* beside.count: of the turn before, which is over. */
	if (beside.count && !beside.acted)
		return false;
	if (beside.count)
		beside.at++;
	beside.count = beside.now = beside.tlbi = beside.over = 0;
	beside.executable = 0;
	beside.acted = beside.stage1 = beside.invalidated = false;
	memset(beside.cleaned, 0, sizeof(beside.cleaned));
	return true;
}

static inline void beside_arm(struct bed *b)
{
	beside.count = beside.now = 0;
	b->port.record = beside_event;
}

static inline void beside_disarm(struct bed *b)
{
	b->port.record = NULL;
}

/* Whether the last clean of the page came after event @since (0: at all). */
static inline bool beside_is_clean(uint64_t pa, uint64_t since)
{
	return beside.cleaned[(pa - beside.pa) / PAGE] > since;
}

/* Fails with the place at which the other call came in. */
#define beside_require(cond, ...)                                                    \
	do {                                                                         \
		if (!(cond)) {                                                       \
			print_error("the other call came in at event %" PRIu64 "\n", \
				    beside.at);                                      \
			fail_msg(__VA_ARGS__);                                       \
		}                                                                    \
	} while (0)

#endif
