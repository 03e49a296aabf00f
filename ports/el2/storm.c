/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The storm: a CPU that the guest does not have unmaps pages of the guest while it runs,
 * moves them, write-protects them, ages and splits them.
 *
 * A moved page is copied after the unmap, and its old frame is poisoned. A vCPU that
 * still uses the old translation loses a write or reads poison. The guest or the check of
 * the poison then finds out.
 */
#include "el2.h"

struct storm storm;

#define BATCH BLOCK_PAGES /* pages moved under one hold of the lock */
#define VOLLEY 16	  /* unmaps in a batch */
#define STEP_ENTRIES 4096 /* of long operations, between drops of the lock */
#define STEP_BYTES MIB(16)
#define SPELL 1000 /* us of work at least between two rests */

static uint64_t rnd(void)
{
	/* xorshift64* */
	storm.seed ^= storm.seed >> 12;
	storm.seed ^= storm.seed << 25;
	storm.seed ^= storm.seed >> 27;
	return storm.seed * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t n)
{
	return (rnd() >> 11) % n;
}

struct range {
	uint64_t first, n; /* pages of RAM */
};

/* Up to 2^@bits pages, with each magnitude equally likely and edges anywhere. */
static struct range any_range(unsigned bits)
{
	struct range r = { below(vm.pages), 1 + below(1ull << below(bits + 1)) };

	if (r.n > vm.pages - r.first)
		r.n = vm.pages - r.first;
	return r;
}

static s2_ipa_t ipa_of(uint64_t gfn)
{
	return s2_ipa(RAM_IPA + gfn * PAGE);
}

/* ---- moving ---------------------------------------------------------------------
 *
 * The lock is held for writing from the unmap to the end, so no fault can map the old
 * frame again.
 */
static struct {
	uint64_t gfn, to;
} moving[BATCH];
static unsigned movings;

/* New frames for pages in use. @block: all from one block, which the region becomes. */
static void take(struct range r, uint64_t block)
{
	for (uint64_t i = 0; i < r.n && movings < BATCH; i++) {
		struct page *p = &vm.page[r.first + i];

		if (!p->frame || p->moving)
			continue;
		p->moving = 1;
		moving[movings].gfn = r.first + i;
		moving[movings++].to = block ? block + i * PAGE : frame_alloc();
	}
}

static void copy_out(void)
{
	for (unsigned i = 0; i < movings; i++)
		frame_copy(moving[i].to, (uint64_t)vm.page[moving[i].gfn].frame * PAGE);
}

/* Planted mistake: the break is done, and the TLBI is not. */
void plant_before_tlbi(void)
{
	copy_out();
}

static void switch_over(uint64_t block)
{
	for (unsigned i = 0; i < movings; i++) {
		struct page *p = &vm.page[moving[i].gfn];

		frame_free((uint64_t)p->frame * PAGE);
		p->frame = (uint32_t)(moving[i].to / PAGE);
		p->moving = 0;
		p->moved = 1;
		p->before = p->writer;
		p->writer = 0;
		vm.moved++;
		vm.region[moving[i].gfn / BLOCK_PAGES] = block;
	}
	movings = 0;
}

static bool mapped(uint64_t gfn)
{
	struct s2_mapping m;

	return s2_lookup(&vm.s2, ipa_of(gfn), &m) || m.state != S2_EMPTY;
}

static void check_err(int err, const char *what)
{
	if (err < 0)
		el2_panic("storm: %s: %s", what, s2_strerror(err));
}

/* After the unmap, unless the mistake is planted. */
#define COPY_FIRST (PLANTED(EARLY_COPY) || PLANTED(VALID_TO_VALID))
#define COPY_LAST (!COPY_FIRST && !PLANTED(LATE_TLBI))

static void unmap(struct range r, struct s2_op *op)
{
	const uint32_t edges = rnd() & 1 ? S2_DROP_EDGES : S2_SPLIT_EDGES;

	vm.unmapped += r.n;
	check_err(s2_unmap(&vm.s2, ipa_of(r.first), r.n * PAGE, edges, op), "unmap");
}

/* Planted mistake: no break. */
static void over_valid(struct range r)
{
	check_err(s2_split(&vm.s2, ipa_of(r.first), r.n * PAGE, 0, NULL), "split");
	copy_out();
	for (unsigned i = 0; i < movings; i++)
		plant_over_valid(ipa_of(moving[i].gfn).ipa, moving[i].to);
}

/* Moves a range of at most BATCH pages with one unmap. @block: one frame for a region. */
static void unmap_and_move(struct range r, uint64_t block)
{
	take(r, block);
	if (PLANTED(VALID_TO_VALID)) {
		over_valid(r);
	} else {
		if (COPY_FIRST)
			copy_out();
		unmap(r, NULL);
		if (COPY_LAST)
			copy_out();
	}
	switch_over(block);
}

/*
 * A page that a vCPU writes: one that was written lately, preferably one that was written
 * again at once after a move. Every other time also the pages that follow it.
 */
static struct range target(void)
{
	const bool hot = vm.hot && below(8);
	const uint64_t n = hot ? vm.hot : vm.writes;
	const uint64_t i = below(n < RECENT ? n + 1 : RECENT);
	struct range r = { hot ? vm.hot_page[i] : vm.written[i], 1 };

	if (below(2))
		r.n += below(32);
	if (r.n > vm.pages - r.first)
		r.n = vm.pages - r.first;
	return r;
}

static void strike(void)
{
	const struct range r = target();

	/* Not accessed since the last time: the vCPU is elsewhere. */
	if (vm.page[r.first].moved)
		return;
	write_lock(&vm.lock);
	unmap_and_move(r, 0);
	write_unlock(&vm.lock);
}

/* Many such pages, unmapped in a batch: one invalidation for all of them. */
static void volley(void)
{
	static struct s2_batch batch;
	struct s2_op op = { .batch = &batch };

	write_lock(&vm.lock);
	check_err(s2_batch_begin(&vm.s2, &batch), "batch");
	for (unsigned i = 0; i < VOLLEY && movings + 32 <= BATCH; i++) {
		const struct range r = target();

		if (vm.page[r.first].moved || vm.page[r.first].moving)
			continue;
		take(r, 0);
		unmap(r, &op);
	}
	check_err(s2_batch_end(&vm.s2, &batch, NULL), "batch");
	if (COPY_LAST)
		copy_out();
	switch_over(0);
	write_unlock(&vm.lock);
}

/* Moves what is still unmapped of a range: its ends and a piece of the middle. */
static void move_unmapped(struct range r)
{
	const uint64_t n = r.n < BATCH ? r.n : BATCH;
	const uint64_t at[] = { r.first, r.first + r.n - n,
				r.first + below(r.n - n + 1) };

	for (unsigned i = 0; i < (r.n > BATCH ? 3 : 1); i++) {
		write_lock(&vm.lock);
		for (uint64_t gfn = at[i]; gfn < at[i] + n; gfn++)
			if (!mapped(gfn))
				take((struct range){ gfn, 1 }, 0);
		copy_out();
		switch_over(0);
		write_unlock(&vm.lock);
	}
}

/*
 * Long operations are shared calls beside the faults. The read-side section ends between
 * two calls.
 */
enum shared { UNMAP, AGE, SPLIT, COLLAPSE };

static void shared(enum shared what, struct range r)
{
	struct s2_limbo limbo = { 0 };
	/* A shared call has no budget: S2_MORE means that it waits for another. */
	struct s2_op op = { .limbo = &limbo };
	const uint32_t edges = rnd() & 1 ? S2_DROP_EDGES : S2_SPLIT_EDGES;
	const s2_ipa_t ipa = ipa_of(r.first);
	const uint64_t size = r.n * PAGE;
	bool young = false;
	int err = 0;

	do {
		read_lock(&vm.lock);
		if (what == UNMAP)
			err = s2_unmap(&vm.s2, ipa, size, S2_SHARED | edges, &op);
		else if (what == AGE)
			err = s2_age(&vm.s2, ipa, size, S2_SHARED | S2_CLEAR, &young,
				     &op);
		else if (what == SPLIT)
			err = s2_split(&vm.s2, ipa, size, S2_SHARED, &op);
		else
			err = s2_collapse(&vm.s2, ipa, size, S2_SHARED, &op);
		read_unlock(&vm.lock);
	} while (err == S2_MORE);
	vm.collapsed += what == COLLAPSE ? op.changed : 0;
	check_err(err, "a shared call");
	vm_release(&limbo);
}

/* A range of any size. The guest faults between its pieces. */
static void unmap_range(void)
{
	const struct range r = any_range(18);

	shared(UNMAP, r);
	vm.unmapped += r.n;
	move_unmapped(r);
}

/* Moves a region in use into a 2 MiB frame. The next fault maps it as a block. */
static void move_region(void)
{
	const uint64_t region = below(vm.pages / BLOCK_PAGES);
	const struct range r = { region * BLOCK_PAGES, BLOCK_PAGES };
	bool in_use = true;
	uint64_t block;

	write_lock(&vm.lock);
	for (uint64_t i = 0; i < r.n; i++)
		in_use &= vm.page[r.first + i].frame != 0;
	block = in_use ? frame_alloc_block() : 0;
	if (block)
		unmap_and_move(r, block);
	write_unlock(&vm.lock);
}

/* ---- changes in place -----------------------------------------------------------
 *
 * Between the return of s2_wrprotect() and the next fault, which waits for the lock,
 * nobody may write to the pages. So the checksum of a page must not change.
 */
static void write_protect(void)
{
	const struct range r = any_range(14);
	uint64_t sum[16], gfn[16], n = 0;

	write_lock(&vm.lock);
	check_err(s2_wrprotect(&vm.s2, ipa_of(r.first), r.n * PAGE, 0, NULL),
		  "wrprotect");
	for (uint64_t i = r.first; i < r.first + r.n && n < 16; i++)
		if (vm.page[i].writer)
			gfn[n++] = i;
	for (uint64_t i = 0; i < n; i++)
		sum[i] = frame_sum((uint64_t)vm.page[gfn[i]].frame * PAGE);
	for (uint64_t i = 0; i < n; i++)
		if (frame_sum((uint64_t)vm.page[gfn[i]].frame * PAGE) != sum[i]) {
			vm.bad_frozen++;
			say("el2: MISMATCH: page %lx was written while protected",
			    ipa_of(gfn[i]).ipa);
		}
	write_unlock(&vm.lock);
}

/* ---- reports, the watchdog --------------------------------------------------- */

static struct el2_count totals(void)
{
	struct el2_count t = { 0 };

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		t.tlbi += cpus[i].count.tlbi;
		t.dsb += cpus[i].count.dsb;
		t.cleaned += cpus[i].count.cleaned;
		t.tables_alloc += cpus[i].count.tables_alloc;
		t.tables_free += cpus[i].count.tables_free;
	}
	return t;
}

void storm_report(const char *when)
{
	const struct el2_count t = totals();

	say("el2: %s: %lu pages unmapped, %lu moved, %lu touched again (%lu by their writer), %lu faults",
	    when, vm.unmapped, vm.moved, vm.returned, vm.hot, vm.faults);
	say("el2: %s: %lu TLBIs, %lu DSBs, %lu tables freed, %lu verified, %lu rounds of work, %lu mismatches",
	    when, t.tlbi, t.dsb, t.tables_free, vm.verified, vm.rounds, vm_mismatches());
}

static bool enough(void)
{
	return vm.returned >= storm.want && vm.hot >= storm.want / 10;
}

/* The guest has turned itself off. */
void storm_end(void)
{
	const struct el2_count t = totals();

	storm_report("end");
	say("el2: end: %lu blocks mapped, %lu write, %lu execute, %lu access flag faults, %lu tables taken, %lu KiB cleaned, %lu collapsed, %lu faults tried again",
	    vm.blocks, vm.write_faults, vm.exec_faults, vm.flag_faults, t.tables_alloc,
	    t.cleaned >> 10, vm.collapsed, vm.retries);
	if (vm_mismatches())
		el2_exit(EXIT_MISMATCH);
	if (!vm.at_shell || !enough() || !vm.verified || !vm.rounds) {
		say("el2: too little: %lu pages wanted, a tenth of them by their writer",
		    storm.want);
		el2_exit(EXIT_SHORT);
	}
	el2_exit(EXIT_GOOD);
}

/* Progress: pages accessed for the first time, and what the guest reports. */
static void watch(uint64_t now)
{
	static uint64_t reported, progress, since;
	const uint64_t at = vm.fresh + vm.verified + vm.rounds;

	if (vm_mismatches()) {
		storm_report("mismatch");
		el2_exit(EXIT_MISMATCH);
	}
	if (at != progress || !since) {
		progress = at;
		since = now;
	}
	if (now - since > storm.hang * 1000000) {
		storm_report("hang");
		el2_exit(EXIT_HANG);
	}
	if (now - reported > 2000000) {
		reported = now;
		storm_report("storm");
	}
	if (enough() && vm.verified && vm.rounds)
		vm.finish = true;
}

/* ---- pauses ---------------------------------------------------------------------
 *
 * The storm rests as long as it has worked, so that the guest makes progress. It sleeps
 * meanwhile: the physical timer of EL2 (PPI 26) ends a WFI, although it is masked. The
 * GIC driver of the guest does not touch the redistributor of this CPU. The storm enables
 * the distributor until the guest does so.
 */
#define GICR_WAKER 0x14
#define GICR_SGI_BASE 0x10000
#define GICR_IGROUPR0 (GICR_SGI_BASE + 0x80)
#define GICR_ISENABLER0 (GICR_SGI_BASE + 0x100)
#define GICD_CTLR_ARE_GRP1 0x12
#define PPI_CNTHP (1u << 26)
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

static void timer_setup(void)
{
	volatile uint32_t *gicr = (volatile uint32_t *)(storm.gicr + storm.cpu * 0x20000);

	*(volatile uint32_t *)storm.gicd = GICD_CTLR_ARE_GRP1;
	gicr[GICR_WAKER / 4] = 0;
	gicr[GICR_IGROUPR0 / 4] = ~0u;
	gicr[GICR_ISENABLER0 / 4] = PPI_CNTHP;
	write_sysreg_s(ICC_SRE_EL2, 0xf);
	isb();
	write_sysreg_s(ICC_PMR_EL1, 0xff);
	write_sysreg_s(ICC_IGRPEN1_EL1, 1);
	isb();
}

static void rest(uint64_t us)
{
	write_sysreg(cnthp_cval_el2,
		     read_sysreg(cntpct_el0) + us * read_sysreg(cntfrq_el0) / 1000000);
	write_sysreg(cnthp_ctl_el2, 1);
	isb();
	while (!(read_sysreg(cnthp_ctl_el2) & 4))
		__asm__ volatile("wfi");
	write_sysreg(cnthp_ctl_el2, 0);
	isb();
}

static void blow(void)
{
	const uint64_t dice = below(1000);

	if (dice < 700)
		strike();
	else if (dice < 940)
		COPY_FIRST ? strike() : volley();
	else if (dice < 970)
		write_protect();
	else if (dice < 980)
		shared(AGE, any_range(16));
	else if (dice < 985)
		shared(SPLIT, any_range(12));
	else if (dice < 988)
		shared(COLLAPSE, any_range(18));
	else if (dice < 997)
		move_region();
	else
		unmap_range();
}

void storm_run(void)
{
	/*
	 * The VMID that the TLBIs of this CPU act on. Nothing else of a guest is loaded.
	 */
	cpu_guest_setup(vm.hcr, s2_vtcr(&vm.s2), vm.pool.vttbr);
	timer_setup();
	for (;;) {
		const uint64_t begin = now_us();
		uint64_t now;

		do {
			blow();
			now = now_us();
		} while (now - begin < SPELL);
		watch(now);
		/* A boot is the work of a single thread. Disturb it less. */
		rest((now - begin) * (vm.at_shell ? 1 : 2));
	}
}
