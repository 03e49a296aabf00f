/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The glue of Linux in a program: the port of bench/ for tables, and what pgtable.c needs
 * of the other files of ports/linux.
 */
#ifndef STAGE2_TESTS_DIFF_PORT_H
#define STAGE2_TESTS_DIFF_PORT_H

#include <linux/kvm_host.h>
#include <asm/kvm_pgtable.h>
#include <stage2/stage2.h>

#include "side.h"

#define S2_PROFILE S2_PROFILE_HYPERVISOR
#define S2_USE_52BIT 1
#define S2_GRANULE_SHIFT PAGE_SHIFT
#define COUNT_PORT_BASE (HIGH + (UINT64_C(1) << 32))
#define COUNT_PORT_RECORD 1
#include "bench/stage2_port.h"

/* ---- the kernel, beyond bench/linux/shim ---- */

struct kvm {
	struct {
		struct kvm_s2_mmu mmu;
	} arch;
	int mmu_lock;
};

#define kvm_s2_mmu_to_kvm(s2_mmu) container_of(s2_mmu, struct kvm, arch.mmu)
#define lockdep_assert_held_write(lock) ((void)(lock))
#define cpu_relax() ((void)0)
#define GFP_KERNEL_ACCOUNT 0
#define noinline __attribute__((__noinline__))
#define kzalloc(size, flags) calloc(1, size)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define VTCR_EL2_VS_SHIFT 19
#define VTCR_EL2_PS_MASK GENMASK(18, 16)
#define VTCR_EL2_T0SZ_MASK GENMASK(5, 0)
#define ARM64_HAS_ARMv8_4_TTL 100
#define ARM64_WORKAROUND_REPEAT_TLBI 101
#define STAGE2_REPEATS_TLBI 0
#define has_vhe() true
#define stage2_quiet(t) false
#define phys_to_virt(pa) ((void *)(uintptr_t)(pa))

/* ---- the other files of the glue ---- */

struct stage2_tables {
	struct count_port port; /* the first: what the engine gets */
	struct kvm_pgtable_mm_ops mm_ops;
	struct s2 s2, layout;
	struct kvm_pgtable *pgt;
	bool quiet, splitting, unlinked;
};

#include "ports/linux/compat.h"
#include "ports/linux/glue.h"

static inline void stage2_debugfs_add(struct stage2_tables *t)
{
	(void)t;
}

static inline void stage2_debugfs_del(struct stage2_tables *t)
{
	(void)t;
}

static inline int stage2_dirty_init(struct stage2_tables *t, struct kvm_s2_mmu *mmu,
				    u32 *features)
{
	(void)t, (void)mmu, (void)features;
	return 0;
}

static inline bool stage2_dirty_page(struct stage2_tables *t, u64 size, s2_attr_t attr)
{
	(void)t, (void)size, (void)attr;
	return false;
}

static inline bool stage2_dirty_block(struct stage2_tables *t, u64 ipa, u64 size)
{
	(void)t, (void)ipa, (void)size;
	return false;
}

static inline void stage2_dirty_split(struct stage2_tables *t, u64 addr, u64 size)
{
	(void)t, (void)addr, (void)size;
}

static inline u64 stage2_dirty_relax(struct stage2_tables *t, u64 ipa, u64 d, int level)
{
	(void)t, (void)ipa, (void)d, (void)level;
	return 0;
}

#define stage2_dirty_unmap(t, start, size, op) \
	s2_unmap(&(t)->s2, s2_ipa(start), size, S2_DROP_EDGES, op)
#define stage2_dirty_wrprotect(t, start, size) \
	s2_wrprotect(&(t)->s2, s2_ipa(start), size, 0, NULL)

#endif /* STAGE2_TESTS_DIFF_PORT_H */
