/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * No undefined behaviour in the layout of an instance and its registers, whatever the
 * bytes of the configuration are.
 */
#include "config.c"

static void any_other(uint8_t shift, uint8_t ipa_bits)
{
	struct s2_config cfg = { .ipa_bits = ipa_bits,
				 .pa_bits = nondet_u8(),
				 .granule_shift = shift,
				 .min_levels = nondet_u8(),
				 .features = nondet_u32(),
				 .errata = nondet_u32(),
				 .counted = (uint16_t)nondet_u32() };
	struct s2_layout l;

	s2_layout(&cfg, &l);
}

void prove(void)
{
	static const uint8_t shifts[] = { 0, 12, 14, 16 };
	uint8_t shift = nondet_u8(), other = nondet_u8();

	/* Size by size: so the analysis knows how the numbers depend on it. */
	/*@ loop unroll 4; */
	for (int i = 0; i < 4; i++) {
		/*@ loop unroll 21; */
		for (uint8_t bits = 32; bits <= 52; bits++)
			any_other(shifts[i], bits);
		if (other < 32 || other > 52)
			any_other(shifts[i], other);
	}
	/* Between the legal granules. */
	if (shift > 0 && shift < 12)
		any_other(shift, nondet_u8());
	any_other(13, nondet_u8());
	any_other(15, nondet_u8());
	if (shift > 16)
		any_other(shift, nondet_u8());
	REACHED();
}
