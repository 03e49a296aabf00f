// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the engine asks of Xen: table pages, the VMID's context, caches, the IOMMU, and
 * the references of mappings.
 */
#include <xen/init.h>
#include <xen/iommu.h>
#include <asm/cpufeature.h>
#include <asm/flushtlb.h>

#include "xen_port.h"

/* ---- table pages ------------------------------------------------------------ */

static uint64_t *table_new(struct page_info *page)
{
	uint64_t *table = page_to_virt(page), *meta = s2_port_table_meta(NULL, table);

	meta[0] = meta[1] = 0;
	return table;
}

/* From the domain's pool, whose pages are counted; for dom0 from the heap. */
uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	struct stage2 *t = port;
	struct page_info *page = p2m_alloc_page(t->p2m->domain);
	uint64_t *table;

	if (!page)
		return NULL;
	table = table_new(page);
	clear_page(table);
	if (t->p2m->clean_pte)
		clean_dcache_va_range(table, PAGE_SIZE);
	return table;
}

void s2_port_table_free(void *port, uint64_t *table)
{
	struct stage2 *t = port;

	p2m_free_page(t->p2m->domain, stage2_page(table));
}

uint64_t *s2_port_root_alloc(void *port, unsigned int pages)
{
	struct stage2 *t = port;
	struct page_info *root = p2m_allocate_root();

	ASSERT(pages == 1u << P2M_ROOT_ORDER);
	if (!root)
		return NULL;
	for (unsigned int i = 0; i < pages; i++)
		table_new(root + i);
	t->p2m->root = root;
	return page_to_virt(root);
}

void s2_port_root_free(void *port, uint64_t *root, unsigned int pages)
{
	struct stage2 *t = port;

	free_domheap_pages(stage2_page(root), P2M_ROOT_ORDER);
	t->p2m->root = NULL;
}

/* ---- invalidation ----------------------------------------------------------- */

/*
 * VTTBR_EL2 keeps the value of the vCPU that ran last; nothing but a context switch
 * changes it, and none comes while interrupts are off. On a CPU that may speculate AT
 * while the context is mixed, nothing but the VMID may be taken from it: an empty root.
 */
void s2_port_vmid_enter(void *port)
{
	struct stage2 *t = port;
	struct p2m_domain *p2m = t->p2m;
	uint64_t vttbr = p2m->vttbr;

	local_irq_save(t->irqs);
	t->vttbr = READ_SYSREG64(VTTBR_EL2);
	if (t->vttbr == vttbr)
		return;
	if (cpus_have_const_cap(ARM64_WORKAROUND_AT_SPECULATE))
		vttbr = generate_vttbr(p2m->vmid, empty_root_mfn);
	WRITE_SYSREG64(vttbr, VTTBR_EL2);
	isb();
}

void s2_port_vmid_leave(void *port)
{
	struct stage2 *t = port;

	if (t->vttbr != t->p2m->vttbr) {
		WRITE_SYSREG64(t->vttbr, VTTBR_EL2);
		isb();
	}
	local_irq_restore(t->irqs);
}

void stage2_flush_vmid(struct stage2 *t)
{
	s2_port_vmid_enter(t);
	stage2_count(vmid, 1);
	stage2_count(dsb, 2);
	flush_guest_tlb();
	s2_port_vmid_leave(t);
}

int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	struct stage2 *t = port;
	struct domain *d = t->p2m->domain;
	bool *put_off, was;
	int ret;

	if (!is_iommu_enabled(d))
		return 0;
	/* A caller may put flushes off, but tables and references go after this one. */
	put_off = &this_cpu(iommu_dont_flush_iotlb);
	was = *put_off;
	*put_off = false;
	if (size)
		ret = iommu_iotlb_flush(d, _dfn(ipa >> PAGE_SHIFT), size >> PAGE_SHIFT,
					IOMMU_FLUSHF_modified);
	else
		ret = iommu_iotlb_flush_all(d, IOMMU_FLUSHF_modified);
	*put_off = was;
	return ret ? stage2_lost(t) : 0;
}

int stage2_lost(struct stage2 *t)
{
	if (!t->failed)
		printk(XENLOG_G_ERR
		       "%pd: an IOMMU keeps translations: pages are not given "
		       "back any more\n",
		       t->p2m->domain);
	t->failed = true;
	return -EIO;
}

/* ---- counted leaves --------------------------------------------------------- */

void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa, uint64_t size,
		       s2_attr_t attr)
{
	struct stage2 *t = port;
	struct page_info *page = mfn_to_page(maddr_to_mfn(pa));
	gfn_t gfn = gaddr_to_gfn(ipa);

	ASSERT(size == PAGE_SIZE);
	if (p2m_is_foreign(stage2_type_of(attr))) {
		if (!t->failed)
			put_page(page);
	} else if (gfn_eq(page_get_xenheap_gfn(page), gfn)) {
		page_set_xenheap_gfn(page, INVALID_GFN);
	}
}

/* ---- caches ----------------------------------------------------------------- */

/* Only of s2_clean(): all other calls waive it. Devices and MMIO are not RAM. */
void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	const unsigned int type = stage2_type_of(attr);

	if (type < p2m_max_real_type && !p2m_is_any_ram(type))
		return;
	for (; size; pa += PAGE_SIZE, size -= PAGE_SIZE) {
		mfn_t mfn = maddr_to_mfn(pa);
		char *page, *line;

		if (!mfn_valid(mfn))
			continue;
		page = map_domain_page(mfn);
		for (line = page; line < page + PAGE_SIZE; line += dcache_line_bytes)
			asm volatile("dc civac, %0" ::"r"(line) : "memory");
		unmap_domain_page(page);
	}
}

/* Xen makes memory visible to instruction fetch when it is allocated. */
void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	ASSERT_UNREACHABLE();
}

/* ---- configuration ---------------------------------------------------------- */

void stage2_config(struct s2_config *cfg, bool vmid16)
{
	*cfg = (struct s2_config){
		.ipa_bits = p2m_ipa_bits,
		.pa_bits = p2m_ipa_bits,
		.counted = STAGE2_COUNTED,
	};
	/* As Xen does: level 1 at least, where the PA size has so many levels. */
	cfg->min_levels = p2m_ipa_bits > 34 ? 3 : 2;
	if (vmid16)
		cfg->features |= S2_FEAT_VMID16;
	if (system_cpuinfo.isa64.tlb >= 2)
		cfg->features |= S2_FEAT_TLBIRANGE;
	if (cpus_have_cap(ARM64_WORKAROUND_REPEAT_TLBI))
		cfg->errata |= S2_ERRATUM_REPEAT_TLBI;
}

register_t __init stage2_layout(bool vmid16)
{
	struct s2_config cfg;
	struct s2_layout layout;
	int ret;

	stage2_config(&cfg, vmid16);
	ret = s2_layout(&cfg, &layout);
	if (ret)
		panic("stage2: %u-bit IPA: %s\n", p2m_ipa_bits, s2_strerror(ret));
	p2m_root_level = layout.start_level;
	p2m_root_order = get_order_from_pages(layout.root_pages);
	return layout.vtcr;
}
