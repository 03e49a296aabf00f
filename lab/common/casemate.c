/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes a trace that Casemate reads. It has fewer events than the machine; docs/judge.md
 * says which are left out and which are refused. No operation is written as a stronger
 * one.
 */
#include <inttypes.h>
#include <string.h>

#include "trace_text.h"

#define PAGE UINT64_C(0x1000)
#define ADDRESS UINT64_C(0x0000fffffffff000)
#define HCR_VM UINT64_C(1)
#define VTCR_TG0 (UINT64_C(3) << 14)
#define VTCR_DS (UINT64_C(1) << 32)
#define ENTRIES 512u
#define TABLE UINT64_C(3)
/* Locks are numbers only; these are no addresses of tables. */
#define LOCKS (UINT64_C(1) << 46)

static uint64_t lock_of(const struct trace_out *t, const struct casemate_root *r)
{
	return LOCKS + 8 * (uint64_t)(r - t->c.root);
}

static struct casemate_root *find_root(struct trace_out *t, uint64_t root)
{
	for (unsigned i = 0; i < t->c.roots; i++) {
		if (t->c.root[i].root == root)
			return &t->c.root[i];
	}
	return NULL;
}

/* A root with a lock of its own; a place in the list that is free has root 0. */
static struct casemate_root *add_root(struct trace_out *t, unsigned tid, uint64_t root)
{
	struct casemate_root *r = find_root(t, 0);

	if (!r && t->c.roots == CASEMATE_ROOTS) {
		trace_refuse(t, "more than %u roots", CASEMATE_ROOTS);
		return NULL;
	}
	if (!r)
		r = &t->c.root[t->c.roots++];
	*r = (struct casemate_root){ root, -1 };
	trace_put(t, "hint", tid,
		  "(kind set_root_lock) (location %" PRIx64 ") (value %" PRIx64 ")", root,
		  lock_of(t, r));
	return r;
}

bool casemate_begin(struct trace_out *t, const struct machine *m)
{
	if (s2m_granule_shift(m) != 12) {
		trace_refuse(t, "granules of 16 or 64 KiB");
		return false;
	}
	t->c.parking = PAGE;
	trace_put(t, "mem-init", 0, "(address %" PRIx64 ") (size %" PRIx64 ")", PAGE,
		  PAGE);
	return add_root(t, 0, t->c.parking);
}

/* ---- threads ---------------------------------------------------------------- */

static void put_sysreg(struct trace_out *t, unsigned tid, const char *name, uint64_t v)
{
	trace_put(t, "sysreg-write", tid, "(sysreg %s) (value %" PRIx64 ")", name, v);
}

static void load(struct trace_out *t, unsigned tid, uint64_t vttbr)
{
	put_sysreg(t, tid, "vttbr_el2", vttbr);
	t->c.thread[tid].has_vttbr = true;
	if (!t->c.thread[tid].hcr_waits)
		return;
	put_sysreg(t, tid, "hcr_el2", t->c.thread[tid].hcr);
	t->c.thread[tid].hcr_waits = false;
}

/* The thread that stands for the PE: in the order in which they appear. */
static bool thread(struct trace_out *t, unsigned pe, unsigned *tid)
{
	for (*tid = 0; *tid < t->c.threads; (*tid)++) {
		if (t->c.pe[*tid] == pe)
			return true;
	}
	if (*tid == CASEMATE_THREADS) {
		trace_refuse(t, "more than %u threads", CASEMATE_THREADS);
		return false;
	}
	t->c.pe[t->c.threads++] = (uint8_t)pe;
	return true;
}

/* ---- locks: a PE has them until it hands over -------------------------------- */

static bool lock(struct trace_out *t, unsigned tid, uint64_t root)
{
	struct casemate_root *r = find_root(t, root);

	if (!r || r->holder == (int)tid)
		return true;
	if (r->holder >= 0) {
		trace_refuse(t,
			     "two PEs change one tree without a hand-over between them: "
			     "Casemate wants a lock");
		return false;
	}
	trace_put(t, "lock", tid, "(address %" PRIx64 ")", lock_of(t, r));
	r->holder = (int)tid;
	return true;
}

void casemate_unlock(struct trace_out *t, int tid)
{
	for (unsigned i = 0; i < t->c.roots; i++) {
		struct casemate_root *r = &t->c.root[i];

		if (r->holder < 0 || (tid >= 0 && r->holder != tid))
			continue;
		trace_put(t, "unlock", (unsigned)r->holder, "(address %" PRIx64 ")",
			  lock_of(t, r));
		r->holder = -1;
	}
}

/* ---- tables ----------------------------------------------------------------- */

/* The table at pa and those below it are of the tree at root. */
static void owned(struct trace_out *t, const struct machine *m, unsigned tid, uint64_t pa,
		  uint64_t root, int levels)
{
	const uint64_t *e = s2m_ptr(m, pa);

	if (pa != root)
		trace_put(t, "hint", tid,
			  "(kind set_owner_root) (location %" PRIx64 ") (value %" PRIx64
			  ")",
			  pa, root);
	for (unsigned i = 0; levels && e && i < ENTRIES; i++) {
		if ((e[i] & TABLE) == TABLE && s2m_table_taken(m, e[i] & ADDRESS))
			owned(t, m, tid, e[i] & ADDRESS, root, levels - 1);
	}
}

static void vttbr(struct trace_out *t, const struct machine *m, unsigned tid, uint64_t v)
{
	uint64_t root = v & ADDRESS;

	if (!root)
		v = root = t->c.parking;
	if (!find_root(t, root)) {
		if (!add_root(t, tid, root))
			return;
		owned(t, m, tid, root, root, 3);
	}
	load(t, tid, v);
}

static void vtcr(struct trace_out *t, unsigned tid, uint64_t v)
{
	unsigned bits = 64 - (unsigned)(v & 63);

	if (v & (VTCR_TG0 | VTCR_DS))
		trace_refuse(t, "granules of 16 or 64 KiB, or LPA2");
	else if (bits < 35 || bits > 48 || (bits > 39 && bits < 44))
		trace_refuse(t,
			     "an IPA size of %u bits (35 to 39 and 44 to 48 can be said)",
			     bits);
	else
		put_sysreg(t, tid, "vtcr_el2", v);
}

static bool fresh(const struct trace_out *t, uint64_t pa)
{
	for (unsigned i = 0; i < t->c.fresh_n; i++) {
		if (t->c.fresh[i] == (pa & ADDRESS))
			return true;
	}
	return false;
}

static void take(struct trace_out *t, const struct s2m_event *e)
{
	if (e->op != 1)
		trace_refuse(t, "concatenated root tables");
	else if (++t->c.pages > CASEMATE_PAGES)
		trace_refuse(t, "more than %u table pages in use", CASEMATE_PAGES);
	else if (t->c.fresh_n == CASEMATE_FRESH)
		trace_refuse(t, "table pages that are taken and not zeroed");
	else
		t->c.fresh[t->c.fresh_n++] = e->pa;
}

static void fill(struct trace_out *t, unsigned tid, const struct s2m_event *e)
{
	uint64_t byte = e->value & 0xff;

	for (unsigned i = 0; i < t->c.fresh_n; i++) {
		if (t->c.fresh[i] != e->pa || e->size != PAGE || e->value)
			continue;
		trace_put(t, "mem-init", tid, "(address %" PRIx64 ") (size %" PRIx64 ")",
			  e->pa, e->size);
		t->c.fresh[i] = t->c.fresh[--t->c.fresh_n];
		return;
	}
	if (fresh(t, e->pa) || e->value != byte * UINT64_C(0x0101010101010101))
		trace_refuse(t, "table pages that are not zeroed when they are taken");
	else
		trace_put(t, "mem-set", tid,
			  "(address %" PRIx64 ") (size %" PRIx64 ") (value %" PRIx64 ")",
			  e->pa, e->size, byte);
}

static void give(struct trace_out *t, const struct machine *m, unsigned tid,
		 const struct s2m_event *e)
{
	struct casemate_root *r = NULL;
	uint64_t root;

	/* A page of a tree that nobody runs: the whole tree goes. */
	if (s2m_table_root(m, e->pa, &root))
		r = find_root(t, root);
	if (r) {
		if (r->holder >= 0)
			trace_put(t, "unlock", (unsigned)r->holder,
				  "(address %" PRIx64 ")", lock_of(t, r));
		trace_put(t, "hint", tid,
			  "(kind release_table) (location %" PRIx64 ") (value 0)", root);
		*r = (struct casemate_root){ 0, -1 };
	}
	trace_put(t, "mem-free", tid, "(address %" PRIx64 ") (size %" PRIx64 ")", e->pa,
		  PAGE);
	t->c.pages--;
}

static void store(struct trace_out *t, const struct machine *m, unsigned tid,
		  const struct s2m_event *e)
{
	const uint64_t *entry = s2m_ptr(m, e->pa);
	bool release = e->kind == S2M_EV_CAS || e->op == S2M_RELEASE;
	uint64_t root;

	if (e->kind == S2M_EV_CAS && entry && *entry != e->old)
		return; /* it fails, and stores nothing */
	if (fresh(t, e->pa)) {
		trace_refuse(t, "a store to a table page that was not zeroed");
		return;
	}
	if (s2m_table_root(m, e->pa, &root) && find_root(t, root)) {
		if (!lock(t, tid, root))
			return;
		if ((e->value & TABLE) == TABLE && s2m_table_taken(m, e->value & ADDRESS))
			owned(t, m, tid, e->value & ADDRESS, root, 3);
	}
	trace_put(t, "mem-write", tid,
		  "(mem-order %s) (address %" PRIx64 ") (value %" PRIx64 ")",
		  release && e->kind != S2M_EV_XCHG ? "release" : "plain", e->pa,
		  e->value);
}

static void tlbi(struct trace_out *t, unsigned tid, const struct s2m_event *e)
{
	switch (e->op) {
	case S2M_IPAS2E1IS:
		trace_put(t, "tlbi", tid, "ipas2e1is (value %" PRIx64 ")", e->value);
		return;
	case S2M_VMALLE1IS:
	case S2M_VMALLE1:
	case S2M_VMALLS12E1IS:
	case S2M_VMALLS12E1:
	case S2M_ALLE1IS:
	case S2M_ALLE1:
		trace_put(t, "tlbi", tid, "%s", s2m_tlbi_name((enum s2m_tlbi)e->op));
		return;
	case S2M_IPAS2E1:
	case S2M_IPAS2LE1:
	case S2M_RIPAS2E1:
	case S2M_RIPAS2LE1:
		return; /* for this PE only: without it the trace promises less */
	default:
		trace_refuse(t, "tlbi %s", s2m_tlbi_name((enum s2m_tlbi)e->op));
	}
}

/*
 * DSB SY is more than ISH, so ISH does not strengthen it. Casemate has no DMB, and no DSB
 * for one PE only.
 */
static void barrier(struct trace_out *t, unsigned tid, const struct s2m_event *e)
{
	switch (e->op) {
	case S2M_ISB:
		trace_put(t, "barrier", tid, "isb");
		return;
	case S2M_DSB_ISHST:
		trace_put(t, "barrier", tid, "dsb (kind ishst)");
		return;
	case S2M_DSB_ISH:
	case S2M_DSB_SY:
		trace_put(t, "barrier", tid, "dsb (kind ish)");
		return;
	default:
		return;
	}
}

static void sysreg(struct trace_out *t, const struct machine *m, unsigned tid,
		   const struct s2m_event *e)
{
	switch (e->op) {
	case S2M_VTTBR_EL2:
		vttbr(t, m, tid, e->value);
		return;
	case S2M_VTCR_EL2:
		vtcr(t, tid, e->value);
		return;
	case S2M_HCR_EL2:
		/* With VM = 1 Casemate wants a VTTBR_EL2 before it. */
		t->c.thread[tid].hcr = e->value;
		t->c.thread[tid].hcr_waits = e->value & HCR_VM &&
					     !t->c.thread[tid].has_vttbr;
		if (!t->c.thread[tid].hcr_waits)
			put_sysreg(t, tid, "hcr_el2", e->value);
		return;
	default:
		return; /* stage 1 */
	}
}

void casemate_event(struct trace_out *t, const struct machine *m,
		    const struct s2m_event *e)
{
	unsigned tid;

	switch (e->kind) {
	case S2M_EV_TAKE:
		take(t, e);
		return;
	case S2M_EV_GUEST_WRITE:
	case S2M_EV_GUEST_WRITES:
		if (s2m_features(m) & S2M_HAFDBS)
			trace_refuse(t, "entries that hardware changes");
		return;
	case S2M_EV_GIVE:
	case S2M_EV_WRITE:
	case S2M_EV_XCHG:
	case S2M_EV_CAS:
	case S2M_EV_FILL:
	case S2M_EV_BARRIER:
	case S2M_EV_TLBI:
	case S2M_EV_SYSREG:
	case S2M_EV_HANDOFF:
	case S2M_EV_GUEST_ENTER:
	case S2M_EV_GUEST_LEAVE:
		break;
	default:
		return; /* nothing that changes tables or TLBs */
	}
	if (!thread(t, e->pe, &tid))
		return;
	if (t->c.thread[tid].hcr_waits && e->kind != S2M_EV_SYSREG &&
	    e->kind != S2M_EV_GUEST_ENTER)
		load(t, tid, t->c.parking);
	switch (e->kind) {
	case S2M_EV_GIVE:
		give(t, m, tid, e);
		return;
	case S2M_EV_FILL:
		fill(t, tid, e);
		return;
	case S2M_EV_BARRIER:
		barrier(t, tid, e);
		return;
	case S2M_EV_TLBI:
		tlbi(t, tid, e);
		return;
	case S2M_EV_SYSREG:
		sysreg(t, m, tid, e);
		return;
	case S2M_EV_HANDOFF:
		casemate_unlock(t, (int)tid);
		return;
	case S2M_EV_GUEST_ENTER:
		vttbr(t, m, tid, e->value);
		return;
	case S2M_EV_GUEST_LEAVE:
		load(t, tid, t->c.parking);
		return;
	default:
		store(t, m, tid, e);
		return;
	}
}
