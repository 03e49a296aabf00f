/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operands of TLBIs read back, as the Arm ARM describes them ("TLBI IPAS2E1IS", "TLBI
 * RIPAS2E1IS"): written from that and not from inval.c.
 */
#ifndef TESTS_PROVE_PLAN_H
#define TESTS_PROVE_PLAN_H

#include "internal.h"

/* Addresses have 52 bits in a wide layout, else 48. */
#define PROVE_IPA_END (UINT64_C(1) << (PROVE_WIDE ? 52 : 48))

/* PROVE_GRANULE: 12, 14 or 16. PROVE_WIDE: enum s2_wide. */
static inline struct s2 any_layout(void)
{
	return (struct s2){ .granule_shift = PROVE_GRANULE,
			    .wide = PROVE_WIDE,
			    .features = nondet_u32() };
}

/*
 * An instance with any configuration that s2_init() takes, as config_layout.c proves that
 * it is: any IPA and PA size, and the start level and root that follow.
 */
static inline struct s2 any_instance(void)
{
	struct s2 s2 = any_layout();
	unsigned least;

	s2.ipa_bits = nondet_u8();
	s2.pa_bits = nondet_u8();
	GIVEN(s2.ipa_bits >= 32 && s2.ipa_bits <= s2.pa_bits);
	GIVEN(s2.pa_bits <= (PROVE_WIDE ? 52 : 48));
	GIVEN(PROVE_WIDE != S2_WIDE_LPA || s2.pa_bits == 52);
	s2.ipa_end = UINT64_C(1) << s2.ipa_bits;
	s2.pa_end = UINT64_C(1) << s2.pa_bits;
	s2.oa_mask =
		(UINT64_C(1) << (PROVE_WIDE == S2_WIDE_LPA2 ? 50 : 48)) - page_size(&s2);
	s2.start_level = (int8_t)(nondet_u8() % 4);
	s2.start_shift = (uint8_t)level_shift(&s2, s2.start_level);
	least = s2.start_shift + table_bits(&s2);
	GIVEN(s2.ipa_bits > s2.start_shift && s2.ipa_bits <= least + 4);
	s2.root_pages = (uint8_t)(s2.ipa_bits > least ? 1u << (s2.ipa_bits - least) : 1u);
	return s2;
}

/* IPA[51:12] is in [39:0]. */
static inline uint64_t operand_address(uint64_t operand)
{
	return (operand & ((UINT64_C(1) << 40) - 1)) << 12;
}

/* BaseADDR is in [36:0], in granules; with VTCR_EL2.DS = 1 in 64 KiB. */
static inline uint64_t range_address(uint64_t operand)
{
	return (operand & ((UINT64_C(1) << 37) - 1))
	       << (PROVE_WIDE == S2_WIDE_LPA2 ? 16 : PROVE_GRANULE);
}

/* NUM is in [43:39], SCALE in [45:44]. */
static inline uint64_t range_bytes(uint64_t operand)
{
	uint64_t num = operand >> 39 & 31;

	switch (operand >> 44 & 3) {
	case 0:
		return (num + 1) << 1 << PROVE_GRANULE;
	case 1:
		return (num + 1) << 6 << PROVE_GRANULE;
	case 2:
		return (num + 1) << 11 << PROVE_GRANULE;
	default:
		return (num + 1) << 16 << PROVE_GRANULE;
	}
}

#endif
