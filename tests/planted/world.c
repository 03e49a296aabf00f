/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/flat.h"
#include "world.h"

#define HCR_VM (UINT64_C(1) << 0)
#define HCR_FWB (UINT64_C(1) << 46)
#define VMID_SHIFT 48

#define ENGINE_PES 2u
#define PES 4u
/* More calls than any operation here has steps. */
#define STEPS_MAX 100000u
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
static struct s2_limbo limbo;
static struct s2_batch batch;
static bool batch_open, outside;
static struct {
	struct extent range; /* pa: flags of the unmap; UINT64_MAX: a wrprotect */
	struct extent gone[EXTENTS];
	unsigned n;
} pending[PENDING];
static unsigned pendings;

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
				     .table_pages = 2048 };
	struct s2_config cfg = { .ipa_bits = s->ipa_bits ? s->ipa_bits : 40,
				 .pa_bits = pa_bits,
				 .granule_shift = s->granule,
				 .features = s->features,
				 .errata = s->errata,
				 .port = &world.port };
	uint64_t hcr = HCR_VM | (s->features & S2_FEAT_FWB ? HCR_FWB : 0);

	setup = s;
	world.port = (struct model_port){ .m = machine_new(&mc), .fail_alloc = -1 };
	world.m = world.port.m;
	if (!world.m)
		abort();
	s2m_shuffle(world.m, 1);
	s2m_log(world.m, log);
	if (s2_init(&world.s2, &cfg))
		convict("wrong-return", "s2_init()");
	root = s2m_pa(world.m, world.s2.root);
	for (unsigned pe = 0; pe < PES; pe++) {
		s2m_sysreg(world.m, pe, S2M_VTCR_EL2, s2_vtcr(&world.s2));
		s2m_sysreg(world.m, pe, S2M_HCR_EL2, hcr);
		s2m_barrier(world.m, pe, S2M_ISB);
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
	if (setup->how == SHARED)
		s2m_walker_enter(world.m, world.port.pe);
}

/* False when the operation has ended. */
static bool after_step(int ret, const char *what, int expected)
{
	static unsigned steps;

	if (setup->how == SHARED)
		s2m_walker_leave(world.m, world.port.pe);
	machine_says();
	if (ret == S2_MORE) {
		if (++steps > STEPS_MAX)
			convict("wrong-return", "%s never ends", what);
		other_pe();
		return true;
	}
	if (ret != expected)
		convict("wrong-return", "%s: %s", what, s2_strerror(ret));
	return false;
}

#define STEPS(ret, what, expected, call) \
	do {                             \
		before_step();           \
		(ret) = (call);          \
	} while (after_step((ret), (what), (expected)))

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
	return (struct s2_op){ .max_entries = setup->entries,
			       .max_bytes = setup->bytes,
			       .limbo = limbo_is_ours() ? &limbo : NULL,
			       .batch = batched && batch_open && !outside ? &batch :
									    NULL };
}

/* After the promises, because they hold earlier: detached tables are given back. */
static void end(void)
{
	machine_says();
	if (limbo_is_ours() && s2_release(&world.s2, &limbo, NULL))
		convict("wrong-return", "s2_release()");
	check();
}

static uint64_t dirty_bits[16];
static struct s2_dirty_log dirty_log;

/* Where the call reports what was dirty; NULL where hardware keeps no dirty state. */
static struct s2_dirty_log *log_begin(uint64_t ipa, uint64_t size)
{
	dirty_log = (struct s2_dirty_log){ s2_ipa(ipa), size, dirty_bits, false };
	memset(dirty_bits, 0, sizeof(dirty_bits));
	if (!(setup->features & S2_FEAT_DBM))
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

	if (!(setup->features & S2_FEAT_DBM))
		return;
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

void world_flush(void)
{
	struct s2_op op = begin(false);
	int ret;

	if (!batch_open)
		return;
	STEPS(ret, "s2_batch_flush()", 0, s2_batch_flush(&world.s2, &batch, &op));
	for (unsigned i = 0; i < pendings; i++) {
		struct extent *r = &pending[i].range;

		if (r->pa == UINT64_MAX)
			s2m_claim_wrprotected(world.m, world.port.pe, root, r->ipa,
					      r->size);
		else
			promise_unmapped(r, pending[i].gone, pending[i].n);
	}
	pendings = 0;
	end();
}

static void map_expecting(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
			  uint32_t flags, int expected)
{
	struct extent gone[EXTENTS];
	struct s2_op op;
	unsigned n;
	int ret;

	for (unsigned i = 0; i < pendings; i++)
		if (expected != S2_E_BUSY && pending[i].range.ipa < ipa + size &&
		    ipa < pending[i].range.ipa + pending[i].range.size)
			world_flush();
	op = begin(false);
	/* The caller vouches for the memory. */
	world.port.no_clean = !!(flags & S2_NO_CLEAN);
	STEPS(ret, "s2_map()", expected,
	      s2_map(&world.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags | shared(),
		     &op));
	world.port.no_clean = 0;
	if (!ret) {
		n = book_take(op.start.ipa, op.end.ipa - op.start.ipa, gone);
		book_add(ipa, size, pa, attr);
		for (unsigned i = 0; i < n; i++) {
			/*
			 * The memory is replaced by other memory, and the old memory has
			 * another owner.
			 */
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

void map_beside(uint64_t ipa, uint64_t pa, s2_attr_t attr)
{
	unsigned pe = world.port.pe;
	struct s2_limbo own = { 0 };
	struct s2_op op = { .limbo = &own };
	int ret;

	world.port.pe = (pe + 1) % ENGINE_PES;
	s2m_walker_enter(world.m, world.port.pe);
	ret = s2_map(&world.s2, s2_ipa(ipa), s2_pa(pa), PAGE, attr, S2_SHARED, &op);
	s2m_walker_leave(world.m, world.port.pe);
	world.port.pe = pe;
	if (ret)
		convict("wrong-return", "s2_map() beside: %s", s2_strerror(ret));
	book_add(ipa, PAGE, pa, attr);
}

void unmap(uint64_t ipa, uint64_t size, uint32_t flags)
{
	struct s2_op op = begin(true);
	struct extent gone[EXTENTS], range;
	unsigned n;
	int ret;

	op.dirty = log_begin(ipa, size);
	STEPS(ret, "s2_unmap()", 0,
	      s2_unmap(&world.s2, s2_ipa(ipa), size, flags | shared(), &op));
	range = (struct extent){ op.start.ipa, op.end.ipa - op.start.ipa, flags, 0 };
	if (!(flags & S2_DROP_EDGES) && (range.ipa != ipa || range.size != size))
		convict("wrong-return", "s2_unmap(): 0x%" PRIx64 ", 0x%" PRIx64 " bytes",
			range.ipa, range.size);
	n = book_take(range.ipa, range.size, gone);
	log_end();
	if (op.batch)
		put_off(range, gone, n);
	else
		promise_unmapped(&range, gone, n);
	end();
}

void wrprotect(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(true);
	struct extent old[EXTENTS];
	unsigned n;
	int ret;

	op.dirty = log_begin(ipa, size);
	STEPS(ret, "s2_wrprotect()", 0,
	      s2_wrprotect(&world.s2, s2_ipa(ipa), size, shared(), &op));
	n = book_take(ipa, size, old);
	log_end();
	for (unsigned i = 0; i < n; i++)
		book_add(old[i].ipa, old[i].size, old[i].pa,
			 old[i].attr & ~(S2_W | S2_DBM));
	if (op.batch)
		put_off((struct extent){ ipa, size, UINT64_MAX, 0 }, NULL, 0);
	else
		s2m_claim_wrprotected(world.m, world.port.pe, root, ipa, size);
	end();
}

void age(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(true);
	bool young = false;
	int ret;

	STEPS(ret, "s2_age()", 0,
	      s2_age(&world.s2, s2_ipa(ipa), size, S2_CLEAR | shared(), &young, &op));
	end();
}

void relax(uint64_t ipa, s2_attr_t perms)
{
	const struct extent *e = book_at(ipa);
	s2_attr_t attr = e ? e->attr | perms : perms;
	int ret;

	other_pe();
	STEPS(ret, "s2_relax_perms()", 0,
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
	struct s2_op op = begin(true);
	int ret;

	STEPS(ret, "s2_split()", expected,
	      s2_split(&world.s2, s2_ipa(ipa), size, shared(), &op));
	/* The only promise is that all stays mapped. It is finished at once. */
	if (op.batch)
		world_flush();
	end();
}

void collapse(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(false);
	int ret;

	STEPS(ret, "s2_collapse()", 0,
	      s2_collapse(&world.s2, s2_ipa(ipa), size, shared(), &op));
	end();
}

void annotate(uint64_t ipa, uint64_t size, uint64_t note)
{
	struct s2_op op = begin(false);
	int ret;

	STEPS(ret, "s2_annotate()", 0,
	      s2_annotate(&world.s2, s2_ipa(ipa), size, note, 0, &op));
	end();
}

void dirty(uint64_t ipa, uint64_t size)
{
	struct s2_op op = begin(true);
	int ret;

	log_begin(ipa, size);
	STEPS(ret, "s2_dirty()", 0,
	      s2_dirty(&world.s2, s2_ipa(ipa), size, S2_CLEAR | shared(), &dirty_log,
		       &op));
	log_end();
	end();
}

void world_close(void)
{
	if (batch_open) {
		world_flush();
		if (s2_batch_end(&world.s2, &batch, NULL))
			convict("wrong-return", "s2_batch_end()");
		batch_open = false;
	}
	check();
	other_pe();
	guests_leave();
	if (s2_destroy(&world.s2, 0, NULL))
		convict("wrong-return", "s2_destroy()");
	machine_says();
	if (s2m_tables_in_use(world.m))
		convict("table-leaked", "%" PRIu64 " tables are left",
			s2m_tables_in_use(world.m));
	machine_free(world.m);
}

/* ---- in between ------------------------------------------------------------------- */

uint64_t __real_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc);
uint64_t __wrap_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc);

uint64_t __wrap_s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc)
{
	void (*first)(void) = world.before_cas;

	world.before_cas = NULL;
	if (first)
		first();
	return __real_s2_port_cas(port, entry, old, desc);
}
