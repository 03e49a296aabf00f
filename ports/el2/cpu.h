/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One PE: system registers, the state that the monitor keeps for it, and locks. */
#ifndef STAGE2_EL2_CPU_H
#define STAGE2_EL2_CPU_H

/* Offsets that entry.S uses. cpu.c checks them against the structures. */
#define CPU_STACK_SIZE 16384
#define CPU_VCPU 0
#define VCPU_ELR 248
#define VCPU_SPSR 256
#define MAX_CPUS 8

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By name where the assembler knows the register for -march=armv8-a, else by encoding. */
#define read_sysreg(name)                                          \
	({                                                         \
		uint64_t value_;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                            \
	})
#define write_sysreg(name, value) \
	__asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

#define HCRX_EL2 S3_4_C1_C2_2
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICH_HCR_EL2 S3_4_C12_C11_0
#define ID_AA64MMFR2_EL1 S3_0_C0_C7_2
/* The names above must be expanded before they become strings. */
#define read_sysreg_s(name) read_sysreg(name)
#define write_sysreg_s(name, value) write_sysreg(name, value)

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* Without YIELD a spinning CPU keeps QEMU from running the CPU that it waits for. */
static inline void cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* The registers of the guest while EL2 runs. */
struct vcpu {
	uint64_t x[31];
	uint64_t elr, spsr; /* where the guest continues */
	unsigned id;
};

/* What a CPU has issued. Other CPUs read it for reports only. */
struct el2_count {
	uint64_t tlbi, dsb, cleaned, tables_alloc, tables_free;
};

struct cpu {
	struct vcpu *vcpu; /* in the guest on this CPU, for the vectors */
	unsigned id;
	unsigned tlbis; /* in this invalidation, for planted mistakes */
	uint64_t vttbr; /* restored after an invalidation */
	struct el2_count count;
};

extern struct cpu cpus[MAX_CPUS];

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)read_sysreg(tpidr_el2);
}

static inline bool el2_plant_first(void)
{
	return this_cpu()->tlbis++ == 0;
}

/*
 * A ticket lock. It is fair: the storm takes and drops it in a loop and would otherwise
 * keep the vCPUs out for seconds. The load that sees our turn acquires, and the store
 * that passes the turn on releases. So what the last holder wrote is ordered before what
 * we do, our DSBs included.
 */
struct lock {
	uint32_t next, owner;
};

void lock(struct lock *l);
void unlock(struct lock *l);

/*
 * Many readers or one writer, in the order of arrival: a writer holds the ticket lock
 * that everybody enters by. When a writer has the lock, every read-side section that
 * began earlier has ended.
 */
struct rwlock {
	struct lock door;
	uint32_t readers;
};

void read_lock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
void write_unlock(struct rwlock *l);

/* Enter the guest; returns when it traps: 0 sync, 1 IRQ, 2 FIQ, 3 SError. */
unsigned el1_enter(struct vcpu *v);

/* s2_config_cpu() for this CPU. */
int cpu_config(struct s2_config *cfg);
uint64_t cpu_hcr(uint32_t s2_features);
/* Prepare this PE to run EL1 with the given stage-2 registers. */
void cpu_guest_setup(uint64_t hcr, uint64_t vtcr, uint64_t vttbr);
void cpu_init(unsigned id);

uint64_t semihosting(uint64_t operation, const void *parameter);
int64_t smc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3);
int cpu_start(uint64_t mpidr, unsigned id);
void el2_secondary(void);

/* The generic timer's counter, in ticks and in microseconds. */
uint64_t now_us(void);

void el2_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif /* !__ASSEMBLER__ */
#endif /* STAGE2_EL2_CPU_H */
