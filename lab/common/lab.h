/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab: the exit status, and the virtual machines that commands work on. */
#ifndef STAGE2_LAB_LAB_H
#define STAGE2_LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include <stage2/stage2.h>
#include "machine.h"
#include "stage2_port.h"
#include "trace_option.h"

/* Exit status of every subcommand. */
enum lab_exit { LAB_OK = 0, LAB_VIOLATION = 1, LAB_USAGE = 2 };

/*
 * A VM on a machine of its own, with an instance of the engine on it. PE 0 is the
 * hypervisor's thread; the guest runs on PEs 1 to vcpus.
 */
struct lab_vm_config {
	unsigned ipa_bits;
	unsigned pa_bits;
	unsigned page_shift; /* 12, 14 or 16 */
	uint32_t features;   /* S2_FEAT_*, of the engine and of the machine */
	uint32_t errata;     /* S2_ERRATUM_* */
	unsigned vcpus;	     /* 0..15 */
	uint16_t vmid;
	uint64_t table_pages;	 /* size of its table arena in granules; 0: its default */
	uint64_t seed;		 /* shuffles free table pages; 0: in order of address */
	unsigned max_violations; /* kept in full; 0: the machine's default */
	struct trace_out *trace; /* where its events are written; or NULL */
};

struct lab_vm {
	struct machine *m;
	struct model_port port;
	struct s2 s2;
	unsigned vcpus;
	unsigned page_shift;
	bool wide; /* descriptors hold 52-bit addresses: LPA2, or 64 KiB and LPA */
	uint64_t table_base, table_pages; /* the table arena, as configured */
};

/*
 * Makes the machine and the instance, sets the system registers of every PE, and lets
 * the guest's PEs enter the guest. Return: 0, or an enum s2_error; then there is nothing
 * to free.
 */
int lab_vm_init(struct lab_vm *vm, const struct lab_vm_config *cfg);
/* All PEs leave the guest; then s2_destroy() with @flags (S2_NO_CLEAN, ...). */
int lab_vm_destroy(struct lab_vm *vm, uint32_t flags);
/* Frees the machine, after lab_vm_destroy() or without it. */
void lab_vm_free(struct lab_vm *vm);
/* Whether descriptors hold 52-bit addresses (LPA2, or 64 KiB granules with LPA). */
bool lab_wide(unsigned page_shift, unsigned pa_bits, uint32_t features);

/* PA of the root tables, for s2m_claim_unmapped() and the like. */
uint64_t lab_vm_root(const struct lab_vm *vm);

/* Converts S2_FEAT_* and S2_ERRATUM_* to S2M_*. */
uint32_t lab_machine_features(uint32_t features, uint32_t errata);

#endif /* STAGE2_LAB_LAB_H */
