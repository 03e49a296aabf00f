/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs every case for every granule, layout and IPA size that the CPU has, and prints
 * TAP. It needs a machine with 1 GiB and two CPUs.
 */
#include "target.h"

extern const unsigned char el1_code[], el1_code_end[];

#define SPSR_EL1H_MASKED 0x3c5
#define EC(esr) ((unsigned)((esr) >> 26) & 63)
enum { EC_HVC = 0x16, EC_INSTRUCTION_ABORT = 0x20, EC_DATA_ABORT = 0x24 };

/* ---- one access at EL1 ------------------------------------------------------- */

static struct touched touch_here(enum access access, uint64_t va, uint64_t value)
{
	struct vcpu v = { .x = { access, va, value },
			  .elr = CODE_IPA,
			  .spsr = SPSR_EL1H_MASKED };
	struct touched t = { .outcome = OTHER };

	if (el1_enter(&v) != 0)
		return t;
	t.esr = read_sysreg(esr_el2);
	t.ipa = read_sysreg(hpfar_el2) >> 4 << 12;
	if (EC(t.esr) == EC_HVC && (t.esr & 0xffff) == 0) {
		t.outcome = DONE;
		t.value = v.x[0];
	} else if (EC(t.esr) == EC_INSTRUCTION_ABORT || EC(t.esr) == EC_DATA_ABORT) {
		switch ((t.esr & 63) >> 2) {
		case 1:
			t.outcome = TRANSLATION;
			break;
		case 2:
			t.outcome = ACCESS_FLAG;
			break;
		case 3:
			t.outcome = PERMISSION;
			break;
		}
	}
	return t;
}

/* ---- the second CPU -------------------------------------------------------------
 *
 * The second CPU does what the slot says when the number in the slot changes. The numbers
 * are read with acquire and written with release, so that the arguments come before the
 * request, and the result before the answer.
 */
enum request { TOUCH, SETUP, STAGE1 };

static struct {
	unsigned asked, answered;
	enum request request;
	enum access access;
	uint64_t a, b, c;
	struct touched result;
} slot;

static void stage1_here(uint64_t table_ipa)
{
	const uint64_t ps = s2_id_field(read_sysreg(id_aa64mmfr0_el1), 0);

	/* 39 bits, 4 KiB, write-back, inner shareable, no TTBR1. */
	write_sysreg(tcr_el1, (ps > 5 ? 5 : ps) << 32 | 1u << 23 | 0x3500 | 25);
	write_sysreg(mair_el1, 0xff);
	write_sysreg(ttbr0_el1, table_ipa);
	write_sysreg(vbar_el1, CODE_IPA + 2048);
	write_sysreg(sctlr_el1, 0x30d00800 | (table_ipa ? 1 : 0));
	isb();
}

static void setup_here(uint64_t hcr, uint64_t vtcr, uint64_t vttbr)
{
	cpu_guest_setup(hcr, vtcr, vttbr);
	stage1_here(0);
}

static void ask(enum request request, enum access access, uint64_t a, uint64_t b,
		uint64_t c)
{
	const unsigned n = slot.asked + 1;

	slot.request = request;
	slot.access = access;
	slot.a = a;
	slot.b = b;
	slot.c = c;
	__atomic_store_n(&slot.asked, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&slot.answered, __ATOMIC_ACQUIRE) != n)
		cpu_relax();
}

void el2_main_secondary(unsigned id)
{
	unsigned n = 0;

	(void)id;
	for (;;) {
		while (__atomic_load_n(&slot.asked, __ATOMIC_ACQUIRE) == n)
			cpu_relax();
		n++;
		if (slot.request == TOUCH)
			slot.result = touch_here(slot.access, slot.a, slot.b);
		else if (slot.request == SETUP)
			setup_here(slot.a, slot.b, slot.c);
		else
			stage1_here(slot.a);
		__atomic_store_n(&slot.answered, n, __ATOMIC_RELEASE);
	}
}

struct touched touch(unsigned cpu, enum access access, uint64_t va, uint64_t value)
{
	if (!cpu)
		return touch_here(access, va, value);
	ask(TOUCH, access, va, value, 0);
	return slot.result;
}

enum outcome touch_all(struct bed *b, enum access access, uint64_t va, uint64_t value)
{
	const struct touched first = touch(0, access, va, value);

	for (unsigned cpu = 1; cpu < b->cpus; cpu++) {
		const struct touched t = touch(cpu, access, va, value);

		if (t.outcome != first.outcome || t.value != first.value) {
			say("# CPU 0: %d, 0x%lx; CPU %u: %d, 0x%lx", first.outcome,
			    first.value, cpu, t.outcome, t.value);
			return OTHER;
		}
	}
	return first.outcome;
}

void stage1(struct bed *b, uint64_t table_ipa)
{
	stage1_here(table_ipa);
	for (unsigned cpu = 1; cpu < b->cpus; cpu++)
		ask(STAGE1, READ, table_ipa, 0, 0);
}

#if PLANT == PLANT_ANY
unsigned el2_plant;
#endif

/* QEMU's semihosting argument is "SEED [PLANT]", PLANT a number of plant.h. */
static uint64_t arguments(void)
{
	enum { SYS_GET_CMDLINE = 0x15 };
	static char text[64];
	uint64_t block[2] = { (uintptr_t)text, sizeof(text) }, number[2] = { 0 };

	if (semihosting(SYS_GET_CMDLINE, block) == 0) {
		const char *s = text;

		for (unsigned i = 0; i < 2; i++, s += *s == ' ')
			for (; *s >= '0' && *s <= '9'; s++)
				number[i] = number[i] * 10 + (uint64_t)(*s - '0');
	}
#if PLANT == PLANT_ANY
	el2_plant = (unsigned)number[1];
#endif
	return number[0] ? number[0] : 1;
}

/* xorshift64* */
uint64_t rnd(struct bed *b)
{
	b->seed ^= b->seed >> 12;
	b->seed ^= b->seed << 25;
	b->seed ^= b->seed >> 27;
	return b->seed * 0x2545f4914f6cdd1dull;
}

/* ---- one configuration, one case --------------------------------------------- */

static int bed_start(struct bed *b)
{
	int err;

	pool_init(&b->pool, POOL_BASE, POOL_SIZE, b->geo.granule_shift);
	b->page = 1ull << b->geo.granule_shift;
	b->fresh_tables = b->pool.nfree;
	err = s2_init(&b->s2, &b->cfg);
	if (err)
		return err;
	/* A VMID of its own, so that TLB entries of an earlier case are not used. */
	b->pool.vttbr = s2_vttbr(&b->s2) | (1 + rnd(b) % 255) << 48;
	setup_here(cpu_hcr(b->cfg.features), s2_vtcr(&b->s2), b->pool.vttbr);
	for (unsigned cpu = 1; cpu < b->cpus; cpu++)
		ask(SETUP, READ, cpu_hcr(b->cfg.features), s2_vtcr(&b->s2),
		    b->pool.vttbr);
	memcpy((void *)frame(FRAME_CODE), el1_code, (size_t)(el1_code_end - el1_code));
	return s2_map(&b->s2, s2_ipa(CODE_IPA), s2_pa(frame(FRAME_CODE)), b->page,
		      S2_R | S2_X, S2_MAP_PAGES, NULL);
}

/* After each case nothing is left, and every table page is back. */
static bool bed_end(struct bed *b)
{
	CHECK_EQ(s2_destroy(&b->s2, 0, NULL), 0);
	CHECK_EQ(b->pool.nfree, b->fresh_tables);
	return true;
}

static bool run_case(struct bed *b, const struct test_case *t)
{
	const int err = bed_start(b);
	bool good;

	if (err) {
		say("# setting up: %s", s2_strerror(err));
		return false;
	}
	good = t->run(b);
	return bed_end(b) && good;
}

static const uint8_t ipa_sizes[] = { 32, 34, 35, 39, 40, 42, 43, 44, 47, 48, 52 };

static bool has_geometry(struct bed *b)
{
	b->cfg = (struct s2_config){ .ipa_bits = b->geo.ipa_bits,
				     .granule_shift = b->geo.granule_shift,
				     .features = S2_FEAT_ALL & ~S2_FEAT_DBM,
				     .port = &b->pool };
	if (!b->geo.lpa2)
		b->cfg.features &= ~S2_FEAT_LPA2;
	return !cpu_config(&b->cfg) &&
	       b->geo.lpa2 == !!(b->cfg.features & S2_FEAT_LPA2) &&
	       b->geo.ipa_bits <= b->cfg.pa_bits;
}

/*
 * QEMU 7.2 takes a start level of 0 with 16 KiB granules as invalid, with or without DS,
 * and faults every access. This is seen by the EL1 code, which is mapped.
 */
static bool machine_refuses(struct bed *b)
{
	bool refused = false;

	if (b->geo.granule_shift != 14 || bed_start(b))
		return false;
	if (b->s2.start_level == 0) {
		const struct touched t = touch(0, READ, CODE_IPA, 0);

		refused = t.outcome == TRANSLATION && t.ipa == CODE_IPA &&
			  EC(t.esr) == EC_INSTRUCTION_ABORT;
	}
	return bed_end(b) && refused;
}

static unsigned run_geometry(struct bed *b, unsigned *n)
{
	const unsigned kib = 1u << (b->geo.granule_shift - 10);
	const char *lpa2 = b->geo.lpa2 ? " LPA2" : "";
	unsigned failed = 0;

	if (machine_refuses(b)) {
		say("# NOT RUN: %u KiB%s, IPA %u bits: this QEMU has no start level 0 with 16 KiB",
		    kib, lpa2, b->geo.ipa_bits);
		return 0;
	}
	for (unsigned i = 0; i < test_cases_n; i++) {
		const struct test_case *t = &test_cases[i];
		bool good;

		/* A walk of level 3 only has no blocks. */
		if (t->level_2_block && b->geo.granule_shift == 16 &&
		    b->geo.ipa_bits < 34)
			continue;
		good = run_case(b, t);
		failed += !good;
		say("%sok %u - %u KiB%s, IPA %u bits: %s", good ? "" : "not ", ++*n, kib,
		    lpa2, b->geo.ipa_bits, t->name);
	}
	return failed;
}

void el2_main(void)
{
	/* Not on the stack, which is small. The other CPUs get its address. */
	static struct bed b;
	unsigned n = 0, failed = 0;

	b.seed = arguments();
	b.cpus = 2;
	say("TAP version 13");
	say("# MIDR_EL1 %lx, seed %lu", read_sysreg(midr_el1), b.seed);
	if (cpu_start(1, 1))
		el2_panic("CPU 1 does not start");
	for (uint8_t shift = 12; shift <= 16; shift += 2)
		for (unsigned lpa2 = 0; lpa2 < 2; lpa2++)
			for (unsigned i = 0; i < sizeof(ipa_sizes); i++) {
				b.geo = (struct geometry){ shift, ipa_sizes[i], lpa2 };
				if (has_geometry(&b))
					failed += run_geometry(&b, &n);
			}
	say("1..%u", n);
	el2_exit(failed ? EXIT_MISMATCH : EXIT_GOOD);
}
