/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an embedder does not use. Each S2_USE_ constant is 0 or 1 and may be set in
 * stage2_port.h. The code tests it by an ordinary if, so the compiler checks what it
 * removes. A call that asks for something left out gets S2_E_UNSUPPORTED and changes
 * nothing. The files of extra/ that are named below need not be compiled where their
 * constant is 0. S2_GRANULE_SHIFT (12, 14 or 16), if defined, makes the granule a
 * constant of the build. docs/design.md has the table of the named profiles.
 */
#ifndef STAGE2_SRC_PROFILE_H
#define STAGE2_SRC_PROFILE_H

#define S2_PROFILE_CORE 0
#define S2_PROFILE_HYPERVISOR 1
#define S2_PROFILE_ALL 2

#ifndef S2_PROFILE
#define S2_PROFILE S2_PROFILE_ALL
#endif

/* S2_SHARED: calls beside each other without a lock. */
#ifndef S2_USE_SHARED
#define S2_USE_SHARED (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/* op->max_entries and op->max_bytes: operations in bounded steps. */
#ifndef S2_USE_STEPS
#define S2_USE_STEPS (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/* S2_SPLIT_EDGES; s2_split(), s2_collapse(): extra/split.c, extra/collapse.c. */
#ifndef S2_USE_RESHAPE
#define S2_USE_RESHAPE (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/* S2_FEAT_HAFDBS, S2_FEAT_DBM: hardware writes flags and dirty state: extra/log.c. */
#ifndef S2_USE_HW
#define S2_USE_HW (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/* S2_MAP_REPLACE. */
#ifndef S2_USE_REPLACE
#define S2_USE_REPLACE (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/*
 * Speed for size: short ways for one page, and loops over consecutive entries with the
 * same attributes. Without it every entry goes the general way, which is the default of a
 * build for size (-Os).
 */
#ifdef __OPTIMIZE_SIZE__
#define S2_SMALL 1
#else
#define S2_SMALL 0
#endif
#ifndef S2_USE_FAST
#define S2_USE_FAST (S2_PROFILE >= S2_PROFILE_HYPERVISOR && !S2_SMALL)
#endif
/*
 * Without shared calls: the table of leaves that one page was in is remembered for the
 * next one, which often is beside it. Then that needs no walk from the root. (op->visited
 * counts it all the same.)
 */
#ifndef S2_USE_HINT
#define S2_USE_HINT (S2_USE_FAST && !S2_USE_SHARED)
#endif
#if S2_USE_HINT && S2_USE_SHARED
#error "S2_USE_HINT is for builds without shared calls"
#endif
/* Changes in place, looks at a range: extra/change.c, extra/clean.c, extra/survey.c. */
#ifndef S2_USE_CHANGES
#define S2_USE_CHANGES (S2_PROFILE >= S2_PROFILE_HYPERVISOR)
#endif
/* s2_batch_begin(), op->batch: extra/batch.c, extra/flush.c. */
#ifndef S2_USE_BATCH
#define S2_USE_BATCH (S2_PROFILE >= S2_PROFILE_ALL)
#endif
/* S2_MAP_CONT, contiguous runs: extra/run.c. */
#ifndef S2_USE_RUNS
#define S2_USE_RUNS (S2_PROFILE >= S2_PROFILE_ALL)
#endif
/* s2_port_agents_invalidate() may fail (S2_E_AGENTS). Without it, it must not. */
#ifndef S2_USE_AGENTS
#define S2_USE_AGENTS (S2_PROFILE >= S2_PROFILE_ALL)
#endif
/* s2_annotate(), S2_KEEP_NOTES: extra/note.c. */
#ifndef S2_USE_NOTES
#define S2_USE_NOTES (S2_PROFILE >= S2_PROFILE_ALL)
#endif
/* s2_config.counted, s2_port_leaf_gone(): counted leaves: extra/counted.c. */
#ifndef S2_USE_COUNTED
#define S2_USE_COUNTED (S2_PROFILE >= S2_PROFILE_ALL)
#endif
/* S2_FEAT_LPA2, and PA sizes of 52 bits. */
#ifndef S2_USE_52BIT
#define S2_USE_52BIT (S2_PROFILE >= S2_PROFILE_ALL)
#endif

/*
 * Whether a map takes a leaf that is there already, with the wanted address and type, and
 * changes its permissions in place; else it refuses it (S2_E_EXIST).
 */
#define S2_USE_IN_PLACE (S2_USE_CHANGES || S2_USE_REPLACE)
/* Whether there are markers that are not the only call's. */
#define S2_USE_TAGS (S2_USE_SHARED || S2_USE_BATCH)

#endif /* STAGE2_SRC_PROFILE_H */
