/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/**
 * DOC: the machine model
 *
 * An executable reading of the architecture that judges a sequence of events:
 * table writes, barriers, TLBIs, cache cleans, pages taken and given back. It
 * shares no code with the engine; it reads descriptors by itself.
 *
 * It is adversarial: a PE has cached whatever it may have cached, a walker reads
 * whatever it may still read, and a cached translation is gone only when an
 * invalidation that the architecture calls sufficient has *completed*. If a PE
 * holds more, the program judged is never safer. So one pass over the events,
 * with the sets of what PEs may hold, gives the same verdicts as trying every
 * choice of what each PE caches and when. model/explore.h tries the choices, and
 * tests compare the two.
 */
#ifndef STAGE2_MODEL_MACHINE_H
#define STAGE2_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct machine;

/* clang-format off */
/* CPU features; HCR_EL2.FWB and VTCR_EL2.HA and HD switch theirs on. */
#define S2M_FWB (1u << 0)	/* HCR_EL2.FWB = 1 on every PE */
#define S2M_TLBIRANGE (1u << 1) /* RIPAS2* exist; otherwise UNDEFINED: a violation */
#define S2M_TTL (1u << 2)
#define S2M_HAFDBS (1u << 3)	/* hardware sets the access flag (and dirty with DBM) */
#define S2M_XNX (1u << 4)
#define S2M_BBM1 (1u << 5)
#define S2M_BBM2 (1u << 6)
#define S2M_ETS2 (1u << 7)
#define S2M_LPA2 (1u << 8)
#define S2M_IDC (1u << 9)	/* CTR_EL0.IDC and DIC: maintenance that map may omit */
#define S2M_DIC (1u << 10)
/* An SMMU walks the same tables with a TLB of its own: machine_config.agent_lacks. */
#define S2M_AGENT (1u << 11)
#define S2M_REPEAT_TLBI (1u << 12) /* erratum: one more TLBI + DSB ISH at the end */
/* Erratum: a speculative AT may walk stage 1 with the wrong VTTBR_EL2. */
#define S2M_SPECULATIVE_AT (1u << 13)
/* TLB conflict aborts are handled; otherwise S2M_BBM1 and S2M_BBM2 allow nothing. */
#define S2M_CONFLICTS (1u << 14)
/*
 * Not of a CPU: for traces of programs that leave out what does not concern them.
 * Software need not write an ISB after a write of VTTBR_EL2. (Nor after a TLBI, with
 * S2M_ETS2.)
 */
#define S2M_SELF_SYNC (1u << 15)
/*
 * At first PEs hold anything under every VMID (after a reset, or of an earlier user), so
 * a VMID has to be invalidated as a whole before a tree is run under it.
 */
#define S2M_COLD_TLBS (1u << 16)
/*
 * HCR_EL2.VM counts: while it is 0, once HCR_EL2 has been written, VTTBR_EL2 gives TLBIs
 * their VMID, but nobody runs the tree. Otherwise stage 2 is always on.
 */
#define S2M_VM (1u << 18)
/* As S2M_SELF_SYNC: a link to a page that was never placed is not judged. */
#define S2M_PARTIAL (1u << 19)
/* As S2M_SELF_SYNC: every valid leaf is read as if its access flag were set. */
#define S2M_AF_SET (1u << 20)

struct machine_config {
	uint32_t features;
	/*
	 * Of features, those that the other agent does not have: S2M_FWB, S2M_HAFDBS,
	 * S2M_XNX, S2M_LPA2, S2M_BBM1, S2M_BBM2, S2M_TLBIRANGE (it is told of one
	 * address, or of everything).
	 */
	uint32_t agent_lacks;
	unsigned granule_shift;	  /* 12, 14 or 16: of all tables; 0: 12 */
	unsigned pes;		  /* 1..16; PE 0 usually is the hypervisor's thread */
	uint64_t table_base;	  /* PA of the table arena; 0: a default. Up to 2^52 with
				   * S2M_LPA2 or the 64 KiB granule, else 2^48 */
	uint64_t table_pages;	  /* its size; 0: a default that suits 64 GiB of pages */
	bool sparse;		  /* table pages are where s2m_table_place() puts them */
	uint16_t counted;	  /* bit n: leaves with n in bits [58:55] are counted */
	unsigned max_violations;  /* keep at most so many in full (count all); 0: 32 */
};
/* clang-format on */

/* NULL when memory is short or the configuration is out of range. */
struct machine *machine_new(const struct machine_config *cfg);
void machine_free(struct machine *m);

/* ---- table memory ----------------------------------------------------------
 * The arena is real host memory, so that a port can hand out pointers; every
 * access must come through the events below to be judged. take zeroes nothing:
 * a page comes back with old content (poison when fresh), and a port zeroes it
 * by s2m_fill(). align is in pages. Returns PA 0 when the arena is full.
 */
uint64_t s2m_table_take(struct machine *m, unsigned pe, unsigned pages, unsigned align);
void s2m_table_give(struct machine *m, unsigned pe, uint64_t pa, unsigned pages);
/*
 * For a machine_config.sparse machine, in place of s2m_table_take(): the pages at pa are
 * taken, those that are in use stay as they are. A page keeps its old content, or with
 * zeroed it is zero, and every PE sees that it is. False: there is no room.
 */
bool s2m_table_place(struct machine *m, unsigned pe, uint64_t pa, uint64_t pages,
		     bool zeroed);
/* Whether there is a page at pa, in use or given back; and whether it is in use. */
bool s2m_table_known(const struct machine *m, uint64_t pa);
bool s2m_table_taken(const struct machine *m, uint64_t pa);
/* The root of the tree in which the page is live; false: it is in none. */
bool s2m_table_root(const struct machine *m, uint64_t pa, uint64_t *root);
/* Whether the page has been in a tree since it was taken. */
bool s2m_table_reached(const struct machine *m, uint64_t pa);
/* Pages in use that were stored to; *apart: those of them that were in no tree. */
uint64_t s2m_tables_stored(const struct machine *m, uint64_t *apart);
/* S2M_PARTIAL: the first page that was linked and never placed; false: none. */
bool s2m_table_strange(const struct machine *m, uint64_t *pa);
void *s2m_ptr(const struct machine *m, uint64_t pa);
uint64_t s2m_pa(const struct machine *m, const void *ptr);
uint64_t s2m_tables_in_use(const struct machine *m); /* pages */
/* Two words for each page, for the port; zero after take. The model ignores them. */
uint64_t *s2m_meta(const struct machine *m, uint64_t pa);
unsigned s2m_granule_shift(const struct machine *m); /* a table page is one */
uint32_t s2m_features(const struct machine *m);
unsigned s2m_pes(const struct machine *m);
uint16_t s2m_counted(const struct machine *m);
/* Whether the machine can read a tree with this VTCR_EL2. */
bool s2m_vtcr_read(const struct machine *m, uint64_t vtcr);
uint32_t s2m_agent_lacks(const struct machine *m);
/* Free pages are handed out in a shuffled order with this seed (0: in order). */
void s2m_shuffle(struct machine *m, uint64_t seed);

/* ---- events ----------------------------------------------------------------
 * Every event takes the PE that does it. Entries are 8-byte aligned PAs.
 */
enum s2m_order { S2M_PLAIN, S2M_RELEASE };
uint64_t s2m_read(struct machine *m, unsigned pe, uint64_t pa);
void s2m_write(struct machine *m, unsigned pe, uint64_t pa, uint64_t value,
	       enum s2m_order o);
uint64_t s2m_xchg(struct machine *m, unsigned pe, uint64_t pa, uint64_t value);
/* One that succeeds is a release too (CASAL): shared calls link tables by it. */
uint64_t s2m_cas(struct machine *m, unsigned pe, uint64_t pa, uint64_t old,
		 uint64_t value);
/* Plain stores (zeroing); not counted as entry writes. */
void s2m_fill(struct machine *m, unsigned pe, uint64_t pa, uint64_t size, uint64_t value);

/* clang-format off */
enum s2m_barrier { S2M_DSB_ISHST, S2M_DSB_ISH, S2M_DSB_SY, S2M_DSB_NSHST, S2M_DSB_NSH,
		   S2M_DMB_ISHST, S2M_DMB_ISH, S2M_ISB };
void s2m_barrier(struct machine *m, unsigned pe, enum s2m_barrier b);

enum s2m_tlbi {
	S2M_IPAS2E1IS, S2M_IPAS2E1, S2M_IPAS2LE1IS, S2M_RIPAS2E1IS, S2M_RIPAS2LE1IS,
	S2M_VMALLE1IS, S2M_VMALLE1, S2M_VMALLS12E1IS, S2M_VMALLS12E1, S2M_ALLE1IS,
	S2M_IPAS2LE1, S2M_RIPAS2E1, S2M_RIPAS2LE1, S2M_ALLE1,
	S2M_TLBI_KINDS
};
void s2m_tlbi(struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t operand);

/*
 * The machine knows a tree from the first VTTBR_EL2 that points to it (here or in
 * s2m_guest_enter()), so write VTCR_EL2 before. A PE that has not written VTCR_EL2
 * has the last value that any PE wrote. Before the first write of HCR_EL2, FWB is
 * on if S2M_FWB is given. A TLBI acts on the VMID in VTTBR_EL2, which takes effect
 * with an ISB.
 */
enum s2m_sysreg { S2M_VTTBR_EL2, S2M_VTCR_EL2, S2M_HCR_EL2,
		  S2M_TCR_EL1, S2M_SCTLR_EL1 };	/* for S2M_SPECULATIVE_AT only */
void s2m_sysreg(struct machine *m, unsigned pe, enum s2m_sysreg r, uint64_t value);
/* What a hypervisor loads before it runs guests: VTCR_EL2; HCR_EL2.VM, .FWB; ISB. */
void s2m_setup(struct machine *m, unsigned pe, uint64_t vtcr, bool fwb);
/* clang-format on */

/* Data and instruction cache maintenance by range; the lines are counted. */
enum s2m_dc { S2M_DC_CIVAC, S2M_DC_CVAC, S2M_IC_IVAU };
void s2m_cache(struct machine *m, unsigned pe, enum s2m_dc op, uint64_t pa,
	       uint64_t size);

/* The other agent's invalidation, complete at once. size 0: everything. */
void s2m_agent_tlbi(struct machine *m, unsigned pe, uint64_t ipa, uint64_t size);

/* PE from has released (store-release) what PE to then acquired (load-acquire). */
void s2m_handoff(struct machine *m, unsigned from, unsigned to);
/* The same in two events: what a PE knows when it releases, another one acquires. */
struct s2m_release {
	uint64_t knows[16];
};
void s2m_release(struct machine *m, unsigned pe, struct s2m_release *r);
void s2m_acquire(struct machine *m, unsigned pe, const struct s2m_release *r);

/* Software that walks without the lock: between enter and leave it may touch
 * any table page that was reachable at or after enter. */
void s2m_walker_enter(struct machine *m, unsigned pe);
void s2m_walker_leave(struct machine *m, unsigned pe);

/*
 * From now on PE pe may (may no longer) run a guest with this VTTBR_EL2: it may cache
 * anything that is reachable, and read and write memory by any alias. Before the first
 * s2m_guest_enter() for a tree the machine assumes that every PE runs it, so a program
 * need not call this. What was cached stays cached after the last PE has left, until
 * the whole VMID is invalidated.
 */
void s2m_guest_enter(struct machine *m, unsigned pe, uint64_t vttbr);
void s2m_guest_leave(struct machine *m, unsigned pe);
/* The same for a program that names no PEs: no PE runs the tree at root, or will
 * (before s2_destroy()). */
void s2m_guests_gone(struct machine *m, unsigned pe, uint64_t root);
/* As s2m_guests_gone(); if the VMID is invalidated the tables are in no tree any more. */
void s2m_tree_release(struct machine *m, unsigned pe, uint64_t root);
/* The trees that the machine has known, and the entries of live tables stored to. */
unsigned s2m_trees(const struct machine *m);
uint64_t s2m_live_stores(const struct machine *m);
/* Whether VTTBR_EL2 of the PE points to a tree that the machine knows. */
bool s2m_tree_loaded(const struct machine *m, unsigned pe);
/*
 * A PE that runs the tree at root writes to ipa. It uses the translation that is worst
 * for the program: a stale one that it may hold, else a walk, which may set dirty state
 * in an entry with DBM, in a detached table too. False: it faults. After
 * s2m_guest_writes() the machine does this by itself between events, to random pages of
 * the range (seed 0: stop).
 */
bool s2m_guest_write(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa);
void s2m_guest_writes(struct machine *m, uint64_t root, uint64_t ipa, uint64_t size,
		      uint64_t seed);
/*
 * While on, memory that pe maps is taken to be clean, and the memory that was mapped
 * there before needs no clean (S2_NO_CLEAN). No event.
 */
void s2m_waive_map_clean(struct machine *m, unsigned pe, bool on);

/* ---- promises --------------------------------------------------------------
 * The program claims that this is true now; a false claim is a violation.
 */
#define S2M_CLAIM_NO_CLEAN (1u << 0) /* the owner waived the clean: P3 is not claimed */
/* Another operation, which is under way, reports the counted leaves that it broke. */
#define S2M_CLAIM_NO_REPORT (1u << 1)
/* An unmap of the tree at root over the range has returned on pe (P1, P3, P8). */
void s2m_claim_unmapped(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			uint64_t size, unsigned flags);
/*
 * A counted leaf (machine_config.counted) is gone, says the program, and its memory may
 * have another owner: no PE can use it, and it is clean (unless flags say otherwise).
 * Each is reported once, before the unmap of its range is claimed.
 */
void s2m_leaf_gone(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
		   uint64_t pa, uint64_t size, unsigned flags);
/* A write-protect has returned: no PE can write through the range. */
void s2m_claim_wrprotected(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			   uint64_t size);
/* The program has put these pages in its dirty set. */
void s2m_dirty_found(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
		     uint64_t size);
/*
 * The dirty set is complete: it has every page of the range that was written since it
 * was mapped or found last, and no PE can write another page without setting dirty
 * state. Make this claim before the claim that the range is unmapped, which forgets
 * dirty pages.
 */
void s2m_claim_harvested(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			 uint64_t size);
/* The program has ended: no translation that it has broken is still held. */
void s2m_claim_settled(struct machine *m, unsigned pe);
/* A frame gets another owner: no translation of any kind may reach it (P2). */
void s2m_claim_frame_free(struct machine *m, unsigned pe, uint64_t pa, uint64_t size);
/* The hypervisor has written the frame through its cacheable alias. */
void s2m_host_wrote(struct machine *m, unsigned pe, uint64_t pa, uint64_t size);

/* ---- what it found ------------------------------------------------------- */

/* clang-format off */
struct s2m_violation {
	const char *rule;   /* stable kebab-case name, see docs/rules.md */
	char detail[384];   /* a sentence: who, which addresses, why, since which step */
	uint64_t step;	    /* the number of the event at which it was found */
	uint64_t cause;	    /* the number of the event that caused it (0: none) */
	unsigned pe;
	uint64_t ipa, pa;
};
uint64_t s2m_violations(const struct machine *m);	/* all, kept or not */
unsigned s2m_violations_kept(const struct machine *m);
const struct s2m_violation *s2m_violation(const struct machine *m, unsigned i);
void s2m_violations_clear(struct machine *m);

struct s2m_counters {
	uint64_t pte_reads;	/* repeated reads of one entry count once */
	uint64_t pte_writes;	/* stores, xchg, successful cas */
	uint64_t tlbi[S2M_TLBI_KINDS];
	uint64_t dsb, dmb, isb;
	uint64_t clean_lines;	/* 64-byte lines */
	uint64_t clean_bytes;
	uint64_t tables_taken, tables_given;
};
const struct s2m_counters *s2m_counters(const struct machine *m);
void s2m_counters_reset(struct machine *m);
uint64_t s2m_step(const struct machine *m); /* number of the last event */
/* clang-format on */

/* From now on every event is written to f, in words, one line each
 * ("step 12  PE0  write L1[1] 0x…: table 0x… -> invalid"). NULL: stop. */
void s2m_log(struct machine *m, FILE *f);
/* A note in that log (the name of a phase, of an operation). Not an event. */
void s2m_note(struct machine *m, const char *text);

/* clang-format off */
/*
 * From now on fn is told of every event that the program causes, when it has a number and
 * before it is judged. The fields that an event has no use for are 0.
 */
enum s2m_event_kind {
	S2M_EV_TAKE, S2M_EV_GIVE,	/* pa; op: pages */
	S2M_EV_READ,			/* pa, value */
	S2M_EV_WRITE,			/* pa, value; op: enum s2m_order */
	S2M_EV_XCHG,			/* pa, value */
	S2M_EV_CAS,			/* pa, old, value */
	S2M_EV_FILL,			/* pa, size, value */
	S2M_EV_BARRIER,			/* op: enum s2m_barrier */
	S2M_EV_TLBI,			/* op: enum s2m_tlbi; value */
	S2M_EV_SYSREG,			/* op: enum s2m_sysreg; value */
	S2M_EV_CACHE,			/* op: enum s2m_dc; pa, size */
	S2M_EV_AGENT_TLBI,		/* ipa, size */
	S2M_EV_HANDOFF,			/* op: to */
	S2M_EV_WALKER_ENTER, S2M_EV_WALKER_LEAVE,
	S2M_EV_GUEST_ENTER,		/* value: VTTBR_EL2 */
	S2M_EV_GUEST_LEAVE,
	S2M_EV_GUESTS_GONE,		/* root */
	S2M_EV_GUEST_WRITE,		/* root, ipa */
	S2M_EV_GUEST_WRITES,		/* root, ipa, size; value: seed */
	S2M_EV_UNMAPPED,		/* root, ipa, size; op: S2M_CLAIM_* */
	S2M_EV_LEAF_GONE,		/* root, ipa, pa, size; op: S2M_CLAIM_* */
	/* root, ipa, size */
	S2M_EV_WRPROTECTED, S2M_EV_HARVESTED, S2M_EV_DIRTY_FOUND,
	S2M_EV_FRAME_FREE, S2M_EV_HOST_WROTE,				/* pa, size */
	S2M_EVENTS
};
struct s2m_event {
	enum s2m_event_kind kind;
	unsigned pe, op;
	bool waived;			/* s2m_waive_map_clean() of the PE is on */
	uint64_t pa, value, old, root, ipa, size;
};
typedef void s2m_watcher(void *arg, const struct machine *m, const struct s2m_event *e);
void s2m_watch(struct machine *m, s2m_watcher *fn, void *arg);
/* clang-format on */

/* Names, for output: "ipas2e1is", "dsb-ishst". */
const char *s2m_tlbi_name(enum s2m_tlbi op);
const char *s2m_barrier_name(enum s2m_barrier b);

/* clang-format off */
/* All rules that exist: name and one sentence; ends with a NULL name. */
struct s2m_rule { const char *name, *says; };
extern const struct s2m_rule s2m_rules[];
/* clang-format on */

#endif /* STAGE2_MODEL_MACHINE_H */
