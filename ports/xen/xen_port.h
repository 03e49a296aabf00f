/* SPDX-License-Identifier: GPL-2.0-only */
/* What p2m.c and batch.c share with port.c. */
#ifndef STAGE2_XEN_PORT_PRIVATE_H
#define STAGE2_XEN_PORT_PRIVATE_H

#include "stage2_port.h"

/* What software bits [58:55] say: p2m_type_t, and two kinds of RAM that Xen counts. */
enum stage2_type {
	STAGE2_XENHEAP_RW = p2m_max_real_type,
	STAGE2_XENHEAP_RO,
};

/* Leaves whose going Xen must hear of. */
#define STAGE2_COUNTED                                                                   \
	(1u << p2m_map_foreign_rw | 1u << p2m_map_foreign_ro | 1u << STAGE2_XENHEAP_RW | \
	 1u << STAGE2_XENHEAP_RO)

static inline unsigned int stage2_type_of(s2_attr_t attr)
{
	return attr >> 8 & 15;
}

/* Finish what the open batch has unmapped. The p2m lock is held for writing. */
int stage2_flush(struct stage2 *t);
/* An IOMMU has not confirmed: see struct stage2. */
int stage2_lost(struct stage2 *t);
/* The error number for a value of enum s2_error. */
int stage2_errno(struct stage2 *t, int ret);
/* The open batch, if this PE's hypercall has opened it. */
struct s2_batch *stage2_own_batch(struct stage2 *t);
/* Invalidate a VMID before its first use. */
void stage2_flush_vmid(struct stage2 *t);
void stage2_config(struct s2_config *cfg, bool vmid16);

#endif /* STAGE2_XEN_PORT_PRIVATE_H */
