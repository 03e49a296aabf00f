/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Xen's own files call, beside the functions of asm/p2m.h that p2m.c replaces.
 * Added to the end of asm/p2m.h.
 */
#ifndef STAGE2_XEN_P2M_H
#define STAGE2_XEN_P2M_H

/* Functions of Xen's p2m.c that are static there, but in a build with the engine. */
struct page_info *p2m_alloc_page(struct domain *d);
void p2m_free_page(struct domain *d, struct page_info *pg);
struct page_info *p2m_allocate_root(void);
uint64_t generate_vttbr(uint16_t vmid, mfn_t root_mfn);
p2m_access_t p2m_mem_access_radix_get(struct p2m_domain *p2m, gfn_t gfn);
int p2m_mem_access_radix_set(struct p2m_domain *p2m, gfn_t gfn, p2m_access_t a);
extern mfn_t empty_root_mfn;

/* Functions that are static there and replaced. */
int p2m_remove_mapping(struct domain *d, gfn_t start_gfn, unsigned long nr, mfn_t mfn);
int p2m_alloc_table(struct domain *d);

/* VTCR_EL2, and with it p2m_root_order and p2m_root_level, for p2m_ipa_bits. */
register_t stage2_layout(bool vmid16);

/*
 * A batch for one hypercall of this PE on the domain, of that many pages: what it unmaps
 * shares invalidations. stage2_batch_wait() keeps the references of a page that has been
 * unmapped until that has been invalidated, and returns true; without a batch of this
 * PE it returns false.
 */
void stage2_batch_begin(struct domain *d, unsigned int pages);
bool stage2_batch_wait(struct domain *d, struct page_info *page, bool allocation);
void stage2_batch_end(struct domain *d);

/* A boot parameter: no TLBI ALLE1IS when a page is allocated (docs/xen.md). */
extern bool stage2_no_alloc_flush;

#endif /* STAGE2_XEN_P2M_H */
