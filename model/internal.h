/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine's state, and the functions that its files share. A file calls only files
 * below it in this list (tests/repo/circles.py).
 *
 * machine.c	events: reads and writes, registers, other PEs
 * pages.c	events: table pages
 * claim.c	events: promises of the program
 * give.c	table pages given back
 * context.c	the trees, their VMIDs, the PEs that run them
 * tree.c	stores to entries (tree.h)
 * made.c	entries that become reachable
 * broken.c	entries that stop being reachable: stale translations begin here
 * agent.c	the other agent: what it reads, its invalidations
 * tlb.c	events: TLBIs and barriers, which end stale translations
 * dirty.c	dirty state that hardware writes
 * counted.c	counted leaves that have gone and are not reported
 * contiguous.c	runs with the Contiguous bit
 * marks.c	sets of ranges of a tree: dirty.c, counted.c
 * stale.c	the sets of stale translations
 * data.c	frames: cache maintenance, and who wrote last
 * why.c	why a stale translation may still be held, in words
 * log.c	events in words
 * rules.c	the names of the rules, and verdicts
 * place.c	the pages of a sparse machine
 * slab.c	memory
 * desc.c	descriptors and VTCR_EL2 (desc.h)
 */
#ifndef STAGE2_MODEL_INTERNAL_H
#define STAGE2_MODEL_INTERNAL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "desc.h"
#include "machine.h"

#define LINE UINT64_C(64) /* of the data cache; data is tracked in lines */
#define MAX_PES 16u
#define LEVELS 4

#define NS(x) ((unsigned long long)(x)) /* for %llx */

/* clang-format off */
/* In the order of s2m_rules[]. */
enum rule {
	R_TLBI_MISSING, R_TLBI_MISSES_RANGE, R_TLBI_BEFORE_DSB, R_TLBI_NOT_COMPLETED,
	R_DSB_OTHER_PE, R_TLBI_WRONG_VMID, R_TLBI_NOT_BROADCAST, R_TTL_MISMATCH,
	R_LAST_LEVEL_ONLY, R_TLBI_BAD_OPERAND, R_TLBI_UNDEFINED, R_S1_NOT_KILLED,
	R_S1_BEFORE_S2, R_REPEAT_TLBI_MISSING, R_ISB_MISSING, R_UNMAP_RETURN_PENDING,
	R_UNMAP_LEFT_MAPPED, R_WRPROTECT_LEFT_WRITABLE, R_AGENT_NOT_INVALIDATED,
	R_AGENT_MISREADS,
	R_FRAME_STILL_MAPPED, R_TABLE_USE_AFTER_FREE, R_HW_UPDATE_IN_FREED_TABLE,
	R_HW_UPDATE_LOST, R_HW_DIRTY_LOST, R_TABLE_LINKED_BEFORE_FILLED,
	R_TABLE_LINKED_TWICE, R_PA_BEYOND_PS, R_BBM_VALID_TO_VALID,
	R_BBM_MADE_TOO_EARLY, R_CONTIGUOUS_MIXED, R_CLEAN_MISSING,
	R_CLEAN_BEFORE_TLBI, R_CLEAN_NOT_COMPLETED, R_CLEAN_WITHOUT_INVALIDATE,
	R_MAP_CLEAN_MISSING, R_MAP_ICACHE_MISSING, R_COUNTED_LOST, R_COUNTED_TWICE,
	R_COUNTED_EARLY, R_SPECULATIVE_AT, R_VMID_REUSED, R_TREE_UNKNOWN, R_NONE,
};

/*
 * The states of a stale translation, in order. A TLBI or a barrier that does not move
 * it to the next state is kept as the reason (rec.why).
 */
enum state {
	ST_WRITTEN,	/* the write is not visible: walkers may read the old entry */
	ST_VISIBLE,	/* walkers read the new entry; TLBs may hold the old one */
	ST_S2,		/* a stage-2 TLBI has been issued */
	ST_S2DONE,	/* it is complete; combined stage-1 and 2 entries may be held */
	ST_S1,		/* a stage-1 TLBI has been issued */
	ST_REPEAT,	/* it is complete; the erratum needs one more TLBI and DSB */
	ST_REPEATED,	/* that TLBI has been issued */
	ST_ISB,		/* only the PE that issued the TLBI may hold it, until its ISB */
	ST_RETIRED,	/* no PE holds it; its memory may have to be cleaned */
	STATES,
};

#define F_WRITE (1u << 0)	/* it allows writes */
#define F_NORMAL (1u << 1)
#define F_WEAK (1u << 2)	/* its memory has to be cleaned (desc.weak) */
#define F_OLD (1u << 3)		/* an older version of an entry that is live */
#define F_BELOW (1u << 4)	/* its entry is in a detached table */
#define F_AGENT (1u << 5)	/* the other agent may hold it */
#define F_TOLD (1u << 6)	/* there is a verdict about it */
#define F_LOCAL (1u << 7)	/* the TLBI issued is not broadcast */
#define F_DIRTY (1u << 8)	/* writable: a write sets no dirty state in any entry */
/* clang-format on */

/*
 * A stale translation that a PE may hold. LEAF: of one leaf, or of neighbouring leaves
 * with the same level, state and offset from IPA to PA. TABLE: of one table entry. ALL:
 * everything that was live when the last PE left the context.
 */
enum kind { K_LEAF, K_TABLE, K_ALL };

/* clang-format off */
struct rec {
	RB_ENTRY(rec) rb;
	TAILQ_ENTRY(rec) list;
	struct ctx *ctx;
	uint64_t ipa, end;
	uint64_t pa;		/* of ipa; K_TABLE: the table pointed to */
	uint64_t first, last;	/* steps of the first and the last write */
	uint64_t acted;		/* step of the last change of state */
	uint64_t retired;	/* a clean must be later than this; 0: none is needed */
	uint64_t why_step;
	uint8_t kind, level, state;
	uint8_t levels;		/* LEAF: a mask of levels; level is the lowest of them */
	uint8_t writer, actor;	/* PE of the write; PE of the TLBI */
	/*
	 * Masks of PEs, because several may invalidate it at the same time. seen: has
	 * read the new entry; s2_by, s1_by, again_by: has issued the TLBI of stage 2,
	 * of stage 1, of the erratum; s2_sure, s1_sure: has completed it by a DSB.
	 */
	uint16_t seen, s2_by, s1_by, again_by, s2_sure, s1_sure;
	uint8_t why, why_pe;	/* enum rule: why the last TLBI or DSB did not help */
	uint16_t flags, type;
	bool orphan;		/* in ctx.orphans and in no tree */
};
/* clang-format on */

RB_HEAD(leaves, rec);
RB_HEAD(tables, rec);
TAILQ_HEAD(recs, rec);

/* clang-format off */
/* A tree under one VMID. */
struct ctx {
	LIST_ENTRY(ctx) all, of_tree;
	struct tree *tree;
	struct leaves leaves;
	struct tables tables;
	struct recs list[STATES];
	struct recs orphans;	/* mapped anew since; a clean or the agent is due */
	struct rec *all_rec;	/* kind ALL; only while no PE runs it */
	uint64_t by_address;	/* step of the last stage-2 TLBI by address */
	uint64_t s1;		/* ... of the last stage-1 TLBI */
	struct {
		uint64_t step, start, end;
		unsigned pe;
	} wrong;		/* the last stage-2 TLBI for another VMID */
	uint64_t quiet;		/* no PE has held a translation of what is mapped since */
	uint64_t held;		/* number of records with rec_held() */
	uint16_t vmid, running;	/* mask of PEs that run it */
	uint16_t holders;	/* mask of PEs that may hold a translation */
};
/* clang-format on */

/* A range and what it mapped, in a set: marks.c. Those of one set do not overlap. */
struct mark {
	RB_ENTRY(mark) rb;
	struct mark *next; /* the next free one, if free */
	uint64_t ipa, end, pa;
	uint64_t step;
};

RB_HEAD(marks, mark);

/* clang-format off */
struct tree {
	LIST_ENTRY(tree) all;
	/*
	 * written: pages that a guest has written and that are not in the program's
	 * dirty set. limbo: leaves in detached tables in which hardware may set dirty
	 * state after the program has read them last.
	 */
	struct marks written, limbo;
	struct marks owed; /* counted leaves that have gone and are not reported */
	LIST_HEAD(, ctx) ctxs;	/* the one of the latest VMID first */
	uint64_t root;
	struct desc_tree shape;
	struct desc_mode mode;
	bool dead;		/* its root was given back */
	bool named;		/* the program tells which PEs run it */
};

struct page {
	struct tree *tree;	/* if reachable, by a live or a stale entry */
	uint64_t ipa;		/* the first that its entries translate */
	uint64_t meta[2];
	uint64_t stored;	/* step of the last store to it while not live */
	uint64_t unreach;	/* step at which it was detached */
	uint64_t given;		/* step at which it was given back */
	uint32_t parent;	/* the table whose entry points here, + 1 */
	uint32_t refs;		/* K_TABLE records that point here */
	uint32_t next;		/* free run, + 1 */
	uint16_t slot;		/* in parent */
	uint16_t nvalid;	/* while live */
	uint16_t stores;	/* mask of PEs whose stores may be unordered */
	int8_t level;
	bool taken, live, used, root;
	bool hints;		/* an entry has or had the Contiguous bit */
};

/* How a guest reaches memory by a Normal leaf. */
enum alias {
	BY_CACHE,	/* write-back is forced */
	PAST_CACHE,	/* non-cacheable */
	EITHER,		/* stage 1 chooses */
	ALIASES,
};

struct frame {
	/* Steps. A cache operation counts when complete, by the step of its issue. */
	uint64_t civac;		/* the last clean and invalidate */
	uint64_t clean;		/* the last clean, with or without invalidate */
	uint64_t host;		/* when the host last wrote it, or got it back */
	uint64_t ic;		/* the issue of the last instruction cache invalidation */
	/* The last step at which a guest could write it, by leaves that are gone. */
	uint64_t guest[ALIASES];
	uint32_t live;		/* number of live leaves that map it */
	uint32_t recs : 30;	/* number of records of leaves that mapped it */
	uint32_t icache : 2;	/* IC_* */
};
#define IC_ISSUED 1u
#define IC_DONE 2u
/* clang-format on */

struct extent;
RB_HEAD(extents, extent);

struct pending {
	uint64_t pa, end, step, epoch;
	enum s2m_dc op;
};

/* clang-format off */
struct pe {
	uint64_t vttbr, vtcr, hcr;
	uint64_t ordered;	/* its stores up to this step come before later ones */
	uint64_t walker;	/* step at which its lockless walk began; 0: none */
	uint64_t knows[MAX_PES]; /* it knows of what each PE did up to this step */
	struct ctx *guest;
	struct pending *pend;	/* cache operations that are not complete */
	size_t pends, pend_max;
	size_t pend_ish;	/* those before this one have had a DSB ISH */
	bool has_vtcr, has_hcr, vttbr_unsynced, waive;
	/* For S2M_SPECULATIVE_AT. home: the VTTBR_EL2 that goes with stage 1. */
	uint64_t tcr, sctlr, home;
	bool guard_unsynced;
};
/* clang-format on */

/* A run with the Contiguous bit whose entries differ where they must not. */
struct mixed {
	struct page *page;
	unsigned first, pe;
	uint64_t step;
};
#define MAX_MIXED 16u

/* clang-format off */
struct machine {
	uint32_t features, agent_lacks;
	unsigned pes;
	uint8_t granule;	/* shift: the size of a table page */
	uint8_t pa_bits;
	struct desc_mode mode;	/* of pages in no tree; new trees begin with it */
	uint64_t base, pages, fresh, in_use;
	uint8_t *mem;
	struct page *page;
	uint64_t strange;	/* S2M_PARTIAL: a page linked and not placed, + 1 */
	uint64_t live_stores;	/* changes of entries that walkers may reach */
	struct places *places;	/* NULL: pages are at base and behind it, in order */
	uint32_t *stack;	/* free pages, by index */
	size_t stack_n;
	uint32_t run[17];	/* lists of free runs by length: index + 1 of the first */
	uint64_t seed, vtcr, last_read;
	uint64_t step;
	struct pe pe[MAX_PES];
	LIST_HEAD(, tree) trees;
	LIST_HEAD(, ctx) ctxs;
	/*
	 * S2M_COLD_TLBS: before has a context for each VMID met, with what PEs held under
	 * it before the first step. unmet stands for all other VMIDs.
	 */
	struct tree before;
	struct ctx *unmet;
	struct rec *rec_free;
	void **slabs;
	size_t slabs_n;
	struct extents frames;	/* all frames */
	struct extent *extent_free, *extent_hot;	/* hot: the last one used */
	uint64_t epoch;		/* changes when guests stop writing or the host writes */
	struct mixed mixed[MAX_MIXED];
	unsigned mixed_n;
	struct mark *mark_free;
	uint16_t counted;
	struct {
		struct tree *tree;
		uint64_t ipa, pages, seed;	/* seed 0: no writes */
	} writes;		/* by s2m_guest_writes() */
	struct s2m_counters count;
	struct s2m_violation *kept;
	struct s2m_violation spill;	/* one that is logged and not kept */
	unsigned kept_n, kept_max;
	uint64_t violations;
	uint64_t reported[R_NONE];	/* step of the last verdict by this rule */
	FILE *log;
	s2m_watcher *watch;
	void *watch_arg;
};
/* clang-format on */

/* ---- place.c */
/* Where the pages of a sparse machine are. An index at or above m->pages: nowhere. */
struct places *places_new(uint64_t pages);
void places_free(struct places *ps);
uint64_t place_find(const struct places *ps, uint64_t number);
uint64_t place_number(const struct places *ps, uint64_t index);
uint64_t places_used(const struct places *ps);
uint64_t place_add(struct places *ps, uint64_t number);

/* clang-format off */
/* ---- inline */
/* The table page at pa; NULL: pa is not in the arena. */
static inline struct page *page_at(const struct machine *m, uint64_t pa)
{
	uint64_t i = m->places	    ? place_find(m->places, pa >> m->granule) :
		     pa >= m->base ? (pa - m->base) >> m->granule :
				     UINT64_MAX;

	return i < m->pages ? &m->page[i] : NULL;
}
/* clang-format on */

static inline uint64_t page_pa(const struct machine *m, const struct page *p)
{
	if (m->places)
		return place_number(m->places, (uint64_t)(p - m->page)) << m->granule;
	return m->base + ((uint64_t)(p - m->page) << m->granule);
}

static inline uint64_t *page_mem(const struct machine *m, const struct page *p)
{
	return (uint64_t *)(void *)(m->mem + ((uint64_t)(p - m->page) << m->granule));
}

/* clang-format off */
/* The table at pa if entry slot of p links it; NULL: another entry does, or none. */
static inline struct page *page_child(const struct machine *m, const struct page *p,
				      unsigned slot, uint64_t pa)
{
	struct page *child = page_at(m, pa);

	return child && child->taken && child->slot == slot &&
	       child->parent == (uint32_t)(p - m->page) + 1 ? child : NULL;
}
/* clang-format on */

/* pe has heard of what PE from did at step: it did it, or it was handed over. */
static inline bool knows(const struct machine *m, unsigned pe, unsigned from,
			 uint64_t step)
{
	return pe == from || m->pe[pe].knows[from] >= step;
}

/* How to read the entries of t; t is NULL for a page that is in no tree. */
static inline const struct desc_mode *mode(const struct machine *m, const struct tree *t)
{
	return t ? &t->mode : &m->mode;
}

static inline uint64_t granule(const struct machine *m)
{
	return UINT64_C(1) << m->granule;
}

/* Entries of one table. */
static inline unsigned entries(const struct machine *m)
{
	return 1u << (m->granule - 3);
}

/* Bytes that one entry translates. */
static inline uint64_t span(const struct machine *m, int level)
{
	return desc_span(m->granule, level);
}

/* A PE that has written no VTCR_EL2 has the last value that any PE wrote. */
static inline uint64_t pe_vtcr(const struct machine *m, unsigned pe)
{
	return m->pe[pe].has_vtcr ? m->pe[pe].vtcr : m->vtcr;
}

/* The tree with this root, the last one of several; NULL: none is known. */
static inline struct tree *tree_find(const struct machine *m, uint64_t root)
{
	struct tree *t;

	LIST_FOREACH(t, &m->trees, all) {
		if (t->root == root)
			return t;
	}
	return NULL;
}

/* ---- context.c */
struct ctx *tree_know(struct machine *m, unsigned pe, uint64_t vttbr);
void tree_forget(struct machine *m, struct tree *t);
void ctx_run(struct machine *m, struct ctx *c, unsigned pe, bool running);
void tree_gone(struct machine *m, struct tree *t);
void vmids_init(struct machine *m);
void vmids_free(struct machine *m);

/* ---- dirty.c */
/* A PE can write through the leaf d, with hardware dirty state or without. */
static inline bool desc_writes(const struct machine *m, const struct tree *t,
			       const struct desc *d)
{
	return d->write || (m->features & S2M_HAFDBS && t->shape.hd && d->dbm);
}

/* Hardware may write the entry d: the access flag or dirty state. */
static inline bool hw_may_write(const struct machine *m, const struct tree *t,
				const struct desc *d)
{
	return m->features & S2M_HAFDBS && d->kind == DESC_LEAF &&
	       ((t->shape.ha && !d->af) || (t->shape.hd && d->dbm && !d->write));
}

/* The first range of a set that ends after ipa; the one after x; NULL: none. */
struct mark *mark_first(struct marks *set, uint64_t ipa);
struct mark *mark_next(struct mark *x);
void mark_add(struct machine *m, struct marks *set, uint64_t ipa, uint64_t end,
	      uint64_t pa, uint64_t step);
void mark_drop(struct machine *m, struct marks *set, struct mark *x);

/* Hardware may write dirty state to the leaf d. */
bool hw_may_mark(const struct machine *m, const struct tree *t, const struct desc *d);
/* The leaf d is in a detached table; hardware may set its dirty state there. */
void dirty_in_limbo(struct machine *m, struct tree *t, uint64_t ipa,
		    const struct desc *d);
/* The program has read an entry of p, which is detached; taken: and made it invalid. */
void dirty_seen(struct machine *m, struct page *p, unsigned slot, bool taken);
/* Forgets what is dirty in the range, unless d maps the same output there. */
void dirty_forget(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		  const struct desc *d);
/* A dirty page of the range that is not in the program's set. dirty_lost() forgets it. */
struct lost {
	uint64_t ipa, pa, step;
	bool written;
};
bool dirty_lost(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		struct lost *l);
/* Called between two events: a guest may write. */
void dirty_tick(struct machine *m);
/* An event begins. Before it guests may write. */
static inline void event(struct machine *m)
{
	if (m->writes.seed)
		dirty_tick(m);
	m->step++;
}

/* Tells the watcher. */
static inline void told_of(const struct machine *m, struct s2m_event e)
{
	if (!m->watch)
		return;
	e.waived = m->pe[e.pe].waive;
	m->watch(m->watch_arg, m, &e);
}
#define WATCH(m, ...) told_of(m, (struct s2m_event){ __VA_ARGS__ })

/* ---- counted.c */
/* The leaf d at ipa is no longer reachable; is reachable again, or anew. */
void counted_broken(struct machine *m, struct tree *t, uint64_t ipa,
		    const struct desc *d);
void counted_made(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d);
/* The program reports the range; false if not all of it is owed. */
bool counted_told(struct machine *m, struct tree *t, uint64_t ipa, uint64_t pa,
		  uint64_t size);
/* Whether a report of the range is due; forgets it. */
bool counted_owed(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		  uint64_t *at, uint64_t *pa, uint64_t *step);

/* ---- contiguous.c */
/* Entry slot of p, which is live, has changed. */
void run_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot);
/* A verdict has reported the run of this entry. */
void run_told(struct machine *m, const struct page *p, unsigned slot);
/* pe has had a DSB or (promise) claims something: judges the runs that it changed. */
void run_judge(struct machine *m, unsigned pe, bool promise);

/* ---- tree.c, made.c, broken.c */
enum how { HOW_STORE, HOW_RELEASE, HOW_ATOMIC, HOW_FILL };
void entry_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		   uint64_t old, uint64_t new, enum how how);
/* pe has stored to a page that is not live. */
void page_stored(struct machine *m, unsigned pe, struct page *p);
/* The root table of a new tree, and all below it, becomes live. */
void tree_scan(struct machine *m, struct tree *t, unsigned pe, struct page *root);
/* The stale table entry by which a PE may still reach p; NULL: none. */
struct rec *page_stale(const struct machine *m, const struct page *p);
/* p is given back while it is live: what it maps becomes stale. */
void page_dies(struct machine *m, struct page *p);

/* clang-format off */
/* ---- stale.c */
struct rec *leaf_first(struct ctx *c, uint64_t ipa);	/* first that ends after ipa */
struct rec *leaf_next(struct rec *r);
struct rec *table_first(struct ctx *c, int level, uint64_t ipa);
struct rec *table_next(struct rec *r);
/* Splits r at ipa and end, and returns the part within [ipa, end). */
struct rec *leaf_cut(struct machine *m, struct rec *r, uint64_t ipa, uint64_t end);
/* Adds r in place of older leaf translations of its range. */
void leaf_add(struct machine *m, struct ctx *c, const struct rec *r);
void table_add(struct machine *m, struct ctx *c, const struct rec *r);
void rec_state(struct machine *m, struct rec *r, enum state st);
void rec_orphan(struct rec *r);
void rec_drop(struct machine *m, struct rec *r);
/* After a change of state: drops r if it is done, or joins it to its neighbours. */
void rec_settle(struct machine *m, struct rec *r);
struct rec *all_add(struct machine *m, struct ctx *c);
struct rec *all_copy(struct machine *m, struct ctx *c, const struct rec *r);
bool rec_held(const struct rec *r);	/* a PE or the other agent may use it */
/* A PE may hold a translation of c, or walk its tree. */
bool ctx_held(struct machine *m, struct ctx *c);
/* clang-format on */

/* ---- agent.c */
/* There is one, and it has the feature. */
bool agent_has(const struct machine *m, uint32_t feature);
/* pe makes entry slot of p with this value: the agent has to read it as PEs do. */
void agent_reads(struct machine *m, unsigned pe, const struct page *p, unsigned slot,
		 uint64_t value);

/* ---- tlb.c */
/* pe has read entry slot of p, which is live and invalid. */
void tlb_seen(struct machine *m, unsigned pe, const struct page *p, unsigned slot);
void tlb_dsb(struct machine *m, unsigned pe, enum s2m_barrier b);
void tlb_isb(struct machine *m, unsigned pe);

/* ---- data.c */
/* The number of live leaves, or of records, that map the frames changes by delta. */
void frames_mapped(struct machine *m, uint64_t pa, uint64_t size, int delta);
void frames_recorded(struct machine *m, const struct rec *r, int delta);
/* A record maps one of the frames. */
bool frames_have_recs(struct machine *m, uint64_t pa, uint64_t size);
/* Frames that no live leaf maps belong to the host again, from this step on. */
void frames_to_host(struct machine *m, uint64_t pa, uint64_t size, uint64_t step);
/* A guest could write the frames of r until this step; no PE holds r any more. */
void frames_guest_wrote(struct machine *m, const struct rec *r, uint64_t step);
/* What guests have written need not be cleaned: the owner says so. */
void frames_vouched(struct machine *m, uint64_t pa, uint64_t size);
/* The memory behind r, which is retired, needs no clean, or has had it. */
bool clean_done(struct machine *m, const struct rec *r);
/* If not: the rule; *pa is the frame and *step the step of a clean that did not count. */
enum rule frames_why(struct machine *m, const struct rec *r, uint64_t *pa,
		     uint64_t *step);
/* A live leaf maps one of the frames: *at. */
bool frames_live(struct machine *m, uint64_t pa, uint64_t size, uint64_t *at);
/* Checks the frames of the leaf d, which is made: data clean (data), instructions too. */
void frames_check_map(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d,
		      bool data);
void data_dsb(struct machine *m, unsigned pe, bool sy);
void data_init(struct machine *m);
void data_free(struct machine *m);

/* ---- give.c */
/* pe gives p back: judges whether a walker may still reach it. */
void judge_give(struct machine *m, unsigned pe, struct page *p);

/* ---- claim.c */
/* pe gives the root of t back: judges what it should have said before. */
void judge_root(struct machine *m, unsigned pe, struct tree *t);

/* ---- why.c */
/* The rule by which r may still be held, and the reason in words. */
enum rule rec_why(const struct rec *r, char *buf, size_t n);
/* Which translation r is, in words. */
const char *rec_text(const struct rec *r, char *buf, size_t n);

/* ---- slab.c */
/* Zeroed memory that lives as long as the machine. */
void *slab_new(struct machine *m, size_t size);
void slabs_free(struct machine *m);

/* ---- rules.c */
/* The PE and the addresses of a violation; cause: the step of the write behind it. */
struct where {
	unsigned pe;
	uint64_t cause, ipa, pa;
};
void verdict(struct machine *m, enum rule r, struct where w, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- log.c */
void log_event(struct machine *m, unsigned pe, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void log_write(struct machine *m, unsigned pe, const char *verb, uint64_t pa,
	       uint64_t old, uint64_t new);

#endif /* STAGE2_MODEL_INTERNAL_H */
