// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that KVM makes most often, the short way: a fault that maps a page or a block
 * where nothing is, its tables included, a block where a table is, or a page out of a
 * block; a permission fault; the age of a page.
 * They do what the general calls of the engine do, phase by phase, and leave to them what
 * is not that simple.
 *
 * It is simpler here than in the engine, because in KVM only faults run beside each
 * other. They put leaves into tables, and replace a table by a block and a block by a
 * table. No call beside them empties a table, or owes a clean.
 */
#include <linux/kvm_host.h>

#include "internal.h"

/*
 * An entry that is @d, a table or a block, is broken and invalidated. Returns the tag of
 * the marker; 0: nothing has been done.
 */
static unsigned int break_here(struct s2 *s2, uint64_t ipa, uint64_t *meta,
			       uint64_t *entry, uint64_t d)
{
	const uint64_t size = level_size(s2, LAST_LEVEL - 1);
	struct step step = step_free(S2_SHARED);
	struct s2_gather g = {};
	unsigned int tag = tag_new(s2);

	if (!tag)
		return 0;
	/* Hardware may have set the access flag of a block. */
	if (s2_port_cas(s2->port, entry, d, desc_make_busy(d, tag)) != d) {
		tag_free(s2, tag);
		return 0;
	}
	s2_port_word_add(s2->port, &meta[META_STATE], META_BUSY_ONE - META_LIVE_ONE);
	if (desc_is_table(d, LAST_LEVEL - 1)) {
		gather_add(&g, ipa, size, page_size(s2));
		g.table = true;
	} else {
		gather_add(&g, ipa, size, size);
		g.levels = 1 << (LAST_LEVEL - 1);
	}
	invalidate(s2, &step, &g);
	return tag;
}

/*
 * Makes @new in the place of the marker. It is counted before it is there, so that the
 * table never looks empty.
 */
static void make_here(struct s2 *s2, uint64_t *meta, uint64_t *entry, uint64_t new,
		      uint64_t count, unsigned int tag)
{
	s2_port_word_add(s2->port, &meta[META_STATE],
			 META_LIVE_ONE - META_BUSY_ONE + count);
	s2_port_store_release(s2->port, entry, new);
	tag_free(s2, tag);
}

/* A block in the place of table @d, which goes to limbo. */
static bool replace_table(struct s2 *s2, uint64_t ipa, uint64_t *meta, uint64_t *entry,
			  uint64_t d, uint64_t leaf, struct s2_limbo *limbo)
{
	unsigned int tag = break_here(s2, ipa, meta, entry, d);

	if (!tag)
		return false;
	limbo_push(s2, limbo, table_of(s2, d), LAST_LEVEL);
	make_here(s2, meta, entry, leaf, UINT64_C(0) - META_TABLE_ONE, tag);
	return true;
}

static uint64_t *entry_at(const struct s2 *s2, uint64_t *table, uint64_t ipa, int level)
{
	return &table[ipa >> level_shift(s2, level) & (table_entries(s2) - 1)];
}

/* Frees what build() has made below @level; @d is the entry that would have linked it. */
static void unbuild(struct s2 *s2, uint64_t ipa, int level, int want, uint64_t d)
{
	while (level++ < want) {
		uint64_t *table = table_of(s2, d);

		d = s2_port_load(s2->port, entry_at(s2, table, ipa, level));
		s2_port_word_add(s2->port, &s2->made[level], ~UINT64_C(0));
		s2_port_table_free(s2->port, table);
	}
}

/*
 * The entry of @level for @leaf of @want, which is below it: the first of the tables that
 * lead to it, which are made from the leaf up. 0: there is no memory.
 */
static uint64_t build(struct s2 *s2, uint64_t ipa, int level, int want, uint64_t leaf,
		      void *mc)
{
	uint64_t state = META_LIVE_ONE | meta_of_leaf(s2, leaf), d = leaf;

	for (int l = want; l > level; l--) {
		uint64_t *table = s2_port_table_alloc(s2->port, mc);

		if (!table) {
			unbuild(s2, ipa, l, want, d);
			return 0;
		}
		s2_port_word_add(s2->port, &s2->made[l], 1);
		table_meta(s2, table)[META_STATE] = state;
		s2_port_store(s2->port, entry_at(s2, table, ipa, l), d);
		d = desc_make_table(s2, s2_port_table_pa(s2->port, table));
		if (l == want)
			state += META_TABLE_ONE;
	}
	return d;
}

/*
 * A table with one page in the place of block @d. The rest of it is not mapped then. If
 * another call was first, it is S2_E_BUSY: the general way might need the tables that
 * the cache of this fault no longer has.
 */
static int replace_block(struct s2 *s2, uint64_t ipa, uint64_t *meta, uint64_t *entry,
			 uint64_t d, uint64_t leaf, void *mc)
{
	const int level = LAST_LEVEL - 1;
	uint64_t new = build(s2, ipa, level, LAST_LEVEL, leaf, mc);
	unsigned int tag;

	if (!new)
		return STAGE2_GENERAL;
	tag = break_here(s2, ipa & ~(level_size(s2, level) - 1), meta, entry, d);
	if (!tag) {
		unbuild(s2, ipa, level, LAST_LEVEL, new);
		return S2_E_BUSY;
	}
	make_here(s2, meta, entry, new, META_TABLE_ONE, tag);
	return 0;
}

/*
 * @new in an empty entry; put_leaf() of the engine's page.c. The swap releases: a walker
 * that sees a table sees what is in it.
 */
static bool fill(struct s2 *s2, uint64_t *meta, uint64_t *entry, uint64_t new,
		 uint64_t one)
{
	uint64_t old = s2_port_word_add(s2->port, &meta[META_STATE], one);

	if (!(old & META_DEAD) && !s2_port_cas(s2->port, entry, 0, new))
		return true;
	s2_port_word_add(s2->port, &meta[META_STATE], UINT64_C(0) - one);
	return false;
}

/*
 * A leaf in an empty entry above its level, with the tables that it needs. Returns what
 * replace_block() does.
 */
static noinline int fill_tables(struct s2 *s2, uint64_t ipa, int level, int want,
				uint64_t *meta, uint64_t *entry, uint64_t leaf, void *mc)
{
	uint64_t new = build(s2, ipa, level, want, leaf, mc);

	if (!new)
		return STAGE2_GENERAL;
	if (fill(s2, meta, entry, new, META_LIVE_ONE + META_TABLE_ONE))
		return 0;
	unbuild(s2, ipa, level, want, new);
	return S2_E_BUSY;
}

/*
 * s2_map() with S2_SHARED, S2_MAP_NEW, S2_MAP_REPLACE, S2_NO_CLEAN and S2_DROP_EDGES, of
 * a block or a page. Inside a read-side section. STAGE2_GENERAL: nothing has been done.
 */
int stage2_map_short(struct stage2_tables *t, u64 ipa, u64 pa, u64 size, s2_attr_t attr,
		     void *mc, struct s2_limbo *limbo)
{
	struct s2 *s2 = &t->s2;
	const bool block = size == level_size(s2, LAST_LEVEL - 1);
	const int want = block ? LAST_LEVEL - 1 : LAST_LEVEL;
	uint64_t *table, *entry, *meta, d, leaf;
	int level = s2->start_level, ret = STAGE2_GENERAL;

	if (size != level_size(s2, want) || (ipa | pa) & (size - 1) ||
	    ipa + size > s2->ipa_end || pa + size > s2->pa_end)
		return STAGE2_GENERAL;
	/* The root may be several tables. */
	entry = &s2->root[ipa >> s2->start_shift];
	table = s2->root + ALIGN_DOWN(entry - s2->root, table_entries(s2));
	for (;;) {
		d = s2_port_load(s2->port, entry);
		if (level == want || !desc_valid_table(d, level))
			break;
		table = table_of(s2, d);
		entry = entry_at(s2, table, ipa, ++level);
	}
	leaf = desc_leaf(s2, pa, attr, want);
	meta = table_meta(s2, table);
	/* What this table has to remember, those above do too if it does. */
	if (meta_of_leaf(s2, leaf) & ~state_of(s2, meta))
		return STAGE2_GENERAL;
	if (!d && level == want) {
		if (fill(s2, meta, entry, leaf, META_LIVE_ONE))
			ret = 0;
	} else if (!d) {
		ret = fill_tables(s2, ipa, level, want, meta, entry, leaf, mc);
	} else if (level == want) {
		if (desc_valid_table(d, level) &&
		    replace_table(s2, ipa, meta, entry, d, leaf, limbo))
			ret = 0;
	} else if (level == LAST_LEVEL - 1 && desc_valid(d) &&
		   /* Without FWB the rest of the block would have to be cleaned. */
		   s2->features & S2_FEAT_FWB) {
		ret = replace_block(s2, ipa, meta, entry, d, leaf, mc);
	}
	/* The entry before the guest runs on. */
	if (!ret)
		s2_port_dsb_ishst(s2->port);
	return ret;
}

/*
 * s2_relax_perms() where no memory has to be made visible to instruction fetch. Inside a
 * read-side section. False: nothing has been done.
 */
bool stage2_relax_short(struct stage2_tables *t, u64 ipa, s2_attr_t perms)
{
	struct s2 *s2 = &t->s2;
	struct place p;
	uint64_t new;

	if (ipa >= s2->ipa_end)
		return false;
	p = walk(s2, ipa);
	if (!desc_valid(p.d) || perms & ~desc_exec(p.d) & S2_X)
		return false;
	new = p.d | DESC_AF | (perms & S2_R ? DESC_S2AP_R : 0);
	if (perms & S2_W)
		new |= DESC_S2AP_W | stage2_dirty_relax(t, ipa, p.d, p.level);
	if (new != p.d && s2_port_cas(s2->port, p.entry, p.d, new) != p.d)
		return false;
	/* This PE's copies, which lack the permission; also if nothing has changed. */
	if (!stage2_quiet(t))
		kvm_call_hyp(__kvm_tlb_flush_vmid_ipa_nsh, t->pgt->mmu, ipa, p.level);
	return true;
}

/* s2_age() of the leaf that translates @ipa, with the MMU lock held for writing. */
bool stage2_age_short(struct stage2_tables *t, u64 ipa, bool clear)
{
	struct s2 *s2 = &t->s2;
	uint64_t old, d;
	struct place p;

	if (ipa >= s2->ipa_end)
		return false;
	p = walk(s2, ipa);
	if (!desc_valid(p.d) || !(p.d & DESC_AF))
		return false;
	/* Only hardware writes beside us: what it sets stays. */
	for (old = p.d; clear && old & DESC_AF; old = d) {
		d = s2_port_cas(s2->port, p.entry, old, old & ~DESC_AF);
		if (d == old)
			break;
	}
	return true;
}
