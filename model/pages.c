/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events: table pages that are taken and given back. */
#include <string.h>

#include "internal.h"

/* Fresh pages hold entries that look valid, so that a missing zeroing shows. */
#define POISON 0x5a
#define POISON_LAST 0x5b

void *s2m_ptr(const struct machine *m, uint64_t pa)
{
	struct page *p = page_at(m, pa);

	return p ? (uint8_t *)page_mem(m, p) + (pa & (granule(m) - 1)) : NULL;
}

uint64_t s2m_pa(const struct machine *m, const void *ptr)
{
	const uint64_t at = (uint64_t)((const uint8_t *)ptr - m->mem);

	return page_pa(m, &m->page[at >> m->granule]) + (at & (granule(m) - 1));
}

uint64_t *s2m_meta(const struct machine *m, uint64_t pa)
{
	return page_at(m, pa)->meta;
}

uint64_t s2m_tables_in_use(const struct machine *m)
{
	return m->in_use;
}

unsigned s2m_granule_shift(const struct machine *m)
{
	return m->granule;
}

unsigned s2m_pes(const struct machine *m)
{
	return m->pes;
}

uint16_t s2m_counted(const struct machine *m)
{
	return m->counted;
}

bool s2m_vtcr_read(const struct machine *m, uint64_t vtcr)
{
	struct desc_tree t;

	return desc_vtcr(vtcr, m->granule, m->features & S2M_LPA2, &t);
}

uint32_t s2m_features(const struct machine *m)
{
	return m->features;
}

uint32_t s2m_agent_lacks(const struct machine *m)
{
	return m->agent_lacks;
}

void s2m_shuffle(struct machine *m, uint64_t seed)
{
	m->seed = seed;
}

static uint64_t draw(struct machine *m, uint64_t below)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed % below;
}

static bool take_one(struct machine *m, uint64_t *i)
{
	size_t at;

	if (!m->stack_n) {
		uint64_t n = m->seed ? 256 : 1;

		while (n-- && m->fresh < m->pages)
			m->stack[m->stack_n++] = (uint32_t)m->fresh++;
		if (!m->stack_n)
			return false;
	}
	at = m->stack_n - 1;
	if (m->seed) {
		uint64_t pick = draw(m, m->stack_n);

		*i = m->stack[pick];
		m->stack[pick] = m->stack[at];
	} else {
		*i = m->stack[at];
	}
	m->stack_n--;
	return true;
}

static bool take_run(struct machine *m, unsigned pages, unsigned align, uint64_t *i)
{
	uint64_t skip;
	uint32_t head = m->run[pages];

	if (head && !(((m->base >> m->granule) + head - 1) & (align - 1))) {
		m->run[pages] = m->page[head - 1].next;
		*i = head - 1;
		return true;
	}
	skip = -((m->base >> m->granule) + m->fresh) & (align - 1);
	if (m->fresh + skip + pages > m->pages)
		return false;
	while (skip--)
		m->stack[m->stack_n++] = (uint32_t)m->fresh++;
	*i = m->fresh;
	m->fresh += pages;
	return true;
}

static void take_page(struct machine *m, struct page *p)
{
	m->in_use++;
	m->count.tables_taken++;
	/* Stale entries may still point to the page: keep what they need. */
	*p = (struct page){ .tree = p->refs ? p->tree : NULL,
			    .ipa = p->ipa,
			    .refs = p->refs,
			    .level = p->refs ? p->level : -1,
			    .given = p->given,
			    .taken = true,
			    .used = true };
}

static void poison(const struct machine *m, const struct page *p)
{
	uint8_t *mem = (uint8_t *)page_mem(m, p);

	memset(mem, POISON, granule(m));
	for (size_t at = 0; at < granule(m); at += 8)
		mem[at] = POISON_LAST;
}

uint64_t s2m_table_take(struct machine *m, unsigned pe, unsigned pages, unsigned align)
{
	uint64_t i;

	m->step++;
	if (m->places || !pages || pages > 16 || align > 16 ||
	    !(pages == 1 && align <= 1 ? take_one(m, &i) :
					 take_run(m, pages, align ? align : 1, &i))) {
		log_event(m, pe, "take %u page%s: none left", pages,
			  pages > 1 ? "s" : "");
		return 0;
	}
	for (unsigned n = 0; n < pages; n++) {
		if (!m->page[i + n].used)
			poison(m, &m->page[i + n]);
		take_page(m, &m->page[i + n]);
	}
	log_event(m, pe, "take %u page%s at %#llx", pages, pages > 1 ? "s" : "",
		  (unsigned long long)(m->base + (i << m->granule)));
	WATCH(m, .kind = S2M_EV_TAKE, .pe = pe, .pa = m->base + (i << m->granule),
	      .op = pages);
	return m->base + (i << m->granule);
}

bool s2m_table_place(struct machine *m, unsigned pe, uint64_t pa, uint64_t pages,
		     bool zeroed)
{
	m->step++;
	log_event(m, pe, "%s %llu page%s at %#llx", zeroed ? "takes zeroed" : "takes",
		  (unsigned long long)pages, pages > 1 ? "s" : "",
		  (unsigned long long)pa);
	for (uint64_t n = 0; n < pages; n++) {
		uint64_t number = (pa >> m->granule) + n;
		uint64_t i = place_find(m->places, number);
		struct page *p;

		if (i == UINT64_MAX)
			i = place_add(m->places, number);
		if (i == UINT64_MAX)
			return false;
		p = &m->page[i];
		if (p->taken)
			continue;
		if (zeroed && p->used)
			memset(page_mem(m, p), 0, granule(m));
		else if (!zeroed && !p->used)
			poison(m, p);
		take_page(m, p);
	}
	return true;
}

bool s2m_table_known(const struct machine *m, uint64_t pa)
{
	return page_at(m, pa);
}

bool s2m_table_taken(const struct machine *m, uint64_t pa)
{
	const struct page *p = page_at(m, pa);

	return p && p->taken;
}

bool s2m_table_root(const struct machine *m, uint64_t pa, uint64_t *root)
{
	const struct page *p = page_at(m, pa);

	if (!p || !p->live)
		return false;
	*root = p->tree->root;
	return true;
}

bool s2m_table_reached(const struct machine *m, uint64_t pa)
{
	const struct page *p = page_at(m, pa);

	return p && p->level >= 0;
}

uint64_t s2m_tables_stored(const struct machine *m, uint64_t *apart)
{
	uint64_t n = 0;

	*apart = 0;
	for (uint64_t i = 0; i < (m->places ? places_used(m->places) : m->fresh); i++) {
		const struct page *p = &m->page[i];

		n += p->taken && p->stored;
		*apart += p->taken && p->stored && p->level < 0;
	}
	return n;
}

bool s2m_table_strange(const struct machine *m, uint64_t *pa)
{
	*pa = m->strange - 1;
	return m->strange;
}

void s2m_table_give(struct machine *m, unsigned pe, uint64_t pa, unsigned pages)
{
	struct page *p = page_at(m, pa);
	struct tree *t = p && p->root ? p->tree : NULL;
	bool was_free = false;

	m->step++;
	log_event(m, pe, "give back %u page%s at %#llx", pages, pages > 1 ? "s" : "",
		  (unsigned long long)pa);
	WATCH(m, .kind = S2M_EV_GIVE, .pe = pe, .pa = pa, .op = pages);
	for (unsigned n = 0; n < pages; n++) {
		struct page *q = page_at(m, pa + n * granule(m));

		was_free |= !q->taken;
		judge_give(m, pe, q);
	}
	if (t) {
		judge_root(m, pe, t);
		tree_forget(m, t);
	}
	if (was_free)
		return;
	m->in_use -= pages;
	m->count.tables_given += pages;
	if (m->places)
		return;
	if (pages == 1) {
		m->stack[m->stack_n++] = (uint32_t)(p - m->page);
	} else {
		p->next = m->run[pages];
		m->run[pages] = (uint32_t)(p - m->page) + 1;
	}
}
