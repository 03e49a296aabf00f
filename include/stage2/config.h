/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The configuration of an instance: part of stage2.h, which includes it.
 */
#ifndef STAGE2_CONFIG_H
#define STAGE2_CONFIG_H

#include <stdint.h>

/**
 * DOC: features
 *
 * Properties of an instance, not of the build: two guests on one machine may
 * differ. A bit says that the CPU has the feature *and* that the embedder has
 * turned it on for this instance where it has to be turned on.
 *
 * %S2_FEAT_FWB: FEAT_S2FWB (ID_AA64MMFR2_EL1.FWB >= 1), HCR_EL2.FWB = 1 for this guest.
 *	Changes the MemAttr encoding; a write-back leaf then needs no cleaning.
 * %S2_FEAT_TLBIRANGE: FEAT_TLBIRANGE (ID_AA64ISAR0_EL1.TLB >= 2).
 * %S2_FEAT_TTL: FEAT_TTL (ID_AA64MMFR2_EL1.TTL >= 1); level hints in IPAS2E1IS.
 * %S2_FEAT_HAFDBS: hardware sets the access flag (ID_AA64MMFR1_EL1.HAFDBS >= 1, and
 *	VTCR_EL2.HA = 1). Entries that hardware may write are changed by compare-and-swap,
 *	even exclusively.
 * %S2_FEAT_DBM: hardware records dirty state too (ID_AA64MMFR1_EL1.HAFDBS >= 2, and
 *	VTCR_EL2.HD = 1; needs %S2_FEAT_HAFDBS).
 * %S2_FEAT_XNX: FEAT_XNX (ID_AA64MMFR1_EL1.XNX >= 1): execute permission for EL0 and EL1
 *	apart.
 * %S2_FEAT_BBM1, %S2_FEAT_BBM2: FEAT_BBM (ID_AA64MMFR2_EL1.BBM) level 1 and 2. Accepted
 *	and not used: every change of size breaks the entry first.
 * %S2_FEAT_ETS2: FEAT_ETS2 (ID_AA64MMFR1_EL1.ETS >= 2). Accepted; the ISB is issued all
 *	the same.
 * %S2_FEAT_LPA2: FEAT_LPA2 at stage 2 (ID_AA64MMFR0_EL1.TGRAN4_2 or TGRAN16_2 = 3; if
 *	that is 0, TGRAN4 = 1 or TGRAN16 = 2) and VTCR_EL2.DS = 1: the other descriptor
 *	layout, whatever the sizes. Not with 64 KiB granules.
 * %S2_FEAT_VMID16: VMIDs of 16 bits (ID_AA64MMFR1_EL1.VMIDBits = 2) and VTCR_EL2.VS = 1.
 *	Without it bits [63:56] of VTTBR_EL2 are 0: a VMID above 255 needs this bit.
 * %S2_FEAT_SEL2: Secure EL2 (ID_AA64PFR0_EL1.SEL2 = 1). Known, and refused
 *	(%S2_E_UNSUPPORTED): a Secure guest has a second set of tables with registers of
 *	its own (VSTCR_EL2, VSTTBR_EL2), and each TLBI by IPA says in bit 63 of its
 *	operand which of the two is meant. The engine forms neither.
 */
#define S2_FEAT_FWB (1u << 0)
#define S2_FEAT_TLBIRANGE (1u << 1)
#define S2_FEAT_TTL (1u << 2)
#define S2_FEAT_HAFDBS (1u << 3)
#define S2_FEAT_XNX (1u << 4)
#define S2_FEAT_BBM1 (1u << 5)
#define S2_FEAT_BBM2 (1u << 6)
#define S2_FEAT_ETS2 (1u << 7)
#define S2_FEAT_LPA2 (1u << 8)
#define S2_FEAT_VMID16 (1u << 9)
#define S2_FEAT_DBM (1u << 10)
#define S2_FEAT_SEL2 (1u << 11)
/* All that an instance can be given: where s2_config_cpu() begins. */
#define S2_FEAT_ALL ((1u << 11) - 1)

/**
 * S2_ERRATUM_REPEAT_TLBI - a TLBI may complete early; repeat it
 *
 * One more TLBI and DSB ISH at the end of each invalidation (Arm Cortex-A76
 * 1286807 and others, CVE-2025-10263; Linux a8f78680ee6b found that once at
 * the end of a batch is enough).
 */
#define S2_ERRATUM_REPEAT_TLBI (1u << 0)

/**
 * struct s2_config - what s2_init() needs to know
 * @ipa_bits: IPA size, 32..48, at most @pa_bits; to 52 if addresses may have 52
 *	bits (%S2_FEAT_LPA2, or 64 KiB granules and @pa_bits 52)
 * @pa_bits: PA size: 32, 36, 40, 42, 44, 48, or 52 under the same condition
 *	(ID_AA64MMFR0_EL1.PARange)
 * @granule_shift: 12, 14 or 16: granules of 4, 16 or 64 KiB (ID_AA64MMFR0_EL1.TGRAN4_2,
 *	TGRAN16_2, TGRAN64_2); 0 means 12. A port that defines S2_GRANULE_SHIFT fixes it
 *	for the build.
 * @min_levels: the walk has so many levels at least: 0 (as few as possible) to 4, and no
 *	more than an IPA size of @pa_bits would have. 2 for KVM and Xen, which start no
 *	lower than level 2. More levels mean fewer concatenated root tables.
 * @features: S2_FEAT_* bits
 * @errata: S2_ERRATUM_* bits
 * @port: handed to every function of the porting header; not read by the engine
 * @counted: bit n: leaves with %S2_SW(n) are counted. The port hears of each that goes
 *	(s2_port_leaf_gone()). s2_map() changes no such leaf in place, nor makes one of a
 *	leaf that is there: that takes %S2_MAP_REPLACE. s2_collapse() leaves them alone.
 */
struct s2_config {
	uint8_t ipa_bits;
	uint8_t pa_bits;
	uint8_t granule_shift;
	uint8_t min_levels;
	uint32_t features;
	uint32_t errata;
	void *port;
	uint16_t counted;
};

/**
 * struct s2_layout - what an instance will be like
 * @vtcr: the value for VTCR_EL2, as s2_vtcr()
 * @ipa_end: the first address beyond the IPA size
 * @root_size: bytes of the root, and its alignment
 * @root_pages: granules of the root: 1, 2, 4, 8 or 16
 * @start_level: where the walk starts
 */
struct s2_layout {
	uint64_t vtcr;
	uint64_t ipa_end;
	uint64_t root_size;
	uint8_t root_pages;
	int8_t start_level;
};

#endif /* STAGE2_CONFIG_H */
