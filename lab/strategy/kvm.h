/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * KVM's page-table code, for the strategies taken from it: a walker that calls a visitor
 * for each entry, a reference count for each table page, and KVM's sequences of TLBIs
 * and barriers.
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
	uint16_t *refs;	     /* the count of each page of the table arena */
	uint64_t first_page; /* PA of the arena, in pages */
};

/* Counts the references in the VM's tree, without events. NULL: no memory. */
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

/* The output address of a leaf, or the address of the table below. */
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
	uint64_t ipa;	/* the first IPA of the walk in this entry */
	int level;
};

typedef void (*kvm_visitor)(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			    void *arg);

/*
 * Walks [ipa, end) depth first. @when chooses the calls of @visit: for entries that are
 * not tables (WHEN_LEAF), for tables before (WHEN_PRE) or after (WHEN_POST) the entries
 * below. Each entry is read once, and the walker uses what it read.
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
/* Drops the reference of an entry, and does not free its page. */
void kvm_drop(struct kvm *k, uint64_t entry);
/* Drops the reference of an entry, and frees its page with the last one. */
void kvm_put(struct kvm *k, uint64_t entry);
/* Writes 0 or a marker by a plain store; with FEAT_HAFDBS too, as KVM does. */
void kvm_clear(struct kvm *k, uint64_t entry, uint64_t marker);

/* ---- invalidating ---- */

/* Invalidates by one address. @level: the leaf's; 0 if a table was removed. */
void kvm_flush_ipa(struct kvm *k, uint64_t ipa, int level);
/* Invalidates a range, in pieces of 2^21 pages; without FEAT_TLBIRANGE the VMID. */
void kvm_flush_range(struct kvm *k, uint64_t ipa, uint64_t size);
/*
 * The TLBIs of a range without barriers. With LPA2 a range TLBI begins at a multiple of
 * 64 KiB; pages before that take a TLBI each.
 */
void kvm_tlbi_range(struct kvm *k, uint64_t ipa, uint64_t pages);
/* What follows TLBIs by address: DSB ISH, TLBI VMALLE1IS, DSB ISH, ISB. */
void kvm_tlbi_finish(struct kvm *k);

/* KVM's unmap visitor (WHEN_LEAF, WHEN_POST). @arg: bool, leave out leaf TLBIs. */
void kvm_unmap_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		     void *arg);

#endif /* STAGE2_LAB_KVM_H */
