/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the glue call of each other. Part of stage2_port.h, which defines
 * struct stage2_tables before it; tests/diff has a port of its own.
 */
#ifndef STAGE2_LINUX_GLUE_H
#define STAGE2_LINUX_GLUE_H

static inline struct stage2_tables *stage2_tables(struct kvm_pgtable *pgt)
{
	return container_of(pgt->mm_ops, struct stage2_tables, mm_ops);
}

/* What compat.c gives to KVM. */
int stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot);
kvm_pte_t stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr);

void stage2_reclaim_init(struct stage2_tables *t);
void stage2_reclaim(struct stage2_tables *t, struct s2_limbo *limbo, bool exclusive);
void stage2_reclaim_all(struct stage2_tables *t);
void stage2_tables_put(struct stage2_tables *t);

/* stage2_map_short() has done nothing. The engine returns no such value. */
#define STAGE2_GENERAL 2

int stage2_map_short(struct stage2_tables *t, u64 ipa, u64 pa, u64 size, s2_attr_t attr,
		     void *mc, struct s2_limbo *limbo);
bool stage2_relax_short(struct stage2_tables *t, u64 ipa, s2_attr_t perms);
bool stage2_age_short(struct stage2_tables *t, u64 ipa, bool clear);

#endif /* STAGE2_LINUX_GLUE_H */
