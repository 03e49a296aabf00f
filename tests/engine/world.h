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

struct kind;

/*
 * What an open batch has to keep: @pages that its splits make of blocks, and what is
 * promised at its end.
 */
struct batched {
	bool open, waived;
	struct flat pages, then;
	unsigned n;
	struct {
		const struct kind *kind;
		uint64_t lo, hi;
	} range[S2_BATCH_RANGES];
};

/**
 * struct call - one operation, and how far it has come
 * @frame: one that it unmaps; 0: none
 * @note: the annotation, of note_value[]
 * @log: its dirty log, also in op if it is not s2_dirty(); NULL: none
 * @limbo: which; -1: none
 * @steps: the record ends after so many; 0: when the operation does
 * @batched: what its batch keeps, or NULL
 * @failing: an allocation was made to fail in one of its steps
 * @spoilt: how many calls have come between its steps
 * @more: under way
 * @busy: something in its range was when it began
 * @gave_up: refused in a later step
 * @empty: there was nothing in its range
 * @cut: an edge of its range lies inside a contiguous run
 * @noted: there were annotations in its range
 * @blocked: by what the open batch is splitting; it is to be flushed first
 * @disturbed: others have changed its range since it began
 * @opened: others may have made a table of an annotated entry, anywhere
 * @expected: its result, by the reference, and in @then what is mapped after it
 * @lo, @hi: its range and the leaves at the edges
 * @from, @to: and the tables that were detached because nothing was left in them
 * @young: what s2_age() said; @was_young: what it should say
 */
struct call {
	const struct kind *kind;
	uint64_t ipa, size, pa, frame;
	s2_attr_t attr;
	uint32_t flags;
	unsigned note;
	struct s2_op op;
	bool with_op;
	struct log *log;
	int limbo;
	long fail_after;
	unsigned steps;
	unsigned slot;
	unsigned spoilt;

	const struct batched *batched;
	bool failing, more, gave_up, empty, cut, busy, noted, disturbed, blocked, opened;
	int expected;
	struct flat then;
	uint64_t lo, hi, from, to;
	bool young, was_young;
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
	struct flat notes; /* runs of them, attr says which */
	struct call slot[WORLD_SLOTS];
	struct log log[WORLD_SLOTS]; /* of the slots' calls, with op.dirty */
	struct call last;	     /* ends the batch, when everything is to end */
	struct s2_limbo limbo[WORLD_LIMBOS];
	struct s2_batch batch;
	struct batched batched;
	uint64_t page, block, big; /* big: 0 where they are not used */
	uint64_t region[2], region_size;
	unsigned places;	 /* in PA space for each region */
	struct flat runs;	 /* contiguous ones, attr is the level */
	bool runs_allowed, cont; /* ... may be made, have been */
	bool noted;		 /* something has been annotated */
	bool walker;		 /* one walks the tables without the lock */
	uint8_t shared;		 /* calls: 0 none, 1 all, 2 half of them */
	bool waived;		 /* somewhere a clean was, and it is not known where */
	bool given_up;		 /* a map was in a later step, which may leave a table */
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
 * @batch: may be called in a batch
 * @point: takes an address, no range and no op: never under way
 * @whole: takes contiguous runs whole
 * @log: whether it takes a dirty log: in its op, now and then; always and itself
 * @bounded: P5 and P8: its barriers and TLBIs are counted
 * @note: what it does to annotations in its range
 * @flushes: a batch: opens it, or flushes or ends it
 * @flags: those that it may be given; EDGES and S2_MAP_REPLACE are picked together
 * @most: pages of a range at most, where it visits each; 0: any
 * @tables: a shared call's budget is at least so many tables' entries
 * @errors: a bit for each error that it may return
 * @run: call the engine
 * @apply: do it to the reference
 * @allowed: whether a piece of the range may look like @now where it was @old, while
 *	the operation is under way; NULL: nothing changes
 * @done: whether it may look like that when it has returned 0; NULL: always
 * @promise: claim what the return of 0 promises
 */
struct kind {
	const char *name;
	unsigned often;
	bool batch;
	bool point;
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
	int (*apply)(struct flat *f, struct call *c);
	bool (*allowed)(const struct flat_run *old, const struct flat_run *now,
			const struct call *c);
	bool (*done)(const struct flat_run *now, const struct call *c);
	void (*promise)(struct world *w, const struct call *c);
};

/* The operations: workload.c. */
extern const struct kind kinds[];
extern const unsigned kinds_n;

/* What bytes say: pick.c. An instance with its largest leaf, a place for ranges. */
struct s2_config pick_config(const uint8_t *h, unsigned *reach);
uint64_t pick_region(const struct world *w, uint8_t h);
void pick_call(struct world *w, const uint8_t *r, struct call *c);

/*
 * Annotations: notes.c, which follows the engine after each step and says whether that
 * is what the step may have done, and compares all.
 */
extern const uint64_t note_value[4];
bool notes_step(struct world *w, const struct call *c, int ret);
bool notes_settle(struct world *w);
/* Contiguous runs: runs.c. The second grows [*lo, *hi) to whole ones. */
bool runs_step(struct world *w, const struct call *c, int ret);
void runs_widen_call(const struct world *w, uint64_t *lo, uint64_t *hi);

/* False, and the first reason kept. */
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
