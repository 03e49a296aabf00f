/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine's state, and what its files offer each other.
 *
 * machine.c	table pages, reads and writes, registers, who has heard of what
 * context.c	known trees, their VMIDs, who runs them
 * tree.c	what becomes reachable, what stops being so
 * stale.c	sets of translations that may be held though memory says otherwise
 * tlb.c	TLBIs and barriers: how such a translation comes to its end
 * data.c	frames: caches and who wrote last
 * dirty.c	what hardware marks dirty, and who has seen it
 * contiguous.c	runs with the Contiguous bit
 * claim.c	judging what the program promises
 * rules.c	names of rules, and writing a verdict
 * log.c	events in words
 */
#ifndef STAGE2_MODEL_INTERNAL_H
#define STAGE2_MODEL_INTERNAL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "desc.h"
#include "machine.h"

#define FRAME UINT64_C(4096)	/* data is tracked in pieces of this size */
#define MAX_PES 16u
#define LEVELS 4

/* In the order of s2m_rules[]. */
enum rule {
	R_TLBI_MISSING, R_TLBI_MISSES_RANGE, R_TLBI_BEFORE_DSB, R_TLBI_NOT_COMPLETED,
	R_DSB_OTHER_PE, R_TLBI_WRONG_VMID, R_TLBI_NOT_BROADCAST, R_TTL_MISMATCH,
	R_LAST_LEVEL_ONLY, R_TLBI_BAD_OPERAND, R_TLBI_UNDEFINED, R_S1_NOT_KILLED,
	R_S1_BEFORE_S2, R_REPEAT_TLBI_MISSING, R_ISB_MISSING, R_UNMAP_RETURN_PENDING,
	R_UNMAP_LEFT_MAPPED, R_WRPROTECT_LEFT_WRITABLE, R_AGENT_NOT_INVALIDATED,
	R_FRAME_STILL_MAPPED, R_TABLE_USE_AFTER_FREE, R_HW_UPDATE_IN_FREED_TABLE,
	R_HW_UPDATE_LOST, R_HW_DIRTY_LOST, R_TABLE_LINKED_BEFORE_FILLED,
	R_TABLE_LINKED_TWICE, R_PA_BEYOND_PS, R_BBM_VALID_TO_VALID,
	R_BBM_MADE_TOO_EARLY, R_CONTIGUOUS_MIXED, R_CLEAN_MISSING,
	R_CLEAN_BEFORE_TLBI, R_CLEAN_NOT_COMPLETED, R_CLEAN_WITHOUT_INVALIDATE,
	R_MAP_CLEAN_MISSING, R_MAP_ICACHE_MISSING, R_SPECULATIVE_AT, R_VMID_REUSED,
	R_TREE_UNKNOWN, R_NONE,
};

/*
 * The life of a stale translation. Each step needs the one before; what does not
 * fit is remembered as the reason why it did not get further.
 */
enum state {
	ST_WRITTEN,	/* walkers may still read the old entry */
	ST_VISIBLE,	/* they read the new one; the old translation is cached */
	ST_S2,		/* a stage-2 TLBI for it is under way */
	ST_S2DONE,	/* only combined stage-1 and 2 entries are left */
	ST_S1,		/* their TLBI is under way */
	ST_REPEAT,	/* erratum: one more TLBI and DSB */
	ST_REPEATED,	/* ... of which the TLBI is under way */
	ST_ISB,		/* gone, but for the PE that issued it */
	ST_RETIRED,	/* gone; the memory behind it may have to be cleaned */
	STATES,
};

#define F_WRITE (1u << 0)	/* it allows writes */
#define F_NORMAL (1u << 1)
#define F_WEAK (1u << 2)	/* its memory has to be cleaned */
#define F_OLD (1u << 3)		/* an older version of an entry that is live */
#define F_BELOW (1u << 4)	/* still in the memory of a detached table */
#define F_AGENT (1u << 5)	/* the other agent may hold it */
#define F_TOLD (1u << 6)	/* a verdict has named it */
#define F_LOCAL (1u << 7)	/* a TLBI that is not broadcast is under way */
#define F_DIRTY (1u << 8)	/* a write through it leaves no mark in any entry */

/*
 * Translations that may be held: of a leaf entry, or a run of them whose
 * addresses, level and fate are the same; of one table entry; or of a whole
 * context (kind ALL: "whatever was live when the last PE left").
 */
enum kind { K_LEAF, K_TABLE, K_ALL };

struct rec {
	RB_ENTRY(rec) rb;
	TAILQ_ENTRY(rec) list;
	struct ctx *ctx;
	uint64_t ipa, end;
	uint64_t pa;		/* of ipa; K_TABLE: the table pointed to */
	uint64_t first, last;	/* steps of its writes */
	uint64_t acted;		/* step of the last advance */
	uint64_t retired;	/* a clean counts if later than this; 0: none is due */
	uint64_t why_step;
	uint8_t kind, level, state;
	uint8_t levels;		/* of a leaf, as a mask; level is the last of them */
	uint8_t writer, actor;	/* PEs: the write; the TLBI */
	/* Masks of PEs, for several that invalidate it at the same time: who has read
	 * what was written; issued the TLBI for stage 2, for stage 1, the erratum's;
	 * and completed it by a DSB. */
	uint16_t seen, s2_by, s1_by, again_by, s2_sure, s1_sure;
	uint8_t why, why_pe;	/* enum rule: why it did not get further */
	uint16_t flags, type;
	bool orphan;		/* in ctx.orphans, nowhere else */
};

RB_HEAD(leaves, rec);
RB_HEAD(tables, rec);
TAILQ_HEAD(recs, rec);

/* A tree under one VMID. */
struct ctx {
	LIST_ENTRY(ctx) all, of_tree;
	struct tree *tree;
	struct leaves leaves;
	struct tables tables;
	struct recs list[STATES];
	struct recs orphans;	/* replaced by another mapping; clean or agent due */
	struct rec *all_rec;	/* kind ALL, when nobody runs */
	uint64_t by_address;	/* step of the last stage-2 TLBI by address */
	uint64_t s1;		/* ... of the last stage-1 TLBI */
	struct {
		uint64_t step, start, end;
		unsigned pe;
	} wrong;		/* the last TLBI in another VMID */
	uint64_t quiet;		/* since this step no PE holds anything */
	uint64_t held;		/* records for which rec_held() */
	uint16_t vmid, running;	/* mask of PEs that run it */
	uint16_t holders;	/* mask of PEs that may hold something */
};

struct dirt;
RB_HEAD(dirts, dirt);

struct tree {
	LIST_ENTRY(tree) all;
	/* Pages written of which the program has not told; leaves, in detached
	 * tables, that hardware may mark after the program looked last. */
	struct dirts written, limbo;
	LIST_HEAD(, ctx) ctxs;	/* the one of the latest VMID first */
	uint64_t root;
	struct desc_tree shape;
	struct desc_mode mode;
	bool dead;		/* its root was given back */
	bool named;		/* the program says which PEs run it */
};

struct page {
	struct tree *tree;	/* if live, or reachable through a stale entry */
	uint64_t ipa;		/* the first its entries translate */
	uint64_t meta[2];
	uint64_t stored, unreach, given;	/* steps */
	uint32_t parent;	/* table whose entry points here, + 1 */
	uint32_t refs;		/* K_TABLE records that point here */
	uint32_t next;		/* free run, + 1 */
	uint16_t slot;		/* in parent */
	uint16_t nvalid;	/* while live */
	uint16_t stores;	/* PEs whose stores may not be ordered */
	int8_t level;
	bool taken, live, used, root;
	bool hints;		/* an entry has had the Contiguous bit */
};

/* How a guest reaches memory by a Normal leaf. */
enum alias {
	BY_CACHE,	/* write-back is forced */
	PAST_CACHE,	/* non-cacheable */
	EITHER,		/* stage 1 chooses */
	ALIASES,
};

struct frame {
	uint64_t civac;		/* issue of the last clean+invalidate completed */
	uint64_t clean;		/* issue of the last clean of any kind completed */
	uint64_t host;		/* when the host last wrote it, or got it back */
	uint64_t ic;		/* issue of the last instruction cache invalidation */
	/* Until when a guest could write it, by a leaf that has gone: each enum alias. */
	uint64_t guest[ALIASES];
	uint32_t live;		/* live leaves that map it */
	uint32_t recs : 30;	/* records of leaves that mapped it */
	uint32_t icache : 2;	/* IC_* */
};
#define IC_ISSUED 1u
#define IC_DONE 2u

struct extent;
RB_HEAD(extents, extent);

struct pending {
	uint64_t pa, end, step, epoch;
	enum s2m_dc op;
};

struct pe {
	uint64_t vttbr, vtcr, hcr;
	uint64_t ordered;	/* its stores up to this step are ordered */
	uint64_t walker;	/* step of entering; 0: none */
	uint64_t knows[MAX_PES];
	struct ctx *guest;
	struct pending *pend;	/* cache operations not completed */
	size_t pends, pend_max;
	size_t pend_ish;	/* those before have had a DSB ISH */
	bool has_vtcr, vttbr_unsynced, waive;
	/* Stage-1 walks are held off; home: the VTTBR_EL2 that stage 1 belongs to. */
	uint64_t tcr, sctlr, home;
	bool guard_unsynced;
};

/* A run with the Contiguous bit whose members do not agree. */
struct mixed {
	struct page *page;
	unsigned first, pe;
	uint64_t step;
};
#define MAX_MIXED 16u

struct machine {
	uint32_t features;
	unsigned pes;
	uint8_t granule;	/* shift: the size of a table page */
	uint8_t pa_bits;
	struct desc_mode mode;	/* what all trees have in common */
	uint64_t base, pages, fresh, in_use;
	uint8_t *mem;
	struct page *page;
	uint32_t *stack;	/* free pages, by index */
	size_t stack_n;
	uint32_t run[17];	/* free runs of pages by length, chained; index + 1 */
	uint64_t seed, vtcr, last_read;
	uint64_t step;
	struct pe pe[MAX_PES];
	LIST_HEAD(, tree) trees;
	LIST_HEAD(, ctx) ctxs;
	struct rec *rec_free;
	void **slabs;
	size_t slabs_n;
	struct extents frames;	/* all of them */
	struct extent *extent_free, *extent_hot;	/* hot: used last */
	uint64_t epoch;		/* number of times something was retired */
	struct mixed mixed[MAX_MIXED];
	unsigned mixed_n;
	struct dirt *dirt_free;
	struct {
		struct tree *tree;
		uint64_t ipa, pages, seed;	/* seed 0: nobody writes */
	} writes;
	struct s2m_counters count;
	struct s2m_violation *kept;
	struct s2m_violation spill;	/* one more, for the log */
	unsigned kept_n, kept_max;
	uint64_t violations;
	uint64_t reported[R_NONE];	/* step of the last verdict by this rule */
	FILE *log;
};

/* ---- machine.c */
/* NULL: not a table page. */
static inline struct page *page_at(const struct machine *m, uint64_t pa)
{
	if (pa < m->base || pa - m->base >= m->pages << m->granule)
		return NULL;
	return &m->page[(pa - m->base) >> m->granule];
}

static inline uint64_t page_pa(const struct machine *m, const struct page *p)
{
	return m->base + ((uint64_t)(p - m->page) << m->granule);
}

static inline uint64_t *page_mem(const struct machine *m, const struct page *p)
{
	return (uint64_t *)(void *)(m->mem + ((uint64_t)(p - m->page) << m->granule));
}

/* The table at pa if it is linked by this entry of p; NULL: by another, or none. */
struct page *page_child(const struct machine *m, const struct page *p, unsigned slot,
			uint64_t pa);
/* pe has heard of what PE from did at step: it did it, or it was handed over. */
bool knows(const struct machine *m, unsigned pe, unsigned from, uint64_t step);

/* How to read the entries of t; of a page that is in no tree, t is NULL. */
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

/* ---- context.c */
struct tree *tree_find(const struct machine *m, uint64_t root);
struct ctx *tree_know(struct machine *m, unsigned pe, uint64_t vttbr);
void tree_forget(struct machine *m, struct tree *t);
void ctx_run(struct machine *m, struct ctx *c, unsigned pe, bool running);
void tree_gone(struct machine *m, struct tree *t);

/* ---- dirty.c */
/* A PE can write through it, be it by marking it dirty. */
static inline bool desc_writes(const struct machine *m, const struct tree *t,
			       const struct desc *d)
{
	return d->write || (m->features & S2M_HAFDBS && t->shape.hd && d->dbm);
}

/* Hardware may write dirty state to the leaf d. */
bool hw_may_mark(const struct machine *m, const struct tree *t, const struct desc *d);
/* The leaf is in a detached table: until the last PE has let go it may be marked. */
void dirty_in_limbo(struct machine *m, struct tree *t, uint64_t ipa,
		    const struct desc *d);
/* The program has read the entry of p, which is detached; or taken it, for good. */
void dirty_seen(struct machine *m, struct page *p, unsigned slot, bool taken);
/* What was dirty there is nobody's concern any more, unless it is what d maps. */
void dirty_forget(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		  const struct desc *d);
/* Something of the range is dirty and nobody knows; after that it is forgotten. */
struct lost {
	uint64_t ipa, pa, step;
	bool written;
};
bool dirty_lost(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		struct lost *l);
/* Between two events: somebody may write. */
void dirty_tick(struct machine *m);
/* An event begins: until then the others could go on. */
static inline void event(struct machine *m)
{
	if (m->writes.seed)
		dirty_tick(m);
	m->step++;
}

/* ---- contiguous.c */
/* Entry slot of p, which is live, is not what it was. */
void run_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot);
/* A verdict has said what is wrong with it. */
void run_told(struct machine *m, const struct page *p, unsigned slot);
/* pe is done with what it changed: with entries, or (promise) altogether. */
void run_judge(struct machine *m, unsigned pe, bool promise);

/* ---- tree.c */
enum how { HOW_STORE, HOW_RELEASE, HOW_ATOMIC, HOW_FILL };
void entry_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		   uint64_t old, uint64_t new, enum how how);
/* pe has stored to a page that is in no tree. */
void page_stored(struct machine *m, unsigned pe, struct page *p);
void tree_scan(struct machine *m, struct tree *t, unsigned pe, struct page *root);
/* Hardware may write the entry as it is. */
bool hw_may_write(const struct machine *m, const struct tree *t, const struct desc *d);
/* The stale table entry through which a PE may reach p; NULL: none. */
struct rec *page_stale(const struct machine *m, const struct page *p);
/* p, live in a tree that nobody holds any more, is given back. */
void page_dies(struct machine *m, struct page *p);

/* ---- stale.c */
struct rec *leaf_first(struct ctx *c, uint64_t ipa);	/* first that ends after ipa */
struct rec *leaf_next(struct rec *r);
struct rec *table_first(struct ctx *c, int level, uint64_t ipa);
struct rec *table_next(struct rec *r);
/* Cut r so that it lies within [ipa, end); the rest stays as it is. */
struct rec *leaf_cut(struct machine *m, struct rec *r, uint64_t ipa, uint64_t end);
/* Older translations of the range are replaced by r's. */
void leaf_add(struct machine *m, struct ctx *c, const struct rec *r);
void table_add(struct machine *m, struct ctx *c, const struct rec *r);
void rec_state(struct machine *m, struct rec *r, enum state st);
void rec_orphan(struct rec *r);
void rec_drop(struct machine *m, struct rec *r);
void rec_settle(struct machine *m, struct rec *r);	/* finish, merge */
struct rec *all_add(struct machine *m, struct ctx *c);
bool rec_held(const struct rec *r);		/* some PE may use it */
/* Memory that lives as long as the machine; zeroed. */
void *slab_new(struct machine *m, size_t size);
void slabs_free(struct machine *m);

/* ---- tlb.c */
/* pe has read entry slot of p, which is live and invalid. */
void tlb_seen(struct machine *m, unsigned pe, const struct page *p, unsigned slot);
void tlb_dsb(struct machine *m, unsigned pe, enum s2m_barrier b);
void tlb_isb(struct machine *m, unsigned pe);

/* ---- data.c */
void frames_mapped(struct machine *m, uint64_t pa, uint64_t size, int delta);
void frames_recorded(struct machine *m, const struct rec *r, int delta);
bool frames_have_recs(struct machine *m, uint64_t pa, uint64_t size);
/* Those that no live leaf maps came back to the host, at the step given. */
void frames_to_host(struct machine *m, uint64_t pa, uint64_t size, uint64_t step);
/* By r, which no PE holds any more, a guest could write until the step given. */
void frames_guest_wrote(struct machine *m, const struct rec *r, uint64_t step);
/* The owner vouches for what guests have written. */
void frames_vouched(struct machine *m, uint64_t pa, uint64_t size);
/* Whether the memory behind r, which is retired, was cleaned if it had to be. */
bool clean_done(struct machine *m, const struct rec *r);
/* Why not: the rule, and the frame and the step of what was done instead. */
enum rule frames_why(struct machine *m, const struct rec *r, uint64_t *pa,
		     uint64_t *step);
bool frames_live(struct machine *m, uint64_t pa, uint64_t size, uint64_t *at);
void frames_check_map(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d,
		      bool data);
void data_dsb(struct machine *m, unsigned pe, bool sy);
void data_init(struct machine *m);
void data_free(struct machine *m);

/* ---- claim.c */
void judge_give(struct machine *m, unsigned pe, struct page *p);
enum rule rec_why(const struct rec *r, char *buf, size_t n);
const char *rec_text(const struct rec *r, char *buf, size_t n);

/* ---- rules.c */
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
