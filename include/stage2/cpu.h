/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the ID registers of a CPU to a configuration: part of stage2.h, which includes it.
 * It is inline, so a build that does not call it has nothing of it.
 */
#ifndef STAGE2_CPU_H
#define STAGE2_CPU_H

/**
 * struct s2_id_regs - the ID registers that stage 2 depends on
 * @isar0: ID_AA64ISAR0_EL1
 * @mmfr0: ID_AA64MMFR0_EL1
 * @mmfr1: ID_AA64MMFR1_EL1
 * @mmfr2: ID_AA64MMFR2_EL1 (S3_0_C0_C7_2; RES0 on CPUs that do not define it)
 */
struct s2_id_regs {
	uint64_t isar0;
	uint64_t mmfr0;
	uint64_t mmfr1;
	uint64_t mmfr2;
};

static inline unsigned s2_id_field(uint64_t reg, unsigned shift)
{
	return (unsigned)(reg >> shift) & 15;
}

/* A translation granule at stage 2: 0 not there, 1 there, 2 with FEAT_LPA2. */
static inline unsigned s2_id_granule(uint64_t mmfr0, unsigned granule_shift)
{
	/* TGRAN4_2, TGRAN16_2, TGRAN64_2. 0: as at stage 1; else 1 is "not there". */
	unsigned stage2 = s2_id_field(mmfr0, granule_shift == 12 ? 40 :
					     granule_shift == 14 ? 32 :
								   36);
	unsigned stage1;

	if (stage2)
		return stage2 - 1;
	/* TGRAN4 and TGRAN64: 15 is "not there", 1 is FEAT_LPA2. TGRAN16: 0, and 2. */
	if (granule_shift == 14)
		return s2_id_field(mmfr0, 20);
	stage1 = s2_id_field(mmfr0, granule_shift == 12 ? 28 : 24) + 1;
	return stage1 & 15;
}

/**
 * s2_config_cpu() - Keep what a CPU has
 * @cfg: cfg->granule_shift is read (0 means 12). cfg->features loses what the CPU lacks.
 *	cfg->pa_bits becomes the PA size of the CPU if that is smaller, or if it was 0
 * @id: the values of the ID registers
 *
 * Begin with all that you would turn on, %S2_FEAT_ALL or less: a feature is a promise
 * that it *is* turned on in HCR_EL2 and in VTCR_EL2 (s2_vtcr()). Leave out %S2_FEAT_FWB
 * if HCR_EL2.FWB stays 0, %S2_FEAT_HAFDBS and %S2_FEAT_DBM if software keeps access flags
 * and dirty state, %S2_FEAT_LPA2 where 48 bits do. Where CPUs differ, call it for each:
 * what all have is left. What is left must hold for an SMMU that shares the tables, too.
 * Source: the registers' descriptions in the Arm ARM.
 * Return: 0, or %S2_E_CONFIG if the CPU has no such granule at stage 2; @cfg is unchanged
 * then. Context: any. Locking: none.
 */
static inline int s2_config_cpu(struct s2_config *cfg, const struct s2_id_regs *id)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };
	const unsigned shift = cfg->granule_shift ? cfg->granule_shift : 12;
	const unsigned granule = s2_id_granule(id->mmfr0, shift);
	const unsigned range = s2_id_field(id->mmfr0, 0);
	const unsigned hafdbs = s2_id_field(id->mmfr1, 0);
	const unsigned bbm = s2_id_field(id->mmfr2, 52);
	uint8_t pa_bits = bits[range < 6 ? range : 6];

	if (!granule || (shift != 12 && shift != 14 && shift != 16))
		return S2_E_CONFIG;
	cfg->features &= (s2_id_field(id->mmfr2, 40) ? S2_FEAT_FWB : 0) |
			 (s2_id_field(id->isar0, 56) >= 2 ? S2_FEAT_TLBIRANGE : 0) |
			 (s2_id_field(id->mmfr2, 48) ? S2_FEAT_TTL : 0) |
			 (hafdbs ? S2_FEAT_HAFDBS : 0) | (hafdbs >= 2 ? S2_FEAT_DBM : 0) |
			 (s2_id_field(id->mmfr1, 28) ? S2_FEAT_XNX : 0) |
			 (bbm >= 1 ? S2_FEAT_BBM1 : 0) | (bbm >= 2 ? S2_FEAT_BBM2 : 0) |
			 (s2_id_field(id->mmfr1, 36) >= 2 ? S2_FEAT_ETS2 : 0) |
			 (shift != 16 && granule >= 2 ? S2_FEAT_LPA2 : 0) |
			 (s2_id_field(id->mmfr1, 4) >= 2 ? S2_FEAT_VMID16 : 0);
	if (pa_bits > 48 && shift != 16 && !(cfg->features & S2_FEAT_LPA2))
		pa_bits = 48;
	if (!cfg->pa_bits || cfg->pa_bits > pa_bits)
		cfg->pa_bits = pa_bits;
	return 0;
}

#endif /* STAGE2_CPU_H */
