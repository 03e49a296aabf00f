/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The PSCI calls of the guest. The firmware (QEMU) does the work. CPU_ON goes through the
 * entry of the monitor, so that no CPU is ever at EL1 without its tables.
 */
#include "el2.h"

enum {
	PSCI_VERSION = 0x84000000,
	PSCI_CPU_SUSPEND_32 = 0x84000001,
	PSCI_CPU_OFF = 0x84000002,
	PSCI_CPU_ON_32 = 0x84000003,
	PSCI_AFFINITY_INFO_32 = 0x84000004,
	PSCI_MIGRATE_INFO_TYPE = 0x84000006,
	PSCI_SYSTEM_OFF = 0x84000008,
	PSCI_SYSTEM_RESET = 0x84000009,
	PSCI_FEATURES = 0x8400000a,
	PSCI_64 = 0x40000000,
};

#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define SPSR_EL1H_MASKED 0x3c5
#define MPIDR_AFFINITY 0xff00ffffffull

static int64_t cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
	struct vcpu *v;

	/* The CPU that the guest does not get is not in its device tree either. */
	if ((mpidr & MPIDR_AFFINITY) >= vm.vcpus)
		return INVALID_PARAMETERS;
	v = &vm.vcpu[mpidr & 0xff];
	/* A CPU that is on keeps its state: the firmware returns ALREADY_ON. */
	if (smc(PSCI_AFFINITY_INFO_32 | PSCI_64, mpidr, 0, 0) == 1) {
		memset(v, 0, sizeof(*v));
		v->id = (unsigned)(mpidr & 0xff);
		v->x[0] = context;
		v->elr = entry;
		v->spsr = SPSR_EL1H_MASKED;
	}
	return cpu_start(mpidr, (unsigned)(mpidr & 0xff));
}

static int64_t answer(struct vcpu *v)
{
	const uint64_t fn = (uint32_t)v->x[0];

	switch (fn) {
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_32 | PSCI_64:
		return cpu_on(v->x[1], v->x[2], v->x[3]);
	case PSCI_SYSTEM_OFF:
		say("el2: SYSTEM_OFF");
		storm_end();
	case PSCI_SYSTEM_RESET:
		storm_report("SYSTEM_RESET");
		return smc(fn, 0, 0, 0);
	case PSCI_FEATURES:
		if ((v->x[1] | PSCI_64) == (PSCI_CPU_SUSPEND_32 | PSCI_64))
			return NOT_SUPPORTED;
		return smc(fn, v->x[1], 0, 0);
	case PSCI_VERSION:
	case PSCI_CPU_OFF:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_32 | PSCI_64:
	case PSCI_MIGRATE_INFO_TYPE:
		return smc(fn, v->x[1], v->x[2], v->x[3]);
	default:
		return NOT_SUPPORTED;
	}
}

void psci_call(struct vcpu *v)
{
	v->x[0] = (uint64_t)answer(v);
}
