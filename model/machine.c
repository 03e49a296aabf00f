/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events: reads and writes, system registers, handing over between PEs.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define HCR_VM (UINT64_C(1) << 0)
#define HCR_FWB (UINT64_C(1) << 46)
#define TCR_EPD (UINT64_C(1) << 7 | UINT64_C(1) << 23)
#define SCTLR_M (UINT64_C(1) << 0)
/* Above any memory a small guest is given. */
#define DEFAULT_BASE (UINT64_C(0x7f) << 40)
/* 64 GiB of pages take 32,833 tables. */
#define DEFAULT_PAGES UINT64_C(65536)

/* Zeroed memory that takes room only where it is used; NULL: there is none. */
static void *reserve(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

struct machine *machine_new(const struct machine_config *cfg)
{
	struct machine *m = calloc(1, sizeof(*m));
	unsigned max = cfg->max_violations ? cfg->max_violations : 32;
	unsigned shift = cfg->granule_shift ? cfg->granule_shift : 12;

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
	m->mode.af = cfg->features & S2M_AF_SET;
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
	m->mem = reserve(m->pages << m->granule);
	vmids_init(m);
	m->page = reserve(m->pages * sizeof(*m->page));
	if (cfg->sparse)
		m->places = places_new(m->pages);
	else
		m->stack = calloc(m->pages, sizeof(*m->stack));
	m->kept = calloc(max, sizeof(*m->kept));
	if (m->mem && m->page && m->kept && (m->places || m->stack))
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
	places_free(m->places);
	if (m->page)
		munmap(m->page, m->pages * sizeof(*m->page));
	free(m->stack);
	free(m->kept);
	free(m);
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
	value = p ? page_mem(m, p)[(pa % granule(m)) / 8] : 0;
	WATCH(m, .kind = S2M_EV_READ, .pe = pe, .pa = pa, .value = value);
	if (!p)
		return 0;
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
	WATCH(m, .kind = S2M_EV_WRITE, .pe = pe, .pa = pa, .value = value, .op = o);
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
	WATCH(m, .kind = S2M_EV_XCHG, .pe = pe, .pa = pa, .value = value);
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
	WATCH(m, .kind = S2M_EV_CAS, .pe = pe, .pa = pa, .old = old, .value = value);
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
	WATCH(m, .kind = S2M_EV_FILL, .pe = pe, .pa = pa, .size = size, .value = value);
	for (uint64_t at = pa, n; at < pa + size; at += n) {
		struct page *p = touch(m, pe, at, "fills");
		uint64_t *e;

		n = granule(m) - (at & (granule(m) - 1));
		n = n < pa + size - at ? n : pa + size - at;
		if (!p)
			continue;
		e = page_mem(m, p) + at % granule(m) / 8;
		if (p->live || p->refs || p->parent) {
			for (unsigned i = 0; i < n / 8; i++)
				store(m, pe, p, at + i * 8, value, HOW_FILL);
			continue;
		}
		/* Memory that is zero already may have taken no room yet. */
		for (unsigned i = 0; i < n / 8; i++) {
			if (e[i] != value)
				e[i] = value;
		}
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

static bool stage2_on(const struct machine *m, const struct pe *p)
{
	return !(m->features & S2M_VM) || !p->has_hcr || p->hcr & HCR_VM;
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
	if (stage2_on(m, p))
		tree_know(m, pe, value);
}

void s2m_sysreg(struct machine *m, unsigned pe, enum s2m_sysreg r, uint64_t value)
{
	static const char *const name[] = { "VTTBR_EL2", "VTCR_EL2", "HCR_EL2", "TCR_EL1",
					    "SCTLR_EL1" };
	struct pe *p = &m->pe[pe];
	struct tree *t;
	bool fwb;

	m->step++;
	log_event(m, pe, "%s = %#llx", name[r], (unsigned long long)value);
	WATCH(m, .kind = S2M_EV_SYSREG, .pe = pe, .op = r, .value = value);
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
		if (!stage2_on(m, p) && value & HCR_VM)
			tree_know(m, pe, p->vttbr);
		p->hcr = value;
		p->has_hcr = true;
		fwb = m->features & S2M_FWB && value & HCR_FWB;
		if (fwb == m->mode.fwb)
			break; /* so it is in every tree, and there may be many */
		m->mode.fwb = fwb;
		LIST_FOREACH(t, &m->trees, all)
			t->mode.fwb = fwb;
		break;
	}
}

void s2m_setup(struct machine *m, unsigned pe, uint64_t vtcr, bool fwb)
{
	s2m_sysreg(m, pe, S2M_VTCR_EL2, vtcr);
	s2m_sysreg(m, pe, S2M_HCR_EL2, HCR_VM | (fwb ? HCR_FWB : 0));
	s2m_barrier(m, pe, S2M_ISB);
}

/* At this step pe has executed a store-release; r: what it knows. */
static void releases(struct machine *m, unsigned pe, struct s2m_release *r)
{
	m->pe[pe].ordered = m->step;
	memcpy(r->knows, m->pe[pe].knows, sizeof(r->knows));
	r->knows[pe] = m->step;
}

static void acquires(struct machine *m, unsigned pe, const struct s2m_release *r)
{
	for (unsigned i = 0; i < m->pes; i++) {
		if (m->pe[pe].knows[i] < r->knows[i])
			m->pe[pe].knows[i] = r->knows[i];
	}
}

void s2m_handoff(struct machine *m, unsigned from, unsigned to)
{
	struct s2m_release r;

	m->step++;
	log_event(m, from, "hands over to PE%u", to);
	WATCH(m, .kind = S2M_EV_HANDOFF, .pe = from, .op = to);
	releases(m, from, &r);
	acquires(m, to, &r);
}

void s2m_release(struct machine *m, unsigned pe, struct s2m_release *r)
{
	m->step++;
	log_event(m, pe, "releases a lock");
	releases(m, pe, r);
}

void s2m_acquire(struct machine *m, unsigned pe, const struct s2m_release *r)
{
	m->step++;
	log_event(m, pe, "acquires a lock");
	acquires(m, pe, r);
}

void s2m_walker_enter(struct machine *m, unsigned pe)
{
	m->pe[pe].walker = ++m->step;
	log_event(m, pe, "starts to walk without a lock");
	WATCH(m, .kind = S2M_EV_WALKER_ENTER, .pe = pe);
}

void s2m_walker_leave(struct machine *m, unsigned pe)
{
	m->step++;
	m->pe[pe].walker = 0;
	log_event(m, pe, "ends its walk");
	WATCH(m, .kind = S2M_EV_WALKER_LEAVE, .pe = pe);
}

void s2m_guest_enter(struct machine *m, unsigned pe, uint64_t vttbr)
{
	struct ctx *c;

	m->step++;
	log_event(m, pe, "enters a guest, VTTBR_EL2 = %#llx", (unsigned long long)vttbr);
	WATCH(m, .kind = S2M_EV_GUEST_ENTER, .pe = pe, .value = vttbr);
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
	WATCH(m, .kind = S2M_EV_GUEST_LEAVE, .pe = pe);
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
	WATCH(m, .kind = S2M_EV_GUESTS_GONE, .pe = pe, .root = root);
	if (t)
		tree_gone(m, t);
}

uint64_t s2m_live_stores(const struct machine *m)
{
	return m->live_stores;
}

bool s2m_tree_loaded(const struct machine *m, unsigned pe)
{
	const struct tree *t;
	struct desc_tree shape;

	if (!desc_vtcr(pe_vtcr(m, pe), m->granule, m->features & S2M_LPA2, &shape))
		return false;
	t = tree_find(m, desc_root(m->pe[pe].vttbr, &shape));
	return t && !t->dead;
}

void s2m_watch(struct machine *m, s2m_watcher *fn, void *arg)
{
	m->watch = fn;
	m->watch_arg = arg;
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
