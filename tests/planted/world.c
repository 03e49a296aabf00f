/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/flat.h"
#include "world.h"

#define VMID_SHIFT 48

#define ENGINE_PES 2u
#define PES 4u
/* More calls than any operation here has steps. */
#define STEPS_MAX 20000u
#define EXTENTS 64u
#define PENDING 64u

struct world world;

struct extent {
	uint64_t ipa, size, pa;
	s2_attr_t attr;
};

/* What the calls should have left mapped. */
static struct {
	struct extent extent[EXTENTS];
	unsigned n;
} book;

static const struct setup *setup;
static uint64_t root, vmid = 5;
static uint32_t entries, bytes; /* the budget of a step */
static struct s2_limbo limbo, limbo_beside;
static struct s2_batch batch;
static bool batch_open, outside;

/* Unmaps whose promises are made later. */
static struct {
	struct extent range; /* pa: flags of the unmap */
	struct extent gone[EXTENTS];
	unsigned n;
} pending[PENDING];
static unsigned pendings;

/* Memory that nobody may clean: all who unmapped it waived the clean. */
static struct extent waived[EXTENTS];
static unsigned n_waived;
/* What a call beside another has unmapped in the other's range. */
static struct extent beside[EXTENTS];
static unsigned n_beside;
static unsigned calls; /* that are under way, one inside the other */

/* ---- verdicts ---------------------------------------------------------------- */

void convict(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%s: ", name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(0);
}

static void machine_says(void)
{
	unsigned n = s2m_violations_kept(world.m);

	for (unsigned i = 0; i < n; i++)
		printf("%s: %s\n", s2m_violation(world.m, i)->rule,
		       s2m_violation(world.m, i)->detail);
	if (n)
		exit(0);
}

/* ---- the book ------------------------------------------------------------------ */

static void book_add(uint64_t ipa, uint64_t size, uint64_t pa, s2_attr_t attr)
{
	if (book.n == EXTENTS)
		abort();
	book.extent[book.n++] = (struct extent){ ipa, size, pa, attr };
}

/* Removes [ipa, ipa + size). What was there goes to @gone, if it is given. */
static unsigned book_take(uint64_t ipa, uint64_t size, struct extent *gone)
{
	uint64_t end = ipa + size;
	unsigned n = 0;

	for (unsigned i = 0; i < book.n;) {
		struct extent e = book.extent[i];
		uint64_t from = e.ipa > ipa ? e.ipa : ipa;
		uint64_t to = e.ipa + e.size < end ? e.ipa + e.size : end;

		if (from >= to) {
			i++;
			continue;
		}
		book.extent[i] = book.extent[--book.n];
		if (gone)
			gone[n] = (struct extent){ from, to - from, e.pa + (from - e.ipa),
						   e.attr };
		n++;
		if (e.ipa < from)
			book_add(e.ipa, from - e.ipa, e.pa, e.attr);
		if (to < e.ipa + e.size)
			book_add(to, e.ipa + e.size - to, e.pa + (to - e.ipa), e.attr);
		i = 0;
	}
	return n;
}

/* What of it is in the range; false if nothing is. */
static bool clip(struct extent *e, uint64_t ipa, uint64_t size)
{
	uint64_t from = e->ipa > ipa ? e->ipa : ipa;
	uint64_t to = e->ipa + e->size < ipa + size ? e->ipa + e->size : ipa + size;

	if (from >= to)
		return false;
	*e = (struct extent){ from, to - from, e->pa + (from - e->ipa), e->attr };
	return true;
}

static const struct extent *book_at(uint64_t ipa)
{
	for (unsigned i = 0; i < book.n; i++)
		if (ipa - book.extent[i].ipa < book.extent[i].size)
			return &book.extent[i];
	return NULL;
}

void now_has(uint64_t ipa, uint64_t size, s2_attr_t attr)
{
	struct extent old[EXTENTS];
	unsigned n = book_take(ipa, size, old);

	for (unsigned i = 0; i < n; i++)
		book_add(old[i].ipa, old[i].size, old[i].pa, attr);
}

static void book_compare(void)
{
	uint64_t want = 0, have = 0;
	struct s2_mapping m;
	struct s2_iter it;

	for (unsigned i = 0; i < book.n; i++)
		want += book.extent[i].size;
	if (s2_iter_start(&it, &world.s2, s2_ipa(0), UINT64_C(1) << world.s2.ipa_bits))
		convict("wrong-return", "s2_iter_start()");
	while (s2_iter_next(&it, &m)) {
		if (m.state != S2_LEAF)
			continue;
		have += m.size;
		for (uint64_t at = m.ipa.ipa; at < m.ipa.ipa + m.size;) {
			const struct extent *e = book_at(at);
			s2_attr_t hardware = m.attr & S2_DBM ? S2_W : 0;

			if (!e || e->pa + (at - e->ipa) != m.pa.pa + (at - m.ipa.ipa) ||
			    (e->attr ^ m.attr) & ~hardware)
				convict("mapping-differs",
					"0x%" PRIx64 " is mapped to 0x%" PRIx64
					" with attributes 0x%x",
					at, m.pa.pa + (at - m.ipa.ipa), m.attr);
			at = e->ipa + e->size;
		}
	}
	if (have != want)
		convict("mapping-differs",
			"0x%" PRIx64 " bytes are mapped, not 0x%" PRIx64, have, want);
}

static void check(void)
{
	uint64_t tables, linked;
	const char *what;

	machine_says();
	/* What is busy in an open batch is not finished, and is counted as busy. */
	if (batch_open && pendings)
		return;
	what = meta_check(&world.s2, &linked);
	if (what)
		convict("meta-mismatch", "%s", what);
	book_compare();
	tables = s2m_tables_in_use(world.m) - world.s2.root_pages;
	if (tables != linked)
		convict("table-leaked",
			"%" PRIu64 " tables are taken, %" PRIu64 " are linked", tables,
			linked);
	machine_says();
}

/* ---- the instance --------------------------------------------------------------- */

static uint32_t machine_features(const struct setup *s)
{
	static const struct {
		uint32_t engine, machine;
	} feature[] = {
		{ S2_FEAT_FWB, S2M_FWB },
		{ S2_FEAT_TLBIRANGE, S2M_TLBIRANGE },
		{ S2_FEAT_TTL, S2M_TTL },
		{ S2_FEAT_HAFDBS, S2M_HAFDBS },
		{ S2_FEAT_LPA2, S2M_LPA2 },
		{ S2_FEAT_XNX, S2M_XNX },
		{ S2_FEAT_BBM2, S2M_BBM2 | S2M_CONFLICTS },
	};
	uint32_t f = s->machine;

	for (unsigned i = 0; i < sizeof(feature) / sizeof(*feature); i++)
		if (s->features & feature[i].engine)
			f |= feature[i].machine;
	if (s->errata & S2_ERRATUM_REPEAT_TLBI)
		f |= S2M_REPEAT_TLBI;
	return f;
}

static void guests_enter(void)
{
	world.port.vttbr = s2_vttbr(&world.s2) | vmid << VMID_SHIFT;
	for (unsigned pe = ENGINE_PES; pe < PES; pe++)
		s2m_guest_enter(world.m, pe, world.port.vttbr);
}

static void guests_leave(void)
{
	for (unsigned pe = ENGINE_PES; pe < PES; pe++) {
		s2m_guest_leave(world.m, pe);
		s2m_handoff(world.m, pe, world.port.pe);
	}
}

void world_open(const struct setup *s, FILE *log)
{
	uint8_t pa_bits = s->pa_bits ? s->pa_bits : 44;
	struct machine_config mc = { .features = machine_features(s),
				     .granule_shift = s->granule,
				     .pes = PES,
				     .table_base = UINT64_C(1) << (pa_bits - 1),
				     .table_pages = 2048,
				     .counted = s->counted ? 1u << 3 : 0 };
	struct s2_config cfg = { .ipa_bits = s->ipa_bits ? s->ipa_bits : 40,
				 .pa_bits = pa_bits,
				 .granule_shift = s->granule,
				 .features = s->features,
				 .errata = s->errata,
				 .port = &world.port,
				 .counted = mc.counted };

	setup = s;
	budget(s->entries, s->bytes);
	world.port = (struct model_port){ .m = machine_new(&mc), .fail_alloc = -1 };
	world.m = world.port.m;
	if (!world.m)
		abort();
	s2m_shuffle(world.m, 1);
	s2m_log(world.m, log);
	if (s2_init(&world.s2, &cfg))
		convict("wrong-return", "s2_init()");
	root = world.port.root = s2m_pa(world.m, world.s2.root);
	for (unsigned pe = 0; pe < PES; pe++) {
		s2m_setup(world.m, pe, s2_vtcr(&world.s2), s->features & S2_FEAT_FWB);
	}
	guests_enter();
	if (s->how == BATCH && s2_batch_begin(&world.s2, &batch))
		convict("wrong-return", "s2_batch_begin()");
	batch_open = s->how == BATCH;
	check();
}

void vmid_rollover(void)
{
	guests_leave();
	s2m_barrier(world.m, world.port.pe, S2M_DSB_ISHST);
	s2m_tlbi(world.m, world.port.pe, S2M_ALLE1IS, 0);
	s2m_barrier(world.m, world.port.pe, S2M_DSB_ISH);
	s2m_barrier(world.m, world.port.pe, S2M_ISB);
	vmid++;
	guests_enter();
}

void outside_batch(bool on)
{
	outside = on;
}

void budget(uint32_t max_entries, uint32_t max_bytes)
{
	entries = max_entries;
	bytes = max_bytes;
}

void memory(long pages)
{
	world.port.fail_alloc = pages;
}

/* ---- calls ----------------------------------------------------------------------- */

uint64_t frame(uint64_t ipa)
{
	return ipa + 16 * GIB;
}

/* The lock is handed over from one PE to the other. */
static void other_pe(void)
{
	unsigned pe = (world.port.pe + 1) % ENGINE_PES;

	s2m_handoff(world.m, world.port.pe, pe);
	world.port.pe = pe;
}

static void before_step(void)
{
	calls++;
	if (setup->how == SHARED)
		s2m_walker_enter(world.m, world.port.pe);
}

/* A block is parked where the operation goes on: once, something comes in between. */
static void between_steps(const struct s2_op *op)
{
	void (*first)(void) = world.at_parked;
	struct s2_mapping m;

	if (!op || !first || s2_lookup(&world.s2, op->done, &m) || m.state != S2_BUSY)
		return;
	world.at_parked = NULL;
	first();
}

/* False when the operation is at its end. */
static bool after_step(int ret, const char *what, int expected, const struct s2_op *op)
{
	static unsigned steps;

	if (setup->how == SHARED)
		s2m_walker_leave(world.m, world.port.pe);
	machine_says();
	calls--;
	if (op && op->max_entries && op->visited > op->max_entries)
		convict("over-budget", "%s: %" PRIu64 " visits of %u", what, op->visited,
			op->max_entries);
	if (op && op->max_bytes && op->cleaned > op->max_bytes)
		convict("over-budget", "%s: 0x%" PRIx64 " bytes cleaned of 0x%" PRIx64,
			what, op->cleaned, op->max_bytes);
	if (ret == S2_MORE) {
		if (++steps > STEPS_MAX)
			convict("wrong-return", "%s never ends", what);
		between_steps(op);
		other_pe();
		return true;
	}
	if (ret != expected)
		convict("wrong-return", "%s: %s", what, s2_strerror(ret));
	return false;
}

#define STEPS(ret, op, what, expected, call) \
	do {                                 \
		before_step();               \
		(ret) = (call);              \
	} while (after_step((ret), (what), (expected), (op)))

static uint32_t shared(void)
{
	return setup->how == SHARED ? S2_SHARED : 0;
}

static bool limbo_is_ours(void)
{
	return setup->how == SHARED || setup->late;
}

static struct s2_op begin(bool batched)
{
	other_pe();
	return (struct s2_op){
		.max_entries = batched && batch_open && !outside ? 0 : entries,
		.max_bytes = batched && batch_open && !outside ? 0 : bytes,
		.limbo = limbo_is_ours() ? &limbo : NULL,
		.batch = batched && batch_open && !outside ? &batch : NULL
	};
}

/* After the promises, because they hold earlier: detached tables are given back. */
static void end(void)
{
	struct s2_op op = { .max_entries = entries };
	int ret;

	machine_says();
	if (world.at_parked ||
	    (setup->how == SHARED && (world.before_cas || world.before_tlbi)))
		convict("wrong-return", "the call ended before another came in between");
	if (limbo_is_ours())
		STEPS(ret, &op, "s2_release()", 0, s2_release(&world.s2, &limbo, &op));
	if (s2_release(&world.s2, &limbo_beside, NULL))
		convict("wrong-return", "s2_release()");
	check();
}

static uint64_t dirty_bits[16];
static struct s2_dirty_log dirty_log;

/* Where the call is to say what was dirty; NULL where it cannot. */
static bool log_open;

static struct s2_dirty_log *log_begin(uint64_t ipa, uint64_t size)
{
	dirty_log = (struct s2_dirty_log){ s2_ipa(ipa), size, dirty_bits, false };
	memset(dirty_bits, 0, sizeof(dirty_bits));
	log_open = setup->features & S2_FEAT_DBM;
	if (!log_open)
		return NULL;
	if (size >> world.s2.granule_shift > 64 * 16)
		abort();
	return &dirty_log;
}

/*
 * The report is complete. This comes before other promises, which forget what was dirty.
 */
static void log_end(void)
{
	unsigned shift = world.s2.granule_shift;
	uint64_t ipa = dirty_log.ipa.ipa;

	if (!log_open)
		return;
	log_open = false;
	for (uint64_t i = 0; i < dirty_log.size >> shift; i++)
		if (dirty_bits[i / 64] >> i % 64 & 1)
			s2m_dirty_found(world.m, world.port.pe, root, ipa + (i << shift),
					UINT64_C(1) << shift);
	s2m_claim_harvested(world.m, world.port.pe, root, ipa, dirty_log.size);
}

static void promise_unmapped(const struct extent *range, const struct extent *gone,
			     unsigned n)
{
	unsigned pe = world.port.pe;

	s2m_claim_unmapped(world.m, pe, root, range->ipa, range->size,
			   range->pa & S2_NO_CLEAN ? S2M_CLAIM_NO_CLEAN : 0);
	for (unsigned i = 0; i < n; i++) {
		s2m_claim_frame_free(world.m, pe, gone[i].pa, gone[i].size);
		s2m_host_wrote(world.m, pe, gone[i].pa, gone[i].size);
	}
}

static void put_off(struct extent range, const struct extent *gone, unsigned n)
{
	if (pendings == PENDING)
		abort();
	pending[pendings].range = range;
	pending[pendings].n = n;
	if (n)
		memcpy(pending[pendings].gone, gone, n * sizeof(*gone));
	pendings++;
}

static void put_off_ends(void)
{
	for (unsigned i = 0; i < pendings; i++)
		promise_unmapped(&pending[i].range, pending[i].gone, pending[i].n);
	pendings = n_waived = 0;
}

static void waive(const struct extent *gone, unsigned n)
{
	if (n_waived + n > EXTENTS)
		abort();
	memcpy(&waived[n_waived], gone, n * sizeof(*gone));
	n_waived += n;
}

void world_flush(void)
{
	struct s2_op op = begin(false);
	int ret;

	if (!batch_open)
		return;
	op.max_entries = 0, op.max_bytes = 0;
	for (unsigned i = 0; i < pendings; i++)
		if (pending[i].range.pa & S2_NO_CLEAN)
			waive(pending[i].gone, pending[i].n);
	STEPS(ret, &op, "s2_batch_flush()", 0, s2_batch_flush(&world.s2, &batch, &op));
	put_off_ends();
	end();
}

/* What waits for the flush is refused to others, so it comes first. */
static void flush_pending(uint64_t ipa, uint64_t size)
{
	for (unsigned i = 0; i < pendings; i++)
		if (batch_open && pending[i].range.ipa < ipa + size &&
		    ipa < pending[i].range.ipa + pending[i].range.size)
			world_flush();
}

static void map_expecting(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
			  uint32_t flags, int expected)
{
	struct extent gone[EXTENTS];
	struct s2_op op;
	unsigned n;
	int ret;

	if (expected != S2_E_BATCH)
		flush_pending(ipa, size);
	op = begin(false);
	/* The caller vouches for the memory. */
	world.port.no_clean = !!(flags & S2_NO_CLEAN);
	STEPS(ret, &op, "s2_map()", expected,
	      s2_map(&world.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags | shared(),
		     &op));
	world.port.no_clean = 0;
	if (!ret) {
		n = book_take(op.start.ipa, op.end.ipa - op.start.ipa, gone);
		book_add(ipa, size, pa, attr);
		for (unsigned i = 0; i < n; i++) {
			/* Replaced by other memory; it has another owner now. */
			if (flags & S2_MAP_REPLACE &&
			    gone[i].pa != pa + (gone[i].ipa - ipa))
				s2m_claim_frame_free(world.m, world.port.pe, gone[i].pa,
						     gone[i].size);
		}
		if (!(attr & (S2_W | S2_DBM)))
			s2m_claim_wrprotected(world.m, world.port.pe, root, ipa, size);
	}
	end();
}

void promise_wrprotected(uint64_t ipa, uint64_t size)
{
	s2m_claim_wrprotected(world.m, world.port.pe, root, ipa, size);
	machine_says();
}

uint64_t world_root(void)
{
	return root;
}

void map_to(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	map_expecting(ipa, pa, size, attr, flags, 0);
}

void map(uint64_t ipa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	map_to(ipa, frame(ipa), size, attr, flags);
}

void map_fails(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags,
	       int expected)
{
	map_expecting(ipa, pa, size, attr, flags, expected);
}

/* ---- calls beside the one that is under way, or between two steps of it ---------- */

static unsigned beside_begin(void)
{
	unsigned pe = world.port.pe, other = (pe + 1) % ENGINE_PES;

	if (setup->how != SHARED)
		s2m_handoff(world.m, pe, other);
	world.port.pe = other;
	if (setup->how == SHARED)
		s2m_walker_enter(world.m, other);
	return pe;
}

static void beside_end(unsigned pe, const char *what, int ret)
{
	if (setup->how == SHARED)
		s2m_walker_leave(world.m, world.port.pe);
	else
		s2m_handoff(world.m, world.port.pe, pe);
	machine_says();
	if (ret)
		convict("wrong-return", "%s beside: %s", what, s2_strerror(ret));
}

static struct s2_op beside_op(void)
{
	return (struct s2_op){ .limbo = limbo_is_ours() ? &limbo_beside : NULL };
}

void map_beside(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	unsigned pe = beside_begin();
	struct s2_op op = beside_op();
	int ret = s2_map(&world.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags | shared(),
			 &op);
	struct extent gone[EXTENTS];

	beside_end(pe, "s2_map()", ret);
	if (!(attr & (S2_W | S2_DBM)))
		s2m_claim_wrprotected(world.m, (pe + 1) % ENGINE_PES, root, ipa, size);
	world.port.pe = pe;
	book_take(ipa, size, gone);
	book_add(ipa, size, pa, attr);
}

void unmap_beside(uint64_t ipa, uint64_t size, uint32_t flags)
{
	unsigned pe = beside_begin(), n;
	struct extent range = { ipa, size, flags, 0 };
	struct s2_op op = beside_op();
	int ret = s2_unmap(&world.s2, s2_ipa(ipa), size, flags | shared(), &op);

	beside_end(pe, "s2_unmap()", ret);
	n = book_take(ipa, size, beside);
	if (flags & S2_NO_CLEAN) {
		/* The other call has promised that it is clean, and is asked first. */
		n_beside = n;
		put_off(range, NULL, 0);
	} else {
		promise_unmapped(&range, beside, n);
	}
	world.port.pe = pe;
	machine_says();
}

void wrprotect_beside(uint64_t ipa, uint64_t size)
{
	unsigned pe = beside_begin(), n;
	struct s2_op op = beside_op();
	int ret = s2_wrprotect(&world.s2, s2_ipa(ipa), size, shared(), &op);
	struct extent old[EXTENTS];

	beside_end(pe, "s2_wrprotect()", ret);
	n = book_take(ipa, size, old);
	for (unsigned i = 0; i < n; i++)
		book_add(old[i].ipa, old[i].size, old[i].pa,
			 old[i].attr & ~(S2_W | S2_DBM));
	s2m_claim_wrprotected(world.m, world.port.pe, root, ipa, size);
	world.port.pe = pe;
	machine_says();
}

/* ---- calls, once more ------------------------------------------------------------- */

void unmap_fails(uint64_t ipa, uint64_t size, uint32_t flags, int expected)
{
	struct s2_op op = begin(true);
	int ret;

	STEPS(ret, &op, "s2_unmap()", expected,
	      s2_unmap(&world.s2, s2_ipa(ipa), size, flags | shared(), &op));
	end();
}

void unmap(uint64_t ipa, uint64_t size, uint32_t flags)
{
	bool batched = batch_open && !outside;
	struct s2_op op;
	struct extent gone[EXTENTS], range;
	unsigned n, before = pendings;
	int ret;

	if (!batched)
		flush_pending(ipa, size);
	op = begin(true);
	if (setup->how != SHARED)
		op.dirty = log_begin(ipa, size);
	if (flags & S2_NO_CLEAN && !batched && setup->how != SHARED && !world.at_parked) {
		n = book_take(ipa, size, gone);
		waive(gone, n);
		for (unsigned i = 0; i < n; i++)
			book_add(gone[i].ipa, gone[i].size, gone[i].pa, gone[i].attr);
	}
	STEPS(ret, &op, "s2_unmap()", 0,
	      s2_unmap(&world.s2, s2_ipa(ipa), size, flags | shared(), &op));
	if (!batched)
		n_waived = 0;
	range = (struct extent){ op.start.ipa, op.end.ipa - op.start.ipa, flags, 0 };
	if (!(flags & S2_DROP_EDGES) && (range.ipa != ipa || range.size != size))
		convict("wrong-return", "s2_unmap(): 0x%" PRIx64 ", 0x%" PRIx64 " bytes",
			range.ipa, range.size);
	n = book_take(range.ipa, range.size, gone);
	/* What another has taken away meanwhile, this call promises, too. */
	for (unsigned i = 0; i < n_beside; i++)
		if (n < EXTENTS && clip(&beside[i], range.ipa, range.size))
			gone[n++] = beside[i];
	n_beside = 0;
	log_end();
	if (op.batch) {
		put_off(range, gone, n);
	} else {
		promise_unmapped(&range, gone, n);
		if (!batch_open && before < pendings)
			put_off_ends();
	}
	end();
}

static void wrprotect_expecting(uint64_t ipa, uint64_t size, int expected)
{
	struct extent old[EXTENTS];
	struct s2_op op;
	unsigned n;
	int ret;

	if (expected != S2_E_BATCH)
		flush_pending(ipa, size);
	op = begin(false);
	if (!expected)
		op.dirty = log_begin(ipa, size);
	STEPS(ret, &op, "s2_wrprotect()", expected,
	      s2_wrprotect(&world.s2, s2_ipa(ipa), size, shared(), &op));
	if (!ret) {
		n = book_take(ipa, size, old);
		log_end();
		for (unsigned i = 0; i < n; i++)
			book_add(old[i].ipa, old[i].size, old[i].pa,
				 old[i].attr & ~(S2_W | S2_DBM));
		s2m_claim_wrprotected(world.m, world.port.pe, root, ipa, size);
	}
	end();
}

void wrprotect(uint64_t ipa, uint64_t size)
{
	wrprotect_expecting(ipa, size, 0);
}

void wrprotect_fails(uint64_t ipa, uint64_t size, int expected)
{
	wrprotect_expecting(ipa, size, expected);
}

void age(uint64_t ipa, uint64_t size)
{
	struct s2_op op;
	bool young = false;
	int ret;

	flush_pending(ipa, size);
	op = begin(false);
	STEPS(ret, &op, "s2_age()", 0,
	      s2_age(&world.s2, s2_ipa(ipa), size, S2_CLEAR | shared(), &young, &op));
	end();
}

void relax(uint64_t ipa, s2_attr_t perms)
{
	const struct extent *e = book_at(ipa);
	s2_attr_t attr = e ? e->attr | perms : perms;
	int ret;

	other_pe();
	STEPS(ret, NULL, "s2_relax_perms()", 0,
	      s2_relax_perms(&world.s2, s2_ipa(ipa), perms, shared()));
	now_has(ipa, UINT64_C(1) << world.s2.granule_shift, attr);
	end();
}

void split(uint64_t ipa, uint64_t size)
{
	split_fails(ipa, size, 0);
}

void split_fails(uint64_t ipa, uint64_t size, int expected)
{
	struct s2_mapping m;
	struct s2_iter it;
	struct s2_op op;
	int ret;

	flush_pending(ipa, size);
	op = begin(false);
	STEPS(ret, &op, "s2_split()", expected,
	      s2_split(&world.s2, s2_ipa(ipa), size, shared(), &op));
	/* All stays mapped, and by pages. */
	if (!ret && s2_iter_start(&it, &world.s2, s2_ipa(ipa), size))
		convict("wrong-return", "s2_iter_start()");
	while (!ret && s2_iter_next(&it, &m))
		if (m.state == S2_LEAF && m.level < 3)
			convict("wrong-return",
				"s2_split() has left a block at 0x%" PRIx64, m.ipa.ipa);
	end();
}

void collapse(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(false);
	int ret;

	STEPS(ret, &op, "s2_collapse()", 0,
	      s2_collapse(&world.s2, s2_ipa(ipa), size, shared(), &op));
	end();
}

void annotate(uint64_t ipa, uint64_t size, uint64_t note)
{
	struct s2_op op = begin(false);
	int ret;

	STEPS(ret, &op, "s2_annotate()", 0,
	      s2_annotate(&world.s2, s2_ipa(ipa), size, note, 0, &op));
	end();
}

void annotate_over(uint64_t ipa, uint64_t size, uint64_t note)
{
	const uint32_t flags = S2_MAP_REPLACE | S2_SPLIT_EDGES;
	struct s2_op op = begin(false);
	struct extent gone[EXTENTS];
	int ret;

	STEPS(ret, &op, "s2_annotate()", 0,
	      s2_annotate(&world.s2, s2_ipa(ipa), size, note, flags, &op));
	book_take(ipa, size, gone);
	s2m_claim_unmapped(world.m, world.port.pe, root, ipa, size, 0);
	end();
}

void dirty(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(false);
	int ret;

	log_begin(ipa, size);
	STEPS(ret, &op, "s2_dirty()", 0,
	      s2_dirty(&world.s2, s2_ipa(ipa), size, S2_CLEAR | shared(), &dirty_log,
		       &op));
	log_end();
	end();
}

void world_close(void)
{
	uint64_t ends;

	if (batch_open) {
		world_flush();
		if (s2_batch_end(&world.s2, &batch, NULL))
			convict("wrong-return", "s2_batch_end()");
		batch_open = false;
	}
	check();
	other_pe();
	guests_leave();
	ends = s2m_counters(world.m)->tlbi[S2M_VMALLS12E1IS];
	if (s2_destroy(&world.s2, 0, NULL))
		convict("wrong-return", "s2_destroy()");
	machine_says();
	if (s2m_counters(world.m)->tlbi[S2M_VMALLS12E1IS] == ends)
		convict("vmid-not-ended", "s2_destroy() has not invalidated the VMID");
	if (s2m_tables_in_use(world.m))
		convict("table-leaked", "%" PRIu64 " tables are left",
			s2m_tables_in_use(world.m));
	machine_free(world.m);
}

/* ---- in between ------------------------------------------------------------------- */

static void hook(void (**first)(void))
{
	void (*call)(void) = *first;

	/* Not in the call that comes in between. */
	if (calls != 1 || !call)
		return;
	*first = NULL;
	calls++;
	call();
	calls--;
}

uint64_t __real_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc);
uint64_t __wrap_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc);

uint64_t __wrap_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc)
{
	hook(&world.before_cas);
	return __real_s2_port_cas(port, entry, old, desc);
}

void __real_s2_port_vmid_enter(void *port);
void __wrap_s2_port_vmid_enter(void *port);

void __wrap_s2_port_vmid_enter(void *port)
{
	hook(&world.before_tlbi);
	__real_s2_port_vmid_enter(port);
}

void __real_s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr);
void __wrap_s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr);

void __wrap_s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	for (unsigned i = 0; i < n_waived; i++)
		if (waived[i].pa < pa + size && pa < waived[i].pa + waived[i].size)
			convict("clean-waived",
				"0x%" PRIx64 ", 0x%" PRIx64
				" bytes: who unmapped it has waived that",
				pa, size);
	__real_s2_port_clean(port, pa, size, attr);
}
