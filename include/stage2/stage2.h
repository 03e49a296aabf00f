/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/**
 * DOC: libstage2 - Arm stage-2 translation tables
 *
 * Builds and changes the tables that translate intermediate physical addresses
 * (IPA, what a guest calls physical) to physical addresses (PA). Unmapping any
 * range costs a constant number of barriers and TLB invalidations.
 *
 * Conventions that hold for every function here, unless it says otherwise:
 *
 * - Addresses and sizes are in bytes. A range is [ipa, ipa + size), aligned to
 *   the granule, inside the IPA size of the instance; size is never zero.
 * - Functions that return int return 0 when done, %S2_MORE, or a negative enum
 *   s2_error. After an error nothing has been changed, lost or leaked, except that
 *   the steps already reported with %S2_MORE stay done.
 * - A call has one of three modes. docs/design.md has the combinations that exist.
 *   *Exclusive* (no flag): the caller serialises it with all other calls on the instance
 *   (by a lock, held for the whole call; it may be dropped between steps). It takes a
 *   budget. %S2_MORE: the budget ended the step; call again with the same arguments and
 *   the same struct s2_op.
 *   *Shared* (%S2_SHARED): it runs beside other shared calls and s2_lookup() without a
 *   lock, inside a read-side section for its length (RCU, or ports/qsbr). It takes no
 *   budget. %S2_MORE: a split or a collapse is under way in the range, or no tag is
 *   free; leave the read-side section, then make the same call again from the start. A
 *   call for one address returns %S2_E_BUSY instead (let the guest fault again).
 *   *Batched* (op->batch): an exclusive s2_unmap() that shares its invalidation with
 *   others. It takes no budget.
 *   Other PEs may walk the tables by hardware all the time. docs/concurrency.md has
 *   the protocol.
 * - %S2_E_RESUME, %S2_E_BUDGET and %S2_E_BATCH from a call that goes on with an op
 *   leave the op where it is; any other error ends it.
 * - Every call that invalidates may also return %S2_E_AGENTS, a shared call that may
 *   detach a table %S2_E_LIMBO, any call while a batch is open %S2_E_BATCH, and one with
 *   op->dirty what is wrong with the log. %S2_E_UNSUPPORTED depends on the build.
 * - Context: no function sleeps by itself, allocates by itself or recurses. Table pages
 *   come from s2_port_table_alloc(). Only s2_map(), s2_split(), s2_annotate(), and
 *   s2_unmap() with %S2_SPLIT_EDGES call it, before they change anything.
 * - The source of each architectural claim is given as a rule of the Arm Architecture
 *   Reference Manual (DDI 0487) in brackets, "[U]" where we could not confirm it.
 */
/**
 * DOC: start here
 *
 * Five calls cover most users. They are made under one lock, with NULL for the op:
 *
 *	s2_init(&s2, &cfg);	then VTCR_EL2 = s2_vtcr(&s2),
 *				VTTBR_EL2 = s2_vttbr(&s2) | vmid << 48
 *	s2_map(&s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W | S2_X, 0, NULL);
 *	s2_unmap(&s2, s2_ipa(ipa), size, S2_SPLIT_EDGES, NULL);
 *				0: the memory may have another owner now
 *	s2_translate(&s2, s2_ipa(ipa), &leaf);
 *	s2_destroy(&s2, 0, NULL);
 *
 * The embedder writes a port (src/port.h, docs/porting.md) and says in struct s2_config
 * what the CPU has; s2_config_cpu() takes it from the ID registers. The rest is there
 * when it is needed. To log dirty pages: s2_wrprotect(), s2_relax_perms(). Reclaim:
 * s2_age(), s2_mkyoung(). Huge pages: s2_split(), s2_collapse(). Long ranges in short
 * steps: struct s2_op. No lock: %S2_SHARED. What a range is mapped with: s2_survey().
 */
#ifndef STAGE2_STAGE2_H
#define STAGE2_STAGE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stage2/attr.h>
#include <stage2/config.h>

#ifdef __cplusplus
extern "C" {
/* s2_layout(), s2_stats() and s2_survey() fill the structures of the same names. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/**
 * S2_VERSION_NUMBER() - a version as a number, so that versions can be compared in #if
 * S2_VERSION - that of these headers
 *
 *	#if S2_VERSION < S2_VERSION_NUMBER(0, 3, 0)
 */
#define S2_VERSION_NUMBER(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define S2_VERSION_MAJOR 0
#define S2_VERSION_MINOR 3
#define S2_VERSION_PATCH 0
#define S2_VERSION S2_VERSION_NUMBER(S2_VERSION_MAJOR, S2_VERSION_MINOR, S2_VERSION_PATCH)

/**
 * s2_version() - the %S2_VERSION that the engine was compiled with
 *
 * It differs from %S2_VERSION where a program is linked with objects of another version.
 * Return: the number. Context: any, takes no lock.
 */
uint32_t s2_version(void);

/* clang-format off */
/**
 * typedef s2_ipa_t - an intermediate physical address, in bytes
 * typedef s2_pa_t  - a physical address, in bytes
 *
 * Two types, so that the compiler refuses one in place of the other.
 */
typedef struct { uint64_t ipa; } s2_ipa_t;
typedef struct { uint64_t pa; } s2_pa_t;
/* clang-format on */

/** s2_ipa() - make an IPA from a number of bytes */
static inline s2_ipa_t s2_ipa(uint64_t ipa)
{
	s2_ipa_t a;

	a.ipa = ipa;
	return a;
}

/** s2_pa() - make a PA from a number of bytes */
static inline s2_pa_t s2_pa(uint64_t pa)
{
	s2_pa_t a;

	a.pa = pa;
	return a;
}

/** S2_MORE - a step is done, the operation is not: call again with the same op */
#define S2_MORE 1

/**
 * enum s2_error - what went wrong; s2_strerror() gives a sentence for each
 * @S2_E_CONFIG: a struct s2_config field is out of its range or unknown
 * @S2_E_IPA_BITS: IPA size not 32..48 (52 where addresses may have 52 bits), or larger
 *	than the PA size, which is CONSTRAINED UNPREDICTABLE
 * @S2_E_PA_BITS: PA size not one of 32, 36, 40, 42, 44, 48, or 52 where addresses
 *	may have 52 bits
 * @S2_E_UNSUPPORTED: something that the build leaves out (S2_USE_*, S2_GRANULE_SHIFT), or
 *	dirty state of an instance without %S2_FEAT_DBM
 * @S2_E_ALIGN: an address or a size is not a multiple of the granule
 * @S2_E_SIZE: size is zero
 * @S2_E_WRAP: address + size wraps around 2^64
 * @S2_E_IPA_RANGE: the range ends beyond the IPA size
 * @S2_E_PA_RANGE: the range ends beyond the PA size
 * @S2_E_ATTR: contradictory or unknown attributes
 * @S2_E_FLAGS: unknown flags, or flags that exclude each other
 * @S2_E_BUDGET: a budget below the least (%S2_BUDGET_ENTRIES_MIN, _BYTES_MIN), or a
 *	budget in a shared call, in a batch or in its flush
 * @S2_E_RESUME: op is in the middle of an operation with other arguments, flags, limbo,
 *	batch or log
 * @S2_E_EXIST: something is mapped in the range and %S2_MAP_REPLACE is not given
 * @S2_E_NOENT: nothing is mapped at the address
 * @S2_E_BUSY: part of the range is busy: another call has broken it and has not
 *	finished
 * @S2_E_NOMEM: s2_port_table_alloc() or s2_port_root_alloc() returned NULL
 * @S2_E_BLOCK: a block reaches across an edge of the range, and the flags allow neither
 *	to drop nor to split it
 * @S2_E_BATCH: a batch is open, and the call is shared, or is s2_destroy(), or changes
 *	what the batch has unmapped (flush it first); or op->batch is not the open one;
 *	or the call is not s2_unmap() and has op->batch
 * @S2_E_AGENTS: s2_port_agents_invalidate() has failed in the operation, or in a shared
 *	call beside it. All else has been done as far as op->done says. Another agent (an
 *	SMMU, a device) may still use what the range was mapped to, so do not reuse that
 *	memory. (The operation says so when it ends. Until then op->done says nothing of
 *	the agents, nor does another call on the same range.) No table that it may walk
 *	has been freed: those that had no limbo to go to are in @stuck of struct s2. When
 *	the agents are known to have let go (the stream is disabled, the device is reset),
 *	release that and op->limbo by s2_release(), and make the same call again for what
 *	is left.
 * @S2_E_LIMBO: a shared call that may detach a table has no op->limbo
 */
enum s2_error {
	S2_E_CONFIG = -1,
	S2_E_IPA_BITS = -2,
	S2_E_PA_BITS = -3,
	S2_E_UNSUPPORTED = -4,
	S2_E_ALIGN = -5,
	S2_E_SIZE = -6,
	S2_E_WRAP = -7,
	S2_E_IPA_RANGE = -8,
	S2_E_PA_RANGE = -9,
	S2_E_ATTR = -10,
	S2_E_FLAGS = -11,
	S2_E_BUDGET = -12,
	S2_E_RESUME = -13,
	S2_E_EXIST = -14,
	S2_E_NOENT = -15,
	S2_E_BUSY = -16,
	S2_E_NOMEM = -17,
	S2_E_BLOCK = -18,
	S2_E_BATCH = -19,
	S2_E_AGENTS = -20,
	S2_E_LIMBO = -21,
};

/**
 * s2_strerror() - a sentence for a return value
 * @err: 0, %S2_MORE or an enum s2_error
 *
 * Return: a static string; never NULL. Context: any, takes no lock.
 */
const char *s2_strerror(int err);

/* ---- configuration ------------------------------------------------------- */

/** S2_NOTE_BITS - the width of an owner's annotation, see s2_annotate() */
#define S2_NOTE_BITS 54

/** S2_LEVELS - levels a walk may have: 0 to 3 */
#define S2_LEVELS 4

/** S2_TAGS - one more than the tags of an instance: see docs/concurrency.md */
#define S2_TAGS 64

/**
 * enum s2_wide - how descriptors hold addresses
 * @S2_WIDE_NO: 48 bits
 * @S2_WIDE_LPA2: VTCR_EL2.DS = 1, 4 or 16 KiB granules
 * @S2_WIDE_LPA: 64 KiB granules and 52-bit PAs
 */
enum s2_wide { S2_WIDE_NO, S2_WIDE_LPA2, S2_WIDE_LPA };

/**
 * enum s2_special - engine: properties of an instance that the short paths test
 * @S2_HARDWARE_WRITES: hardware writes access flags or dirty state
 * @S2_RUNS: a contiguous run has been made
 * @S2_SHALLOW: the root is the last level
 * @S2_COUNTS: some leaves are counted
 * @S2_EXCLUSIVE: an exclusive call is under way
 */
enum s2_special {
	S2_HARDWARE_WRITES = 1,
	S2_RUNS = 2,
	S2_SHALLOW = 4,
	S2_COUNTS = 8,
	S2_EXCLUSIVE = 16,
};

struct s2_batch;

/* clang-format off */
/**
 * struct s2_limbo - detached tables that are not free yet
 *
 * A list of the topmost detached tables, chained through their metadata words;
 * s2_release() frees them and what is below them. Zero-initialise it.
 */
struct s2_limbo {
	uint64_t head;		/* engine: table PA | level | present, of the first */
	uint32_t idx;		/* engine: where in the first table a step ended */
	uint32_t tables;	/* how many are on the list */
};

/**
 * struct s2 - one set of stage-2 tables
 *
 * Allocated by the caller, initialised by s2_init(); every field is the
 * engine's and read-only to others. @stuck is for s2_release(): see %S2_E_AGENTS.
 */
struct s2 {
	uint64_t *root;		/* the concatenated root tables */
	void *port;
	uint32_t features;
	uint32_t errata;
	uint8_t ipa_bits;
	uint8_t pa_bits;
	uint8_t wide;		/* enum s2_wide: where addresses have 52 bits */
	int8_t start_level;	/* beside it: both are one load */
	uint8_t granule_shift;
	uint8_t root_pages;	/* 1..16 concatenated tables */
	uint8_t start_shift;	/* an entry of the root translates 1 << start_shift */
	uint8_t special;	/* enum s2_special: what one page has to mind */
	uint16_t counted;	/* a bit for each software value of a counted leaf */
	uint64_t oa_mask;	/* the output address in a descriptor, but for its top */
	uint64_t ipa_end, pa_end; /* the first address beyond @ipa_bits, @pa_bits */
	uint64_t tags;		/* in use; bit 0 always */
	struct s2_batch *batch;	/* which is open */
	uint64_t made[S2_LEVELS]; /* tables, by their level; the root's not */
	uint64_t freed[S2_LEVELS];
	uint64_t tlbis[3];	/* by enum s2_tlbi */
	uint64_t failures;	/* of s2_port_agents_invalidate() */
	struct s2_limbo stuck;	/* tables that another agent may still walk */
	uint64_t *hint;		/* a table of leaves, or NULL, and an address in it */
	uint64_t hint_ipa;
};
/* clang-format on */

/**
 * s2_init() - make an empty instance
 * @s2: storage for the instance; left zeroed when the call fails
 * @cfg: its configuration; not kept
 *
 * Chooses the start level with the fewest levels that up to 16 concatenated
 * root tables and cfg->min_levels allow and takes the root from s2_port_root_alloc().
 *
 * Return: 0, %S2_E_CONFIG, %S2_E_IPA_BITS, %S2_E_PA_BITS, %S2_E_UNSUPPORTED or
 * %S2_E_NOMEM. Context: any that s2_port_root_alloc() allows. Locking: none
 * needed, nobody else can know the instance yet.
 */
int s2_init(struct s2 *s2, const struct s2_config *cfg);

/**
 * s2_layout() - what s2_init() would choose, before there is an instance
 * @cfg: the configuration; its port is not used
 * @layout: out, if 0 is returned
 *
 * Return: as s2_init(), without %S2_E_NOMEM. Context and locking: any, none.
 */
int s2_layout(const struct s2_config *cfg, struct s2_layout *layout);

/**
 * s2_vtcr() - the value for VTCR_EL2
 * @s2: the instance
 *
 * Inner and outer write-back write-allocate walks, inner shareable; T0SZ, SL0,
 * TG0, PS, VS, HA and DS by the configuration; RES1 bits set.
 * HAFT is 0: the engine relies on it that hardware does not write to table descriptors.
 * VTCR_EL2 may be cached in TLBs: a PE that loads another value needs the invalidation
 * that the Arm ARM asks for.
 *
 * Return: the value. Context and locking: any, none.
 */
uint64_t s2_vtcr(const struct s2 *s2);

/**
 * s2_vttbr() - the value for VTTBR_EL2 without a VMID
 * @s2: the instance
 *
 * The caller ORs its VMID into bits [63:48]. CnP is left 0. BADDR[51:48] is in
 * [5:2] [U].
 *
 * Return: the value. Context and locking: any, none.
 */
uint64_t s2_vttbr(const struct s2 *s2);

/* ---- one operation: request, budget, progress ---------------------------- */

/** The smallest budgets: entries of a table, memory of a level-2 block (of 4 KiB). */
#define S2_BUDGET_ENTRIES_MIN 512u
#define S2_BUDGET_BYTES_MIN (UINT64_C(2) << 20)

/**
 * struct s2_dirty_log - which pages have been written to
 * @ipa: the first page's address; granule aligned
 * @size: bytes it is for; a multiple of the granule
 * @bits: a bit for each granule of them, bit 0 of the first word first; only ever set
 * @missed: out: set when a leaf that lay partly outside lost its dirty state
 *
 * The caller's; no two calls at a time.
 */
struct s2_dirty_log {
	s2_ipa_t ipa;
	uint64_t size;
	uint64_t *bits;
	bool missed;
};

/* clang-format off */
/**
 * struct s2_op - budget, resources and progress of one operation
 * @max_entries: exclusive: visit at most so many entries in a step; 0 for no bound, else
 *	at least %S2_BUDGET_ENTRIES_MIN
 * @max_bytes: exclusive: clean at most so many bytes in a step; 0 for no bound, else at
 *	least %S2_BUDGET_BYTES_MIN. A map that cleans new memory makes no larger leaf.
 * @cookie: handed to s2_port_table_alloc(); a memory cache, for example
 * @limbo: where detached tables go, to be released by s2_release() later (after a grace
 *	period, if lockless software walkers exist); NULL: they are freed before the
 *	call returns
 * @batch: s2_unmap(): the open batch that the call belongs to, or NULL
 * @dirty: where s2_unmap(), s2_wrprotect(), s2_map() and s2_destroy() record a dirty leaf
 *	(%S2_DBM) that the call removes or write-protects; or NULL. Tables that hold such
 *	leaves are taken apart leaf by leaf. Not in a shared s2_unmap(), nor in a shared
 *	s2_map() with %S2_MAP_REPLACE.
 * @start: out: first IPA changed when a block at the edge was dropped whole,
 *	else the start of the range
 * @end: out: the same for the end (exclusive)
 * @done: out: everything below this IPA is finished; for agents see %S2_E_AGENTS
 * @visited: out: entries visited by the last step
 * @cleaned: out: bytes cleaned by the last step
 * @changed: out: entries changed so far, a detached table counting as one
 *
 * Zero-initialise it. NULL in its place means no budget, no cookie and no limbo. The
 * remaining fields belong to the engine. An exclusive call that has returned %S2_MORE
 * must be made again with its op until it returns something else: a parked leaf would
 * stay busy. Between two steps the budgets and the cookie may change, and nothing else
 * (%S2_E_RESUME).
 */
struct s2_op {
	uint32_t max_entries;
	uint64_t max_bytes;
	void *cookie;
	struct s2_limbo *limbo;
	struct s2_batch *batch;
	struct s2_dirty_log *dirty;

	s2_ipa_t start, end, done;
	uint64_t visited;
	uint64_t cleaned;
	uint64_t changed;

	/* the engine's, between steps */
	struct {
		uint64_t ipa, size;	/* the arguments, to recognise them */
		uint64_t arg;
		uint32_t flags;
		uint32_t failures;	/* s2->failures before the operation */
		uint64_t pos;		/* all below it is done */
		uint64_t parked;	/* 1 + address of a leaf cleaned in part, or 0 */
		uint64_t cleared;	/* map: what was in the way is gone below it */
		const void *limbo, *dirty, *batch; /* they may not change */
		uint8_t kind;		/* which operation; 0: none under way */
		uint8_t phase;		/* collapse: which level */
		bool ended;		/* destroy: the VMID has been invalidated */
		struct s2_limbo own;	/* when the caller gave none */
	} st;
};
/* clang-format on */

/* ---- mapping -------------------------------------------------------------- */

/**
 * s2_map() - map a range to contiguous physical memory
 * @s2: the instance
 * @ipa: start of the range; granule aligned
 * @pa: physical start; granule aligned, the end within the PA size
 * @size: bytes; a multiple of the granule, not 0
 * @attr: permissions, memory type, software bits
 * @flags: %S2_MAP_NEW, %S2_MAP_REPLACE, %S2_MAP_PAGES, %S2_DROP_EDGES,
 *	%S2_SPLIT_EDGES, %S2_NO_CLEAN, %S2_MAP_CONT, %S2_SHARED
 * @op: budget, cookie for the table allocation, limbo, progress; or NULL
 *
 * Uses the largest block that address, alignment, size and op->max_bytes allow. Each step
 * first takes every table page that it can need. This may fail, and then nothing has
 * changed. It then breaks what is to be replaced, invalidates once, cleans the old
 * memory, cleans the new memory, and makes the new entries. This cannot fail. A block at
 * an edge is split before all of it; it stays split if the rest is refused, which
 * changes nothing in what is mapped. New normal memory is cleaned to the PoC, and made
 * visible to instruction fetch if it is executable, before its entry becomes valid,
 * unless FWB forces write-back or %S2_NO_CLEAN is given.
 *
 * What is mapped already:
 * - A leaf of any size that maps the same memory with the same type stays, and gets the
 *   new permissions and software bits in place, without break-before-make [RWHZWS]. If
 *   it lies across an edge of the range and its permissions would change, it is split
 *   first with %S2_SPLIT_EDGES, and %S2_E_BLOCK is returned without. Where nothing
 *   changes there is no barrier, and where only software bits change no TLBI.
 * - A leaf of other memory, or of another type: %S2_E_EXIST.
 * - With %S2_MAP_REPLACE both are replaced. Only a leaf at the level that would be made
 *   stays and changes in place; so does a larger one that permits the same already,
 *   unless %S2_MAP_PAGES asks for pages or %S2_DROP_EDGES for it to go.
 * - With %S2_MAP_NEW nothing that is mapped changes: any leaf in the range is
 *   %S2_E_EXIST. Together with %S2_MAP_REPLACE only leaves that would stay are, and
 *   others are replaced. So of two faults for one page one maps it and the other gets
 *   %S2_E_EXIST, and neither takes or gives permissions that a third call has changed.
 *   A counted leaf (s2_config.counted) never stays, so the second replaces it.
 *
 * Answer a permission fault by s2_relax_perms(), not by a map: a map that finds nothing
 * to change invalidates nothing, and the PE that faulted may hold a copy with fewer
 * permissions, since s2_relax_perms() on another PE invalidates there only.
 *
 * A leaf may permit nothing (no %S2_R, %S2_W or %S2_X). It stays mapped and is found;
 * every access of the guest faults.
 *
 * A shared call that returns %S2_E_BUSY may have mapped a part of the range, and with
 * %S2_MAP_REPLACE may have removed the old mapping of a part. A shared call with
 * %S2_MAP_REPLACE, or one with a budget, that returns another error may have done what is
 * below op->done.
 *
 * Return: 0, %S2_MORE, %S2_E_ALIGN, %S2_E_SIZE, %S2_E_WRAP, %S2_E_IPA_RANGE,
 * %S2_E_PA_RANGE, %S2_E_ATTR, %S2_E_FLAGS, %S2_E_BUDGET, %S2_E_RESUME,
 * %S2_E_EXIST, %S2_E_BLOCK, %S2_E_BUSY, %S2_E_NOMEM.
 * Context: any that the port's allocation allows. Locking: exclusive or shared.
 */
int s2_map(struct s2 *s2, s2_ipa_t ipa, s2_pa_t pa, uint64_t size, s2_attr_t attr,
	   uint32_t flags, struct s2_op *op);

/**
 * s2_tables_needed() - how many table pages s2_map() would take now
 * @s2: the instance
 * @ipa: as for s2_map()
 * @pa: as for s2_map()
 * @size: as for s2_map()
 * @attr: as for s2_map()
 * @flags: as for s2_map(); %S2_SHARED is ignored
 * @n: out: the number of calls of s2_port_table_alloc(); 0 unless 0 is returned
 *
 * An embedder that has so many at hand, and lets no other call come in between, makes the
 * map without a failure for memory: prepare may fail, commit cannot. The number is exact
 * for a call without a budget. s2_tables_bound() is a bound that no other call can make
 * wrong, for several prepares before their commits.
 *
 * Return: as s2_map() would, but never %S2_E_NOMEM and %S2_MORE; %S2_E_UNSUPPORTED in a
 * build without S2_USE_REPLACE. Context: any. Locking: exclusive; it changes nothing.
 */
int s2_tables_needed(struct s2 *s2, s2_ipa_t ipa, s2_pa_t pa, uint64_t size,
		     s2_attr_t attr, uint32_t flags, uint64_t *n);

/**
 * s2_tables_bound() - the most table pages that one call on a range can take
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 *
 * A table for each entry above the last level that the range intersects, at each level.
 * It holds for s2_map(), s2_split() and s2_annotate() on the range. s2_unmap() with
 * %S2_SPLIT_EDGES takes at most the bound of the pages just inside its two edges.
 *
 * Return: the bound. Context and locking: any, none.
 */
static inline uint64_t s2_tables_bound(const struct s2 *s2, s2_ipa_t ipa, uint64_t size)
{
	unsigned shift = s2->granule_shift;
	uint64_t n = 0;

	for (int level = 2; level >= s2->start_level; level--) {
		shift += s2->granule_shift - 3u;
		n += ((ipa.ipa + size - 1) >> shift) - (ipa.ipa >> shift) + 1;
	}
	return n;
}

/**
 * s2_unmap() - remove every translation of a range
 * @s2: the instance
 * @ipa: start of the range; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_DROP_EDGES, %S2_SPLIT_EDGES, %S2_NO_CLEAN, %S2_KEEP_NOTES, %S2_SHARED
 * @op: budget, limbo, progress, cookie if edges are split; or NULL
 *
 * Break, invalidate, clean, release (src/unmap.c). After it has returned 0, no PE can
 * use a translation of the range, and the hypervisor reads what the guest wrote last
 * by any alias (P1, P3). Annotations in the range are removed, unless %S2_KEEP_NOTES
 * is given. One in an entry that is only partly in the range stays, also one that was put
 * across the place where the last step ended. A range in which
 * nothing is mapped or busy costs no TLBI and no DSB. Allocates only if
 * %S2_SPLIT_EDGES meets a block at an edge.
 *
 * Return: 0, %S2_MORE, %S2_E_ALIGN, %S2_E_SIZE, %S2_E_WRAP, %S2_E_IPA_RANGE,
 * %S2_E_FLAGS, %S2_E_BUDGET, %S2_E_RESUME, %S2_E_BLOCK (shared: what is below op->done is
 * unmapped), %S2_E_NOMEM, %S2_E_BATCH. Context: any. Locking: exclusive or shared.
 */
int s2_unmap(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     struct s2_op *op);

/**
 * s2_release() - free what is in limbo
 * @s2: the instance the tables were detached from
 * @limbo: the list; empty afterwards when 0 is returned
 * @op: budget (max_entries); or NULL
 *
 * Needs no lock against other calls on @s2: nothing in limbo is reachable from the root.
 * If lockless software walkers exist, the first call must come after a grace period that
 * began after the detach. Each table counts as a visit. @stuck of @s2 needs the lock:
 * exclusive calls add to it.
 *
 * Return: 0, %S2_MORE, %S2_E_BUDGET. Context: any that s2_port_table_free()
 * allows.
 */
int s2_release(struct s2 *s2, struct s2_limbo *limbo, struct s2_op *op);

/**
 * s2_destroy() - remove everything and free the root
 * @s2: the instance; zeroed when 0 is returned
 * @flags: %S2_NO_CLEAN, %S2_VMID_UNUSED
 * @op: budget; its limbo must be NULL; or NULL
 *
 * Ends the use of the VMID with VMALLS12E1IS before any table is freed, unless
 * %S2_VMID_UNUSED (P12). The caller makes sure that no vCPU runs on the tables
 * or will, and has released every limbo of the instance.
 *
 * After %S2_E_AGENTS the instance has nothing mapped and keeps its root, and so it does
 * as long as there is something in @stuck: release that, then call again.
 *
 * Return: 0, %S2_MORE, %S2_E_FLAGS, %S2_E_BUDGET, %S2_E_RESUME, %S2_E_AGENTS.
 * Context: any. Locking: exclusive, and the last call on the instance.
 */
int s2_destroy(struct s2 *s2, uint32_t flags, struct s2_op *op);

/* ---- annotations ------------------------------------------------------------ */

/**
 * s2_annotate() - put an owner's mark on a range
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @note: the value, %S2_NOTE_BITS bits; not an address to follow. 0 clears annotations.
 * @flags: 0, or with a value %S2_MAP_REPLACE, and with that %S2_SPLIT_EDGES or
 *	%S2_DROP_EDGES, and %S2_NO_CLEAN; %S2_SHARED is refused
 * @op: budget, cookie, limbo, progress; or NULL
 *
 * For hypervisors that record the owner of a page in its invalid entry. The whole range
 * gets the value, in entries as large as possible. A larger annotated or empty entry at
 * an edge becomes a table. Table pages are taken before anything changes.
 *
 * Without %S2_MAP_REPLACE the range must be unmapped (%S2_E_EXIST). With it what is
 * mapped is unmapped as by s2_unmap() and annotated by the same call, which cannot run
 * out of memory half way. An embedder that wants to find the memory of a range again
 * keeps the difference of PA and IPA in the value: it is the same for all of the range,
 * so it is split and merged like a block.
 *
 * To clear (0) leaves alone what is mapped, and frees the tables that are empty then. The
 * guest sees no difference. s2_collapse() merges equal annotations.
 *
 * s2_lookup() and s2_iter_next() report annotations. s2_map() replaces them, and keeps
 * the rest of a larger one. For s2_unmap() see %S2_KEEP_NOTES. Shared calls may meet
 * annotations.
 *
 * Return: as s2_map(); %S2_E_ATTR for a value of more bits. Context: any that the port's
 * allocation allows. Locking: exclusive.
 */
int s2_annotate(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint64_t note, uint32_t flags,
		struct s2_op *op);

#ifdef __cplusplus
}
#endif
#include <stage2/change.h>
#include <stage2/cpu.h>
#include <stage2/invalidate.h>
#include <stage2/look.h>
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#endif /* STAGE2_STAGE2_H */
