/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One small machine, of which every state is visited: a few table pages, the
 * threads that change them with the real engine, and what PEs may have cached.
 *
 *   scenario*.c  what the threads do            call.c    makes the calls
 *   explore.c    every order in which they may  judge.c   what each call promised
 *   dirty.c      what the guest has written     look.c    what a look at many may say
 *   counted.c    what the embedder has heard
 *   pe.c         what PEs may still use         rest.c    what holds when no call runs
 *   port.c       each access is a step          memory.c  tables, and the way back
 *   weak.c       what an access may return
 *
 * Memory is sequentially consistent: a store is seen by all at once. Or it is not, and a
 * load may return older values as well (weak.h).
 */
#ifndef STAGE2_CONCURRENT_WORLD_H
#define STAGE2_CONCURRENT_WORLD_H

#include <stage2/stage2.h>
#include "internal.h"

#define THREADS 3
#define PAGES 42
#define ENTRIES 512u
#define CALLS 12
#define PROBES (2 * CALLS + 4)
#define STALE 1600
#define PENDING 12
#define PA_TABLES UINT64_C(0x40000000)
#define NOBODY (-1) /* runs outside of any thread: set-up and end */

/* What a thread is about to do; what it waits for. */
enum event {
	EV_NONE,
	EV_START,
	EV_LOAD,
	EV_STORE,
	EV_CAS,
	EV_ADD,
	EV_OR,
	EV_FREE,
	EV_HARDWARE,
	EV_DSB_ISHST,
	EV_DSB_ISH,
	EV_DSB_SY,
	EV_TLBI_IPA,
	EV_TLBI_RANGE,
	EV_TLBI_E1,
	EV_TLBI_ALL,
	EV_LEAVE,
	EV_RETRY,
	EV_LOCK,
	EV_LOCK_READ,
	EV_UNLOCK,
	EV_GRACE,
	EV_EVENTS
};

/* Rules of the engine that can be broken on purpose, by the port (port.c). */
enum plant {
	PLANT_NONE,
	PLANT_NO_GRACE,
	PLANT_EARLY_GRACE,
	PLANT_MARKER_TAKEN,
	PLANT_MARKER_UNSEEN,
	PLANT_DEAD_IGNORED,
	PLANT_FLAG_IGNORED,
	PLANT_CAS_TORN,
	PLANT_ADD_TORN,
	PLANT_NO_DSB_BEFORE,
	PLANT_NO_DSB_AFTER,
	PLANT_NO_TLBI,
	PLANT_NO_STAGE1,
	PLANT_NO_AGENTS,
	PLANT_NO_CLEAN,
};

enum page_state { PAGE_FREE, PAGE_PRIVATE, PAGE_PUBLISHED, PAGE_FREED };

/* A table page. PUBLISHED: has been linked; @at: the entry that linked it last. */
struct page {
	uint8_t state;
	uint8_t level;
	uint16_t at;
	uint64_t ipa;
};

/*
 * What a PE may hold although no entry says it any more: a leaf, or a table entry
 * and with it a way into that table. The masks have a bit for each thread.
 */
struct stale {
	uint64_t desc, ipa;
	uint16_t at; /* the entry it was in */
	uint8_t level;
	uint8_t by;    /* the call that broke it, or detached the table; CALLS: none */
	uint8_t first; /* ... that took it from the tree: a late call breaks it again */
	bool table;
	uint8_t visible;   /* threads that have executed a DSB since */
	uint8_t issued;	   /* threads that have issued a TLBI by IPA for it since */
	uint8_t issued_e1; /* ... VMALLE1IS, when stage 2 was gone already */
	uint8_t issued_all;
	uint8_t agents; /* other agents may not use it any more */
	bool no_stage2; /* gone from stage-2 TLBs */
	bool gone;	/* gone from all TLBs of PEs */
	bool to_clean;	/* its memory has to be cleaned before it is given away */
	bool in_cache;	/* ... before the guest sees it by another memory type */
	uint8_t dc; /* threads that have cleaned all of it, or the rest, since, and ... */
	uint64_t cleaned; /* ... of what was done piecemeal, how much, and ... */
	uint8_t parts;	  /* ... by whom: their DSB SY is to come */
	uint64_t settled; /* ... and how much of it a DSB SY has completed */
};

struct span {
	uint64_t start, end;
};

struct thread {
	void *sp;
	uint64_t stack; /* a hash of what is on it */
	bool live, in_section, in_call;
	bool waiting;	   /* until somebody else writes */
	bool others_wrote; /* since its call began */
	bool misread;	   /* has read an older value since then */
	bool midway;	   /* in a table, where one entry is like another */
	bool unanswered;   /* an agent has failed in its call */
	uint8_t grace;	   /* threads it waits for, a bit each */
	uint64_t holds;	   /* pages to which it has had a pointer in this section */
	int8_t call;	   /* index, -1: none */
	uint8_t pages;	   /* taken from its part of the arena */
	uint8_t npending;
	struct span pending[PENDING]; /* TLBIs by IPA since its last DSB */
	enum event event;
	uint32_t where;
	uint64_t value;
};

enum call_kind {
	CALL_NONE,
	CALL_MAP,
	CALL_UNMAP,
	CALL_WRPROTECT,
	CALL_RELAX,
	CALL_MKYOUNG,
	CALL_AGE,
	CALL_SPLIT,
	CALL_COLLAPSE,
	CALL_CLEAN,
	CALL_LOOKUP,
	CALL_TRANSLATE,
	CALL_DIRTY,
	CALL_SURVEY,
	CALL_ITER,
	CALL_ANNOTATE, /* at first only */
	CALL_BATCH_BEGIN,
	CALL_BATCH_END,
	CALL_TOUCH, /* no call: a PE walks and sets the access flag by hardware */
	CALL_WRITE, /* ... and the dirty state */
};

/* PENDING: an unmap in a batch that has returned, and has promised nothing yet. */
enum call_state { CALL_IDLE, CALL_RUNS, CALL_PENDING, CALL_DONE };

/* before: calls that were done when it began. */
struct call_run {
	uint8_t state;
	int8_t ret;
	bool stepped; /* has returned S2_MORE, and will be called again */
	uint16_t before;
	uint64_t seen; /* lookup: the descriptor found, and */
	uint64_t pa;   /* the page's address by it */
	uint64_t done; /* op->done at its end */
};

/*
 * @owed: reports that are due when a page that is asked about has gone (counted.c)
 * Of such a page, the maps, a bit each, that gave memory there ...
 * @written: that the guest may have written to since a log has told
 * @young: whose access flag hardware has set since s2_age() has told
 */
struct known {
	uint16_t written, young;
	uint16_t owed;
};

/*
 * All that a step may change but for the entries, which have an undo log, and the
 * threads' stacks.
 */
struct world {
	struct s2 s2;
	uint64_t meta[PAGES][2];
	struct page page[PAGES];
	uint64_t hash; /* of the entries */
	uint32_t undo; /* how long the log is */
	bool locked;
	bool retypes;			   /* in_cache is kept */
	struct thread thread[THREADS + 1]; /* the last: NOBODY */
	struct call_run call[CALLS];
	struct known known[PROBES];
	unsigned nstale;
	struct stale stale[STALE]; /* last, for only the first nstale are kept */
};

extern struct world world;
extern uint64_t arena[PAGES * ENTRIES];

/* ---- memory.c ---------------------------------------------------------------- */

/* An empty arena, an empty log. */
void mem_reset(void);
/* What is there now cannot be undone. */
void mem_commit(void);
void mem_undo(uint32_t to);
void mem_write(uint32_t entry, uint64_t value);
/* thread: whose part of the arena, or NOBODY. NULL when it is full. */
uint64_t *mem_alloc(int thread, unsigned pages);
void mem_free(uint64_t *table);
/* Whose part of the arena a page is in. */
int mem_owner(unsigned page);
/* Index of an entry; -1 if the pointer leads elsewhere. */
int32_t mem_index(const void *entry);
uint64_t mem_pa(unsigned page);
/* Page of a table's PA; -1 if there is none. */
int mem_page(uint64_t pa);
unsigned mem_in_use(void);

/* ---- pe.c ---------------------------------------------------------------------- */

/* Before the entry changes. */
void pe_write(uint32_t entry, uint64_t new);
void pe_dsb(int thread, enum event kind);
void pe_tlbi(int thread, enum event kind, uint64_t operand);
void pe_agents(int thread, uint64_t ipa, uint64_t size);
/* They are stopped: they hold nothing any more. */
void pe_agents_stop(void);
void pe_clean(int thread, uint64_t pa, uint64_t size);
void pe_free(unsigned page);
/*
 * Each leaf that a PE may use for a page, those of the tables first. Calls
 * fn(data, page's PA, descriptor, stale or NULL).
 */
typedef void pe_leaf(void *data, uint64_t pa, uint64_t desc, const struct stale *stale);
void pe_each(uint64_t ipa, pe_leaf *fn, void *data);
/* The entry that translates an address by the tables as they are, and its level. */
uint64_t pe_walk(uint64_t ipa, int *level, uint32_t *entry);
/* The entries by which a PE may walk to a page, of live tables and of detached ones. */
typedef void pe_entry(void *data, uint32_t entry, int level);
void pe_each_entry(uint64_t ipa, pe_entry *fn, void *data);
/*
 * What was broken, or detached, in [ipa, ipa + size) and whose memory has to be cleaned
 * and has not been: the next one at or behind the record *i; NULL: no more.
 */
const struct stale *pe_uncleaned(unsigned *i, uint64_t ipa, uint64_t size);
/* Whether a walk by the tables as they are comes to a page. */
bool pe_linked(unsigned page);
/* Bytes that an entry at @level translates. */
uint64_t pe_size(int level);

/* ---- explore.c ------------------------------------------------------------------- */

extern enum plant planted;
extern bool verbose;

struct scenario;

struct result {
	const char *rule; /* NULL: nothing was violated */
	char detail[256];
	uint64_t states, steps, ends;
	int bound; /* preemptions; -1: every order was tried */
	unsigned noutcomes;
	char outcome[24][96];
};

/*
 * Every order of the threads' steps, or of those with so many preemptions as the
 * scenario says. Ends at the first violation.
 */
void explore(const struct scenario *sc, struct result *res);
/* Run the order in which the last violation was found again, and print it. */
void explore_replay(const struct scenario *sc);

/* The thread that runs, or NOBODY. */
int current(void);
/* A step ends here; the next begins with the access. A location, or NOWHERE. */
#define NOWHERE UINT32_MAX
void point(enum event event, uint32_t where, uint64_t value);
/* The access itself, for finding out which locations threads share. */
void touched(uint32_t where, bool write);
/* A rule is broken: never returns to a thread. */
void violation(const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Where an entry, a metadata word or, from LOCATION_S2, a word of the instance is. */
#define LOCATION_S2 (PAGES * ENTRIES + PAGES * 2)
uint32_t location(const void *word);
/* Whether it is an entry that no scenario uses, between the first and the last. */
bool is_like_another(uint32_t where);
/* The thread has read what it cannot have read: this order does not exist. */
void no_such_order(void);
uint64_t hash_bytes(uint64_t h, const void *at, size_t size);
/* Wait until somebody else has written, if nobody has since the call began. */
void wait_for_others(void);

/* ---- call.c ---------------------------------------------------------------------- */

/* Of the thread that runs: its call, or CALLS; and of which kind it is. */
unsigned call_now(void);
enum call_kind call_running(void);
/* Whether the call that runs waives cleans (S2_NO_CLEAN). */
bool call_waives(void);
void calls_run(int thread);
void calls_setup(const struct scenario *sc);
/* When every thread has ended: judge what is left, name it, take it down. */
void calls_end(const struct scenario *sc, char outcome[96]);
void call_describe(unsigned call, char *buf, size_t size);

#endif /* STAGE2_CONCURRENT_WORLD_H */
