/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/**
 * DOC: the exhaustive explorer
 *
 * An independent check of the machine model's verdicts. The machine of machine.h keeps
 * sets of what may be cached, in one pass. Here a small concrete machine tries every
 * choice: when walkers see a store, when a walker fills which entry, whether an access
 * hits, when a TLBI takes effect on which PE, when a line of the data cache is filled,
 * written back or cleaned. All reachable states are visited. It shares no code with
 * machine.h or with the engine.
 *
 * The machine:
 *
 * - one stage-2 tree: a root entry (EXPLORE_ROOT) that points to a table, whose
 *   two entries (EXPLORE_L3_0, EXPLORE_L3_1) map pages 0 and 1 to frames A and B;
 * - hypervisor PEs 0 and 1, which execute one list of events in order (each
 *   event names its PE), with stores that others see late (explore_order.h);
 * - guest PEs (one or two), which read and write pages 0 and 1 for ever. Each has
 *   walk-cache entries, stage-2-only entries and combined stage-1+2 entries; an
 *   access uses a combined entry, which may be made from a stage-2-only entry at
 *   any time, with no walk. Nothing is evicted: an access may walk anyway. Pages
 *   whose translation the program does not change are left out, and so is the
 *   data of frames that it does not read;
 * - a data cache for the hypervisor's cacheable alias of each frame, coherent
 *   between PEs; a line may be filled or written back at any time. The guest's
 *   own alias of its memory is cacheable, or Normal-NC (both are tried), which
 *   goes round the cache. FWB leaves the cacheable one only.
 *
 * All values in the structures are small numbers; a program is data.
 */
#ifndef STAGE2_MODEL_EXPLORE_H
#define STAGE2_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "explore_search.h"

enum explore_entry { EXPLORE_ROOT, EXPLORE_L3_0, EXPLORE_L3_1, EXPLORE_ENTRIES };
/* C: another frame for page 0. WILD: a walker has read data that is no entry. */
enum explore_frame { EXPLORE_A, EXPLORE_B, EXPLORE_C, EXPLORE_WILD, EXPLORE_FRAMES };
#define EXPLORE_PAGES 2u

/* What an entry can hold: nothing, a busy marker, the table, or 3 + a frame. */
enum explore_desc {
	EXPLORE_EMPTY,
	EXPLORE_BUSY,
	EXPLORE_TABLE,
	EXPLORE_MAP_A,
	EXPLORE_MAP_B,
	EXPLORE_MAP_C,
	EXPLORE_MAP_WILD,
};

enum explore_tlbi {
	EXPLORE_IPAS2E1IS = 1, /* all levels; mask of pages (so also RIPAS2E1IS) */
	EXPLORE_IPAS2LE1IS,    /* last level only; mask of pages */
	EXPLORE_VMALLE1IS,
	EXPLORE_VMALLS12E1IS,
	EXPLORE_IPAS2E1, /* the forms that are not broadcast */
	EXPLORE_VMALLE1,
	EXPLORE_VMALLS12E1,
};

enum explore_op {
	EXPLORE_WRITE, /* a: entry, b: explore_desc */
	EXPLORE_DMB_ISH,
	EXPLORE_DSB_ISHST,
	EXPLORE_DSB_ISH,
	EXPLORE_DSB_SY,
	EXPLORE_ISB,
	EXPLORE_TLBI,	 /* a: explore_tlbi, b: mask of pages */
	EXPLORE_CLEAN,	 /* a: frame; DC CIVAC through the cacheable alias */
	EXPLORE_FREE,	 /* the table goes back to the allocator */
	EXPLORE_REUSE,	 /* its next owner has written data into it */
	EXPLORE_RETURN,	 /* a: mask of frames no guest may use from now on */
	EXPLORE_GIVE,	 /* the same: the frames go to their next owner */
	EXPLORE_READ,	 /* a: frame; the hypervisor reads what the guest wrote */
	EXPLORE_HANDOFF, /* PE pe store-releases, PE a load-acquires */
};

struct explore_event {
	uint8_t pe, op, a, b;
};

#define EXPLORE_EVENTS 48

/* What can go wrong, each a bit of explore_program.look_for. */
enum explore_rule {
	EXPLORE_NOTHING,
	EXPLORE_STALE_ACCESS, /* access to a frame after return, or given away */
	EXPLORE_LOST_WRITE,   /* the hypervisor reads other than the last value written */
	EXPLORE_FREED_WALK,   /* a walk reads a freed table page */
	EXPLORE_WILD_ACCESS,  /* an access through data taken for an entry */
	EXPLORE_TWO_FRAMES,   /* a PE holds two translations of one address */
	/* Not an error: a stale hit wrote, and the write was read after the return. */
	EXPLORE_HARMLESS,
};
#define EXPLORE_LOOK(r) (1u << (r))
#define EXPLORE_LOOK_ALL 0x3eu

/**
 * struct explore_program - a hypervisor's events and the guest beside it
 * @fwb: the guest has no non-cacheable alias
 * @guests: guest PEs, 1 or 2 (0 means 1)
 * @writes: guest writes in all (0 means 2), so that the space is finite
 * @look_for: bits EXPLORE_LOOK(rule) (0 means EXPLORE_LOOK_ALL)
 * @max_states: 0 means 4 million
 */
struct explore_program {
	const char *name;
	const char *says;
	bool fwb;
	uint8_t guests, writes;
	uint32_t look_for;
	uint64_t max_states;
	unsigned nr_events;
	struct explore_event event[EXPLORE_EVENTS];
};

enum explore_verdict { EXPLORE_SAFE, EXPLORE_FOUND, EXPLORE_GAVE_UP };

/**
 * struct explore_result - what came out
 * @verdict: SAFE: all states were visited, and none is bad
 * @rule: FOUND: which
 * @states: visited; up to the first bad one when FOUND
 * @returned: states in which all events are done; if 0, SAFE means nothing
 * @steps: FOUND: the shortest way there, @nr_steps lines
 */
struct explore_result {
	enum explore_verdict verdict;
	enum explore_rule rule;
	uint64_t states, returned;
	unsigned nr_steps;
	char (*steps)[EXPLORE_LINE];
};

/* 0; -1 when a program is not well formed or memory is short. */
int explore_run(const struct explore_program *p, struct explore_result *res);
void explore_result_free(struct explore_result *res);
/* "stale-access" */
const char *explore_rule_name(enum explore_rule r);

#endif /* STAGE2_MODEL_EXPLORE_H */
