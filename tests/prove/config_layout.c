/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whatever the bytes of a configuration are: it is refused, or the instance has a root
 * that resolves exactly its IPA size in at most 16 tables, and VTCR_EL2 says the same.
 */
#include "config.c"
#include "plan.h"

void prove(void)
{
	struct s2_config cfg = { .ipa_bits = nondet_u8(),
				 .pa_bits = nondet_u8(),
				 .granule_shift = nondet_u8(),
				 .min_levels = nondet_u8(),
				 .features = nondet_u32(),
				 .errata = nondet_u32(),
				 .counted = (uint16_t)nondet_u32() };
	struct s2_layout l;
	struct s2 s2;
	unsigned bits, levels, t0sz;

	if (s2_layout(&cfg, &l)) {
		CLAIM(layout(&s2, &cfg) < 0);
		return;
	}
	CLAIM(!layout(&s2, &cfg));
	CLAIM(l.start_level >= 0 && l.start_level <= LAST_LEVEL);
	levels = 4u - (unsigned)l.start_level;
	CLAIM(levels >= cfg.min_levels);
	CLAIM(l.root_pages == 1 || l.root_pages == 2 || l.root_pages == 4 ||
	      l.root_pages == 8 || l.root_pages == 16);
	/* The bits that the walk resolves, the root's own among them. */
	bits = page_shift(&s2) + (levels - 1) * table_bits(&s2);
	CLAIM(s2.start_shift == bits);
	CLAIM(l.ipa_end == UINT64_C(1) << cfg.ipa_bits);
	CLAIM(cfg.ipa_bits > bits);
	CLAIM(l.ipa_end >> bits <= (uint64_t)l.root_pages * table_entries(&s2));
	CLAIM(l.root_pages == 1 ||
	      l.ipa_end >> bits == (uint64_t)l.root_pages * table_entries(&s2));
	CLAIM(l.root_size == l.root_pages * page_size(&s2));
	/* The output address reaches to the PA size, and no attribute is in its way. */
	CLAIM(cfg.pa_bits <= (s2.wide == S2_WIDE_NO ? 48 : 52));
	CLAIM(!(desc_oa_mask(&s2) &
		(DESC_VALID | DESC_TABLE | DESC_MEMATTR | DESC_S2AP_R | DESC_S2AP_W |
		 DESC_AF | DESC_DBM | DESC_CONT | DESC_XN | DESC_SW | DESC_BUSY |
		 DESC_REMAKE | DESC_TAGGED | DESC_TAG | DESC_OWED | DESC_SH)));
	/* T0SZ, SL0, TG0, PS. */
	t0sz = l.vtcr & 0x3f;
	CLAIM(t0sz == 64u - cfg.ipa_bits);
	CLAIM((l.vtcr >> 14 & 3) == (page_shift(&s2) == 12 ? 0 :
				     page_shift(&s2) == 14 ? 2 :
							     1));
	CLAIM((l.vtcr >> 6 & 3) ==
	      (unsigned)((page_shift(&s2) == 12 ? 2 : 3) - l.start_level) % 4);
	CLAIM((l.vtcr >> 16 & 7) == (unsigned)pa_range(cfg.pa_bits));
	CLAIM((l.vtcr >> 19 & 1) == !!(cfg.features & S2_FEAT_VMID16));
	CLAIM((l.vtcr >> 21 & 1) == !!(cfg.features & S2_FEAT_HAFDBS));
	CLAIM((l.vtcr >> 22 & 1) == !!(cfg.features & S2_FEAT_DBM));
	CLAIM((l.vtcr >> 32 & 1) == !!(cfg.features & S2_FEAT_LPA2));
	CLAIM(!(l.vtcr & ~UINT64_C(0x1806fffff) & ~(UINT64_C(1) << 31)));
	REACHED();
}
