/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the strategies taken from KVM share: a walker that calls back for each
 * entry, a reference count for each table page, and the sequences by which KVM
 * invalidates.
 */
#ifndef STAGE2_LAB_KVM_H
#define STAGE2_LAB_KVM_H

#include "common/granule.h"
#include "strategy.h"

struct kvm {
	struct machine *m;
	unsigned pe;
	bool fwb, tlbirange, ttl, lpa2;
	unsigned page_shift;
	bool wide; /* descriptors hold 52-bit addresses */
	uint64_t root;
	unsigned root_pages;
	int start_level;
	unsigned floor;	     /* the count of a table page without entries */
	uint16_t *refs;	     /* the counts, by page of the table arena */
	uint64_t first_page; /* the arena's */
};

/* Counts every reference in the VM's tree, without an event. NULL: no memory. */
struct kvm *kvm_new(struct lab_vm *vm, uint32_t features, enum posted_count count);
void kvm_free(struct kvm *k);

/* ---- descriptors and levels ---- */

#define DESC_VALID UINT64_C(1)
#define DESC_TABLE UINT64_C(2)
#define DESC_LOCKED (UINT64_C(1) << 10)

static inline bool desc_is_valid(uint64_t desc)
{
	return desc & DESC_VALID;
}

static inline bool desc_is_table(uint64_t desc, int level)
{
	return level < 3 &&
	       (desc & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE);
}

/* Without FWB: Normal write-back memory, whose lines the host must clean. */
static inline bool desc_is_cacheable(uint64_t desc)
{
	return ((desc >> 2) & 15) == 15;
}

/* What the entry maps to, or the table below it. */
static inline uint64_t desc_addr(const struct kvm *k, uint64_t desc)
{
	return oa_of_desc(k->page_shift, k->wide, desc);
}

/* Bytes that one entry at @level maps. */
static inline uint64_t entry_size(const struct kvm *k, int level)
{
	return level_size(k->page_shift, level);
}

static inline unsigned entry_index(const struct kvm *k, uint64_t ipa, int level)
{
	return (unsigned)(ipa >> level_shift(k->page_shift, level)) &
	       (table_entries(k->page_shift) - 1);
}

/* The page with this address. */
static inline uint64_t page_of(const struct kvm *k, uint64_t pa)
{
	return pa & ~(entry_size(k, 3) - 1);
}

/* ---- walking ---- */

enum kvm_when { WHEN_LEAF = 1, WHEN_PRE = 2, WHEN_POST = 4 };

struct kvm_visit {
	uint64_t entry; /* PA of the entry */
	uint64_t desc;	/* what the walker read there, before any callback */
	uint64_t ipa;	/* where in the walk this is */
	int level;
};

typedef void (*kvm_visitor)(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			    void *arg);

/*
 * Depth first over [ipa, end): @visit is called for entries that are no tables
 * (WHEN_LEAF), and for tables before or after what is below them, as far as
 * @when says. Each entry is read once; the walker goes on with what it read.
 */
void kvm_walk(struct kvm *k, uint64_t ipa, uint64_t end, unsigned when, kvm_visitor visit,
	      void *arg);
/* The same below one table, which maps [ipa, end). */
void kvm_walk_table(struct kvm *k, uint64_t table, int level, uint64_t ipa, uint64_t end,
		    unsigned when, kvm_visitor visit, void *arg);

/* ---- table pages ---- */

/* The count of the page with this address (of the page, or of an entry in it). */
uint16_t *kvm_refs(struct kvm *k, uint64_t pa);
void kvm_table_free(struct kvm *k, uint64_t table);
/* An entry of an ordinary walk goes; its page is freed when its table is visited. */
void kvm_drop(struct kvm *k, uint64_t entry);
/* Drops a reference; the last one frees the page. */
void kvm_put(struct kvm *k, uint64_t entry);
/* Makes the entry invalid: 0, or a marker. A plain store, with FEAT_HAFDBS too. */
void kvm_clear(struct kvm *k, uint64_t entry, uint64_t marker);

/* ---- invalidating ---- */

/* By one address; @level: that of the leaf, 0 where a table was removed. */
void kvm_flush_ipa(struct kvm *k, uint64_t ipa, int level);
/* A range, by pieces of 2^21 pages; the whole VMID without FEAT_TLBIRANGE. */
void kvm_flush_range(struct kvm *k, uint64_t ipa, uint64_t size);
/*
 * The TLBIs of a range alone, for a caller with barriers of its own. With LPA2 a
 * range begins at a multiple of 64 KiB; what is before it goes page by page.
 */
void kvm_tlbi_range(struct kvm *k, uint64_t ipa, uint64_t pages);
/* DSB ISH, TLBI VMALLE1IS, DSB ISH, ISB: what follows a TLBI by address. */
void kvm_tlbi_finish(struct kvm *k);

/* The ordinary unmap's visitor (WHEN_LEAF, WHEN_POST); @arg: bool, defer leaf TLBIs. */
void kvm_unmap_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		     void *arg);

#endif /* STAGE2_LAB_KVM_H */
