/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of the kernel that Linux's arch/arm64/kvm/hyp/pgtable.c uses, for a program:
 * 4 KiB granules and 48-bit addresses, or what PAGE_SHIFT and SHIM_52BIT say. Barriers
 * and TLBIs are counters. A branch that the kernel patches at boot costs a load and a
 * test here. The switch to the context of the guest for a TLBI costs nothing here.
 */
#ifndef STAGE2_BENCH_LINUX_SHIM_H
#define STAGE2_BENCH_LINUX_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef uint64_t phys_addr_t;
typedef uint64_t kvm_pfn_t;

/* ---- the counters, defined in linux.c ---- */

struct shim_counts {
	u64 reads, writes, tlbi, dsb, isb, clean_calls, clean_bytes;
};
extern struct shim_counts shim;
extern bool shim_fwb, shim_tlbirange;

/* The counters are for one thread. */
#ifdef COUNT_PORT_THREADS
#define SHIM_ADD(counter, n) ((void)0)
#else
#define SHIM_ADD(counter, n) ((void)(shim.counter += (n)))
#endif
#ifdef COUNT_PORT_RECORD
#define SHIM_READ() SHIM_ADD(reads, 1)
#define SHIM_WRITE() SHIM_ADD(writes, 1)
#else
#define SHIM_READ() ((void)0)
#define SHIM_WRITE() ((void)0)
#endif

/* ---- the language ---- */

#define BIT(n) (UINT64_C(1) << (n))
#define GENMASK(high, low) ((~UINT64_C(0) >> (63 - (high))) & (~UINT64_C(0) << (low)))
#define FIELD_GET(mask, from) (((from) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, value) (((u64)(value) << __builtin_ctzll(mask)) & (mask))
#define ALIGN_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define IS_ALIGNED(x, to) (((x) & ((__typeof__(x))(to)-1)) == 0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))
#define IS_ENABLED(option) SHIM_##option
#define ERR_PTR(e) ((void *)(intptr_t)(e))
#define PTR_ERR(p) ((intptr_t)(p))
#define IS_ERR(p) ((uintptr_t)(p) > (uintptr_t)-4096)
/* None may fire: a measurement of an error path has no meaning. */
#define WARN_ON(x) (unlikely(x) ? abort(), true : false)
#define WARN_ON_ONCE(x) WARN_ON(x)

#define READ_ONCE(x) (SHIM_READ(), *(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (SHIM_WRITE(), *(volatile __typeof__(x) *)&(x) = (v))
#define smp_store_release(p, v) (SHIM_WRITE(), __atomic_store_n(p, v, __ATOMIC_RELEASE))
#define cmpxchg(p, old, new) (SHIM_READ(), SHIM_WRITE(), shim_cmpxchg(p, old, new))

static inline u64 shim_cmpxchg(u64 *p, u64 old, u64 new)
{
	__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	return old;
}

/* A kernel without preemption: RCU's read side only affects the compiler. */
#define __rcu
#define rcu_dereference_check(p, c) (p)
#define rcu_read_lock() __asm__ volatile("" ::: "memory")
#define rcu_read_unlock() __asm__ volatile("" ::: "memory")
#define rcu_read_lock_held() true

/* ---- the architecture ---- */

#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
/* Addresses have 52 bits: FEAT_LPA2, and FEAT_LPA where a page is 64 KiB. */
#ifndef SHIM_52BIT
#define SHIM_52BIT 0
#endif
#if PAGE_SHIFT == 12
#define CONFIG_ARM64_4K_PAGES 1
#endif
#define SHIM_CONFIG_ARM64_PA_BITS_52 SHIM_52BIT
#define CONFIG_ARM64_HW_AFDBM 1
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define PTRS_PER_PTE (1 << (PAGE_SHIFT - 3))
#define ARM64_HW_PGTABLE_LEVEL_SHIFT(level) ((PAGE_SHIFT - 3) * (4 - (level)) + 3)
#define ARM64_HW_PGTABLE_LEVELS(bits) \
	(((bits)-PAGE_SHIFT + PAGE_SHIFT - 4) / (PAGE_SHIFT - 3))
#define __phys_to_pfn(pa) ((pa) >> PAGE_SHIFT)

enum { ARM64_HAS_STAGE2_FWB, ARM64_KVM_HVHE, ARM64_WORKAROUND_AMPERE_AC03_CPU_38 };
#define cpus_have_final_cap(cap) ((cap) == ARM64_HAS_STAGE2_FWB && shim_fwb)
#define system_supports_tlb_range() shim_tlbirange
#define system_supports_lpa2() (SHIM_52BIT && PAGE_SHIFT != 16)
#define system_supports_bti_kernel() false

#define ID_AA64MMFR0_EL1_PARANGE_48 5
#define ID_AA64MMFR0_EL1_PARANGE_52 6
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT 0
#define cpuid_feature_extract_unsigned_field(reg, shift) (((reg) >> (shift)) & 15)
#define get_vmid_bits(mmfr1) ((void)(mmfr1), 16)

static inline u32 id_aa64mmfr0_parange_to_phys_shift(u64 parange)
{
	return parange == ID_AA64MMFR0_EL1_PARANGE_52 ? 52 : 48;
}

#define VTCR_EL2_PS_SHIFT 16
#define VTCR_EL2_T0SZ(ipa_bits) ((64 - (u64)(ipa_bits)) & 63)
#define VTCR_EL2_IPA(vtcr) (64 - ((vtcr)&63))
#define VTCR_EL2_SL0_MASK GENMASK(7, 6)
#define VTCR_EL2_TGRAN_SL0_BASE (PAGE_SHIFT == 12 ? 2 : 3)
#define VTCR_EL2_LVLS_TO_SL0(levels) \
	FIELD_PREP(VTCR_EL2_SL0_MASK, VTCR_EL2_TGRAN_SL0_BASE - (4 - (levels)))
#define VTCR_EL2_VS_16BIT BIT(19)
#define VTCR_EL2_VS_8BIT 0
#define VTCR_EL2_HA BIT(21)
#define VTCR_EL2_DS BIT(32)
/* RES1, inner shareable write-back walks. */
#define VTCR_EL2_FLAGS (BIT(31) | FIELD_PREP(GENMASK(13, 12), 3) | BIT(10) | BIT(8))

/* MemAttr[5:2], without and with FWB. */
#define PAGE_S2_MEMATTR(type, fwb) \
	FIELD_PREP(GENMASK(5, 2), (fwb) ? SHIM_FWB_##type : SHIM_##type)
#define SHIM_NORMAL 0xf
#define SHIM_NORMAL_NC 0x5
#define SHIM_DEVICE_nGnRE 0x1
#define SHIM_FWB_NORMAL 0x6
#define SHIM_FWB_NORMAL_NC 0x5
#define SHIM_FWB_DEVICE_nGnRE 0x1
enum { MT_NORMAL, MT_DEVICE_nGnRE }; /* stage 1 */

/* ---- barriers and invalidations ---- */

#define dsb(which) SHIM_ADD(dsb, 1)
#define isb() SHIM_ADD(isb, 1)

#define TLBI_TTL_UNKNOWN INT32_MAX
#define MAX_TLBI_RANGE_PAGES (UINT64_C(32) << 16)
/* For the hypervisor's own stage 1, which is not measured. */
#define __TLBI_VADDR(va, asid) (va)
#define __tlbi_level(op, va, level) ((void)(va), (void)(level))
#define __tlbi_sync_s1ish_hyp() ((void)0)

struct kvm_mmu_memory_cache {
	int nobjs;
};

struct kvm_s2_mmu {
	u64 vtcr;
	struct kvm_pgtable *pgt;
	struct kvm_mmu_memory_cache split_page_cache;
};

#define kvm_call_hyp(function, ...) function(__VA_ARGS__)

/* Each by IPA: DSB ISHST, the TLBIs, DSB ISH, VMALLE1IS, DSB ISH, ISB. */
static inline void shim_flushed(u64 tlbis)
{
	SHIM_ADD(tlbi, tlbis + 1);
	SHIM_ADD(dsb, 3);
	SHIM_ADD(isb, 1);
}

static inline void __kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, u64 ipa, int level)
{
	(void)mmu;
	(void)ipa;
	(void)level;
	shim_flushed(1);
}

/* The non-shareable forms, for this CPU. They count the same. */
#define __kvm_tlb_flush_vmid_ipa_nsh __kvm_tlb_flush_vmid_ipa

/* DSB ISHST, VMALLS12E1IS, DSB ISH, ISB. */
static inline void __kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu)
{
	(void)mmu;
	SHIM_ADD(tlbi, 1);
	SHIM_ADD(dsb, 2);
	SHIM_ADD(isb, 1);
}

/* One range TLBI for each scale that has a part, and one by IPA for an odd page. */
static inline void __kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu, u64 ipa, u64 pages)
{
	u64 tlbis = 0;

	(void)mmu;
	(void)ipa;
	for (int scale = 3; scale >= 0; scale--) {
		tlbis += pages >> (5 * scale + 1) != 0;
		pages &= (UINT64_C(1) << (5 * scale + 1)) - 1;
	}
	shim_flushed(tlbis + pages);
}

#endif /* STAGE2_BENCH_LINUX_SHIM_H */
