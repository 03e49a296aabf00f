/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The differential run: operations on the engine, on the machine model, against the
 * flat reference.
 *
 * A sequence is bytes: a header that says what the instance is like, then records of
 * one size, each of which is one operation, or steps of one that is under way. What
 * a record does depends on nothing but its bytes and the header, so any records may
 * be left out of a sequence, and the rest is still one. Random sequences and those of
 * the fuzzer are the same thing.
 */
#ifndef TESTS_ENGINE_WORLD_H
#define TESTS_ENGINE_WORLD_H

#include <stdio.h>

#include "flat.h"
#include "log.h"
#include "rig.h"

#define WORLD_HEADER 8u
#define WORLD_RECORD 14u
#define WORLD_SLOTS 4u
#define WORLD_LIMBOS 2u

/* 0: a run on a build of the engine without shared calls (S2_USE_SHARED). */
#ifndef WORLD_SHARED
#define WORLD_SHARED 1
#endif

struct kind;

/**
 * struct batched - what is known of the open batch
 * @due: bytes that its flush has to clean, and @more: that it may clean beside them
 * @cleaned: since nothing was pending
 * @range: of its calls since then
 */
#define WORLD_RANGES 256u
struct batched {
	bool open;
	uint64_t due, more, cleaned;
	unsigned n;
	struct {
		uint64_t lo, hi;
	} range[WORLD_RANGES];
};

/**
 * struct call - one operation, and how far it has come
 * @note: the annotation, of note_value[]
 * @log: its dirty log, also in op if it is not s2_dirty(); NULL: none
 * @limbo: which; -1: none
 * @done: all below it is finished
 * @lo, @hi: its range and the leaves at the edges; @from, @to: what this step may change
 * @start, @end: what op->start and op->end have to say
 * @must, @may: a bit for each error of which one has to, or may, refuse this step
 * @failing: an allocation was made to fail in one of its steps
 * @more: under way
 * @empty: there was nothing in its range
 * @cut: an edge of its range lies inside a contiguous run
 * @noted: there were annotations in its range
 * @blocked: by the open batch, which is to be flushed first
 * @mixed: others have changed its range between its steps
 * @parked: 1 + an address of the leaf that its last step has parked; 0: none
 * @then: what is mapped when it is done, if nobody else comes in between
 * @young, @found: what s2_age() and s2_survey() said; @was_young, @there: what they
 *	should
 */
struct call {
	const struct kind *kind;
	uint64_t ipa, size, pa;
	s2_attr_t attr;
	uint32_t flags;
	unsigned note;
	struct s2_op op;
	bool with_op;
	struct log *log;
	int limbo;
	long fail_after;
	unsigned slot;

	uint64_t done, lo, hi, from, to, start, end;
	uint32_t must, may;
	bool failing, more, empty, cut, noted, blocked, mixed;
	uint64_t parked;
	struct flat then;
	bool young, was_young;
	struct s2_survey found, there;
};

/* Results that are counted: S2_MORE, 0, then the errors. */
#define WORLD_RESULTS 24u
#define WORLD_KINDS 16u
struct world_tally {
	uint64_t calls, sequences, records;
	uint64_t result[WORLD_KINDS][WORLD_RESULTS];
};

struct world {
	struct s2 s2;
	struct flat flat;
	struct flat before; /* this step, in the range below, which it may change */
	uint64_t before_from, before_to;
	struct flat notes; /* runs of them, attr says which */
	struct call slot[WORLD_SLOTS];
	struct log log[WORLD_SLOTS]; /* of the slots' calls, with op.dirty */
	struct call last;	     /* what settle() does itself */
	struct s2_limbo limbo[WORLD_LIMBOS];
	struct s2_batch batch;
	struct batched batched;
	uint64_t page, block, big; /* big: 0 where they are not used */
	uint64_t region[2], region_size;
	unsigned places;   /* in PA space, each of a region's size */
	struct flat runs;  /* contiguous ones, attr is the level */
	bool runs_allowed; /* ... may be made */
	bool cont;	   /* ... may have been */
	bool noted;	   /* something has been annotated */
	bool walker;	   /* one walks the tables without the lock */
	uint8_t shared;	   /* calls: 0 none, 1 all, 2 half of them */
	unsigned pe;
	unsigned record, printed;
	struct world_tally *tally;
	FILE *print; /* each call, as C; or NULL */
	bool thorough;
	char wrong[640]; /* what is; empty: nothing */
};

/*
 * struct kind - an operation
 * @name: of the function, without s2_
 * @often: how often it is picked
 * @point: takes an address, no range and no op: never under way
 * @changes: entries; so not on what an open batch has unmapped
 * @whole: takes contiguous runs whole
 * @log: whether it takes a dirty log: in its op, now and then; always and itself
 * @bounded: P5 and P8: its barriers and TLBIs are counted
 * @note: what it does to annotations in its range
 * @flushes: a batch: opens it, or flushes or ends it
 * @flags: those that it may be given; EDGES and S2_MAP_REPLACE are picked together
 * @most: pages of a range at most, where it visits each; 0: any
 * @tables: a budget is at least so many tables' entries
 * @errors: a bit for each error that it may return
 * @run: call the engine
 * @apply: do to the reference what a step that comes from @from to @to does
 * @rest: whether a piece that the step is not done with may look like @now where it was
 *	@old; NULL: it has not changed
 * @cleans: bytes that a step may clean: at least *least, at most what is returned; NULL:
 *	none
 * @promise: claim what a step promises that has come from @from to @to
 */
struct kind {
	const char *name;
	unsigned often;
	bool point;
	bool changes;
	bool whole;
	enum { LOG_NONE, LOG_SOME, LOG_OWN } log;
	bool bounded;
	enum { NOTE_STAYS, NOTE_SETS, NOTE_DROPS, NOTE_MAPS } note;
	bool flushes;
	uint32_t flags;
	unsigned most;
	unsigned tables;
	uint32_t errors;
	int (*run)(struct world *w, struct call *c);
	int (*apply)(struct flat *f, struct call *c, uint64_t from, uint64_t to);
	bool (*rest)(const struct flat_run *old, const struct flat_run *now,
		     const struct call *c);
	uint64_t (*cleans)(const struct world *w, const struct call *c, uint64_t from,
			   uint64_t to, uint64_t *least);
	void (*promise)(struct world *w, const struct call *c, uint64_t from,
			uint64_t to);
};

/* The operations: workload.c. */
extern const struct kind kinds[];
extern const unsigned kinds_n;
const struct kind *kind_of(const char *name);

/*
 * The frames of which the reference says that a leaf maps them, or is cleaned: the first
 * of [pa, pa + size), or NULL; @r is the part of the leaf.
 */
const struct flat_run *frames_used(const struct world *w, uint64_t pa, uint64_t size,
				   const struct flat_run *after, struct flat_run *r);

/* What bytes say: pick.c. An instance with its largest leaf, a place for ranges. */
struct s2_config pick_config(const uint8_t *h, unsigned *reach);
uint64_t pick_region(const struct world *w, uint8_t h);
/* world_print.c: a result by name. */
const char *world_result(int ret);
void pick_call(struct world *w, const uint8_t *r, struct call *c);
/* Another budget for the steps that follow. */
void pick_budget(const struct world *w, const uint8_t *r, struct call *c);
/* Whether a record asks for what may be refused. */
bool pick_odd(const uint8_t *r);

/*
 * Annotations: notes.c, which follows the engine after each step and says whether that
 * is what the step may have done, and compares all.
 */
extern const uint64_t note_value[4];
bool notes_step(struct world *w, const struct call *c, uint64_t from, uint64_t to);
bool notes_settle(struct world *w);
/* Contiguous runs: runs.c. The second grows [*lo, *hi) to whole ones. */
bool runs_step(struct world *w, const struct call *c, bool at_once);
void runs_widen_call(const struct world *w, uint64_t *lo, uint64_t *hi);

/* False, and the first reason kept. */
/* The call as a line of C, if the world prints. */
void world_print_call(struct world *w, const struct call *c, int ret);
bool world_wrong(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Run a whole sequence. @keep: NULL, or a byte for each record: whether it is run.
 * False when something is wrong, which is in w->wrong.
 */
bool world_run(struct world *w, const uint8_t *bytes, size_t size, const uint8_t *keep,
	       FILE *log);

/* Batches are opened, too: --batches. */
extern bool pick_batches;

#endif
