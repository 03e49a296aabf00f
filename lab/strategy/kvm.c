/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "kvm.h"

#define RANGE_PAGES (UINT64_C(1) << 21) /* the most one RIPAS2E1IS covers */

/* ---- table pages ---- */

uint16_t *kvm_refs(struct kvm *k, uint64_t pa)
{
	return &k->refs[(pa >> k->page_shift) - k->first_page];
}

void kvm_table_free(struct kvm *k, uint64_t table)
{
	*kvm_refs(k, table) = 0;
	s2m_table_give(k->m, k->pe, page_of(k, table), 1);
}

void kvm_drop(struct kvm *k, uint64_t entry)
{
	(*kvm_refs(k, entry))--;
}

void kvm_put(struct kvm *k, uint64_t entry)
{
	if (!--*kvm_refs(k, entry))
		kvm_table_free(k, entry);
}

void kvm_clear(struct kvm *k, uint64_t entry, uint64_t marker)
{
	s2m_write(k->m, k->pe, entry, marker, S2M_PLAIN);
}

/*
 * Reads the tree without events: the counts are made before the unmap and must not add
 * to its cost.
 */
static void count_table(struct kvm *k, uint64_t table, int level)
{
	const uint64_t *entry = s2m_ptr(k->m, table);
	unsigned n = 0;

	for (unsigned i = 0; i < table_entries(k->page_shift); i++) {
		n += entry[i] != 0;
		if (desc_is_table(entry[i], level))
			count_table(k, desc_addr(k, entry[i]), level + 1);
	}
	*kvm_refs(k, table) = (uint16_t)(k->floor + n);
}

struct kvm *kvm_new(struct lab_vm *vm, uint32_t features, enum posted_count count)
{
	struct kvm *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->m = vm->m;
	k->pe = vm->port.pe;
	k->fwb = features & S2_FEAT_FWB;
	k->tlbirange = features & S2_FEAT_TLBIRANGE;
	k->ttl = features & S2_FEAT_TTL;
	k->lpa2 = features & S2_FEAT_LPA2;
	k->page_shift = vm->page_shift;
	k->wide = vm->wide;
	k->root = lab_vm_root(vm);
	k->root_pages = vm->s2.root_pages;
	k->start_level = vm->s2.start_level;
	k->floor = count == COUNT_LINUX;
	k->first_page = vm->table_base >> k->page_shift;
	k->refs = calloc(vm->table_pages, sizeof(*k->refs));
	if (!k->refs) {
		free(k);
		return NULL;
	}
	for (unsigned i = 0; i < k->root_pages; i++) {
		uint64_t root = k->root + i * entry_size(k, 3);

		count_table(k, root, k->start_level);
		/* The owner of the tables has a reference to the root, by both rules. */
		if (!k->floor)
			(*kvm_refs(k, root))++;
	}
	/* The thread that unmaps runs in the context of the VM. */
	s2m_sysreg(k->m, k->pe, S2M_VTTBR_EL2, vm->port.vttbr);
	s2m_barrier(k->m, k->pe, S2M_ISB);
	return k;
}

void kvm_free(struct kvm *k)
{
	if (k)
		free(k->refs);
	free(k);
}

/* ---- walking ---- */

void kvm_walk_table(struct kvm *k, uint64_t table, int level, uint64_t ipa, uint64_t end,
		    unsigned when, kvm_visitor visit, void *arg)
{
	const int top = level;
	struct kvm_visit at[4];
	uint64_t first = ipa & ~(entry_size(k, level - 1) - 1);

	/* Concatenated root tables are indexed as one. */
	if (table == k->root)
		first = 0;
	at[level] = (struct kvm_visit){
		.entry = table + ((ipa - first) >> level_shift(k->page_shift, level)) * 8,
		.level = level,
	};
	while (ipa < end) {
		struct kvm_visit *v = &at[level];

		v->ipa = ipa;
		v->desc = s2m_read(k->m, k->pe, v->entry);
		if (desc_is_table(v->desc, level)) {
			if (when & WHEN_PRE)
				visit(k, v, WHEN_PRE, arg);
			level++;
			at[level] = (struct kvm_visit){
				.entry = desc_addr(k, v->desc) +
					 entry_index(k, ipa, level) * 8,
				.level = level,
			};
			continue;
		}
		if (when & WHEN_LEAF)
			visit(k, v, WHEN_LEAF, arg);
		v->entry += 8;
		ipa = (ipa & ~(entry_size(k, level) - 1)) + entry_size(k, level);
		/* Go up at the end of a table or of the range. */
		while (level > top &&
		       (ipa >= end || !(ipa & (entry_size(k, level - 1) - 1)))) {
			v = &at[--level];
			if (when & WHEN_POST)
				visit(k, v, WHEN_POST, arg);
			v->entry += 8;
		}
	}
}

void kvm_walk(struct kvm *k, uint64_t ipa, uint64_t end, unsigned when, kvm_visitor visit,
	      void *arg)
{
	kvm_walk_table(k, k->root, k->start_level, ipa, end, when, visit, arg);
}

/* ---- invalidating ---- */

void kvm_tlbi_finish(struct kvm *k)
{
	s2m_barrier(k->m, k->pe, S2M_DSB_ISH);
	s2m_tlbi(k->m, k->pe, S2M_VMALLE1IS, 0);
	s2m_barrier(k->m, k->pe, S2M_DSB_ISH);
	s2m_barrier(k->m, k->pe, S2M_ISB);
}

/* The field TG: 1, 2, 3 for 4, 16, 64 KiB. */
static uint64_t translation_granule(const struct kvm *k)
{
	return (k->page_shift - 10) / 2;
}

static void tlbi_ipa(struct kvm *k, uint64_t ipa, int level)
{
	uint64_t operand = ipa >> 12;

	if (k->ttl && level)
		operand |= (translation_granule(k) << 2 | (unsigned)level) << 44;
	s2m_tlbi(k->m, k->pe, S2M_IPAS2E1IS, operand);
}

void kvm_flush_ipa(struct kvm *k, uint64_t ipa, int level)
{
	s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
	tlbi_ipa(k, ipa, level);
	kvm_tlbi_finish(k);
}

void kvm_tlbi_range(struct kvm *k, uint64_t ipa, uint64_t pages)
{
	const unsigned base_shift = k->lpa2 ? 16 : k->page_shift;
	unsigned scale = 3;

	while (k->lpa2 && pages && ipa & 0xffff) {
		tlbi_ipa(k, ipa, 0);
		ipa += entry_size(k, 3);
		pages--;
	}
	while (pages > 1) {
		uint64_t num = pages >> (5 * scale + 1);

		if (!num) {
			scale--;
			continue;
		}
		if (num > 32)
			num = 32;
		s2m_tlbi(k->m, k->pe, S2M_RIPAS2E1IS,
			 translation_granule(k) << 46 | (uint64_t)scale << 44 |
				 (num - 1) << 39 | ipa >> base_shift);
		num <<= 5 * scale + 1;
		ipa += num << k->page_shift;
		pages -= num;
	}
	if (pages)
		tlbi_ipa(k, ipa, 0);
}

void kvm_flush_range(struct kvm *k, uint64_t ipa, uint64_t size)
{
	uint64_t pages = size >> k->page_shift;

	if (!k->tlbirange) {
		s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
		s2m_tlbi(k->m, k->pe, S2M_VMALLS12E1IS, 0);
		s2m_barrier(k->m, k->pe, S2M_DSB_ISH);
		s2m_barrier(k->m, k->pe, S2M_ISB);
		return;
	}
	while (pages) {
		uint64_t n = pages < RANGE_PAGES ? pages : RANGE_PAGES;

		s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
		kvm_tlbi_range(k, ipa, n);
		kvm_tlbi_finish(k);
		ipa += n << k->page_shift;
		pages -= n;
	}
}

/* ---- unmapping ---- */

void kvm_unmap_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		     void *arg)
{
	bool defer = *(const bool *)arg;
	uint64_t out = desc_addr(k, v->desc);

	if (!desc_is_valid(v->desc)) {
		if (v->desc) {
			kvm_clear(k, v->entry, 0);
			kvm_drop(k, v->entry);
		}
		return;
	}
	if (when == WHEN_POST) {
		if (*kvm_refs(k, out) != k->floor)
			return;
		kvm_clear(k, v->entry, 0);
		kvm_flush_ipa(k, v->ipa, 0);
		kvm_drop(k, v->entry);
		kvm_table_free(k, out);
		return;
	}
	kvm_clear(k, v->entry, 0);
	if (!defer)
		kvm_flush_ipa(k, v->ipa, v->level);
	kvm_drop(k, v->entry);
	if (!k->fwb && desc_is_cacheable(v->desc)) {
		s2m_cache(k->m, k->pe, S2M_DC_CIVAC, out, entry_size(k, v->level));
		s2m_barrier(k->m, k->pe, S2M_DSB_SY);
	}
}
