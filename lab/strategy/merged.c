/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * merged: Linux 6.12.
 *
 * Unmap: with FWB and FEAT_TLBIRANGE the leaves are invalidated by one range flush at
 * the end. Each table that is freed still takes a flush of its own, because it is freed
 * during the walk.
 *
 * Split (eager page splitting): for each block KVM builds the tables, breaks and flushes
 * the block, and links the tables; the walk then goes on in the new tables.
 *
 * Collapse: KVM has no such call. After dirty logging each fault of the guest maps one
 * block over a table; this strategy does these faults.
 */
#include "kvm.h"

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct kvm *k = run->kvm;
	bool defer = k->fwb && k->tlbirange;

	kvm_walk(k, ipa, ipa + size, WHEN_LEAF | WHEN_POST, kvm_unmap_visit, &defer);
	if (defer)
		kvm_flush_range(k, ipa, size);
	lab_step_end(run);
	return 0;
}

/* ---- split ---- */

static uint64_t table_desc(const struct kvm *k, uint64_t table)
{
	return oa_to_desc(k->page_shift, k->wide, table) | DESC_TABLE | DESC_VALID;
}

/*
 * Builds the table that will replace @block, and the tables below it down to pages. As
 * in KVM, the walk reads each entry and writes a locked marker first, although no other
 * PE can see the table.
 */
static uint64_t create_unlinked(struct kvm *k, uint64_t block, int level)
{
	uint64_t table = s2m_table_take(k->m, k->pe, 1, 1);

	if (!table)
		return 0;
	level++;
	s2m_fill(k->m, k->pe, table, entry_size(k, 3), 0);
	*kvm_refs(k, table) = (uint16_t)(k->floor + table_entries(k->page_shift));
	for (unsigned i = 0; i < table_entries(k->page_shift); i++) {
		uint64_t desc = block + i * entry_size(k, level);
		uint64_t entry = table + 8 * i;

		s2m_read(k->m, k->pe, entry);
		kvm_clear(k, entry, DESC_LOCKED);
		if (level < 3) {
			desc = create_unlinked(k, desc, level);
			if (!desc)
				return 0;
			desc = table_desc(k, desc);
		} else {
			desc |= DESC_TABLE;
		}
		s2m_write(k->m, k->pe, entry, desc, S2M_RELEASE);
	}
	return table;
}

struct split {
	uint64_t end; /* of the range */
	int err;
};

static void look(struct kvm *k, const struct kvm_visit *v, enum kvm_when when, void *arg)
{
	(void)k;
	(void)v;
	(void)when;
	(void)arg;
}

static void split_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			void *arg)
{
	uint64_t size = entry_size(k, v->level), table;
	uint64_t end = (v->ipa & ~(size - 1)) + size;
	struct split *s = arg;

	(void)when;
	if (s->err || v->level == 3 || !desc_is_valid(v->desc))
		return;
	table = create_unlinked(k, v->desc, v->level);
	if (!table) {
		s->err = S2_E_NOMEM;
		return;
	}
	kvm_clear(k, v->entry, DESC_LOCKED);
	kvm_flush_ipa(k, v->ipa, v->level);
	s2m_write(k->m, k->pe, v->entry, table_desc(k, table), S2M_RELEASE);
	/* The walk reads the entry again and goes down into the new table. */
	kvm_walk_table(k, table, v->level + 1, v->ipa, end < s->end ? end : s->end,
		       WHEN_LEAF, look, NULL);
}

static int split(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct split s = { .end = ipa + size };

	kvm_walk(run->kvm, ipa, s.end, WHEN_LEAF, split_visit, &s);
	s2m_barrier(run->kvm->m, run->kvm->pe, S2M_DSB_ISHST);
	lab_step_end(run);
	return s.err;
}

/* ---- collapse ---- */

static void free_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		       void *arg)
{
	(void)arg;
	if (when == WHEN_POST)
		kvm_table_free(k, desc_addr(k, v->desc));
}

/* One fault: maps a block over the table at ipa, if there is one. */
static void map_block(struct kvm *k, uint64_t ipa, int to_level)
{
	uint64_t size = entry_size(k, to_level), table = k->root, entry, desc, oa;
	int level = k->start_level;

	for (;; level++) {
		uint64_t i = ipa >> level_shift(k->page_shift, level);

		if (level > k->start_level)
			i &= table_entries(k->page_shift) - 1;
		entry = table + 8 * i;
		desc = s2m_read(k->m, k->pe, entry);
		if (!desc_is_table(desc, level))
			return;
		table = desc_addr(k, desc);
		if (level == to_level)
			break;
	}
	/* The block to map follows from the first page. Reading it here is no event. */
	desc = *(const uint64_t *)s2m_ptr(k->m, table);
	for (uint64_t at = table; level + 1 < 3 && desc_is_table(desc, level + 1);
	     level++) {
		at = desc_addr(k, desc);
		desc = *(const uint64_t *)s2m_ptr(k->m, at);
	}
	desc &= ~DESC_TABLE;
	oa = desc_addr(k, desc);
	kvm_clear(k, entry, DESC_LOCKED);
	kvm_flush_range(k, ipa, size);
	if (!k->fwb && desc_is_cacheable(desc)) {
		s2m_cache(k->m, k->pe, S2M_DC_CIVAC, oa, size);
		s2m_barrier(k->m, k->pe, S2M_DSB_SY);
	}
	s2m_write(k->m, k->pe, entry, desc, S2M_RELEASE);
	s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
	/* After a grace period. */
	kvm_walk_table(k, table, to_level + 1, ipa, ipa + size, WHEN_LEAF | WHEN_POST,
		       free_visit, NULL);
	kvm_table_free(k, table);
}

static int collapse(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct kvm *k = run->kvm;
	const uint64_t each = entry_size(k, run->to_level), end = ipa + size;

	for (ipa = (ipa + each - 1) & ~(each - 1); end > ipa && end - ipa >= each;
	     ipa += each) {
		map_block(k, ipa, run->to_level);
		lab_step_end(run);
	}
	return 0;
}

const struct lab_strategy strategy_merged = {
	.name = "merged",
	.says = "Linux 6.12: leaf TLBIs deferred, with FWB and TLBIRANGE",
	.must_be_safe = true,
	.on_kvm = true,
	.work = { unmap, split, collapse },
};
