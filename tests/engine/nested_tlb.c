/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What PEs may have cached of the probes, at the worst: all that the tables have said,
 * until DSB; TLBI; DSB ISH; VMALLE1IS; DSB ISH of one PE has gone through, or DSB;
 * VMALLS12E1IS; DSB ISH. And which memory has been cleaned since the guest lost it.
 */
#include "nested.h"

/* What may differ between a cached leaf and the next without a break. */
#define IN_PLACE (DESC_S2AP_R | DESC_S2AP_W | DESC_DBM | DESC_XN)

static void item_add(struct probe *p, const struct item *i)
{
	if (p->items == ITEMS)
		nested_fail("too-small", "%u cached entries of a page", ITEMS);
	p->item[p->items++] = *i;
}

static bool same_item(const struct item *a, const struct item *b)
{
	return a->table == b->table && a->level == b->level && a->pa == b->pa &&
	       a->bits == b->bits;
}

/* Against an entry that a PE may still hold: may @new be valid beside it? */
static void check_beside(const struct probe *p, const struct item *old,
			 const struct item *new)
{
	bool wrong;

	if (new->table && old->table)
		wrong = old->level == new->level && old->pa != new->pa;
	else if (new->table)
		wrong = old->level <= new->level;
	else if (old->table)
		wrong = old->level >= new->level;
	else
		wrong = old->level != new->level || old->pa != new->pa ||
			(old->bits ^ new->bits) & ~IN_PLACE;
	if (wrong)
		nested_fail("break-before-make",
			    "0x%" PRIx64 ": %s 0x%" PRIx64 " of level %d becomes valid, "
			    "a PE may hold %s 0x%" PRIx64 " of level %d",
			    p->ipa, new->table ? "table" : "leaf", new->pa, new->level,
			    old->table ? "table" : "leaf", old->pa, old->level);
}

void tlb_refresh(struct probe *p, const struct item *path, unsigned n)
{
	for (unsigned i = 0; i < p->items; i++) {
		struct item *old = &p->item[i];
		bool there = false;

		for (unsigned k = 0; k < n; k++)
			there |= same_item(old, &path[k]);
		if (!there && !old->end)
			old->end = world.now;
	}
	for (unsigned k = 0; k < n; k++) {
		bool there = false;

		for (unsigned i = 0; i < p->items; i++)
			there |= !p->item[i].end && same_item(&p->item[i], &path[k]);
		if (there)
			continue;
		for (unsigned i = 0; i < p->items;) {
			struct item *old = &p->item[i];

			check_beside(p, old, &path[k]);
			/* The same again: what is true now says as much. */
			if (same_item(old, &path[k]) && old->birth == path[k].birth &&
			    old->writable == path[k].writable)
				*old = p->item[--p->items];
			else
				i++;
		}
		item_add(p, &path[k]);
	}
}

/*
 * Down from a table that is no longer linked, but that a PE may have cached the way to.
 */
static void late_walk(struct probe *p, const struct item *way)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t pa = way->pa, end = way->end;

	for (int level = way->level + 1; level <= LAST_LEVEL; level++) {
		uint64_t *table = s2_port_table_va(s2->port, pa);
		uint64_t d =
			table[p->ipa >> level_shift(s2, level) & (table_entries(s2) - 1)];
		uint64_t rest = p->ipa & (level_size(s2, level) - 1);
		struct item i = { .level = (int8_t)level,
				  .begin = world.now,
				  .end = end,
				  .birth = world.now };
		bool there = false;

		if (!desc_valid(d))
			return;
		i.table = desc_is_table(d, level);
		i.pa = desc_oa(s2, d) + (i.table ? 0 : rest);
		i.bits = i.table ? 0 : leaf_bits(d);
		i.writable = d & DESC_S2AP_W ? world.now : 0;
		for (unsigned k = 0; k < p->items; k++)
			there |= same_item(&p->item[k], &i);
		if (!there) {
			item_add(p, &i);
			if (!i.table)
				ref_lost(p, &i);
		}
		if (!i.table)
			return;
		pa = i.pa;
	}
}

void tlb_late(struct probe *p)
{
	/* What is added on the way is an entry of a detached table, too. */
	for (unsigned i = 0; i < p->items; i++)
		if (p->item[i].table && p->item[i].end)
			late_walk(p, &p->item[i]);
}

/* ---- invalidation --------------------------------------------------------------- */

/* An entry goes if the instruction reaches any address that it translates. */
static void drop_items(struct probe *p, uint64_t before, uint64_t start, uint64_t end,
		       unsigned level)
{
	bool any = false;

	for (unsigned i = 0; i < p->items;) {
		const struct item *k = &p->item[i];
		uint64_t size = level_size(&world.bed.s2, k->level);
		uint64_t base = p->ipa & ~(size - 1);

		/* A hint need not reach more than leaves of its level. */
		if (k->end && k->end < before && base < end && base + size > start &&
		    (!level || (!k->table && (unsigned)k->level == level))) {
			p->item[i] = p->item[--p->items];
			any = true;
		} else {
			i++;
		}
	}
	/* What is still reached through a table that a PE has cached comes again. */
	if (any)
		tlb_late(p);
}

/* Both stages are done. */
static void complete(struct pe *pe)
{
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];

		if (pe->all)
			drop_items(p, pe->all_before, 0, UINT64_MAX, 0);
		for (unsigned k = 0; k < pe->tlbis; k++)
			if (pe->tlbi[k].done)
				drop_items(p, pe->tlbi[k].before, pe->tlbi[k].start,
					   pe->tlbi[k].end, pe->tlbi[k].level);
	}
	pe->tlbis = 0;
	pe->all = pe->stage1 = false;
}

static void add_tlbi(struct pe *pe, uint64_t start, uint64_t end, unsigned level)
{
	if (pe->tlbis == TLBIS)
		nested_fail("too-many-tlbis", "more than %u by address", TLBIS);
	if (!pe->ordered)
		nested_fail("tlbi-unordered", "no DSB before a TLBI");
	pe->tlbi[pe->tlbis].start = start;
	pe->tlbi[pe->tlbis].end = end;
	pe->tlbi[pe->tlbis].level = level;
	pe->tlbi[pe->tlbis].before = pe->ordered;
	pe->tlbi[pe->tlbis].done = false;
	pe->tlbis++;
}

/* The register layouts of the Arm ARM. */
static void by_address(struct pe *pe, bool range, uint64_t v)
{
	const struct s2 *s2 = &world.bed.s2;
	unsigned g = s2->granule_shift, tg = (g - 10) / 2;
	uint64_t start, size = UINT64_C(1) << g;
	unsigned level;

	if (range) {
		bool lpa2 = s2->features & S2_FEAT_LPA2;
		unsigned scale = (unsigned)(v >> 44 & 3);

		level = (unsigned)(v >> 37 & 3);
		start = (v & UINT64_C(0x1fffffffff)) << (lpa2 ? 16 : g);
		size *= ((v >> 39 & 31) + 1) << (5 * scale + 1);
		if (v >> 46 != tg || !(s2->features & S2_FEAT_TLBIRANGE))
			nested_fail("tlbi-operand", "0x%" PRIx64, v);
	} else {
		level = (unsigned)(v >> 44 & 3);
		start = (v & UINT64_C(0xffffffffff)) << 12;
		if (v >> 44 && (v >> 46 != tg || !(s2->features & S2_FEAT_TTL)))
			nested_fail("tlbi-operand", "0x%" PRIx64, v);
	}
	add_tlbi(pe, start, start + size, level);
}

static void dsb_ish(struct pe *pe)
{
	if (pe->stage1 || pe->all)
		complete(pe);
	for (unsigned i = 0; i < pe->tlbis; i++)
		pe->tlbi[i].done = true;
	pe->ordered = world.now;
}

/* ---- cleaning ------------------------------------------------------------------- */

/* Whether a PE may still write to @pa through a mapping that is no more. */
static bool reachable(const struct probe *p, uint64_t pa, uint64_t birth)
{
	for (unsigned i = 0; i < p->items; i++)
		if (!p->item[i].table && p->item[i].pa == pa && p->item[i].end &&
		    p->item[i].birth <= birth)
			return true;
	return false;
}

/* Whether anybody under way, whose range the probe is in, has not waived its clean. */
static bool asked_for(const struct owed *o, unsigned i)
{
	for (unsigned k = 0; k < CALLS; k++) {
		const struct call *c = &world.call[k];

		if (c->under_way && c->inside >> i & 1 && !(c->flags & S2_NO_CLEAN) &&
		    (c->kind == UNMAP || c->kind == MAP))
			return true;
	}
	return !o->waived;
}

/* Whether the call that broke it has not returned. */
static bool is_under_way(const struct owed *o)
{
	for (unsigned k = 0; k < CALLS; k++)
		if (world.call[k].under_way && world.call[k].id == o->by)
			return true;
	return false;
}

static void clean(struct pe *pe, uint64_t pa, uint64_t size)
{
	struct call *c = pe->call;
	bool owed = false, any = false;

	pe->unclean++;
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];
		uint64_t page = c->pa + (p->ipa - c->ipa);

		if (c->kind == MAP && c->inside >> i & 1 && page >= pa &&
		    page < pa + size) {
			bool old = false;

			any = true;
			for (unsigned k = 0; k < p->items; k++)
				old |= !p->item[k].table && p->item[k].pa == page &&
				       (p->item[k].bits ^ desc_leaf(&world.bed.s2, 0,
								    c->attr,
								    LAST_LEVEL)) &
					       DESC_MEMATTR;
			c->cleaned[i] = world.now;
			c->early &= ~(1u << i);
			c->early |= (uint32_t)old << i;
		}
		if (c->kind == CLEAN && c->inside >> i & 1 && p->now.state == LEAF &&
		    p->now.pa >= pa && p->now.pa < pa + size)
			c->cleaned[i] = world.now;
		for (unsigned k = 0; k < p->oweds; k++) {
			struct owed *o = &p->owed[k];

			if (o->pa < pa || o->pa >= pa + size)
				continue;
			any = true;
			/*
			 * A parked leaf is gone on with; overlapping ranges of a batch
			 * are each cleaned. Whoever takes a marker along does not know
			 * whether others have met it.
			 */
			owed |= (!o->clean || c->exclusive || is_under_way(o)) &&
				asked_for(o, i);
			/* Not one that is complete already. */
			if ((!o->clean || o->barrier) && !reachable(p, o->pa, o->birth)) {
				o->clean = true;
				o->barrier = c->id;
			}
		}
	}
	if (any && !owed &&
	    (c->kind == FLUSH ||
	     (c->flags & S2_NO_CLEAN &&
	      (c->kind == UNMAP || c->kind == MAP || c->kind == ANNOTATE))))
		nested_fail("cleaned-what-was-waived", "0x%" PRIx64 ", 0x%" PRIx64, pa,
			    size);
	if (world.waive && c->kind != CLEAN)
		nested_fail("cleaned-what-was-waived", "0x%" PRIx64 ", by everybody", pa);
}

static void made_executable(struct call *c, uint64_t pa, uint64_t size)
{
	c->made_pa = pa;
	c->made_size = size;
	for (unsigned i = 0; i < world.probes && c->kind == MAP; i++) {
		uint64_t page = c->pa + (world.probe[i].ipa - c->ipa);

		if (page >= pa && page < pa + size)
			c->executable[i] = world.now;
	}
}

static void barrier_sy(struct pe *pe)
{
	pe->call->barrier = world.now;
	pe->unclean = 0;
	for (unsigned i = 0; i < world.probes; i++)
		for (unsigned k = 0; k < world.probe[i].oweds; k++)
			if (world.probe[i].owed[k].barrier == pe->call->id)
				world.probe[i].owed[k].barrier = 0;
}

/* ---- events ---------------------------------------------------------------------- */

void tlb_event(enum count_event what, uint64_t at, uint64_t value)
{
	struct pe *pe = pe_now();

	if (what == COUNT_FREE)
		ref_freed(at);
	if (!pe)
		return;
	switch (what) {
	case COUNT_VMID_ENTER:
	case COUNT_VMID_LEAVE:
		if (pe->entered == (what == COUNT_VMID_ENTER))
			nested_fail("vmid", "entered or left twice");
		pe->entered = what == COUNT_VMID_ENTER;
		break;
	case COUNT_DSB_ISHST:
		pe->ordered = world.now;
		break;
	case COUNT_DSB_ISH:
		dsb_ish(pe);
		break;
	case COUNT_DSB_SY:
		barrier_sy(pe);
		break;
	case COUNT_IPAS2E1IS:
	case COUNT_RIPAS2E1IS:
		by_address(pe, what == COUNT_RIPAS2E1IS, value);
		break;
	case COUNT_VMALLE1IS:
		for (unsigned i = 0; i < pe->tlbis; i++)
			pe->stage1 |= pe->tlbi[i].done;
		break;
	case COUNT_VMALLS12E1IS:
		if (!pe->ordered)
			nested_fail("tlbi-unordered", "no DSB before a TLBI");
		pe->all = true;
		pe->all_before = pe->ordered;
		break;
	case COUNT_CLEAN:
		clean(pe, at, value);
		break;
	case COUNT_EXECUTABLE:
		made_executable(pe->call, at, value);
		break;
	default:
		break;
	}
}

void tlb_returned(const struct pe *pe)
{
	if (pe->tlbis || pe->all)
		nested_fail("tlbi-not-complete", "a call returns before its DSB");
	if (pe->unclean)
		nested_fail("clean-not-complete", "a call returns before its DSB SY");
	if (pe->entered)
		nested_fail("vmid", "a call returns and leaves it entered");
}
