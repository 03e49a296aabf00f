/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PEs at their worst: whatever a PE may have cached it has, until the sequence that
 * removes it has completed. There is no PE to be scheduled: what may be cached is
 * what the tables say now, and the stale records, one for each thing they said
 * before. A record goes by
 *
 *	DSB; TLBI by IPA; DSB ISH; TLBI VMALLE1IS; DSB ISH   or
 *	DSB; TLBI VMALLS12E1IS; DSB ISH
 *
 * of one thread, for a DSB waits for the TLBIs of its own PE only; then by the
 * other agents' invalidation; and if its memory has to be cleaned, by that.
 *
 * This is an opinion of its own: of the engine it knows the bits of a descriptor
 * and of a marker (desc.h), no more.
 */
#include <string.h>

#include "judge.h"
#include "weak.h"

#define MASK(thread) ((uint8_t)(1u << ((thread) == NOBODY ? THREADS : (thread))))

static unsigned shift_of(int level)
{
	return 12u + 9u * (unsigned)(3 - level);
}

uint64_t pe_size(int level)
{
	return UINT64_C(1) << shift_of(level);
}

static uint64_t entry_ipa(uint32_t entry)
{
	const struct page *page = &world.page[entry / ENTRIES];

	return page->ipa + ((uint64_t)(entry % ENTRIES) << shift_of(page->level));
}

static uint64_t oa_of(uint64_t desc)
{
	return desc & UINT64_C(0xfffffffff000);
}

/* Somebody may use it: a PE or another agent. */
static bool held(const struct stale *s)
{
	return !s->gone || !s->agents;
}

/*
 * Entries are for others again although an agent has not answered: S2_E_AGENTS says so.
 * Tables are not.
 */
static bool live(const struct stale *s)
{
	return sc->agents_fail ? !s->gone : held(s);
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool is_root(unsigned page)
{
	return mem_pa(page) == s2_port_table_pa(NULL, world.s2.root);
}

/* Whether a walk by the tables as they are comes to a page. */
bool pe_linked(unsigned page)
{
	while (!is_root(page)) {
		const struct page *p = &world.page[page];
		uint64_t d;

		if (p->state != PAGE_PUBLISHED)
			return false;
		d = arena[p->at];
		if (!desc_valid_table(d, p->level - 1) || oa_of(d) != mem_pa(page))
			return false;
		page = p->at / ENTRIES;
	}
	return true;
}

/* A stale table entry by which those who @use it walk to a page; NULL: none. */
static const struct stale *stale_way(unsigned page, bool use(const struct stale *))
{
	for (;;) {
		const struct page *p = &world.page[page];
		uint64_t d;

		for (unsigned i = 0; i < world.nstale; i++) {
			const struct stale *s = &world.stale[i];

			if (s->table && use(s) && oa_of(s->desc) == mem_pa(page))
				return s;
		}
		if (p->state != PAGE_PUBLISHED || is_root(page))
			return NULL;
		d = arena[p->at];
		if (!desc_valid_table(d, p->level - 1) || oa_of(d) != mem_pa(page))
			return NULL;
		page = p->at / ENTRIES;
	}
}

static struct stale *stale_add(uint64_t desc, uint64_t ipa, uint32_t at, int level)
{
	struct stale *s;

	for (unsigned i = 0; i < world.nstale; i++)
		if (world.stale[i].at == at && world.stale[i].desc == desc &&
		    !world.stale[i].visible && !world.stale[i].issued_e1)
			return &world.stale[i];
	if (world.nstale == STALE) {
		violation("scenario-too-large", "%u stale entries", STALE);
		return NULL;
	}
	s = &world.stale[world.nstale++];
	*s = (struct stale){ .desc = desc,
			     .ipa = ipa,
			     .at = (uint16_t)at,
			     .level = (uint8_t)level,
			     .by = (uint8_t)call_now(),
			     .first = (uint8_t)call_now(),
			     .table = desc_is_table(desc, level) };
	return s;
}

/*
 * What was behind a stale table entry may be held no longer than that: it goes with
 * the same TLBIs, as far as they are for its address.
 */
static void goes_with(struct stale *s, const struct stale *way)
{
	s->by = way->by;
	s->first = way->first;
	s->visible = way->visible;
	s->issued_all = way->issued_all;
	s->no_stage2 = way->no_stage2;
	s->gone = way->gone;
	s->issued_e1 = way->issued_e1;
	s->agents = way->agents;
	for (int i = 0; i <= THREADS; i++) {
		const struct thread *t = &world.thread[i];

		for (unsigned j = 0; way->issued >> i & 1 && j < t->npending; j++)
			if (overlap(s->ipa, pe_size(s->level), t->pending[j].start,
				    t->pending[j].end - t->pending[j].start))
				s->issued |= (uint8_t)(1u << i);
	}
}

static void forget(void)
{
	for (unsigned i = 0; i < world.nstale;) {
		const struct stale *s = &world.stale[i];

		if (!held(s) && !s->to_clean && !s->in_cache)
			world.stale[i] = world.stale[--world.nstale];
		else
			i++;
	}
	/* Equal states are compared byte by byte, unused records too. */
	memset(&world.stale[world.nstale], 0, sizeof(world.stale[0]));
}

/* ---- a write ---- */

static bool same_but_perms(uint64_t a, uint64_t b)
{
	return !((a ^ b) & ~DESC_IN_PLACE);
}

/*
 * A leaf that is given (again): no clean is owed for that memory any more, unless the
 * guest sees it by another type now.
 */
static void no_clean_owed(uint64_t ipa, uint64_t desc, int level)
{
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];

		if (!overlap(s->ipa, pe_size(s->level), ipa, pe_size(level)) ||
		    oa_of(s->desc) - s->ipa != oa_of(desc) - ipa)
			continue;
		if (s->in_cache && (s->desc ^ desc) & DESC_MEMATTR &&
		    desc_needs_clean(world.s2.features, desc) && !call_waives())
			violation("made-unclean",
				  "0x%llx for 0x%llx: 0x%llx has not been cleaned since",
				  (unsigned long long)desc, (unsigned long long)ipa,
				  (unsigned long long)s->desc);
		s->to_clean = s->in_cache = false;
	}
}

/*
 * An entry becomes valid, and all that is below it: does anything that a PE may
 * still hold say something else?
 */
static void becomes_valid(uint32_t entry, uint64_t ipa, uint64_t new, int level)
{
	bool table = desc_is_table(new, level);

	for (unsigned i = 0; i < world.nstale; i++) {
		const struct stale *s = &world.stale[i];
		bool wrong;

		if (!live(s) || !overlap(s->ipa, pe_size(s->level), ipa, pe_size(level)))
			continue;
		if (table && s->table)
			wrong = s->level == level && s->desc != new;
		else if (table)
			wrong = s->level <= level;
		else if (s->table)
			wrong = s->level >= level;
		else
			wrong = s->level != level || !same_but_perms(s->desc, new);
		if (wrong)
			violation("break-before-make",
				  "0x%llx at level %d for 0x%llx: a PE may hold 0x%llx "
				  "of level %d",
				  (unsigned long long)new, level, (unsigned long long)ipa,
				  (unsigned long long)s->desc, s->level);
	}
	if (table) {
		int page = mem_page(oa_of(new));
		struct page *p = &world.page[page];

		if (page < 0 || p->state == PAGE_FREE || p->state == PAGE_FREED) {
			violation("table-not-there", "0x%llx links no table",
				  (unsigned long long)new);
			return;
		}
		p->state = PAGE_PUBLISHED;
		p->at = (uint16_t)entry;
		p->level = (uint8_t)(level + 1);
		p->ipa = ipa;
		for (unsigned i = 0; i < ENTRIES; i++) {
			uint32_t below = (unsigned)page * ENTRIES + i;

			if (desc_valid(arena[below]))
				becomes_valid(below, entry_ipa(below), arena[below],
					      level + 1);
		}
	} else {
		no_clean_owed(ipa, new, level);
	}
}

/*
 * Who breaks a leaf, alone or with others below a table, is who has to clean it: a table
 * above may have been detached by another before.
 */
static void broken_by_me(uint32_t entry)
{
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];
		uint32_t at = s->at;

		if (s->table || arena[at] != s->desc)
			continue;
		/* Up from the leaf, by links that are valid. */
		while (at != entry && !is_root(at / ENTRIES)) {
			uint32_t link = world.page[at / ENTRIES].at;

			if (!desc_valid(arena[link]) ||
			    oa_of(arena[link]) != mem_pa(at / ENTRIES))
				break;
			at = link;
		}
		if (at != entry)
			continue;
		s->by = (uint8_t)call_now();
		if (pe_linked(entry / ENTRIES))
			s->first = s->by;
	}
}

static bool owes_clean(uint64_t desc, uint64_t marker)
{
	return !(marker & DESC_REMAKE) && desc_needs_clean(world.s2.features, desc);
}

/* The leaves below a table that goes: their memory is to be cleaned with it. */
static void below_to_clean(uint64_t desc, int level, const struct stale *way)
{
	unsigned first = (unsigned)mem_page(oa_of(desc)) * ENTRIES;

	for (uint32_t e = first; e < first + ENTRIES; e++) {
		struct stale *s;

		if (desc_valid_table(arena[e], level + 1)) {
			below_to_clean(arena[e], level + 1, way);
		} else if (desc_valid(arena[e]) &&
			   desc_needs_clean(world.s2.features, arena[e])) {
			s = stale_add(arena[e], entry_ipa(e), e, level + 1);
			if (!s)
				return;
			if (way)
				goes_with(s, way);
			s->to_clean = true;
		}
	}
}

void pe_write(uint32_t entry, uint64_t new)
{
	unsigned page = entry / ENTRIES;
	int level = world.page[page].level;
	uint64_t old = arena[entry], ipa;
	const struct stale *way;
	struct stale *s;
	bool here;

	if (world.page[page].state != PAGE_PUBLISHED || old == new)
		return;
	ipa = entry_ipa(entry);
	here = pe_linked(page);
	way = here ? NULL : stale_way(page, live);
	if (desc_busy(old) && !desc_busy(new))
		for (unsigned i = 0; i < world.nstale; i++)
			if (world.stale[i].at == entry && live(&world.stale[i]))
				violation("marker-replaced-early",
					  "0x%llx for 0x%llx: a PE may still hold 0x%llx",
					  (unsigned long long)new,
					  (unsigned long long)ipa,
					  (unsigned long long)world.stale[i].desc);
	if (desc_valid(old) && desc_valid(new)) {
		if (desc_is_table(old, level) || desc_is_table(new, level) ||
		    !same_but_perms(old, new))
			violation("break-before-make",
				  "0x%llx becomes 0x%llx in one write",
				  (unsigned long long)old, (unsigned long long)new);
		/* An entry without its access flag is never cached. */
		s = (here || way) && old & DESC_AF && (old ^ new) & ~(DESC_AF | DESC_SW) ?
			    stale_add(old, ipa, entry, level) :
			    NULL;
		if (s && way)
			goes_with(s, way);
	} else if (desc_valid(old) && (here || way)) {
		s = stale_add(old, ipa, entry, level);
		if (!s)
			return;
		if (way)
			goes_with(s, way);
		s->in_cache = world.retypes && !s->table && desc_needs_clean(0, old);
		if (s->table && owes_clean(DESC_MEMATTR, new))
			below_to_clean(old, level, way);
		else if (!s->table)
			s->to_clean = owes_clean(old, new);
	}
	if (desc_valid(old) && !desc_valid(new) && !(new &DESC_REMAKE))
		broken_by_me(entry);
	if (!desc_valid(new))
		return;
	if (here || desc_is_table(new, level))
		becomes_valid(entry, ipa, new, level);
	if (!way || desc_is_table(new, level))
		return;
	/* Given to PEs behind a table entry that is stale already. */
	s = stale_add(new, ipa, entry, level);
	if (s) {
		goes_with(s, way);
		s->to_clean = desc_needs_clean(world.s2.features, new);
	}
}

/* ---- barriers and invalidations ---- */

/* The leaves below a table entry that went with a TLBI for other addresses. */
static void left_behind(const struct thread *t, const struct stale *way, uint64_t desc,
			int level)
{
	unsigned first = (unsigned)mem_page(oa_of(desc)) * ENTRIES;

	for (uint32_t e = first; e < first + ENTRIES; e++) {
		struct stale *s;
		bool reached = false;

		if (!desc_valid(arena[e]))
			continue;
		if (desc_is_table(arena[e], level + 1)) {
			left_behind(t, way, arena[e], level + 1);
			continue;
		}
		for (unsigned i = 0; i < t->npending; i++)
			reached |= overlap(entry_ipa(e), pe_size(level + 1),
					   t->pending[i].start,
					   t->pending[i].end - t->pending[i].start);
		s = reached ? NULL : stale_add(arena[e], entry_ipa(e), e, level + 1);
		if (!s)
			continue;
		goes_with(s, way);
		s->visible = UINT8_MAX;
	}
}

static void complete(int thread)
{
	struct thread *t = &world.thread[thread == NOBODY ? THREADS : thread];
	uint8_t me = MASK(thread);
	unsigned n = world.nstale;

	for (unsigned i = 0; i < n; i++) {
		struct stale *s = &world.stale[i];

		if (s->issued & me && s->table && !s->no_stage2)
			left_behind(t, s, s->desc, s->level);
		s->no_stage2 |= !!(s->issued & me);
		s->gone |= s->issued_e1 & me || s->issued_all & me;
		s->no_stage2 |= s->gone;
		s->issued &= (uint8_t)~me;
		s->issued_e1 &= (uint8_t)~me;
		s->issued_all &= (uint8_t)~me;
	}
	memset(t->pending, 0, sizeof(t->pending));
	t->npending = 0;
}

/*
 * Whether a DSB of the thread makes sure that no walk finds what the record holds: it
 * does of the thread's own stores, and of those that it has seen. One is enough, of the
 * entry itself or of an entry above that does not link its table any more.
 */
static bool seen_to_go(int thread, const struct stale *s)
{
	uint32_t at = s->at;
	bool gone = arena[at] != s->desc;

	while (!gone || !weak_knows(thread, at)) {
		uint32_t page = at / ENTRIES;

		if (is_root(page))
			return false;
		at = world.page[page].at;
		gone = !desc_valid(arena[at]) || oa_of(arena[at]) != mem_pa(page);
	}
	return true;
}

void pe_dsb(int thread, enum event kind)
{
	uint8_t me = MASK(thread);

	weak_dsb(thread, kind);
	if (kind != EV_DSB_ISHST)
		complete(thread);
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];

		if (seen_to_go(thread, s))
			s->visible |= me;
		if (kind != EV_DSB_SY)
			continue;
		s->parts &= (uint8_t)~me;
		if (!s->parts)
			s->settled = s->cleaned;
		if (s->dc & me || (!s->parts && s->cleaned == pe_size(s->level)))
			s->to_clean = s->in_cache = false;
	}
	forget();
}

static void tlbi_span(int thread, uint64_t start, uint64_t end, int ttl)
{
	struct thread *t = &world.thread[thread == NOBODY ? THREADS : thread];

	if (t->npending == PENDING) {
		violation("too-many-tlbis", "%u without a DSB", PENDING);
		return;
	}
	t->pending[t->npending++] = (struct span){ start, end };
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];

		if (s->visible & MASK(thread) && !s->no_stage2 &&
		    overlap(s->ipa, pe_size(s->level), start, end - start) &&
		    (!ttl || (s->table ? s->level < ttl : s->level == ttl)))
			s->issued |= MASK(thread);
	}
}

void pe_tlbi(int thread, enum event kind, uint64_t operand)
{
	uint64_t start, pages;

	switch (kind) {
	case EV_TLBI_IPA:
		start = (operand & ((UINT64_C(1) << 36) - 1)) << 12;
		tlbi_span(thread, start, start + 4096, (int)(operand >> 44) & 3);
		break;
	case EV_TLBI_RANGE:
		start = (operand & ((UINT64_C(1) << 37) - 1)) << 12;
		pages = ((operand >> 39 & 31) + 1) << (5 * (operand >> 44 & 3) + 1);
		tlbi_span(thread, start, start + pages * 4096, (int)(operand >> 37) & 3);
		break;
	case EV_TLBI_E1:
		for (unsigned i = 0; i < world.nstale; i++)
			if (world.stale[i].no_stage2)
				world.stale[i].issued_e1 |= MASK(thread);
		break;
	default:
		for (unsigned i = 0; i < world.nstale; i++)
			if (world.stale[i].visible & MASK(thread))
				world.stale[i].issued_all |= MASK(thread);
		break;
	}
}

void pe_agents(int thread, uint64_t ipa, uint64_t size)
{
	(void)thread;
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];

		if (s->gone && (!size || overlap(s->ipa, pe_size(s->level), ipa, size)))
			s->agents = true;
	}
	forget();
}

void pe_agents_stop(void)
{
	for (unsigned i = 0; i < world.nstale; i++)
		world.stale[i].agents = true;
	forget();
}

/* A clean before the guest has lost the memory is none: it may write again. */
void pe_clean(int thread, uint64_t pa, uint64_t size)
{
	for (unsigned i = 0; i < world.nstale; i++) {
		struct stale *s = &world.stale[i];
		uint64_t at = oa_of(s->desc) + s->cleaned;
		uint64_t end = oa_of(s->desc) + pe_size(s->level);

		if ((!s->to_clean && !s->in_cache) || live(s))
			continue;
		if (pa <= oa_of(s->desc) + s->settled && pa + size >= end) {
			s->dc |= MASK(thread);
		} else if (pa <= at && pa + size > at) {
			s->cleaned += (pa + size < end ? pa + size : end) - at;
			s->parts |= MASK(thread);
		}
	}
}

void pe_free(unsigned page)
{
	if (world.page[page].state == PAGE_PUBLISHED &&
	    (pe_linked(page) || stale_way(page, held)))
		violation("table-freed-early", "0x%llx, which a PE may walk",
			  (unsigned long long)mem_pa(page));
}

/* ---- looking ---- */

static uint64_t walk_from(unsigned page, int level, uint64_t ipa, int *at,
			  uint32_t *entry)
{
	for (;;) {
		uint64_t d;

		*entry = page * ENTRIES + (uint32_t)(ipa >> shift_of(level)) % ENTRIES;
		*at = level;
		d = arena[*entry];
		if (!desc_valid_table(d, level))
			return d;
		page = (unsigned)mem_page(oa_of(d));
		level++;
	}
}

uint64_t pe_walk(uint64_t ipa, int *level, uint32_t *entry)
{
	unsigned root = (unsigned)mem_index(world.s2.root) / ENTRIES;

	return walk_from(root, world.s2.start_level, ipa, level, entry);
}

static uint64_t page_of_leaf(uint64_t desc, int level, uint64_t ipa)
{
	return oa_of(desc) + (ipa & (pe_size(level) - 1));
}

void pe_each(uint64_t ipa, pe_leaf *fn, void *data)
{
	uint32_t entry;
	int level;
	uint64_t d = pe_walk(ipa, &level, &entry);

	if (desc_valid(d))
		fn(data, page_of_leaf(d, level, ipa), d, NULL);
	for (unsigned i = 0; i < world.nstale; i++) {
		const struct stale *s = &world.stale[i];

		if (!live(s) || ipa < s->ipa || ipa - s->ipa >= pe_size(s->level))
			continue;
		if (s->table) {
			d = walk_from((unsigned)mem_page(oa_of(s->desc)), s->level + 1,
				      ipa, &level, &entry);
			if (desc_valid(d))
				fn(data, page_of_leaf(d, level, ipa), d, s);
		} else {
			fn(data, page_of_leaf(s->desc, s->level, ipa), s->desc, s);
		}
	}
}

void pe_each_entry(uint64_t ipa, pe_entry *fn, void *data)
{
	uint32_t entry;
	int level;

	pe_walk(ipa, &level, &entry);
	fn(data, entry, level);
	for (unsigned i = 0; i < world.nstale; i++) {
		const struct stale *s = &world.stale[i];

		if (!live(s) || !s->table || ipa < s->ipa ||
		    ipa - s->ipa >= pe_size(s->level))
			continue;
		walk_from((unsigned)mem_page(oa_of(s->desc)), s->level + 1, ipa, &level,
			  &entry);
		fn(data, entry, level);
	}
}

const struct stale *pe_uncleaned(unsigned *i, uint64_t ipa, uint64_t size)
{
	for (; *i < world.nstale; ++*i) {
		const struct stale *s = &world.stale[*i];

		if (s->to_clean && overlap(s->ipa, pe_size(s->level), ipa, size))
			return s;
	}
	return NULL;
}
