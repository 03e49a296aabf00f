/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the glue is for: names and values here, and in
 * compat.c the functions that do not look the same in all. tools/kvm_graft.py copies for
 * each kernel what is for it.
 */
#ifndef STAGE2_LINUX_COMPAT_H
#define STAGE2_LINUX_COMPAT_H

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)

/* One execute permission, for both exception levels. */
#define KVM_PGTABLE_PROT_UX KVM_PGTABLE_PROT_X
#define KVM_PGTABLE_PROT_PX KVM_PGTABLE_PROT_X
#define stage2_has_xnx() false

/* A VM may ask for tables as without FWB. */
#define stage2_has_fwb(pgt)                           \
	(cpus_have_final_cap(ARM64_HAS_STAGE2_FWB) && \
	 !((pgt)->flags & KVM_PGTABLE_S2_NOFWB))
/* None of the flags is pKVM's alone. */
#define STAGE2_FLAGS_PKVM 0

/* Who maps is told that another call was first, in a fault; or always but if not. */
#define STAGE2_WALK_FAULT (KVM_PGTABLE_WALK_HANDLE_FAULT | KVM_PGTABLE_WALK_SHARED)
#define STAGE2_WALK_NO_FAULT 0
#define stage2_tell_race(flags) ((flags)&KVM_PGTABLE_WALK_HANDLE_FAULT)

/* The first of two neighbours in struct page; private is the second. */
#define stage2_page_index index

#define STAGE2_REPEAT_TLBI ARM64_WORKAROUND_REPEAT_TLBI
#define stage2_wq system_unbound_wq

#else

#define stage2_has_xnx() cpus_have_final_cap(ARM64_HAS_XNX)

#define stage2_has_fwb(pgt) cpus_have_final_cap(ARM64_HAS_STAGE2_FWB)
/* The memory types of stage 1: the tables of the host itself, at EL2. */
#define STAGE2_FLAGS_PKVM KVM_PGTABLE_S2_AS_S1

/* Who maps is told that another call was first, unless the flags say no. */
#define STAGE2_WALK_FAULT KVM_PGTABLE_WALK_SHARED
#define STAGE2_WALK_NO_FAULT KVM_PGTABLE_WALK_IGNORE_EAGAIN
#define stage2_tell_race(flags) (!((flags)&KVM_PGTABLE_WALK_IGNORE_EAGAIN))

/* The first of two neighbours in struct page; private is the second. */
#define stage2_page_index __folio_index

#define STAGE2_REPEAT_TLBI ARM64_WORKAROUND_REPEAT_TLBI_SYNC
#define stage2_wq system_dfl_wq

#endif

#endif /* STAGE2_LINUX_COMPAT_H */
