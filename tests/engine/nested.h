/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared calls that begin in the middle of others: the hook of the counting port starts
 * a further call at any event of the one under way, and that goes through before the
 * first goes on. Each call stands for a PE of its own. Between them, when none is under
 * way, exclusive operations go on by steps, and batches are opened and flushed.
 *
 * Not every page is watched: a world has some *probes*, one on each side of every address
 * at which a call's range may begin or end. For each of them:
 *
 * nested_ref.c	what translates it by the tables, and which call may change that how
 * nested_tlb.c	what a PE may have cached of it, and what has been cleaned
 * nested_count.c	which counted leaves have been reported
 * nested_call.c	a call, by chance
 * nested.c	the worlds, and what is done between calls
 * nested_trace.c	what is printed
 */
#ifndef TESTS_ENGINE_NESTED_H
#define TESTS_ENGINE_NESTED_H

#include "bed.h"
#include "desc.h"

#define DEPTH 4 /* calls under way at a time, the outermost among them */
#define PROBES 28
#define ITEMS 48
#define OWED 12
#define TLBIS 16
#define SEEN 24

enum kind {
	MAP,
	UNMAP,
	WRPROTECT,
	RELAX,
	MKYOUNG,
	AGE,
	SPLIT,
	COLLAPSE,
	CLEAN,
	SURVEY,
	LOOKUP,
	FLUSH,
	ANNOTATE,
	KINDS
};

/* What translates a page: as a walk would find it, or would again soon. */
enum state { NOTHING, LEAF, BROKEN };

struct view {
	enum state state;
	int8_t level;
	bool hard;   /* a walker finds it: no marker of a split or collapse on the way */
	uint64_t pa; /* of the page itself */
	uint64_t bits;	/* attributes of the leaf */
	uint64_t entry; /* PA of the entry that says so */
};

/* A tag of its own for each call: 0 is nobody. */
typedef uint64_t call_id;

/* One call of the engine, over all its steps. */
struct call {
	enum kind kind;
	call_id id;
	uint64_t ipa, size, pa;
	s2_attr_t attr;
	uint32_t flags;
	struct s2_op op;
	struct s2_limbo limbo;
	bool used, exclusive, steps, under_way;
	bool last;    /* a flush that ends the batch */
	bool batched; /* what it promises comes with the flush */
	unsigned tries;
	int ret;
	uint64_t began;	 /* the time at which what it promises begins */
	uint32_t inside; /* probes in its range, a bit each */
	uint32_t met;	 /* ... that have been as it wants them at some time */
	uint64_t cleaned[PROBES], executable[PROBES]; /* of what it asks for, when */
	uint32_t early;	  /* ... while a PE could use the old mapping, a bit each */
	uint64_t barrier; /* its last DSB SY */
	uint64_t made_pa, made_size; /* a relax: what it has last made executable */
	/* A lookup: what it may find. */
	struct view seen[SEEN];
	unsigned nseen;
};

/* The PE that a call runs on. */
struct pe {
	struct call *call;
	uint64_t ordered; /* when its last DSB was: what was written before is seen */
	struct {
		uint64_t start, end, before;
		unsigned level; /* of the hint, or 0 */
		bool done;	/* its DSB has been */
	} tlbi[TLBIS];
	unsigned tlbis;
	bool all; /* VMALLS12E1IS since */
	uint64_t all_before;
	bool stage1; /* VMALLE1IS after stage 2 was done */
	bool entered;
	unsigned unclean; /* cleans without a DSB SY */
};

/* What a PE may have cached of a page: a leaf, or a table entry on the way. */
struct item {
	uint64_t pa;   /* of the page, or of the table */
	uint64_t bits; /* of a leaf */
	int8_t level;  /* of the entry */
	bool table;
	uint64_t begin, end;	  /* end: when it was no longer so; 0: it is */
	uint64_t birth, writable; /* of the mapping; since when it can be written */
};

/* Memory that the guest has lost and that is to be cleaned. */
struct owed {
	call_id by;
	uint64_t pa, birth, gone;
	bool waived;	 /* by the call that broke it */
	bool clean;	 /* cleaned, ... */
	call_id barrier; /* ... and whose DSB SY is to come; 0: it has been */
};

struct probe {
	uint64_t ipa;
	struct view now;
	uint64_t birth;	   /* when it was mapped to what it is */
	uint64_t shaped;   /* when a block came there */
	uint64_t writable; /* since when it can be written */
	uint64_t gone;	   /* when it was last broken */
	uint64_t gone_pa;
	call_id gone_by;
	call_id broke;	/* whose marker it is */
	uint64_t since; /* ... and since when there has been one */
	struct item item[ITEMS];
	unsigned items;
	struct owed owed[OWED];
	unsigned oweds;
	unsigned counted;    /* counted leaves that were made and are not reported, ... */
	uint64_t counted_pa; /* ... and the sum of what they map it to */
};

/* A table that is, or was, linked. */
struct table {
	bool known;
	int8_t level;
	uint64_t base;
};

#define CALLS 24

struct world {
	struct bed bed;
	struct call call[CALLS];
	uint64_t seed, number, now, events;
	uint64_t calls_made;
	uint64_t print_from; /* which event is the first that is printed */
	bool verbose;
	/* Where calls' ranges begin and end, in order. */
	uint64_t base, edge[16], page, block, top;
	unsigned edges;
	struct s2_batch batch;
	struct probe probe[PROBES];
	unsigned probes;
	struct table *table;
	struct pe pe[DEPTH];
	unsigned depth; /* calls under way */
	call_id ids;
	bool alias;	   /* several addresses have the same frames */
	uint64_t delta[4]; /* else: PA - IPA of any leaf */
	bool waive;	   /* every call waives cleans */
	bool parks;	   /* large blocks are unmapped in steps */
	bool notes;	   /* owners' annotations come and go */
	bool counted;	   /* every leaf is */
	uint64_t made[KINDS], answers[KINDS][24], nested[DEPTH + 1];
};

extern struct world world;

/*
 * Prints the world, the trace of calls and the fault, and ends the program, unless the
 * rule is one that is let pass (NESTED_ALLOW in the environment).
 */
void nested_fail(const char *rule, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void nested_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void nested_trace_call(const struct call *c);
void nested_event(enum count_event what, uint64_t at, uint64_t value);
void trace_clear(void);
/* S2_ASSERT() of the port, or a sanitizer's end, prints the trace, too. */
void trace_aborts(void);
extern const char *const kind_name[KINDS];

/* ---- nested_call.c ---- */

void dice_seed(uint64_t seed);
uint64_t dice(uint64_t n);
/* NULL if too many wait. */
struct call *new_call(void);
/* A kind, a range, flags: all but what an exclusive or a shared call has of its own. */
void pick_call(struct call *c);
/* An annotation, or none in its place; exclusive only. */
void pick_note(struct call *c);
/* @first: what it promises begins now. */
void make_call(struct call *c, bool first);

/* What of a leaf is watched: all but access flag, software's bits and the address. */
static inline uint64_t leaf_bits(uint64_t d)
{
	return d & (DESC_MEMATTR | DESC_S2AP_R | DESC_S2AP_W | DESC_DBM | DESC_XN |
		    (world.bed.s2.wide == S2_WIDE_LPA2 ? 0 : DESC_SH));
}

static inline struct pe *pe_now(void)
{
	return world.depth ? &world.pe[world.depth - 1] : NULL;
}

static inline struct call *call_now(void)
{
	return world.depth ? world.pe[world.depth - 1].call : NULL;
}

/* ---- nested_ref.c ---- */

void ref_open(void);
void ref_close(void);
/* After a write of an entry, or after hardware has written one. */
void ref_wrote(struct count_port *port, uint64_t at, uint64_t old, uint64_t desc);
/* From now on the call's promises are watched. */
void ref_begin(struct call *c);
/* What the call has promised by what it returned. */
void ref_returned(struct call *c);
/* Whether the leaf is what a map, or a relax, wants for the probe. */
bool ref_wanted(const struct call *c, const struct probe *p, const struct view *v);
/* A table page is given back. */
void ref_freed(uint64_t pa);
/* A PE may have reached memory through a table that is going: who detached it cleans. */
void ref_lost(struct probe *p, const struct item *i);
/* Whether memory behind such a leaf has to be cleaned. */
bool ref_needs_clean(uint64_t bits);
/* Every leaf there is, against what calls may have asked for; no marker is left. */
void ref_all(void);

/* ---- nested_count.c ---- */

/* After a write of an entry of a table that is linked, or was. */
void count_wrote(uint64_t base, int level, uint64_t old, uint64_t desc);
void count_gone(const struct count_gone *g);
/* When no call is under way. */
void count_all(void);

/* ---- nested_tlb.c ---- */

/* The port's event, of the PE of the call under way, before it takes effect. */
void tlb_event(enum count_event what, uint64_t at, uint64_t value);
/* The tables on the way to a probe or its leaf have changed. */
void tlb_refresh(struct probe *p, const struct item *path, unsigned n);
/* Items that a walk through a cached entry of a detached table may find now. */
void tlb_late(struct probe *p);
/* When a call returns: no barrier is owed. */
void tlb_returned(const struct pe *pe);

#endif
