/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Initialises a PE: the stage 1 of EL2, the features of the CPU, and the registers that
 * EL1 runs under.
 */
#include "el2.h"

_Static_assert(offsetof(struct cpu, vcpu) == CPU_VCPU, "entry.S");
_Static_assert(offsetof(struct vcpu, elr) == VCPU_ELR, "entry.S");
_Static_assert(offsetof(struct vcpu, spsr) == VCPU_SPSR, "entry.S");

struct cpu cpus[MAX_CPUS];

/* ---- EL2's stage 1 --------------------------------------------------------------
 *
 * An identity map of 39 bits in one level-1 table. The first GiB is devices, and the next
 * 7 are memory. (Where QEMU's virt board has no memory, nothing is read.) The memory is
 * write-back and inner shareable, because exclusives need that, and so that the stage-2
 * walkers see what we write.
 */
static uint64_t el2_table[512] __attribute__((aligned(4096)));

#define BLOCK 1ull
#define ATTR(n) ((uint64_t)(n) << 2)
#define AP_RES1 (1ull << 6)
#define INNER_SHAREABLE (3ull << 8)
#define ACCESSED (1ull << 10)
#define NOT_EXECUTABLE (1ull << 54)

#define MAIR_DEVICE_THEN_WB 0xff00
#define TCR_RES1 (1u << 31 | 1u << 23)
#define TCR_39_BITS_WB_IS (3u << 12 | 1u << 10 | 1u << 8 | (64 - 39))
#define SCTLR_RES1 0x30c50830
#define SCTLR_M (1u << 0)
#define SCTLR_C (1u << 2)
#define SCTLR_SA (1u << 3)
#define SCTLR_I (1u << 12)

static void mmu_on(void)
{
	const unsigned range = s2_id_field(read_sysreg(id_aa64mmfr0_el1), 0);
	const unsigned ps = range > 5 ? 5 : range;

	el2_table[0] = BLOCK | ATTR(0) | AP_RES1 | ACCESSED | NOT_EXECUTABLE;
	for (uint64_t i = 1; i < 8; i++)
		el2_table[i] = i << 30 | BLOCK | ATTR(1) | AP_RES1 | INNER_SHAREABLE |
			       ACCESSED;
	write_sysreg(mair_el2, MAIR_DEVICE_THEN_WB);
	write_sysreg(tcr_el2, TCR_RES1 | ps << 16 | TCR_39_BITS_WB_IS);
	write_sysreg(ttbr0_el2, (uintptr_t)el2_table);
	/*
	 * The table must be in memory before the walker reads it (DSB). The TLB must hold
	 * nothing from earlier. The registers must be in effect before the MMU is enabled
	 * (ISB).
	 */
	__asm__ volatile("dsb ishst\n"
			 "tlbi alle2\n"
			 "dsb ish\n"
			 "isb" ::
				 : "memory");
	write_sysreg(sctlr_el2, SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I);
	isb();
}

void cpu_init(unsigned id)
{
	cpus[id].id = id;
	write_sysreg(tpidr_el2, (uintptr_t)&cpus[id]);
	mmu_on();
}

/* ---- what the CPU has -------------------------------------------------------- */

int cpu_config(struct s2_config *cfg)
{
	const struct s2_id_regs id = {
		.isar0 = read_sysreg(id_aa64isar0_el1),
		.mmfr0 = read_sysreg(id_aa64mmfr0_el1),
		.mmfr1 = read_sysreg(id_aa64mmfr1_el1),
		.mmfr2 = read_sysreg_s(ID_AA64MMFR2_EL1),
	};

	return s2_config_cpu(cfg, &id);
}

/* ---- running EL1 ------------------------------------------------------------- */

#define HCR_VM (1ull << 0)
#define HCR_TSC (1ull << 19)
#define HCR_RW (1ull << 31)
#define HCR_APK (1ull << 40)
#define HCR_API (1ull << 41)
#define HCR_FWB (1ull << 46)
#define HCR_ENSCXT (1ull << 53)
#define HCR_ATA (1ull << 56)
#define HCRX_MSCEN (1ull << 11)

/*
 * IMO and FMO 0: the guest owns the GIC. TSC: PSCI calls of the guest trap to the
 * monitor. Bits of features that the CPU lacks are RES0.
 */
uint64_t cpu_hcr(uint32_t s2_features)
{
	return HCR_VM | HCR_TSC | HCR_RW | HCR_APK | HCR_API | HCR_ENSCXT | HCR_ATA |
	       (s2_features & S2_FEAT_FWB ? HCR_FWB : 0);
}

void cpu_guest_setup(uint64_t hcr, uint64_t vtcr, uint64_t vttbr)
{
	write_sysreg(hcr_el2, hcr);
	/* FEAT_HCX: the guest sees FEAT_MOPS in its ID registers, so it may use it. */
	if (read_sysreg(id_aa64mmfr1_el1) >> 40 & 15)
		write_sysreg_s(HCRX_EL2, HCRX_MSCEN);
	write_sysreg(vtcr_el2, vtcr);
	write_sysreg(vttbr_el2, vttbr);
	/* Counters and timers are not trapped and have no offset. */
	write_sysreg(cnthctl_el2, 3);
	write_sysreg(cntvoff_el2, 0);
	write_sysreg_s(ICC_SRE_EL2, 0xf);
	isb();
	write_sysreg_s(ICH_HCR_EL2, 0);
	/* No floating-point traps (TFP 0). SVE and SME are turned off in QEMU. */
	write_sysreg(cptr_el2, 0x32ff);
	write_sysreg(hstr_el2, 0);
	/* EL1 owns all event counters: HPMN = PMCR_EL0.N, no traps. */
	write_sysreg(mdcr_el2, read_sysreg(pmcr_el0) >> 11 & 31);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	write_sysreg(sctlr_el1, 0x30d00800);
	/*
	 * VTCR_EL2 and VTTBR_EL2 may be cached in TLBs, and TLBs may hold entries of an
	 * earlier user of the VMID. Both are invalidated before the guest is entered.
	 */
	isb();
	__asm__ volatile("tlbi vmalls12e1\n"
			 "dsb nsh\n"
			 "isb" ::
				 : "memory");
}

#define PSCI_CPU_ON 0xc4000003

int cpu_start(uint64_t mpidr, unsigned id)
{
	return (int)smc(PSCI_CPU_ON, mpidr, (uintptr_t)el2_secondary, id);
}

uint64_t now_us(void)
{
	const uint64_t hz = read_sysreg(cntfrq_el0);
	uint64_t t;

	isb();
	t = read_sysreg(cntpct_el0);
	return t / hz * 1000000 + t % hz * 1000000 / hz;
}

/* ---- locks ----------------------------------------------------------------------
 *
 * The locks use exclusives: Armv8.0 has nothing else, and with -mno-outline-atomics the
 * compiler uses them.
 */
void lock(struct lock *l)
{
	const uint32_t me = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != me)
		cpu_relax();
}

void unlock(struct lock *l)
{
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

void read_lock(struct rwlock *l)
{
	lock(&l->door);
	__atomic_fetch_add(&l->readers, 1, __ATOMIC_RELAXED);
	unlock(&l->door);
}

/* Release: the accesses of the reader come before those of a writer that sees 0. */
void read_unlock(struct rwlock *l)
{
	__atomic_fetch_sub(&l->readers, 1, __ATOMIC_RELEASE);
}

void write_lock(struct rwlock *l)
{
	lock(&l->door);
	while (__atomic_load_n(&l->readers, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void write_unlock(struct rwlock *l)
{
	unlock(&l->door);
}

void el2_unexpected(unsigned vector)
{
	el2_panic("CPU %u, vector %u: ESR %lx ELR %lx FAR %lx HPFAR %lx", this_cpu()->id,
		  vector, read_sysreg(esr_el2), read_sysreg(elr_el2),
		  read_sysreg(far_el2), read_sysreg(hpfar_el2));
}
