/* SPDX-License-Identifier: GPL-2.0-only */
/* What pgtable.c of Linux 7.x uses, beyond bench/linux/shim. */
#ifndef STAGE2_TESTS_DIFF_NEWER_H
#define STAGE2_TESTS_DIFF_NEWER_H

#include "shim.h"

struct rb_root_cached {
	void *root, *leftmost;
};

enum { ARM64_HAS_XNX = 200, ARM64_WORKAROUND_REPEAT_TLBI_SYNC };
extern bool shim_xnx;
#undef cpus_have_final_cap
#define cpus_have_final_cap(cap) \
	((cap) == ARM64_HAS_STAGE2_FWB ? shim_fwb : (cap) == ARM64_HAS_XNX && shim_xnx)

#define UL(n) UINT64_C(n)
#define rcu_dereference_raw(p) (p)

/* Fields of VTCR_EL2 are masks. */
#undef VTCR_EL2_T0SZ
#define VTCR_EL2_T0SZ GENMASK(5, 0)
#define VTCR_EL2_SL0 GENMASK(7, 6)
#undef VTCR_EL2_LVLS_TO_SL0
#define VTCR_EL2_LVLS_TO_SL0(levels) \
	FIELD_PREP(VTCR_EL2_SL0, VTCR_EL2_TGRAN_SL0_BASE - (4 - (levels)))
#define VTCR_EL2_PS GENMASK(18, 16)
#define VTCR_EL2_VS BIT(19)

#undef PAGE_S2_MEMATTR
#define PAGE_S2_MEMATTR(type) \
	FIELD_PREP(GENMASK(5, 2), shim_fwb ? SHIM_FWB_##type : SHIM_##type)
#define SHIM_AS_S1 SHIM_NORMAL
#define SHIM_FWB_AS_S1 0x7

#endif /* STAGE2_TESTS_DIFF_NEWER_H */
