/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events: table pages, reads and writes, system registers, handing over between PEs.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define HCR_FWB (UINT64_C(1) << 46)
#define TCR_EPD (UINT64_C(1) << 7 | UINT64_C(1) << 23)
#define SCTLR_M (UINT64_C(1) << 0)
/* Above any memory a small guest is given. */
#define DEFAULT_BASE (UINT64_C(0x7f) << 40)
/* 64 GiB of pages take 32,833 tables. */
#define DEFAULT_PAGES UINT64_C(65536)
/* Fresh pages hold entries that look valid, so that a missing zeroing shows. */
#define POISON 0x5a
#define POISON_LAST 0x5b

struct machine *machine_new(const struct machine_config *cfg)
{
	struct machine *m = calloc(1, sizeof(*m));
	unsigned max = cfg->max_violations ? cfg->max_violations : 32;
	unsigned shift = cfg->granule_shift ? cfg->granule_shift : 12;
	void *mem;

	if (!m)
		return NULL;
	m->features = cfg->features;
	m->agent_lacks = cfg->agent_lacks;
	m->pes = cfg->pes;
	m->base = cfg->table_base ? cfg->table_base : DEFAULT_BASE;
	m->pages = cfg->table_pages ? cfg->table_pages : DEFAULT_PAGES;
	m->granule = (uint8_t)shift;
	m->pa_bits = shift == 16 || cfg->features & S2M_LPA2 ? 52 : 48;
	m->counted = cfg->counted;
	m->mode.fwb = cfg->features & S2M_FWB;
	m->mode.xnx = cfg->features & S2M_XNX;
	m->mode.nt = cfg->features & (S2M_BBM1 | S2M_BBM2);
	desc_layout(&m->mode, shift, false, false);
	m->kept_max = max;
	m->last_read = UINT64_MAX;
	data_init(m);
	LIST_INIT(&m->trees);
	LIST_INIT(&m->ctxs);
	if (!cfg->pes || cfg->pes > MAX_PES ||
	    (shift != 12 && shift != 14 && shift != 16) || m->base & (granule(m) - 1) ||
	    m->base >> m->pa_bits || m->pages > (UINT64_C(1) << 28) ||
	    m->base + (m->pages << m->granule) > UINT64_C(1) << m->pa_bits)
		goto fail;
	mem = mmap(NULL, m->pages << m->granule, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		goto fail;
	m->mem = mem;
	vmids_init(m);
	m->page = calloc(m->pages, sizeof(*m->page));
	m->stack = calloc(m->pages, sizeof(*m->stack));
	m->kept = calloc(max, sizeof(*m->kept));
	if (m->page && m->stack && m->kept)
		return m;
fail:
	machine_free(m);
	return NULL;
}

void machine_free(struct machine *m)
{
	struct tree *t;
	struct ctx *c;

	if (!m)
		return;
	while ((t = LIST_FIRST(&m->trees))) {
		while ((c = LIST_FIRST(&t->ctxs))) {
			LIST_REMOVE(c, of_tree);
			free(c);
		}
		LIST_REMOVE(t, all);
		free(t);
	}
	vmids_free(m);
	slabs_free(m);
	data_free(m);
	if (m->mem)
		munmap(m->mem, m->pages << m->granule);
	free(m->page);
	free(m->stack);
	free(m->kept);
	free(m);
}

/* ---- table pages --------------------------------------------------------- */

void *s2m_ptr(const struct machine *m, uint64_t pa)
{
	return page_at(m, pa) ? m->mem + (pa - m->base) : NULL;
}

uint64_t s2m_pa(const struct machine *m, const void *ptr)
{
	return m->base + (uint64_t)((const uint8_t *)ptr - m->mem);
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

uint64_t s2m_table_take(struct machine *m, unsigned pe, unsigned pages, unsigned align)
{
	uint64_t i;

	m->step++;
	if (!pages || pages > 16 || align > 16 ||
	    !(pages == 1 && align <= 1 ? take_one(m, &i) :
					 take_run(m, pages, align ? align : 1, &i))) {
		log_event(m, pe, "take %u page%s: none left", pages,
			  pages > 1 ? "s" : "");
		return 0;
	}
	for (unsigned n = 0; n < pages; n++) {
		struct page *p = &m->page[i + n];
		uint8_t *mem = m->mem + ((i + n) << m->granule);

		if (!p->used) {
			memset(mem, POISON, granule(m));
			for (size_t at = 0; at < granule(m); at += 8)
				mem[at] = POISON_LAST;
		}
		/* Stale entries may still point to the page: keep what they need. */
		*p = (struct page){ .tree = p->refs ? p->tree : NULL,
				    .ipa = p->ipa,
				    .refs = p->refs,
				    .level = p->refs ? p->level : -1,
				    .given = p->given,
				    .taken = true,
				    .used = true };
	}
	m->in_use += pages;
	m->count.tables_taken += pages;
	log_event(m, pe, "take %u page%s at %#llx", pages, pages > 1 ? "s" : "",
		  (unsigned long long)(m->base + (i << m->granule)));
	return m->base + (i << m->granule);
}

void s2m_table_give(struct machine *m, unsigned pe, uint64_t pa, unsigned pages)
{
	struct page *p = page_at(m, pa);
	struct tree *t = p && p->root ? p->tree : NULL;
	bool was_free = false;

	m->step++;
	log_event(m, pe, "give back %u page%s at %#llx", pages, pages > 1 ? "s" : "",
		  (unsigned long long)pa);
	for (unsigned n = 0; n < pages; n++) {
		was_free |= !p[n].taken;
		judge_give(m, pe, &p[n]);
	}
	if (t) {
		judge_root(m, pe, t);
		tree_forget(m, t);
	}
	if (was_free)
		return;
	m->in_use -= pages;
	m->count.tables_given += pages;
	if (pages == 1) {
		m->stack[m->stack_n++] = (uint32_t)(p - m->page);
	} else {
		p->next = m->run[pages];
		m->run[pages] = (uint32_t)(p - m->page) + 1;
	}
}

/* ---- entries ------------------------------------------------------------- */

static struct page *touch(struct machine *m, unsigned pe, uint64_t pa, const char *verb)
{
	struct page *p = page_at(m, pa);

	if (p && !p->taken)
		verdict(m, R_TABLE_USE_AFTER_FREE,
			(struct where){ .pe = pe, .cause = p->given, .pa = pa },
			"PE%u %s %#llx in a table page that is free%s", pe, verb,
			(unsigned long long)pa,
			p->given ? ": it was given back before" : "");
	return p;
}

uint64_t s2m_read(struct machine *m, unsigned pe, uint64_t pa)
{
	struct page *p;
	uint64_t value;

	event(m);
	p = touch(m, pe, pa, "reads");
	if (pa != m->last_read)
		m->count.pte_reads++;
	m->last_read = pa;
	if (!p)
		return 0;
	value = page_mem(m, p)[(pa % granule(m)) / 8];
	if (!p->live && p->tree && p->level >= 0)
		dirty_seen(m, p, (unsigned)(pa % granule(m) / 8), false);
	if (p->live && !(value & 1))
		tlb_seen(m, pe, p, (unsigned)(pa % granule(m) / 8));
	if (m->log)
		log_write(m, pe, "read", pa, value, value);
	return value;
}

static void store(struct machine *m, unsigned pe, struct page *p, uint64_t pa,
		  uint64_t value, enum how how)
{
	unsigned slot = (unsigned)(pa % granule(m) / 8);
	uint64_t *e = &page_mem(m, p)[slot];
	uint64_t old = *e;

	*e = value;
	if (how == HOW_ATOMIC && !p->live && p->tree && p->level >= 0)
		dirty_seen(m, p, slot, !desc_valid(value, p->level, mode(m, p->tree)));
	entry_changed(m, pe, p, slot, old, value, how);
}

void s2m_write(struct machine *m, unsigned pe, uint64_t pa, uint64_t value,
	       enum s2m_order o)
{
	struct page *p;

	event(m);
	p = touch(m, pe, pa, "writes");
	m->count.pte_writes++;
	if (!p)
		return;
	if (m->log)
		log_write(m, pe, o == S2M_RELEASE ? "write-release" : "write", pa,
			  page_mem(m, p)[(pa % granule(m)) / 8], value);
	if (o == S2M_RELEASE)
		m->pe[pe].ordered = m->step - 1;
	store(m, pe, p, pa, value, o == S2M_RELEASE ? HOW_RELEASE : HOW_STORE);
}

uint64_t s2m_xchg(struct machine *m, unsigned pe, uint64_t pa, uint64_t value)
{
	struct page *p;
	uint64_t old;

	event(m);
	p = touch(m, pe, pa, "exchanges");
	m->count.pte_writes++;
	if (!p)
		return 0;
	old = page_mem(m, p)[(pa % granule(m)) / 8];
	if (m->log)
		log_write(m, pe, "exchange", pa, old, value);
	store(m, pe, p, pa, value, HOW_ATOMIC);
	return old;
}

uint64_t s2m_cas(struct machine *m, unsigned pe, uint64_t pa, uint64_t old,
		 uint64_t value)
{
	struct page *p;
	uint64_t found;

	event(m);
	p = touch(m, pe, pa, "compares and swaps");
	if (!p)
		return 0;
	found = page_mem(m, p)[(pa % granule(m)) / 8];
	if (p->live && !(found & 1))
		tlb_seen(m, pe, p, (unsigned)(pa % granule(m) / 8));
	if (found != old) {
		log_event(m, pe, "compare-and-swap %#llx fails", (unsigned long long)pa);
		return found;
	}
	m->count.pte_writes++;
	if (m->log)
		log_write(m, pe, "compare-and-swap", pa, old, value);
	m->pe[pe].ordered = m->step - 1;
	store(m, pe, p, pa, value, HOW_ATOMIC);
	return found;
}

void s2m_fill(struct machine *m, unsigned pe, uint64_t pa, uint64_t size, uint64_t value)
{
	m->step++;
	log_event(m, pe, "fill %#llx-%#llx with %#llx", (unsigned long long)pa,
		  (unsigned long long)(pa + size), (unsigned long long)value);
	for (uint64_t at = pa; at < pa + size; at += granule(m)) {
		struct page *p = touch(m, pe, at, "fills");
		uint64_t *e;

		if (!p)
			continue;
		e = page_mem(m, p);
		if (p->live || p->refs || p->parent) {
			for (unsigned i = 0; i < entries(m); i++)
				store(m, pe, p, at + i * 8, value, HOW_FILL);
			continue;
		}
		for (unsigned i = 0; i < entries(m); i++)
			e[i] = value;
		page_stored(m, pe, p);
	}
}

/* ---- registers, other PEs ------------------------------------------------ */

/* EPD0 and EPD1 stop stage-1 walks; SCTLR_EL1.M keeps stage 1 on. */
static bool guarded(const struct pe *p)
{
	return (p->tcr & TCR_EPD) == TCR_EPD && p->sctlr & SCTLR_M;
}

/*
 * A PE with the erratum may execute an AT instruction speculatively, walk stage 1 with
 * the registers of one guest and the VTTBR_EL2 of another, and cache the result.
 */
static void stage1_changed(struct machine *m, unsigned pe, uint64_t tcr, uint64_t sctlr)
{
	struct pe *p = &m->pe[pe];
	bool was = guarded(p);

	p->tcr = tcr;
	p->sctlr = sctlr;
	if (guarded(p) == was)
		return;
	p->guard_unsynced = !was;
	if (!was)
		p->home = p->vttbr;
	else if (m->features & S2M_SPECULATIVE_AT &&
		 (p->vttbr != p->home || p->vttbr_unsynced))
		verdict(m, R_SPECULATIVE_AT, (struct where){ .pe = pe, .pa = p->vttbr },
			"PE%u lets stage 1 be walked again while VTTBR_EL2 is %#llx%s: a "
			"speculative AT may fill its TLB with a mixture of two contexts",
			pe, (unsigned long long)p->vttbr,
			p->vttbr == p->home ? " with no ISB since" :
					      " and not what stage 1 belongs to");
}

static void vttbr_changed(struct machine *m, unsigned pe, uint64_t value)
{
	struct pe *p = &m->pe[pe];

	if (m->features & S2M_SPECULATIVE_AT && p->vttbr != value &&
	    (!guarded(p) || p->guard_unsynced))
		verdict(m, R_SPECULATIVE_AT, (struct where){ .pe = pe, .pa = value },
			"PE%u changes VTTBR_EL2 from %#llx to %#llx while a speculative AT may "
			"walk stage 1: %s",
			pe, (unsigned long long)p->vttbr, (unsigned long long)value,
			guarded(p) ?
				"no ISB since TCR_EL1.EPD0, EPD1 and SCTLR_EL1.M were set" :
				"TCR_EL1.EPD0, EPD1 and SCTLR_EL1.M are not all set");
	p->vttbr_unsynced |= p->vttbr != value && !(m->features & S2M_SELF_SYNC);
	p->vttbr = value;
	tree_know(m, pe, value);
}

void s2m_sysreg(struct machine *m, unsigned pe, enum s2m_sysreg r, uint64_t value)
{
	static const char *const name[] = { "VTTBR_EL2", "VTCR_EL2", "HCR_EL2", "TCR_EL1",
					    "SCTLR_EL1" };
	struct pe *p = &m->pe[pe];
	struct tree *t;

	m->step++;
	log_event(m, pe, "%s = %#llx", name[r], (unsigned long long)value);
	switch (r) {
	case S2M_VTTBR_EL2:
		vttbr_changed(m, pe, value);
		break;
	case S2M_TCR_EL1:
		stage1_changed(m, pe, value, p->sctlr);
		break;
	case S2M_SCTLR_EL1:
		stage1_changed(m, pe, p->tcr, value);
		break;
	case S2M_VTCR_EL2:
		p->vtcr = m->vtcr = value;
		p->has_vtcr = true;
		break;
	case S2M_HCR_EL2:
		p->hcr = value;
		m->mode.fwb = m->features & S2M_FWB && value & HCR_FWB;
		LIST_FOREACH(t, &m->trees, all)
			t->mode.fwb = m->mode.fwb;
		break;
	}
}

void s2m_handoff(struct machine *m, unsigned from, unsigned to)
{
	m->step++;
	log_event(m, from, "hands over to PE%u", to);
	m->pe[from].ordered = m->step; /* a store-release */
	for (unsigned i = 0; i < m->pes; i++) {
		if (m->pe[to].knows[i] < m->pe[from].knows[i])
			m->pe[to].knows[i] = m->pe[from].knows[i];
	}
	m->pe[to].knows[from] = m->step;
}

void s2m_walker_enter(struct machine *m, unsigned pe)
{
	m->pe[pe].walker = ++m->step;
	log_event(m, pe, "starts to walk without a lock");
}

void s2m_walker_leave(struct machine *m, unsigned pe)
{
	m->step++;
	m->pe[pe].walker = 0;
	log_event(m, pe, "ends its walk");
}

void s2m_guest_enter(struct machine *m, unsigned pe, uint64_t vttbr)
{
	struct ctx *c;

	m->step++;
	log_event(m, pe, "enters a guest, VTTBR_EL2 = %#llx", (unsigned long long)vttbr);
	m->pe[pe].vttbr = vttbr;
	m->pe[pe].vttbr_unsynced = m->pe[pe].guard_unsynced = false;
	m->pe[pe].tcr = m->pe[pe].sctlr = 0; /* the guest's own */
	c = tree_know(m, pe, vttbr);
	if (m->pe[pe].guest && m->pe[pe].guest != c)
		ctx_run(m, m->pe[pe].guest, pe, false);
	m->pe[pe].guest = c;
	if (c)
		ctx_run(m, c, pe, true);
	/* An exception return is a context synchronisation event. */
	tlb_isb(m, pe);
}

void s2m_guest_leave(struct machine *m, unsigned pe)
{
	m->step++;
	log_event(m, pe, "leaves its guest");
	if (m->pe[pe].guest)
		ctx_run(m, m->pe[pe].guest, pe, false);
	m->pe[pe].guest = NULL;
}

void s2m_guests_gone(struct machine *m, unsigned pe, uint64_t root)
{
	struct tree *t = tree_find(m, root);

	m->step++;
	log_event(m, pe, "nobody runs the tree at %#llx any more",
		  (unsigned long long)root);
	if (t)
		tree_gone(m, t);
}

void s2m_waive_map_clean(struct machine *m, unsigned pe, bool on)
{
	m->pe[pe].waive = on;
}

/* ---- counts -------------------------------------------------------------- */

const struct s2m_counters *s2m_counters(const struct machine *m)
{
	return &m->count;
}

void s2m_counters_reset(struct machine *m)
{
	memset(&m->count, 0, sizeof(m->count));
	m->last_read = UINT64_MAX;
}

uint64_t s2m_step(const struct machine *m)
{
	return m->step;
}
