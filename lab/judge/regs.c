/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: the machine of a trace, its threads, its system registers. */
#include <string.h>

#include "common/machine_text.h"
#include "judge.h"

#define HCR_VM (UINT64_C(1) << 0)
#define VTCR_T0SZ UINT64_C(0x3f)
#define VTCR_SL0 (UINT64_C(3) << 6)
#define VTCR_PS (UINT64_C(7) << 16)
#define PS_48 (UINT64_C(5) << 16)
#define BADDR UINT64_C(0x0000fffffffffffe)

static unsigned granule_of(uint64_t vtcr)
{
	static const uint8_t tg0[] = { 12, 16, 14, 12 };

	return tg0[vtcr >> 14 & 3];
}

static bool make(struct judge *j, struct machine_config *cfg)
{
	cfg->sparse = true;
	j->max_pages = JUDGE_TABLES >> cfg->granule_shift;
	cfg->table_pages = j->max_pages;
	cfg->max_violations = 64;
	j->pes = cfg->pes;
	j->m = machine_new(cfg);
	if (!j->m) {
		judge_cannot(j, "out of memory");
		return false;
	}
	s2m_log(j->m, j->log);
	return true;
}

/* A trace of s2lab: it says of which machine it is. */
static bool own_machine(struct judge *j, const struct record *r)
{
	struct machine_config cfg = { .granule_shift = 12 };

	if (j->records > 1)
		return judge_wrong(j, r, F_ID, "machine is not the first record");
	if (!machine_features(r->features, &cfg.features))
		return judge_wrong(j, r, F_FEATURES, "a feature that is not known");
	if (r->lacks[0] && !machine_features(r->lacks, &cfg.agent_lacks))
		return judge_wrong(j, r, F_AGENT_LACKS, "a feature that is not known");
	while (cfg.granule_shift < 16 && r->n[F_GRANULE] != UINT64_C(1)
								    << cfg.granule_shift)
		cfg.granule_shift += 2;
	if (r->n[F_GRANULE] != UINT64_C(1) << cfg.granule_shift)
		return judge_wrong(j, r, F_GRANULE, "not 1000, 4000 or 10000");
	if (!r->n[F_PES] || r->n[F_PES] > JUDGE_PES)
		return judge_wrong(j, r, F_PES, "from 1 to %u", JUDGE_PES);
	if (r->n[F_COUNTED] > 0xffff)
		return judge_wrong(j, r, F_COUNTED, "more than 16 bits");
	cfg.pes = (unsigned)r->n[F_PES];
	cfg.counted = (uint16_t)r->n[F_COUNTED];
	j->own = true;
	for (j->threads = 0; j->threads < cfg.pes; j->threads++)
		j->thread[j->threads].tid = j->threads;
	return make(j, &cfg);
}

bool judge_machine(struct judge *j, const struct record *r)
{
	const struct judge_options *o = j->opt;
	struct machine_config cfg = { .granule_shift = 12, .pes = JUDGE_PES };

	if (r->kind == R_MACHINE)
		return own_machine(j, r);
	if (j->m)
		return true;
	if (r->kind == R_SYSREG_WRITE && !strcmp(r->word, "vtcr_el2"))
		cfg.granule_shift = granule_of(r->n[F_VALUE]);
	cfg.features = o->features | S2M_PARTIAL | S2M_VM | (o->af ? S2M_AF_SET : 0);
	if (!o->has_features)
		cfg.features |= S2M_TLBIRANGE | S2M_TTL | S2M_HAFDBS | S2M_XNX | S2M_FWB;
	if (!o->strict)
		cfg.features |= S2M_SELF_SYNC | S2M_ETS2;
	if (!o->cleans)
		cfg.features |= S2M_DIC;
	if (!make(j, &cfg))
		return false;
	for (unsigned pe = 0; pe < JUDGE_PES && !o->cleans; pe++)
		s2m_waive_map_clean(j->m, pe, true);
	return true;
}

bool judge_thread(struct judge *j, const struct record *r, unsigned *pe)
{
	uint64_t tid = r->n[F_TID];

	for (*pe = 0; *pe < j->threads; (*pe)++) {
		if (j->thread[*pe].tid == tid)
			return true;
	}
	if (j->own)
		return judge_wrong(j, r, F_TID, "the machine has %u PEs", j->pes);
	if (j->threads == JUDGE_PES) {
		judge_cannot(j, "more than %u threads", JUDGE_PES);
		return false;
	}
	j->thread[j->threads++].tid = tid;
	return true;
}

/* ---- VTCR_EL2 -------------------------------------------------------------------- */

/* The start level that needs one root table, as SL0. */
static uint64_t sl0(unsigned granule, unsigned ipa_bits)
{
	unsigned bits =
		granule; /* that tables from level 3 up to the start level translate */
	unsigned level = 4;

	do {
		bits += granule - 3;
		level--;
	} while (bits < ipa_bits && level);
	/* Level 0 of 16 KiB is for LPA2: two tables at level 1 translate 48 bits. */
	return granule == 12 ? 2 - level : 3 - (level ? level : 1);
}

/*
 * Casemate reads T0SZ only, so many traces have nothing in SL0 and PS: the start level is
 * then that of one root table, and PS is 48 bits.
 */
static uint64_t fix_vtcr(struct judge *j, uint64_t v)
{
	uint64_t was = v;

	if (j->own || j->opt->strict)
		return v;
	if (!(v & VTCR_PS))
		v |= PS_48;
	if (!s2m_vtcr_read(j->m, v)) {
		unsigned t0sz = (unsigned)(v & VTCR_T0SZ);

		v &= ~VTCR_SL0;
		v |= (sl0(s2m_granule_shift(j->m), 64 - t0sz) & 3) << 6;
	}
	j->fixed_vtcr |= v != was;
	return v;
}

static void write_vtcr(struct judge *j, unsigned pe, uint64_t value)
{
	j->vtcr = fix_vtcr(j, value);
	j->has_vtcr = true;
	s2m_sysreg(j->m, pe, S2M_VTCR_EL2, j->vtcr);
}

/* ---- VTTBR_EL2 ------------------------------------------------------------------- */

/* The thread has loaded a VTTBR_EL2. If there is no tree, it says why. */
static void check_tree(struct judge *j, unsigned pe, uint64_t vttbr)
{
	uint64_t root = vttbr & BADDR & ~UINT64_C(0xfff);
	const struct record *r = &j->rd.last;

	if (j->own || s2m_tree_loaded(j->m, pe) || s2m_violations(j->m))
		return;
	if (!s2m_table_known(j->m, root)) {
		/* 0: no tree at all. */
		if (root)
			judge_cannot(
				j,
				"record %llu points VTTBR_EL2 to %#llx, which the trace "
				"has not initialised",
				(unsigned long long)r->n[F_ID], (unsigned long long)root);
	} else if (!s2m_table_taken(j->m, root)) {
		judge_found(j, "table-use-after-free", r,
			    "VTTBR_EL2 points to %#llx, a page that was given back",
			    (unsigned long long)root);
	} else if (!j->has_vtcr) {
		judge_cannot(j, "VTCR_EL2 is not written before VTTBR_EL2, record %llu",
			     (unsigned long long)r->n[F_ID]);
	} else {
		judge_cannot(
			j,
			"no tree: VTCR_EL2 = %#llx is for another granule than %u KiB, "
			"or is not one that the machine can read, or not all of the "
			"root tables are initialised (record %llu)",
			(unsigned long long)j->vtcr, 1u << (s2m_granule_shift(j->m) - 10),
			(unsigned long long)r->n[F_ID]);
	}
}

static void load(struct judge *j, unsigned pe)
{
	struct judge_thread *t = &j->thread[pe];

	t->resting = false;
	/* As Casemate has it: 48 bits of IPA. */
	if (!j->has_vtcr && !j->own && !j->opt->strict)
		write_vtcr(j, pe, 16);
	s2m_sysreg(j->m, pe, S2M_VTTBR_EL2, t->vttbr);
	if (!t->off)
		check_tree(j, pe, t->vttbr);
}

static void write_vttbr(struct judge *j, unsigned pe, uint64_t value)
{
	struct judge_thread *t = &j->thread[pe];

	t->vttbr = value;
	if (j->opt->named && !j->own && !t->off) {
		s2m_guest_leave(j->m, pe);
		t->resting = true;
	} else {
		load(j, pe);
	}
}

/* Nothing is translated while stage 2 is off. */
static void write_hcr(struct judge *j, unsigned pe, uint64_t value)
{
	struct judge_thread *t = &j->thread[pe];
	bool was_off = t->off;

	t->off = !j->own && !(value & HCR_VM);
	j->switched |= t->off;
	j->on |= !t->off;
	if (was_off && !t->off && j->opt->named)
		write_vttbr(j, pe, t->vttbr);
	s2m_sysreg(j->m, pe, S2M_HCR_EL2, value);
	if (was_off && !t->off && !j->opt->named)
		check_tree(j, pe, t->vttbr);
}

void judge_guest(struct judge *j, unsigned pe, bool runs)
{
	struct judge_thread *t = &j->thread[pe];

	t->resting = false;
	if (!j->has_vtcr && !j->own && !j->opt->strict)
		write_vtcr(j, pe, 16);
	if (runs) {
		s2m_guest_enter(j->m, pe, t->vttbr);
		check_tree(j, pe, t->vttbr);
	} else {
		s2m_guest_leave(j->m, pe);
	}
}

void judge_before_tlbi(struct judge *j, unsigned pe)
{
	if (j->thread[pe].resting)
		load(j, pe);
}

void judge_runs(struct judge *j, unsigned pe, bool quiet)
{
	for (unsigned i = 0; i < j->threads && j->opt->named; i++) {
		if (j->thread[i].resting && (i != pe || !quiet))
			judge_guest(j, i, true);
	}
}

bool judge_sysreg(struct judge *j, unsigned pe, const struct record *r)
{
	static const char *const el2[] = { "ttbr0_el2", "ttbr1_el2", "tcr_el2",
					   "sctlr_el2", "mair_el2" };
	uint64_t value = r->n[F_VALUE];

	for (unsigned i = 0; i < sizeof(el2) / sizeof(el2[0]); i++) {
		if (!strcmp(r->word, el2[i])) {
			j->el2++;
			j->el2_tree |= i < 2;
			return true;
		}
	}
	if (!strcmp(r->word, "vttbr_el2")) {
		write_vttbr(j, pe, value);
	} else if (!strcmp(r->word, "vtcr_el2")) {
		write_vtcr(j, pe, value);
	} else if (!strcmp(r->word, "hcr_el2")) {
		write_hcr(j, pe, value);
	} else if (!strcmp(r->word, "tcr_el1")) {
		s2m_sysreg(j->m, pe, S2M_TCR_EL1, value);
	} else if (!strcmp(r->word, "sctlr_el1")) {
		s2m_sysreg(j->m, pe, S2M_SCTLR_EL1, value);
	} else {
		return judge_wrong(j, r, F_SYSREG,
				   "no register '%.32s' that matters here", r->word);
	}
	return true;
}
