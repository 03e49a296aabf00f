/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab: what its subcommands share. Options are in options.h, output in
 * report.h; here are the entry points and the virtual machine they work on.
 */
#ifndef STAGE2_LAB_LAB_H
#define STAGE2_LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include <stage2/stage2.h>
#include "machine.h"
#include "stage2_port.h"

/* Exit status of every subcommand. */
enum lab_exit { LAB_OK = 0, LAB_VIOLATION = 1, LAB_USAGE = 2 };

/* argv[0] is "s2lab NAME", argv[1] the first option. Return: an enum lab_exit. */
int cmd_compare(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_decode(int argc, char **argv);

/*
 * A VM: a machine of its own, the engine's instance on it through the model's
 * port, the guest running on PEs 1 to vcpus. The hypervisor's thread is PE 0.
 */
struct lab_vm_config {
	unsigned ipa_bits;
	unsigned pa_bits;
	unsigned page_shift; /* 12, 14 or 16 */
	uint32_t features;   /* S2_FEAT_*; the machine gets the same */
	uint32_t errata;     /* S2_ERRATUM_* */
	unsigned vcpus;	     /* 0..15 */
	uint16_t vmid;
	uint64_t table_pages;	 /* size of its table arena in granules; 0: its default */
	uint64_t seed;		 /* order in which table pages are handed out; 0: as is */
	unsigned max_violations; /* kept in full; 0: the machine's default */
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
 * Machine, instance, system registers of every PE, guests entered.
 * Return: 0, or an enum s2_error after which there is nothing to free.
 */
int lab_vm_init(struct lab_vm *vm, const struct lab_vm_config *cfg);
/* The guests leave; then s2_destroy() with @flags (S2_NO_CLEAN, ...). */
int lab_vm_destroy(struct lab_vm *vm, uint32_t flags);
/* The machine goes; with or without lab_vm_destroy() before it. */
void lab_vm_free(struct lab_vm *vm);
/* Whether descriptors hold 52-bit addresses, in the layout of the granule. */
bool lab_wide(unsigned page_shift, unsigned pa_bits, uint32_t features);

/* PA of the root tables, as s2m_claim_unmapped() wants it. */
uint64_t lab_vm_root(const struct lab_vm *vm);

/* The features of the engine's numbering, S2_FEAT_*, in the machine's, S2M_*. */
uint32_t lab_machine_features(uint32_t features, uint32_t errata);

#endif /* STAGE2_LAB_LAB_H */
