/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "programs.h"

/* clang-format off */
#define W(entry, desc) { 0, EXPLORE_WRITE, entry, desc }
#define TLBI(kind, pages) { 0, EXPLORE_TLBI, EXPLORE_##kind, pages }
#define DMB { 0, EXPLORE_DMB_ISH, 0, 0 }
#define DSB_ISHST { 0, EXPLORE_DSB_ISHST, 0, 0 }
#define DSB_ISH { 0, EXPLORE_DSB_ISH, 0, 0 }
#define DSB_SY { 0, EXPLORE_DSB_SY, 0, 0 }
#define ISB { 0, EXPLORE_ISB, 0, 0 }
#define CLEAN(frame) { 0, EXPLORE_CLEAN, frame, 0 }
#define FREE { 0, EXPLORE_FREE, 0, 0 }
#define REUSE { 0, EXPLORE_REUSE, 0, 0 }
#define RETURN(frames) { 0, EXPLORE_RETURN, frames, 0 }
#define GIVE(frames) { 0, EXPLORE_GIVE, frames, 0 }
#define READ(frame) { 0, EXPLORE_READ, frame, 0 }
#define HANDOFF(from, to) { from, EXPLORE_HANDOFF, to, 0 }
#define ON_PE1(op, a, b) { 1, EXPLORE_##op, a, b }
/* clang-format on */

#define ROOT EXPLORE_ROOT
#define L3_0 EXPLORE_L3_0
#define L3_1 EXPLORE_L3_1
#define A EXPLORE_A
#define B EXPLORE_B
#define ONLY_A 1
#define A_AND_B 3
#define PAGE_0 1
#define PAGES 3

/* clang-format off */
/* Phase 2 of unmap, by address over pages, and by VMID. */
#define INVALIDATE(pages)						\
	DSB_ISHST, TLBI(IPAS2E1IS, pages), DSB_ISH, TLBI(VMALLE1IS, 0),	\
	DSB_ISH, ISB
#define INVALIDATE_VMID DSB_ISHST, TLBI(VMALLS12E1IS, 0), DSB_ISH, ISB

#define EVENTS(...)							\
	.nr_events = sizeof((struct explore_event[]){ __VA_ARGS__ }) /	\
		     sizeof(struct explore_event),			\
	.event = { __VA_ARGS__ }
/* clang-format on */

/* clang-format off */
const struct known_program programs[] = {
	/* ---- the four phases ---- */
	{ { .name = "four-phases", .says = "detach T, invalidate, clean, release",
	    EVENTS(W(ROOT, EXPLORE_BUSY), INVALIDATE(PAGES), CLEAN(A), CLEAN(B), DSB_SY,
		   W(ROOT, EXPLORE_EMPTY), FREE, RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_NOTHING },
	{ { .name = "four-phases-fwb", .says = "the same with FWB: no clean", .fwb = true,
	    EVENTS(W(ROOT, EXPLORE_BUSY), INVALIDATE(PAGES), W(ROOT, EXPLORE_EMPTY), FREE,
		   RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_NOTHING },
	{ { .name = "four-phases-vmid", .says = "with one VMALLS12E1IS instead of two TLBIs",
	    EVENTS(W(ROOT, EXPLORE_BUSY), INVALIDATE_VMID, CLEAN(A), DSB_SY,
		   W(ROOT, EXPLORE_EMPTY), FREE, RETURN(A_AND_B), READ(A)) },
	  EXPLORE_NOTHING },
	{ { .name = "four-phases-edge", .says = "one leaf entry at a ragged edge",
	    EVENTS(W(L3_0, EXPLORE_BUSY), INVALIDATE(PAGE_0), CLEAN(A), DSB_SY,
		   W(L3_0, EXPLORE_EMPTY), RETURN(ONLY_A), READ(A)) },
	  EXPLORE_NOTHING },
	{ { .name = "four-phases-2-vcpus", .says = "beside two guest PEs",
	    .guests = 2,
	    EVENTS(W(L3_0, EXPLORE_BUSY), INVALIDATE(PAGE_0), CLEAN(A), DSB_SY,
		   W(L3_0, EXPLORE_EMPTY), RETURN(ONLY_A), READ(A)) },
	  EXPLORE_NOTHING },

	/* ---- the question of the thread: no TLBI in the walk, one at its end ---- */
	{ { .name = "tlbi-at-end", .says = "two entries cleared, then one invalidation of both",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), INVALIDATE(PAGES),
		   CLEAN(A), CLEAN(B), DSB_SY, RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_NOTHING },
	{ { .name = "tlbi-at-end-witness",
	    .says = "the stale hit the author feared, followed to its harmless end",
	    .look_for = EXPLORE_LOOK(EXPLORE_HARMLESS),
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), INVALIDATE(PAGES),
		   CLEAN(A), CLEAN(B), DSB_SY, RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_HARMLESS },
	{ { .name = "given-before-tlbi", .says = "the frame's next owner has it before the TLBI",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, GIVE(ONLY_A), INVALIDATE(PAGE_0)) },
	  EXPLORE_STALE_ACCESS },

	/* ---- cleans ---- */
	{ { .name = "review-first-list", .says = "cleans in the walk, before the TLBI completed",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), CLEAN(A), W(L3_1, EXPLORE_EMPTY), CLEAN(B),
		   INVALIDATE(PAGES), RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_LOST_WRITE },
	{ { .name = "review-first-list-fwb", .says = "the same with FWB", .fwb = true,
	    EVENTS(W(L3_0, EXPLORE_EMPTY), CLEAN(A), W(L3_1, EXPLORE_EMPTY), CLEAN(B),
		   INVALIDATE(PAGES), RETURN(A_AND_B), READ(A), READ(B)) },
	  EXPLORE_NOTHING },
	{ { .name = "posted", .says = "the posted patch: no clean, without FWB",
	    EVENTS(W(ROOT, EXPLORE_BUSY), INVALIDATE(PAGES), W(ROOT, EXPLORE_EMPTY),
		   FREE, RETURN(A_AND_B), READ(A)) },
	  EXPLORE_LOST_WRITE },
	{ { .name = "posted-fwb", .says = "the posted patch with FWB", .fwb = true,
	    EVENTS(W(ROOT, EXPLORE_BUSY), INVALIDATE(PAGES), W(ROOT, EXPLORE_EMPTY),
		   FREE, RETURN(A_AND_B), READ(A)) },
	  EXPLORE_NOTHING },
	{ { .name = "clean-without-dsb", .says = "no DSB after the clean",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), INVALIDATE(PAGE_0), CLEAN(A), RETURN(ONLY_A),
		   READ(A)) },
	  EXPLORE_LOST_WRITE },

	/* ---- tables freed too early ---- */
	{ { .name = "free-before-tlbi",
	    .says = "leaf TLBIs deferred, the emptied table freed in the walk (f62d4c3eb687)",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), W(ROOT, EXPLORE_EMPTY),
		   DSB_ISHST, FREE, INVALIDATE(PAGES), RETURN(A_AND_B)) },
	  EXPLORE_FREED_WALK },
	{ { .name = "reuse-before-tlbi", .says = "the same, followed to what it does",
	    .look_for = EXPLORE_LOOK(EXPLORE_WILD_ACCESS),
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), W(ROOT, EXPLORE_EMPTY),
		   DSB_ISHST, FREE, REUSE, INVALIDATE(PAGES), RETURN(A_AND_B)) },
	  EXPLORE_WILD_ACCESS },
	{ { .name = "free-after-last-level-tlbi",
	    .says = "IPAS2LE1IS where a table entry was removed",
	    EVENTS(W(ROOT, EXPLORE_BUSY), DSB_ISHST, TLBI(IPAS2LE1IS, PAGES), DSB_ISH,
		   TLBI(VMALLE1IS, 0), DSB_ISH, ISB, FREE, RETURN(A_AND_B)) },
	  EXPLORE_FREED_WALK },
	{ { .name = "free-after-tlbi", .says = "every leaf cleared, table freed after the flush",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), W(ROOT, EXPLORE_EMPTY),
		   INVALIDATE(PAGES), FREE, REUSE, RETURN(A_AND_B)) },
	  EXPLORE_NOTHING },

	/* ---- invalidation done wrong ---- */
	{ { .name = "stage-1-first", .says = "VMALLE1IS before IPAS2E1IS",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(VMALLE1IS, 0), DSB_ISH,
		   TLBI(IPAS2E1IS, PAGE_0), DSB_ISH, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "no-stage-1", .says = "no VMALLE1IS",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(IPAS2E1IS, PAGE_0), DSB_ISH,
		   ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "no-stage-2", .says = "VMALLE1IS only",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(VMALLE1IS, 0), DSB_ISH, ISB,
		   RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "no-dsb-before", .says = "no DSB between the write and the TLBI",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), TLBI(IPAS2E1IS, PAGE_0), DSB_ISH,
		   TLBI(VMALLE1IS, 0), DSB_ISH, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "dmb-before", .says = "a DMB in its place",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DMB, TLBI(IPAS2E1IS, PAGE_0), DSB_ISH,
		   TLBI(VMALLE1IS, 0), DSB_ISH, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "no-dsb-between", .says = "no DSB between IPAS2E1IS and VMALLE1IS",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(IPAS2E1IS, PAGE_0),
		   TLBI(VMALLE1IS, 0), DSB_ISH, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "no-dsb-after", .says = "no DSB after the TLBIs",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(IPAS2E1IS, PAGE_0), DSB_ISH,
		   TLBI(VMALLE1IS, 0), ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "dsb-ishst-after", .says = "DSB ISHST after the TLBIs",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(IPAS2E1IS, PAGE_0), DSB_ISH,
		   TLBI(VMALLE1IS, 0), DSB_ISHST, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "local-tlbi", .says = "VMALLS12E1, which is not broadcast",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(VMALLS12E1, 0), DSB_ISH, ISB,
		   RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "local-ipas2", .says = "IPAS2E1, which is not broadcast",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(IPAS2E1, PAGE_0), DSB_ISH,
		   TLBI(VMALLE1IS, 0), DSB_ISH, ISB, RETURN(ONLY_A)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "first-page-only", .says = "IPAS2E1IS of the first of two pages",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), W(L3_1, EXPLORE_EMPTY), INVALIDATE(PAGE_0),
		   RETURN(A_AND_B)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "late-clear", .says = "one entry cleared after the DSB",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, W(L3_1, EXPLORE_EMPTY),
		   TLBI(VMALLS12E1IS, 0), DSB_ISH, ISB, RETURN(A_AND_B)) },
	  EXPLORE_STALE_ACCESS },

	/* ---- the thread moves ---- */
	{ { .name = "handed-over", .says = "PE0 clears and releases, PE1 acquires, invalidates",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), HANDOFF(0, 1), ON_PE1(DSB_ISH, 0, 0),
		   ON_PE1(TLBI, EXPLORE_VMALLS12E1IS, 0), ON_PE1(DSB_ISH, 0, 0),
		   ON_PE1(RETURN, ONLY_A, 0)) },
	  EXPLORE_NOTHING },
	{ { .name = "handed-over-plainly", .says = "the same without release and acquire",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), ON_PE1(DSB_ISH, 0, 0),
		   ON_PE1(TLBI, EXPLORE_VMALLS12E1IS, 0), ON_PE1(DSB_ISH, 0, 0),
		   ON_PE1(RETURN, ONLY_A, 0)) },
	  EXPLORE_STALE_ACCESS },
	{ { .name = "dsb-on-another-pe", .says = "the TLBI's DSB is executed by PE1",
	    EVENTS(W(L3_0, EXPLORE_EMPTY), DSB_ISHST, TLBI(VMALLS12E1IS, 0),
		   HANDOFF(0, 1), ON_PE1(DSB_ISH, 0, 0), ON_PE1(RETURN, ONLY_A, 0)) },
	  EXPLORE_STALE_ACCESS },

	/* ---- break-before-make ---- */
	{ { .name = "valid-over-marker", .says = "page C over the busy marker before the TLBI",
	    EVENTS(W(L3_0, EXPLORE_BUSY), DSB_ISHST, W(L3_0, EXPLORE_MAP_C), DSB_ISHST,
		   TLBI(VMALLS12E1IS, 0), DSB_ISH, ISB) },
	  EXPLORE_TWO_FRAMES },
	{ { .name = "break-before-make", .says = "page C after invalidation and clean",
	    EVENTS(W(L3_0, EXPLORE_BUSY), INVALIDATE(PAGE_0), CLEAN(A), DSB_SY,
		   W(L3_0, EXPLORE_MAP_C), GIVE(ONLY_A), READ(A)) },
	  EXPLORE_NOTHING },
};
/* clang-format on */

const unsigned nr_programs = sizeof(programs) / sizeof(programs[0]);
