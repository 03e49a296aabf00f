/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The port: each access is a point where another thread may come in first. With a
 * plant, one rule of the engine or of the contract is broken here, and only here.
 */
#include "judge.h"
#include "weak.h"

/* A table that was given back belongs to somebody else now. */
static uint32_t check(const void *word)
{
	uint32_t where = location(word);
	int32_t entry = mem_index(word);

	if (where == NOWHERE) {
		violation("wild-pointer", "%p is no entry", word);
		return where;
	}
	if (entry >= 0 && world.page[(uint32_t)entry / ENTRIES].state != PAGE_PUBLISHED &&
	    world.page[(uint32_t)entry / ENTRIES].state != PAGE_PRIVATE)
		violation("use-after-free", "entry %u of the table at 0x%llx",
			  (uint32_t)entry % ENTRIES,
			  (unsigned long long)mem_pa((uint32_t)entry / ENTRIES));
	return where;
}

static uint64_t *word_of(const uint64_t *word)
{
	return (uint64_t *)(uintptr_t)word;
}

/* An entry of a table that PEs may walk links another. */
static void links(uint32_t entry, uint64_t value, unsigned order)
{
	int page = mem_page(value & UINT64_C(0xfffffffff000));

	if (page >= 0 && desc_valid_table(value, world.page[entry / ENTRIES].level))
		weak_links((unsigned)page, order);
}

/* How memory hears of it: a store, or an atomic access. */
typedef void write_as(uint32_t where, uint64_t old, uint64_t value, unsigned order);

static void write_word(uint64_t *word, uint64_t value, write_as *as, unsigned order)
{
	int32_t entry = mem_index(word);
	uint64_t old = *word;

	if (entry < 0) {
		if (word == &world.s2.tags)
			rest_tags(*word & ~value);
		if (*word != value)
			*word = value;
	} else {
		pe_write((uint32_t)entry, value);
		counted_written((uint32_t)entry, *word, value);
		mem_write((uint32_t)entry, value);
		if (world.page[(uint32_t)entry / ENTRIES].state == PAGE_PUBLISHED) {
			dirty_may_write();
			links((uint32_t)entry, value, order);
		} else {
			weak_filled((uint32_t)entry / ENTRIES);
		}
	}
	as(location(word), old, value, order);
}

/* Another's marker whose invalidation has not completed. */
static bool pending_marker(const uint64_t *word)
{
	int32_t entry = mem_index(word);

	for (unsigned i = 0; entry >= 0 && i < world.nstale; i++)
		if (world.stale[i].at == (uint32_t)entry && !world.stale[i].gone)
			return desc_busy(*word) && !(*word & DESC_REMAKE);
	return false;
}

uint64_t s2_port_load(void *port, const uint64_t *word)
{
	uint32_t where = check(word);
	uint64_t d;

	(void)port;
	point(EV_LOAD, where, 0);
	check(word);
	touched(where, false);
	weak_uses(where);
	d = weak_load(where, word_of(word), VIEWS_PLAIN);
	if (planted == PLANT_MARKER_TAKEN && call_running() == CALL_MAP &&
	    pending_marker(word))
		return 0;
	if (planted == PLANT_MARKER_UNSEEN && call_running() == CALL_UNMAP &&
	    current() == 1 && mem_index(word) >= 0 && desc_busy(d))
		return 0;
	return d;
}

static void store(uint64_t *word, uint64_t value, unsigned order)
{
	uint32_t where = check(word);

	point(EV_STORE, where, value);
	check(word);
	touched(where, true);
	weak_uses(where);
	write_word(word, value, weak_store, order);
}

void s2_port_store(void *port, uint64_t *word, uint64_t value)
{
	(void)port;
	store(word, value, VIEWS_PLAIN);
}

void s2_port_store_release(void *port, uint64_t *word, uint64_t value)
{
	(void)port;
	store(word, value, VIEWS_RELEASE);
}

#define BOTH (VIEWS_ACQUIRE | VIEWS_RELEASE)

uint64_t s2_port_cas(void *port, uint64_t *word, uint64_t old, uint64_t value)
{
	return weaker_cas(port, word, old, value, BOTH);
}

uint64_t weaker_cas(void *port, uint64_t *word, uint64_t old, uint64_t value,
		    unsigned order)
{
	uint32_t where = check(word);
	uint64_t found;

	(void)port;
	point(EV_CAS, where, value);
	check(word);
	touched(where, true);
	weak_uses(where);
	if (weak_fails(where, word, old, order, &found))
		return found;
	found = *word;
	if (planted == PLANT_MARKER_TAKEN && call_running() == CALL_MAP && !old &&
	    pending_marker(word))
		found = old;
	if (found != old)
		return weak_load(where, word, order);
	if (planted == PLANT_CAS_TORN) {
		point(EV_STORE, where, value);
		check(word);
	}
	write_word(word, value, weak_rmw, order);
	return found;
}

/* ---- words ---- */

/* Statistics are nobody's reason to do anything: no step, whoever counts. */
static bool is_statistic(const uint64_t *word)
{
	return location(word) >= LOCATION_S2 && word != &world.s2.tags;
}

uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	return is_statistic(word) ? *word : s2_port_load(port, word);
}

uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	return weaker_add(port, word, n, BOTH);
}

uint64_t weaker_add(void *port, uint64_t *word, uint64_t n, unsigned order)
{
	uint32_t where = check(word);
	uint64_t old;

	(void)port;
	if (is_statistic(word)) {
		*word += n;
		return *word - n;
	}
	point(EV_ADD, where, n);
	touched(where, true);
	weak_uses(where);
	old = *word;
	if (word == &world.s2.tags)
		rest_tags(old & ~(old + n));
	if (planted == PLANT_ADD_TORN) {
		point(EV_STORE, where, old + n);
		*word = old + n;
	} else {
		*word += n;
	}
	weak_rmw(where, old, old + n, order);
	if (planted == PLANT_DEAD_IGNORED && call_running() == CALL_MAP)
		old &= ~META_DEAD;
	if (planted == PLANT_FLAG_IGNORED && call_running() == CALL_MAP)
		old |= META_CLEAN;
	return old;
}

uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	return weaker_or(port, word, bits, BOTH);
}

uint64_t weaker_or(void *port, uint64_t *word, uint64_t bits, unsigned order)
{
	uint32_t where = check(word);
	uint64_t old;

	(void)port;
	point(EV_OR, where, bits);
	touched(where, true);
	weak_uses(where);
	old = *word;
	*word |= bits;
	weak_rmw(where, old, old | bits, order);
	return old;
}

uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old, uint64_t value)
{
	return s2_port_cas(port, word, old, value);
}

/* ---- table pages ---- */

uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	uint64_t *table;

	(void)port;
	(void)cookie;
	table = mem_alloc(current(), 1);
	if (table)
		weak_taken(current(), (unsigned)mem_index(table) / ENTRIES);
	else
		violation("scenario-too-large", "no table page is left");
	return table;
}

void s2_port_table_free(void *port, uint64_t *table)
{
	int32_t entry = mem_index(table);

	(void)port;
	point(EV_FREE, NOWHERE, entry < 0 ? 0 : mem_pa((uint32_t)entry / ENTRIES));
	if (entry < 0 || entry % ENTRIES) {
		violation("wild-pointer", "%p is no table", (void *)table);
		return;
	}
	check(table);
	for (int i = 0; i < THREADS; i++)
		if (i != current() && world.thread[i].in_section &&
		    world.thread[i].holds >> ((uint32_t)entry / ENTRIES) & 1)
			violation("freed-under-walker",
				  "0x%llx, to which T%d holds a pointer",
				  (unsigned long long)mem_pa((uint32_t)entry / ENTRIES),
				  i + 1);
	pe_free((uint32_t)entry / ENTRIES);
	mem_free(table);
}

uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	uint64_t *root = mem_alloc(NOBODY, pages);

	(void)port;
	for (unsigned i = 0; root && i < pages; i++) {
		struct page *p = &world.page[(unsigned)mem_index(root) / ENTRIES + i];

		p->state = PAGE_PUBLISHED;
		p->level = sc->ipa_bits > 43 ? 0 : 1;
		p->ipa = (uint64_t)i << (p->level ? 39 : 48);
	}
	return root;
}

void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	(void)port;
	for (unsigned i = 0; i < pages; i++)
		world.page[(unsigned)mem_index(root) / ENTRIES + i].state = PAGE_FREED;
}

uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	(void)port;
	check(table);
	return world.meta[(unsigned)mem_index(table) / ENTRIES];
}

uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	(void)port;
	return mem_pa((unsigned)mem_index(table) / ENTRIES);
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	int page = mem_page(pa);

	(void)port;
	if (page < 0) {
		violation("wild-pointer", "0x%llx is no table", (unsigned long long)pa);
		page = 0;
	}
	if (current() != NOBODY)
		world.thread[current()].holds |= UINT64_C(1) << page;
	weak_address((unsigned)page);
	return &arena[(unsigned)page * ENTRIES];
}

/* ---- barriers, invalidations, caches ---------------------------------------------
 *
 * Only a DSB that completes something is a step. What a TLBI, or a clean, can reach
 * is the less the earlier it is, and nobody else can tell when it was issued; so
 * they, and the DSB ISHST before a TLBI, come with the step before them, which is
 * the worst that can happen.
 */

void s2_port_vmid_enter(void *port)
{
	(void)port;
}

void s2_port_vmid_leave(void *port)
{
	(void)port;
}

void s2_port_isb(void *port)
{
	(void)port;
}

void s2_port_dsb_ishst(void *port)
{
	(void)port;
	/* Until then a store of the thread may have been overtaken. */
	if (weak_loose(current()))
		point(EV_DSB_ISHST, NOWHERE, 0);
	if (planted != PLANT_NO_DSB_BEFORE)
		pe_dsb(current(), EV_DSB_ISHST);
}

void s2_port_dsb_ish(void *port)
{
	(void)port;
	point(EV_DSB_ISH, NOWHERE, 0);
	pe_dsb(current(), planted == PLANT_NO_DSB_AFTER ? EV_DSB_ISHST : EV_DSB_ISH);
}

void s2_port_dsb_sy(void *port)
{
	(void)port;
	point(EV_DSB_SY, NOWHERE, 0);
	pe_dsb(current(), EV_DSB_SY);
}

/*
 * What one PE does for itself alone changes nothing that another may hold. The
 * engine does it only where an old copy lacks permissions and nothing else.
 */
void s2_port_dsb_nsh(void *port)
{
	(void)port;
}

void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	(void)port;
	(void)operand;
}

void s2_port_tlbi_vmalle1(void *port)
{
	(void)port;
}

static void tlbi(enum event kind, uint64_t operand)
{
	if (planted == PLANT_NO_TLBI && kind != EV_TLBI_E1)
		return;
	if (planted == PLANT_NO_STAGE1 && kind == EV_TLBI_E1)
		return;
	pe_tlbi(current(), kind, operand);
}

void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	(void)port;
	tlbi(EV_TLBI_IPA, operand);
}

void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	(void)port;
	tlbi(EV_TLBI_RANGE, operand);
}

void s2_port_tlbi_vmalle1is(void *port)
{
	(void)port;
	tlbi(EV_TLBI_E1, 0);
}

void s2_port_tlbi_vmalls12e1is(void *port)
{
	(void)port;
	tlbi(EV_TLBI_ALL, 0);
}

int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port;
	if (current() != NOBODY && (int)sc->agents_fail == current() + 1) {
		world.thread[current()].unanswered = true;
		return -1;
	}
	if (planted != PLANT_NO_AGENTS)
		pe_agents(current(), ipa, size);
	return 0;
}

void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa, uint64_t size,
		       s2_attr_t attr)
{
	(void)port;
	(void)cookie;
	(void)attr;
	counted_gone(ipa, pa, size);
}

void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	(void)port;
	(void)attr;
	if (call_now() < CALLS)
		judge_clean(call_now(), pa, size);
	if (planted != PLANT_NO_CLEAN)
		pe_clean(current(), pa, size);
}

void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	(void)port;
	(void)pa;
	(void)size;
}
