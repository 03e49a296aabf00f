/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operands of TLBIs: a level hint only where FEAT_TTL allows it, or in a range operation
 * whose base is aligned to a leaf of that level; never for level 0; every field in its
 * place, and no bits where there is no field.
 */
#include "inval.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_layout();
	const uint64_t tg = PROVE_GRANULE == 12 ? 1 : PROVE_GRANULE == 14 ? 2 : 3;
	uint64_t ipa = nondet_u64(), operand;
	int level = nondet_u8() % 4, scale = nondet_u8() % 4;
	unsigned num = nondet_u8() % 32;

	GIVEN(ipa < PROVE_IPA_END && !(ipa & (page_size(&s2) - 1)));
	operand = operand_ipa(&s2, ipa, level);
	CLAIM(operand_address(operand) == ipa);
	CLAIM(!(operand & ~(UINT64_C(0xf) << 44 | ((UINT64_C(1) << 40) - 1))));
	if (operand >> 44) {
		CLAIM(s2.features & S2_FEAT_TTL && level);
		CLAIM(operand >> 46 == tg && (operand >> 44 & 3) == (unsigned)level);
	}

	GIVEN(!(ipa & ((UINT64_C(1) << base_shift(&s2)) - 1)));
	operand = operand_range(&s2, ipa, scale, num, level);
	CLAIM(range_address(operand) == ipa);
	CLAIM(range_bytes(operand) == (uint64_t)(num + 1)
					      << (5 * scale + 1) << PROVE_GRANULE);
	CLAIM(operand >> 46 == tg);
	if (operand >> 37 & 3) {
		CLAIM((operand >> 37 & 3) == (unsigned)level);
		CLAIM(!(ipa & (level_size(&s2, level) - 1)));
	}
	REACHED();
}
