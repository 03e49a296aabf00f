// SPDX-License-Identifier: GPL-2.0-only
/* Functions of KVM that do not have the same arguments in all kernels: compat.h. */
#include <linux/kvm_host.h>

#include "internal.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)

int kvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr,
				   enum kvm_pgtable_prot prot)
{
	return stage2_relax_perms(pgt, addr, prot);
}

kvm_pte_t kvm_pgtable_stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr)
{
	return stage2_mkyoung(pgt, addr);
}

/* Owners belong to pKVM. Its tables at EL2 use the stock functions. */
int kvm_pgtable_stage2_set_owner(struct kvm_pgtable *pgt, u64 addr, u64 size, void *mc,
				 u8 owner_id)
{
	WARN_ON_ONCE(1);
	return -EOPNOTSUPP;
}

#else

/* KVM destroys all ranges, then the root. All is done with the root here. */
void kvm_pgtable_stage2_destroy_range(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
}

void kvm_pgtable_stage2_destroy_pgd(struct kvm_pgtable *pgt)
{
	kvm_pgtable_stage2_destroy(pgt);
}

/* Shared with others of their kind, whatever the flags say: that is always right. */
int kvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr,
				   enum kvm_pgtable_prot prot,
				   enum kvm_pgtable_walk_flags flags)
{
	return stage2_relax_perms(pgt, addr, prot);
}

void kvm_pgtable_stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr,
				enum kvm_pgtable_walk_flags flags)
{
	stage2_mkyoung(pgt, addr);
}

/* Annotations belong to pKVM. Its tables at EL2 use the stock functions. */
int kvm_pgtable_stage2_annotate(struct kvm_pgtable *pgt, u64 addr, u64 size, void *mc,
				enum kvm_invalid_pte_type type, kvm_pte_t annotation)
{
	WARN_ON_ONCE(1);
	return -EOPNOTSUPP;
}

#endif
