/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the judges share: which calls there are, who did what to a page, and before
 * what. Each is asked about a few pages, the probes: the first and the last of every
 * call, and those that the scenario watches.
 */
#ifndef STAGE2_CONCURRENT_JUDGE_H
#define STAGE2_CONCURRENT_JUDGE_H

#include "scenario.h"

extern const struct scenario *sc;
extern uint64_t probe[PROBES];
extern unsigned nprobe;

/* ---- judge.c --------------------------------------------------------------------- */

bool covers(const struct call *c, uint64_t ipa);
/* The maps that could have put a page's PA there, a bit each. */
unsigned owners(uint64_t ipa, uint64_t pa);
/* Calls of a kind that cover a page and were not done when call @than began. */
unsigned not_before(enum call_kind kind, uint64_t ipa, unsigned than);
/*
 * Whether a call may remove a page: with S2_DROP_EDGES one, too, that can be in a block
 * at the edge.
 */
bool removes(const struct call *c, uint64_t ipa);
/* Whether a call that is done has removed a page. */
bool has_removed(unsigned call, uint64_t ipa);
/* Whether some call may have removed a page since call @since began. */
bool may_be_gone(uint64_t ipa, unsigned since);
/* Whether a block may lie across the edge of a call's range, or of what is left of it. */
bool may_straddle(const struct call *c);
/* A page as the tables have it; 0 in *pa: none. */
uint64_t page_now(uint64_t ipa, uint64_t *pa, int *level);
/* Promises of a call, when it returns and, those that last, at the end. */
void judge(unsigned call, bool at_end);
/* The rest of a block that an abandoned call has left half clean. */
void judge_destroyed(void);
/* A call cleans memory: somebody must have asked for that. */
void judge_clean(unsigned call, uint64_t pa, uint64_t size);

/* ---- rest.c ---------------------------------------------------------------------- */

/* A call has returned. If none is running now: what holds then. */
void rest_between_calls(void);
/* The same at the end, and the statistics. */
void rest_at_end(void);
/* Tags are given back, a bit each. */
void rest_tags(uint64_t freed);

/* ---- dirty.c --------------------------------------------------------------------- */

/* What every log is for. */
#define LOG_START UINT64_C(0x40000000)
#define LOG_SIZE (UINT64_C(8) << 20)

/* Whether a call is given a log. */
bool dirty_logged(const struct call *c);
/* A PE writes wherever it may without marking an entry: after each change of one. */
void dirty_may_write(void);
/* Hardware sets the access flag of the entries it comes by, and the dirty state. */
void dirty_access(uint64_t ipa, bool write);
/* The probes that are dirty in the tables, a bit each. */
uint64_t dirty_probes(void);
/* A call returns, and the log is read. @before: dirty_probes() when it began. */
void dirty_reported(unsigned call, const struct s2_dirty_log *log, uint64_t before);
/* s2_dirty() returns: nobody may write to the page unseen any more. */
void dirty_is_clean(unsigned call, uint64_t ipa);
void dirty_aged(unsigned call, bool young);
void dirty_end(void);

/* ---- counted.c ------------------------------------------------------------------- */

/* An entry is about to change. */
void counted_written(uint32_t entry, uint64_t old, uint64_t new);
/* The engine reports a leaf. */
void counted_gone(uint64_t ipa, uint64_t pa, uint64_t size);
/* When every call has returned: what is owed is what is there; and after the destroy. */
void counted_end(bool destroyed);

/* ---- look.c ---------------------------------------------------------------------- */

/* The calls, with what they find judged. */
int look_survey(unsigned call, struct s2_op *op, uint32_t flags);
int look_iter(unsigned call);
/* The annotations at the end. */
void look_notes(void);

#endif /* STAGE2_CONCURRENT_JUDGE_H */
