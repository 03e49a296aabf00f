/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the p2m code costs, in the stock hypervisor and in ours: a debug key prints the
 * counts and sets them to 0. Another prints where pages are that are neither free nor a
 * domain's. Hypervisors for tests only.
 */
#ifndef STAGE2_XEN_COUNT_H
#define STAGE2_XEN_COUNT_H

#include <xen/percpu.h>
#include <asm/atomic.h>

/**
 * struct stage2_counts - of one PE since the debug key was last used
 * @visits: entries read by software
 * @writes: entries written
 * @dsb: of any kind, in p2m code and for ALLE1IS
 * @ipa: TLBI IPAS2E1IS; @range: RIPAS2E1IS; @vmalle1: VMALLE1IS; @vmid: VMALLS12E1IS
 * @all: ALLE1IS, which Xen's page allocator issues
 * @cycles: of the PMU, with a p2m lock held; under QEMU's -icount they are instructions
 */
struct stage2_counts {
	unsigned long visits, writes, dsb, ipa, range, vmalle1, vmid, all, cycles;
};
DECLARE_PER_CPU(struct stage2_counts, stage2_counts);

#define stage2_count(what, n) (this_cpu(stage2_counts).what += (n))

/* A debug key switches invalidation off: a test must notice. */
extern bool stage2_no_tlbi;

/*
 * Pages of Xen's own that come and go with what dom0 does: tables of dom0, which has no
 * pool; the pool of small allocations; the list of grants that dom0 has mapped.
 */
extern atomic_t stage2_held;

/* The stock functions write each entry between two DSBs. */
#define stage2_stock_write(entry, pte)   \
	do {                             \
		stage2_count(writes, 1); \
		stage2_count(dsb, 2);    \
		write_pte(entry, pte);   \
	} while (0)
/* The stock invalidation: DSB, VMALLS12E1IS, DSB. */
#define stage2_stock_flush()           \
	do {                           \
		stage2_count(vmid, 1); \
		stage2_count(dsb, 2);  \
		flush_guest_tlb();     \
	} while (0)

#endif /* STAGE2_XEN_COUNT_H */
