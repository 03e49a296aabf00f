/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weakly ordered memory: what a load may return, by Arm's rules but for one.
 *
 * Memory is a history for each location: its messages, oldest first. A message is
 * appended when its store is executed, and from then on it may be read by all (Arm is
 * multi-copy atomic). Two things make it weak.
 *
 *  - A load may be older than its place in the program. So it may read any message of
 *    its location that is not older than what its thread's view demands. An acquire
 *    load, and a load on which an address depends, adds what its message has seen to the
 *    view of what comes after it.
 *  - A store may be overtaken by later stores of its thread. So a message has seen of
 *    its own thread's stores only those that a barrier, a release or a dependency puts
 *    before it. Of the other threads' it has seen all that have been executed and that
 *    nothing has overtaken (@loose): one that it had not seen could be executed later
 *    just as well, and a search tries that, too.
 *
 * Left out: a store is never performed before a load that comes before it in the
 * program. So load buffering (LB) does not happen, nor does the shape S.
 *
 * A load that could have been executed before its thread's previous step, with the same
 * result, is not offered: the message that it would read was the last one until then. A
 * search that tries all orders of the threads loses nothing by that.
 */
#ifndef STAGE2_MODEL_VIEWS_H
#define STAGE2_MODEL_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef VIEWS_LOCS
#define VIEWS_LOCS 8
#define VIEWS_MSGS 32
#define VIEWS_KEPT 128
#define VIEWS_DEPTH 32 /* of a history; what is older is forgotten */
#endif
#define VIEWS_THREADS 4

/*
 * Of each location the oldest message that may still be read, by its place in the
 * history. @marks: what is said once, a bit each.
 */
struct view {
	uint64_t marks;
	uint8_t at[VIEWS_LOCS];
};

struct views_msg {
	uint64_t value;
	struct view see;   /* what whoever reads it in order has seen, itself included */
	uint8_t rmw;	   /* follows the message before it, with none between */
	uint8_t by;	   /* VIEWS_THREADS: it was there at first */
	uint8_t unused[6]; /* states are compared by content */
};

struct views_thread {
	struct view now;      /* what a load may not be older than */
	struct view read;     /* what all messages that were read have seen */
	struct view own;      /* ... that were written */
	struct view wrote;    /* those themselves */
	struct view released; /* ... that were written by a store-release */
	struct view fence;    /* what a barrier puts before every later store */
	uint8_t last
		[VIEWS_LOCS]; /* the messages that were the last ones at its last step */
	uint8_t loose;	      /* a store may have overtaken one since its last barrier */
	uint8_t unused[7];
};

/* The messages of location 0, of location 1, ... in one array. */
struct views {
	struct views_thread thread[VIEWS_THREADS];
	struct view kept[VIEWS_KEPT]; /* the user's: registers, locks */
	uint8_t nr[VIEWS_LOCS];
	uint64_t nr_msgs;
	struct views_msg msg[VIEWS_MSGS]; /* last, for only the first nr_msgs are kept */
};

/* LDAR comes after its thread's store-releases: its caller passes @released as @dep. */
enum views_order {
	VIEWS_PLAIN = 0,
	VIEWS_ACQUIRE = 1,
	VIEWS_RELEASE = 2,
};

enum views_fence { VIEWS_FULL, VIEWS_LD, VIEWS_DMB_ST, VIEWS_DSB_ST };

static inline size_t views_size(const struct views *v)
{
	return offsetof(struct views, msg) + v->nr_msgs * sizeof(v->msg[0]);
}

void view_join(struct view *v, const struct view *with);

/* A location's first message, which all have seen. False: there is no room. */
bool views_first(struct views *v, unsigned loc, uint64_t value);

/*
 * In how many ways thread @t may read the location now. Choice 0 is the last message.
 * @dep: what the address depends on, or NULL.
 */
unsigned views_loads(const struct views *v, unsigned t, unsigned loc,
		     const struct view *dep);
uint64_t views_value(const struct views *v, unsigned t, unsigned loc, unsigned choice);
/* @got: what depends on the value depends on this; may be NULL. */
uint64_t views_load(struct views *v, unsigned t, unsigned loc, unsigned choice,
		    unsigned order, const struct view *dep, struct view *got);

/*
 * In how many ways it may write: choice 0 appends, choice n comes before the last n
 * messages, which have been overtaken. False: there is no room.
 */
unsigned views_stores(const struct views *v, unsigned t, unsigned loc,
		      const struct view *dep);
bool views_store(struct views *v, unsigned t, unsigned loc, unsigned choice,
		 uint64_t value, unsigned order, const struct view *dep);
/* Reads the last message and appends to it, as one. */
bool views_rmw(struct views *v, unsigned t, unsigned loc, uint64_t value, unsigned order,
	       const struct view *dep);
/* The same again by who has just written: nobody can read what was between. */
void views_amend(struct views *v, unsigned t, unsigned loc, uint64_t value,
		 unsigned order);
/* What has been seen by whoever has seen everything. */
void views_all(const struct views *v, struct view *all);
/* The last message is another value now, by an access that is not modelled. */
void views_overwrite(struct views *v, unsigned loc, uint64_t value);
uint64_t views_last(const struct views *v, unsigned loc);

void views_fence(struct views *v, unsigned t, enum views_fence kind);
/* Something that thread @t says once, by a plain store. */
void views_mark(struct views *v, unsigned t, uint64_t mark);

/* Thread @t has taken a step. */
void views_stepped(struct views *v, unsigned t);
/*
 * Forget what nobody may read any more, and what threads that are not @live have seen:
 * equal states become equal bytes.
 */
void views_trim(struct views *v, unsigned live);

#endif /* STAGE2_MODEL_VIEWS_H */
