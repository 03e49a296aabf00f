/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every IPA size: where the walk starts, the registers, and mappings at every
 * level at both ends of the IPA space.
 */
#include "bed.h"

/*
 * Arm ARM, concatenation for the 4 KiB granule: IPA bits by start level, one
 * table / 2 to 16 tables: L2 22-30 / 31-34, L1 31-39 / 40-43, L0 40-48. The
 * fewest levels win.
 */
static const struct {
	int8_t level;
	uint8_t tables;
} geometry[] = {
	[32] = { 2, 4 }, [33] = { 2, 8 }, [34] = { 2, 16 }, [35] = { 1, 1 },
	[36] = { 1, 1 }, [37] = { 1, 1 }, [38] = { 1, 1 },  [39] = { 1, 1 },
	[40] = { 1, 2 }, [41] = { 1, 4 }, [42] = { 1, 8 },  [43] = { 1, 16 },
	[44] = { 0, 1 }, [45] = { 0, 1 }, [46] = { 0, 1 },  [47] = { 0, 1 },
	[48] = { 0, 1 },
};

static struct bed bed;

static uint64_t field(uint64_t v, unsigned high, unsigned low)
{
	return v >> low & ((UINT64_C(1) << (high - low + 1)) - 1);
}

static void there_and_back(unsigned bits, uint64_t ipa, uint64_t pa, int level);

static void each_ipa_size_starts_at_the_right_level(void **state)
{
	(void)state;
	for (unsigned bits = 32; bits <= 48; bits++) {
		bed_open(&bed, bits, 0, 1);
		assert_int_equal(bed.s2.start_level, geometry[bits].level);
		assert_int_equal(bed.s2.root_pages, geometry[bits].tables);
		/* Enough: all of the IPA space in so many tables of 512 entries. */
		assert_true(UINT64_C(1) << bits <=
			    (uint64_t)bed.s2.root_pages
				    << (12 + 9 * (4 - bed.s2.start_level)));
		bed_close(&bed);
	}
}

static void vtcr_says_what_was_chosen(void **state)
{
	static const struct {
		uint8_t bits, ps;
	} pa[] = { { 32, 0 }, { 36, 1 }, { 40, 2 }, { 42, 3 }, { 44, 4 }, { 48, 5 } };

	(void)state;
	bed_open(&bed, 32, 0, 1);
	for (unsigned i = 0; i < sizeof(pa) / sizeof(*pa); i++)
		for (unsigned bits = 32; bits <= pa[i].bits; bits++) {
			struct s2_config cfg = { .ipa_bits = (uint8_t)bits,
						 .pa_bits = pa[i].bits,
						 .port = &bed.port };
			struct s2 s2;
			uint64_t v;

			assert_int_equal(s2_init(&s2, &cfg), 0);
			v = s2_vtcr(&s2);
			assert_int_equal(field(v, 5, 0), 64 - bits); /* T0SZ */
			/* SL0: 0 starts at level 2, 1 at 1, 2 at 0 */
			assert_int_equal(field(v, 7, 6), 2 - geometry[bits].level);
			assert_int_equal(field(v, 9, 8), 1);	      /* IRGN0 */
			assert_int_equal(field(v, 11, 10), 1);	      /* ORGN0 */
			assert_int_equal(field(v, 13, 12), 3);	      /* SH0 */
			assert_int_equal(field(v, 15, 14), 0);	      /* TG0: 4K */
			assert_int_equal(field(v, 18, 16), pa[i].ps); /* PS */
			assert_int_equal(field(v, 30, 19), 0);	      /* VS ... NSA */
			assert_int_equal(field(v, 31, 31), 1);	      /* RES1 */
			assert_int_equal(v >> 32, 0);		      /* DS ... */
		}
	bed_close(&bed);
}

static void vtcr_follows_the_features(void **state)
{
	static const struct {
		uint32_t feature;
		uint64_t bit;
	} bit[] = {
		{ S2_FEAT_VMID16, UINT64_C(1) << 19 },
		{ S2_FEAT_HAFDBS, UINT64_C(1) << 21 },
		{ S2_FEAT_HAFDBS | S2_FEAT_DBM, UINT64_C(3) << 21 },
		{ S2_FEAT_LPA2, UINT64_C(1) << 32 },
		{ S2_FEAT_FWB, 0 },
		{ S2_FEAT_TLBIRANGE, 0 },
		{ S2_FEAT_XNX, 0 },
	};
	uint64_t plain;

	(void)state;
	bed_open(&bed, 40, 0, 1);
	plain = s2_vtcr(&bed.s2);
	bed_close(&bed);
	for (unsigned i = 0; i < sizeof(bit) / sizeof(*bit); i++) {
		bed_open(&bed, 40, bit[i].feature, 1);
		assert_true(s2_vtcr(&bed.s2) == (plain | bit[i].bit));
		bed_close(&bed);
	}
}

/*
 * What SL0 may say with a PA size, and the least IPA size of each start level (Arm ARM,
 * AArch64.S2InvalidSL(), S2InconsistentSL()). Where an IPA of the PA size would not need
 * so many levels they are refused though they may be legal.
 */
static bool may_start(unsigned shift, int level, unsigned ipa_bits, unsigned pa_bits)
{
	if (shift == 12)
		return level == 0 ? ipa_bits >= 40 && pa_bits >= 44 :
				    level > 1 || pa_bits >= 35;
	if (shift == 14)
		return level == 1 ? ipa_bits >= 37 && pa_bits >= 42 : level > 1;
	return level == 1 ? ipa_bits >= 43 && pa_bits >= 47 :
	       level == 2 ? pa_bits >= 34 :
			    level > 2;
}

static void a_walk_has_the_levels_that_are_asked_for(void **state)
{
	static const uint8_t pa[] = { 32, 36, 40, 42, 44, 48 }, shifts[] = { 12, 14, 16 };

	(void)state;
	for (unsigned g = 0; g < 3; g++)
		for (unsigned p = 0; p < sizeof(pa); p++)
			for (unsigned bits = 32; bits <= pa[p]; bits++) {
				struct s2_config cfg = { .ipa_bits = (uint8_t)bits,
							 .pa_bits = pa[p],
							 .granule_shift = shifts[g] };
				struct s2_layout few, l;

				assert_int_equal(s2_layout(&cfg, &few), 0);
				for (uint8_t n = 1; n <= 6; n++) {
					int level = n > 4 - few.start_level ?
							    4 - n :
							    few.start_level;
					int above =
						shifts[g] + (shifts[g] - 3) * (4 - level);
					/* Of one root table; more than there is. */
					uint64_t span = UINT64_C(1)
							<< (above < 63 ? above : 63);
					uint64_t all = UINT64_C(1) << bits;

					cfg.min_levels = n;
					if (n > 4 ||
					    !may_start(shifts[g], level, bits, pa[p])) {
						assert_int_equal(s2_layout(&cfg, &l),
								 S2_E_CONFIG);
						continue;
					}
					assert_int_equal(s2_layout(&cfg, &l), 0);
					assert_int_equal(l.start_level, level);
					assert_true(l.ipa_end == all);
					assert_int_equal(l.root_pages,
							 all > span ? all / span : 1);
					assert_int_equal(l.root_size,
							 (uint64_t)l.root_pages
								 << shifts[g]);
					/* SL0, T0SZ and the rest. */
					assert_true((l.vtcr ^ few.vtcr) ==
						    (field(l.vtcr, 7, 6) ^
						     field(few.vtcr, 7, 6))
							    << 6);
					assert_int_equal(field(l.vtcr, 7, 6),
							 (shifts[g] == 12 ? 2 : 3) -
								 level);
				}
			}
}

/* And an instance is like that, down to its addresses. */
static void an_instance_is_what_its_layout_says(void **state)
{
	(void)state;
	for (unsigned bits = 32; bits <= 48; bits++)
		for (uint8_t n = 0; n <= 4; n++) {
			struct s2_config cfg = { .ipa_bits = (uint8_t)bits,
						 .pa_bits = 48,
						 .features = S2_FEAT_HAFDBS,
						 .min_levels = n };
			uint64_t end = UINT64_C(1) << bits;
			struct s2_layout l;

			if (s2_layout(&cfg, &l))
				continue;
			bed_open_as(&bed, cfg, 8);
			assert_true(s2_vtcr(&bed.s2) == l.vtcr);
			assert_int_equal(bed.s2.root_pages, l.root_pages);
			assert_int_equal(bed.s2.start_level, l.start_level);
			for (int level = l.start_level ? l.start_level : 1; level <= 3;
			     level++) {
				uint64_t size = PAGE << 9 * (3 - level);

				there_and_back(bits, 0, 0, level);
				there_and_back(bits, end - size, size, level);
			}
			bed_close(&bed);
		}
}

static void vttbr_is_the_root(void **state)
{
	(void)state;
	for (unsigned bits = 32; bits <= 48; bits++) {
		bed_open(&bed, bits, 0, 1);
		assert_true(s2_vttbr(&bed.s2) == COUNT_PORT_BASE);
		/* Concatenated tables are aligned to their size; VMID and CnP are 0. */
		assert_int_equal(s2_vttbr(&bed.s2) % (bed.s2.root_pages * PAGE), 0);
		bed_close(&bed);
	}
}

/* Map, look, unmap; nothing is left. */
static void there_and_back(unsigned bits, uint64_t ipa, uint64_t pa, int level)
{
	uint64_t size = PAGE << 9 * (3 - level);
	struct s2_mapping m;

	bed_map(&bed, ipa, pa, size, RWX, 0);
	for (uint64_t at = ipa; at < ipa + size; at += size / 8 + 1) {
		m = bed_lookup(&bed, at);
		assert_int_equal(m.state, S2_LEAF);
		assert_int_equal(m.level, level);
		assert_true(m.ipa.ipa == ipa && m.pa.pa == pa && m.size == size);
		assert_int_equal(m.attr, RWX);
		assert_true(m.young);
	}
	if (ipa)
		assert_int_equal(bed_lookup(&bed, ipa - 1).state, S2_EMPTY);
	if (ipa + size < UINT64_C(1) << bits)
		assert_int_equal(bed_lookup(&bed, ipa + size).state, S2_EMPTY);
	assert_int_equal(bed_tables(&bed), level - bed.s2.start_level);
	bed_check(&bed);
	bed_unmap(&bed, ipa, size, 0);
	assert_int_equal(bed_lookup(&bed, ipa).state, S2_EMPTY);
	assert_int_equal(bed_tables(&bed), 0);
}

static void leaves_of_every_level_at_both_ends(void **state)
{
	(void)state;
	for (unsigned bits = 32; bits <= 48; bits++)
		for (unsigned f = 0; f < FEATURE_SETS; f++) {
			uint64_t end = UINT64_C(1) << bits;

			bed_open(&bed, bits, feature_set(f), 8);
			for (int level = bed.s2.start_level ? bed.s2.start_level : 1;
			     level <= 3; level++) {
				uint64_t size = PAGE << 9 * (3 - level);

				there_and_back(bits, 0, 0, level);
				there_and_back(bits, end - size,
					       (UINT64_C(1) << 48) - size, level);
				there_and_back(bits, end / 2, size, level);
				there_and_back(bits, end / 2 - size, size, level);
			}
			bed_close(&bed);
		}
}

/* The first and last entry of each of the concatenated tables. */
static void every_root_table_is_used(void **state)
{
	(void)state;
	for (unsigned bits = 32; bits <= 48; bits++) {
		uint64_t span;

		bed_open(&bed, bits, 0, 8);
		span = PAGE << 9 * (4 - bed.s2.start_level);
		for (unsigned t = 0; t < bed.s2.root_pages; t++) {
			uint64_t first = t * span;
			uint64_t last = first + span > UINT64_C(1) << bits ?
						UINT64_C(1) << bits :
						first + span;

			there_and_back(bits, first, PAGE, 3);
			there_and_back(bits, last - PAGE, PAGE, 3);
		}
		bed_close(&bed);
	}
}

/* From one root table into the next, by one call. */
static void a_range_over_two_root_tables(void **state)
{
	(void)state;
	bed_open(&bed, 34, 0, 8);
	bed_map(&bed, GIB - MIB, 5 * GIB - MIB, 2 * MIB, RW, 0);
	assert_true(bed_lookup(&bed, GIB).pa.pa == 5 * GIB);
	assert_int_equal(bed_tables(&bed), 2);
	bed_check(&bed);
	bed_unmap(&bed, 0, UINT64_C(1) << 34, 0);
	assert_int_equal(bed_tables(&bed), 0);
	bed_close(&bed);
}

/* A level-0 entry maps no block, however well aligned. */
static void no_block_at_level_0(void **state)
{
	(void)state;
	bed_open(&bed, 48, 0, 8);
	bed_map(&bed, UINT64_C(1) << 39, UINT64_C(1) << 39, UINT64_C(1) << 39, RW, 0);
	assert_int_equal(bed_lookup(&bed, UINT64_C(1) << 39).level, 1);
	assert_int_equal(bed_tables(&bed), 1);
	bed_close(&bed);
}

/* Descriptor bits by the layout of the Arm ARM, for each type and level. */
static void descriptors_have_the_architectures_bits(void **state)
{
	static const struct {
		s2_attr_t attr;
		uint8_t plain, fwb; /* MemAttr; 0xff: refused */
	} type[] = {
		{ S2_MEM_WB, 0xf, 0x6 },	{ S2_MEM_NC, 0x5, 0x5 },
		{ S2_MEM_S1, 0xff, 0x7 },	{ S2_MEM_DEV_nGnRnE, 0x0, 0x0 },
		{ S2_MEM_DEV_nGnRE, 0x1, 0x1 }, { S2_MEM_DEV_nGRE, 0x2, 0x2 },
		{ S2_MEM_DEV_GRE, 0x3, 0x3 },
	};

	(void)state;
	for (unsigned fwb = 0; fwb < 2; fwb++) {
		bed_open(&bed, 40, fwb ? S2_FEAT_FWB : 0, 8);
		for (unsigned t = 0; t < sizeof(type) / sizeof(*type); t++)
			for (s2_attr_t bits = 1; bits < 8; bits++)
				for (int level = 1; level <= 3; level++) {
					uint64_t size = PAGE << 9 * (3 - level), d;
					s2_attr_t perms = bits & 4 ? bits | S2_X : bits;
					uint8_t mem = fwb ? type[t].fwb : type[t].plain;

					if (mem == 0xff || (perms & S2_X && mem < 4))
						continue;
					bed_map(&bed, 8 * GIB, 16 * GIB, size,
						type[t].attr | perms | S2_SW(bits + 7),
						0);
					d = bed_lookup(&bed, 8 * GIB).desc;
					assert_int_equal(field(d, 1, 0),
							 level == 3 ? 3 : 1);
					assert_int_equal(field(d, 5, 2), mem);
					assert_int_equal(field(d, 6, 6),
							 perms & S2_R ? 1 : 0);
					assert_int_equal(field(d, 7, 7),
							 perms & S2_W ? 1 : 0);
					assert_int_equal(field(d, 9, 8), 3);   /* SH */
					assert_int_equal(field(d, 10, 10), 1); /* AF */
					assert_int_equal(field(d, 11, 11), 0);
					assert_true((d & UINT64_C(0xfffffffff000)) ==
						    16 * GIB);
					assert_int_equal(field(d, 53, 48), 0);
					assert_int_equal(field(d, 54, 54),
							 perms & S2_X ? 0 : 1);
					assert_int_equal(field(d, 58, 55), bits + 7);
					assert_int_equal(d >> 59, 0);
					bed_unmap(&bed, 8 * GIB, size, 0);
				}
		bed_close(&bed);
	}
}

/* Neighbours in memory whose top address bits, elsewhere in a descriptor, differ. */
static void a_range_over_the_top_bits_of_52(void **state)
{
	static const struct {
		uint32_t features;
		uint8_t granule;
		uint64_t pa;
	} wide[] = { { S2_FEAT_LPA2, 12, UINT64_C(1) << 50 },
		     { S2_FEAT_LPA2, 14, UINT64_C(1) << 50 },
		     { 0, 16, UINT64_C(1) << 48 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		uint64_t page = UINT64_C(1) << wide[i].granule,
			 pa = wide[i].pa - 2 * page;

		bed_open_as(&bed,
			    (struct s2_config){ .ipa_bits = 48,
						.pa_bits = 52,
						.granule_shift = wide[i].granule,
						.features = wide[i].features },
			    8);
		bed_map(&bed, 0, pa, 4 * page, S2_R | S2_W, S2_MAP_PAGES);
		for (unsigned n = 0; n < 4; n++) {
			struct s2_mapping m;

			assert_int_equal(s2_lookup(&bed.s2, s2_ipa(n * page), &m), 0);
			assert_int_equal(m.state, S2_LEAF);
			assert_true(m.pa.pa == pa + n * page);
		}
		/* All when they are mapped, and those that are unmapped. */
		bed_unmap(&bed, page, 2 * page, 0);
		assert_int_equal(bed.port.clean_bytes, 6 * page);
		bed_close(&bed);
	}
}

/* ---- from ID registers to a configuration ------------------------------------- */

/* The registers of CPUs that are sold. */
static void a_cpu_says_what_it_has(void **state)
{
	static const struct {
		const char *name;
		struct s2_id_regs id;
		uint8_t pa_bits, no_16k;
		uint32_t features;
	} cpus[] = {
		{ "Cortex-A53", { 0x11120, 0x1122, 0, 0 }, 40, 1, 0 },
		{ "Cortex-A72", { 0x11120, 0x1124, 0, 0 }, 44, 1, 0 },
		{ "Neoverse N1",
		  { 0x100010211120, 0x101125, 0x10212122, 0x1011 },
		  48,
		  0,
		  S2_FEAT_HAFDBS | S2_FEAT_DBM | S2_FEAT_XNX | S2_FEAT_VMID16 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cpus) / sizeof(*cpus); i++)
		for (uint8_t shift = 12; shift <= 16; shift += 2) {
			struct s2_config cfg = { .ipa_bits = 32,
						 .granule_shift = shift,
						 .features = S2_FEAT_ALL };

			if (shift == 14 && cpus[i].no_16k) {
				assert_int_equal(s2_config_cpu(&cfg, &cpus[i].id),
						 S2_E_CONFIG);
				assert_int_equal(cfg.pa_bits, 0);
				continue;
			}
			assert_int_equal(s2_config_cpu(&cfg, &cpus[i].id), 0);
			assert_int_equal(cfg.pa_bits, cpus[i].pa_bits);
			assert_int_equal(cfg.features, cpus[i].features);
		}
}

static void each_field_is_one_feature(void **state)
{
	static const struct {
		struct s2_id_regs id;
		uint32_t features;
	} fields[] = {
		{ { .mmfr2 = UINT64_C(1) << 40 }, S2_FEAT_FWB },
		{ { .isar0 = UINT64_C(1) << 56 }, 0 },
		{ { .isar0 = UINT64_C(2) << 56 }, S2_FEAT_TLBIRANGE },
		{ { .mmfr2 = UINT64_C(1) << 48 }, S2_FEAT_TTL },
		{ { .mmfr1 = 1 }, S2_FEAT_HAFDBS },
		{ { .mmfr1 = 2 }, S2_FEAT_HAFDBS | S2_FEAT_DBM },
		{ { .mmfr1 = 3 }, S2_FEAT_HAFDBS | S2_FEAT_DBM },
		{ { .mmfr1 = 1 << 28 }, S2_FEAT_XNX },
		{ { .mmfr2 = UINT64_C(1) << 52 }, S2_FEAT_BBM1 },
		{ { .mmfr2 = UINT64_C(2) << 52 }, S2_FEAT_BBM1 | S2_FEAT_BBM2 },
		{ { .mmfr1 = UINT64_C(1) << 36 }, 0 },
		{ { .mmfr1 = UINT64_C(2) << 36 }, S2_FEAT_ETS2 },
		{ { .mmfr1 = 2 << 4 }, S2_FEAT_VMID16 },
		{ { .mmfr0 = 1 << 28 }, S2_FEAT_LPA2 },
		{ { .mmfr0 = UINT64_C(3) << 40 }, S2_FEAT_LPA2 },
		/* Stage 2 decides where it says something. */
		{ { .mmfr0 = UINT64_C(2) << 40 | 1 << 28 }, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct s2_config cfg = { .features = S2_FEAT_ALL };

		assert_int_equal(s2_config_cpu(&cfg, &fields[i].id), 0);
		assert_int_equal(cfg.features, fields[i].features);
	}
}

/* TGRAN*: whether stage 2 has the granule, alone or with FEAT_LPA2. */
static void granules_of_stage_2_come_before_those_of_stage_1(void **state)
{
	static const struct {
		uint64_t mmfr0;
		uint8_t shift, pa_bits; /* 0: not there */
		bool lpa2;
	} all[] = {
		{ UINT64_C(0xf) << 28, 12, 0, false },
		{ UINT64_C(0xf) << 28 | UINT64_C(2) << 40, 12, 32, false },
		{ UINT64_C(1) << 40, 12, 0, false },
		{ UINT64_C(0), 14, 0, false },
		{ UINT64_C(1) << 20, 14, 32, false },
		{ UINT64_C(2) << 20, 14, 32, true },
		{ UINT64_C(2) << 20 | UINT64_C(1) << 32, 14, 0, false },
		{ UINT64_C(2) << 20 | UINT64_C(2) << 32, 14, 32, false },
		{ UINT64_C(3) << 32, 14, 32, true },
		{ UINT64_C(0xf) << 24, 16, 0, false },
		{ UINT64_C(0xf) << 24 | UINT64_C(2) << 36, 16, 32, false },
		{ UINT64_C(1) << 36, 16, 0, false },
		/* 52 bits: with FEAT_LPA2, or with 64 KiB. 7 means more than that. */
		{ 6, 12, 48, false },
		{ 6 | UINT64_C(1) << 28, 12, 52, true },
		{ 7 | UINT64_C(1) << 28, 12, 52, true },
		{ 6, 16, 52, false },
		{ 5, 16, 48, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct s2_id_regs id = { .mmfr0 = all[i].mmfr0 };
		struct s2_config cfg = { .ipa_bits = 32,
					 .granule_shift = all[i].shift,
					 .features = S2_FEAT_ALL };
		struct s2_layout layout;

		assert_int_equal(s2_config_cpu(&cfg, &id),
				 all[i].pa_bits ? 0 : S2_E_CONFIG);
		assert_int_equal(cfg.pa_bits, all[i].pa_bits);
		if (!all[i].pa_bits) {
			assert_int_equal(cfg.features, S2_FEAT_ALL);
			continue;
		}
		assert_int_equal(cfg.features, all[i].lpa2 ? S2_FEAT_LPA2 : 0);
		assert_int_equal(s2_layout(&cfg, &layout), 0);
	}
}

/* What all CPUs of a machine have. */
static void of_two_cpus_what_both_have(void **state)
{
	const struct s2_id_regs big = { .mmfr0 = 6 | 1 << 28,
					.mmfr1 = 2,
					.isar0 = UINT64_C(2) << 56 };
	const struct s2_id_regs little = { .mmfr0 = 2, .mmfr1 = 1 };
	struct s2_config cfg = { .ipa_bits = 32,
				 .features = S2_FEAT_ALL & ~S2_FEAT_LPA2 };

	(void)state;
	assert_int_equal(s2_config_cpu(&cfg, &big), 0);
	assert_int_equal(cfg.pa_bits, 48); /* 52 without LPA2 */
	assert_int_equal(cfg.features, S2_FEAT_HAFDBS | S2_FEAT_DBM | S2_FEAT_TLBIRANGE);
	assert_int_equal(s2_config_cpu(&cfg, &little), 0);
	assert_int_equal(cfg.pa_bits, 40);
	assert_int_equal(cfg.features, S2_FEAT_HAFDBS);
	assert_int_equal(s2_config_cpu(&cfg, &big), 0);
	assert_int_equal(cfg.pa_bits, 40);
	assert_int_equal(cfg.features, S2_FEAT_HAFDBS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ipa_size_starts_at_the_right_level),
		cmocka_unit_test(vtcr_says_what_was_chosen),
		cmocka_unit_test(vtcr_follows_the_features),
		cmocka_unit_test(a_walk_has_the_levels_that_are_asked_for),
		cmocka_unit_test(an_instance_is_what_its_layout_says),
		cmocka_unit_test(vttbr_is_the_root),
		cmocka_unit_test(leaves_of_every_level_at_both_ends),
		cmocka_unit_test(every_root_table_is_used),
		cmocka_unit_test(a_range_over_two_root_tables),
		cmocka_unit_test(no_block_at_level_0),
		cmocka_unit_test(descriptors_have_the_architectures_bits),
		cmocka_unit_test(a_range_over_the_top_bits_of_52),
		cmocka_unit_test(a_cpu_says_what_it_has),
		cmocka_unit_test(each_field_is_one_feature),
		cmocka_unit_test(of_two_cpus_what_both_have),
		cmocka_unit_test(granules_of_stage_2_come_before_those_of_stage_1),
	};

	return cmocka_run_group_tests_name("geometry", tests, NULL, NULL);
}
