/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is decided once for an instance: geometry and register values.
 */
#include "internal.h"

#define UNKNOWN (S2_MORE - S2_E_LIMBO + 1)

static const char *const error_text[] = {
	[S2_MORE - S2_MORE] = "a step is done, the operation is not",
	[S2_MORE - 0] = "done",
	[S2_MORE - S2_E_CONFIG] = "a configuration field is out of range or unknown",
	[S2_MORE - S2_E_IPA_BITS] =
		"IPA size not 32 to 48 bits (to 52 with LPA or LPA2), or above the PA size",
	[S2_MORE - S2_E_PA_BITS] =
		"PA size not 32, 36, 40, 42, 44, 48 bits (52 with LPA or LPA2)",
	[S2_MORE - S2_E_UNSUPPORTED] = "not in this build, or not on this instance",
	[S2_MORE - S2_E_ALIGN] = "address or size not a multiple of the granule",
	[S2_MORE - S2_E_SIZE] = "size is zero",
	[S2_MORE - S2_E_WRAP] = "address + size wraps around",
	[S2_MORE - S2_E_IPA_RANGE] = "range ends beyond the IPA size",
	[S2_MORE - S2_E_PA_RANGE] = "range ends beyond the PA size",
	[S2_MORE - S2_E_ATTR] = "contradictory or unknown attributes",
	[S2_MORE - S2_E_FLAGS] = "unknown flags, or flags that exclude each other",
	[S2_MORE - S2_E_BUDGET] = "budget below the least",
	[S2_MORE - S2_E_RESUME] = "op is in the middle of another operation",
	[S2_MORE - S2_E_EXIST] = "something is mapped in the range",
	[S2_MORE - S2_E_NOENT] = "nothing is mapped at the address",
	[S2_MORE - S2_E_BUSY] = "part of the range is busy",
	[S2_MORE - S2_E_NOMEM] = "no table page",
	[S2_MORE - S2_E_BLOCK] = "a block straddles the edge of the range",
	[S2_MORE - S2_E_BATCH] = "not while a batch is open",
	[S2_MORE - S2_E_AGENTS] = "another agent's invalidation failed; the rest is done",
	[S2_MORE - S2_E_LIMBO] = "a shared call that may detach tables needs a limbo",
	[UNKNOWN] = "unknown error",
};

const char *s2_strerror(int err)
{
	/* Unsigned: what lies on either side of the table is beyond it. */
	const unsigned n = (unsigned)S2_MORE - (unsigned)err;

	return error_text[n < UNKNOWN ? n : UNKNOWN];
}

uint32_t s2_version(void)
{
	return S2_VERSION;
}

/* ID_AA64MMFR0_EL1.PARange, and VTCR_EL2.PS, for a PA size; -1: no such size. */
static int pa_range(unsigned pa_bits)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };

	for (int i = 0; i < (int)sizeof(bits); i++)
		if (bits[i] == pa_bits)
			return i;
	return -1;
}

#define KNOWN_FEATURES                                                                  \
	(S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL | S2_FEAT_HAFDBS | S2_FEAT_XNX | \
	 S2_FEAT_BBM1 | S2_FEAT_BBM2 | S2_FEAT_ETS2 | S2_FEAT_LPA2 | S2_FEAT_VMID16 |   \
	 S2_FEAT_DBM | S2_FEAT_SEL2)

/* Known, and not here: in this build, or at all. */
#define ABSENT_FEATURES                                                  \
	(S2_FEAT_SEL2 | (S2_USE_HW ? 0 : S2_FEAT_HAFDBS | S2_FEAT_DBM) | \
	 (S2_USE_52BIT ? 0 : S2_FEAT_LPA2))

static int check_config(const struct s2 *s2, const struct s2_config *cfg)
{
	if (cfg->features & ABSENT_FEATURES || (!S2_USE_COUNTED && cfg->counted) ||
	    (!S2_USE_52BIT && cfg->pa_bits > 48))
		return S2_E_UNSUPPORTED;
	if (cfg->features & ~KNOWN_FEATURES || cfg->errata & ~S2_ERRATUM_REPEAT_TLBI ||
	    (S2_USE_HW && cfg->features & S2_FEAT_DBM &&
	     !(cfg->features & S2_FEAT_HAFDBS)))
		return S2_E_CONFIG;
	/* 64 KiB granules have had 52 bits since FEAT_LPA, without another layout. */
	if (S2_USE_52BIT && cfg->features & S2_FEAT_LPA2 && page_shift(s2) == 16)
		return S2_E_CONFIG;
	if (pa_range(cfg->pa_bits) < 0 ||
	    (cfg->pa_bits > 48 && wide_of(s2) == S2_WIDE_NO))
		return S2_E_PA_BITS;
	if (cfg->ipa_bits < 32 || cfg->ipa_bits > cfg->pa_bits)
		return S2_E_IPA_BITS;
	return 0;
}

/* The granule first: everything else shifts by it. */
static int check_granule(const struct s2_config *cfg)
{
	unsigned shift = cfg->granule_shift ? cfg->granule_shift : 12;

	if (shift != 12 && shift != 14 && shift != 16)
		return S2_E_CONFIG;
#ifdef S2_GRANULE_SHIFT
	if (shift != S2_GRANULE_SHIFT)
		return S2_E_UNSUPPORTED;
#endif
	return 0;
}

void config_layout(struct s2 *s2, const struct s2_config *cfg)
{
	*s2 = (struct s2){
		.port = cfg->port,
		.features = cfg->features,
		.errata = cfg->errata,
		.ipa_bits = cfg->ipa_bits,
		.pa_bits = cfg->pa_bits,
		.granule_shift = cfg->granule_shift ? cfg->granule_shift : 12,
		.start_level = LAST_LEVEL,
	};

	if (S2_USE_52BIT && cfg->features & S2_FEAT_LPA2)
		s2->wide = S2_WIDE_LPA2;
	else if (S2_USE_52BIT && s2->granule_shift == 16 && cfg->pa_bits == 52)
		s2->wide = S2_WIDE_LPA;
	s2->ipa_end = UINT64_C(1) << (s2->ipa_bits & 63);
	s2->pa_end = UINT64_C(1) << (s2->pa_bits & 63);
	s2->oa_mask =
		(UINT64_C(1) << (wide_of(s2) == S2_WIDE_LPA2 ? 50 : 48)) - page_size(s2);
}

/*
 * The fewest levels that resolve @bits when the root has up to 16 concatenated tables (4
 * bits more). For 4 KiB: 2 to 34 bits, 3 to 43, 4 above: level -1 is unnecessary.
 */
static unsigned levels_for(const struct s2 *s2, unsigned bits)
{
	/* A page has 3 bits more than a table, so: the page's, and 4, rounded up. */
	return (bits - 3 - 4 - 1) / table_bits(s2);
}

/* All of an instance but its root. */
static int layout(struct s2 *s2, const struct s2_config *cfg)
{
	int err = check_granule(cfg), level;
	unsigned levels, root_bits;

	if (err)
		return err;
	config_layout(s2, cfg);
	err = check_config(s2, cfg);
	if (err)
		return err;
	levels = levels_for(s2, s2->ipa_bits);
	if (levels < cfg->min_levels) {
		levels = cfg->min_levels;
		/*
		 * A PE with a small PA size does not start that high (Arm ARM,
		 * S2InvalidSL()), and the root must resolve a bit at least.
		 */
		if (levels > levels_for(s2, s2->pa_bits) ||
		    s2->ipa_bits <= level_shift(s2, S2_LEVELS - (int)levels))
			return S2_E_CONFIG;
	}
	level = S2_LEVELS - (int)levels;
	s2->start_level = (int8_t)level;
	s2->start_shift = (uint8_t)level_shift(s2, level);
	root_bits = level_shift(s2, level - 1);
	s2->root_pages = (uint8_t)(s2->ipa_bits > root_bits ?
					   1u << (s2->ipa_bits - root_bits) :
					   1u);
	s2->tags = 1; /* 0 is no tag */
	if (hw_writes(s2))
		s2->special |= S2_HARDWARE_WRITES;
	if (level == LAST_LEVEL)
		s2->special |= S2_SHALLOW;
	if (S2_USE_COUNTED)
		s2->counted = cfg->counted;
	if (S2_USE_FAST && S2_USE_COUNTED && cfg->counted)
		s2->special |= S2_COUNTS;
	return 0;
}

int s2_init(struct s2 *s2, const struct s2_config *cfg)
{
	int err = layout(s2, cfg);

	if (!err) {
		s2->root = s2_port_root_alloc(s2->port, s2->root_pages);
		if (!s2->root)
			err = S2_E_NOMEM;
	}
	if (err)
		*s2 = (struct s2){ 0 };
	return err;
}

int s2_layout(const struct s2_config *cfg, struct s2_layout *l)
{
	struct s2 s2;
	int err = layout(&s2, cfg);

	if (!err)
		*l = (struct s2_layout){ .vtcr = s2_vtcr(&s2),
					 .ipa_end = s2.ipa_end,
					 .root_size = s2.root_pages * page_size(&s2),
					 .root_pages = s2.root_pages,
					 .start_level = s2.start_level };
	return err;
}

uint64_t s2_vtcr(const struct s2 *s2)
{
	static const uint8_t tg0[] = { [12] = 0, [14] = 2, [16] = 1 };
	uint64_t v = UINT64_C(1) << 31; /* RES1 */
	int base = page_shift(s2) == 12 ? 2 : 3;

	v |= 64u - s2->ipa_bits;		      /* T0SZ */
	v |= (uint64_t)(base - s2->start_level) << 6; /* SL0 */
	v |= (uint64_t)tg0[page_shift(s2)] << 14;     /* TG0 */
	v |= UINT64_C(1) << 8 | UINT64_C(1) << 10;    /* IRGN0, ORGN0: WBWA */
	v |= UINT64_C(3) << 12;			      /* SH0: inner shareable */
	v |= (uint64_t)pa_range(s2->pa_bits) << 16;   /* PS */
	if (s2->features & S2_FEAT_VMID16)
		v |= UINT64_C(1) << 19; /* VS */
	if (hw_writes(s2))
		v |= UINT64_C(1) << 21; /* HA */
	if (S2_USE_HW && s2->features & S2_FEAT_DBM)
		v |= UINT64_C(1) << 22; /* HD */
	if (wide_of(s2) == S2_WIDE_LPA2)
		v |= UINT64_C(1) << 32; /* DS */
	return v;
}

uint64_t s2_vttbr(const struct s2 *s2)
{
	uint64_t pa = s2_port_table_pa(s2->port, s2->root);

	/* BADDR[51:48] in [5:2] if addresses have 52 bits [U]. */
	return (pa & ((UINT64_C(1) << 48) - 1)) | (pa >> 48) << 2;
}
