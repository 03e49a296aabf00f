// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's p2m on the engine: the functions of asm/p2m.h that make, change and look at
 * mappings. Pools, VMIDs, context switches, set/way emulation and the wrappers stay
 * Xen's.
 */
#include <xen/ioreq.h>
#include <xen/iommu.h>
#include <xen/softirq.h>
#include <asm/event.h>

#include "xen_port.h"

/* Entries visited in a step, after which a preemptible call looks whether to stop. */
#define STEP 4096
/* What an entry of level 0 maps. */
#define ROOT_ENTRY ((uint64_t)1 << 39)
/* Bytes cleaned in a step. */
#define STEP_BYTES S2_BUDGET_BYTES_MIN

static s2_ipa_t ipa_of(gfn_t gfn)
{
	return s2_ipa(gfn_to_gaddr(gfn));
}

/* S2_E_BATCH is the callers' to handle. */
int stage2_errno(struct stage2 *t, int ret)
{
	switch (ret) {
	case 0:
		return 0;
	case S2_E_NOMEM:
		return -ENOMEM;
	case S2_E_AGENTS:
		return stage2_lost(t);
	default:
		return -EINVAL;
	}
}

/* ---- attributes ------------------------------------------------------------- */

static s2_attr_t type_attr(p2m_type_t t)
{
	switch (t) {
	case p2m_ram_rw:
		return S2_R | S2_W | S2_X;
	case p2m_ram_ro:
		return S2_R | S2_X;
	case p2m_mmio_direct_dev:
		return S2_R | S2_W | S2_MEM_DEV_nGnRE | S2_SH_OUTER;
	case p2m_mmio_direct_nc:
		return S2_R | S2_W | S2_MEM_NC | S2_SH_OUTER;
	case p2m_mmio_direct_c:
		return S2_R | S2_W | S2_SH_OUTER;
	case p2m_iommu_map_rw:
	case p2m_map_foreign_rw:
	case p2m_grant_map_rw:
		return S2_R | S2_W;
	case p2m_iommu_map_ro:
	case p2m_map_foreign_ro:
	case p2m_grant_map_ro:
		return S2_R;
	default:
		BUG();
	}
}

/* What mem_access leaves of the type's permissions. */
static s2_attr_t access_perms(p2m_access_t a)
{
	switch (a) {
	case p2m_access_rwx:
		return S2_R | S2_W | S2_X;
	case p2m_access_wx:
		return S2_W | S2_X;
	case p2m_access_rw:
		return S2_R | S2_W;
	case p2m_access_w:
		return S2_W;
	case p2m_access_rx:
	case p2m_access_rx2rw:
		return S2_R | S2_X;
	case p2m_access_x:
		return S2_X;
	case p2m_access_r:
		return S2_R;
	case p2m_access_n:
	case p2m_access_n2rwx:
		break;
	}
	return 0;
}

static bool is_xenheap(p2m_type_t t, mfn_t mfn, unsigned long nr)
{
	return nr == 1 && p2m_is_ram(t) && is_xen_heap_mfn(mfn);
}

static s2_attr_t leaf_attr(p2m_type_t t, p2m_access_t a, bool xenheap)
{
	unsigned int type = t;

	if (xenheap)
		type = t == p2m_ram_rw ? STAGE2_XENHEAP_RW : STAGE2_XENHEAP_RO;
	return (type_attr(t) & (access_perms(a) | ~(S2_R | S2_W | S2_X))) | S2_SW(type);
}

static p2m_type_t leaf_type(s2_attr_t attr)
{
	unsigned int type = stage2_type_of(attr);

	if (type == STAGE2_XENHEAP_RW)
		return p2m_ram_rw;
	return type == STAGE2_XENHEAP_RO ? p2m_ram_ro : type;
}

/* ---- looking ---------------------------------------------------------------- */

/*
 * What this PE has looked up last. Common code looks a page up, takes a reference, and
 * then removes it: with nothing changed in between the removal need not look again.
 */
static DEFINE_PER_CPU(
	struct last_look {
		const struct stage2 *t;
		unsigned long changes;
		gfn_t gfn;
		mfn_t mfn;
	},
	last_look);

mfn_t p2m_get_entry(struct p2m_domain *p2m, gfn_t gfn, p2m_type_t *t, p2m_access_t *a,
		    unsigned int *page_order, bool *valid)
{
	struct s2_mapping m = { .level = P2M_ROOT_LEVEL };
	struct stage2 *s = p2m->stage2;
	mfn_t mfn;
	bool leaf;

	ASSERT(p2m_is_locked(p2m));
	/* Beyond the IPA size m stays a hole. What a batch has unmapped is one, too. */
	leaf = !s2_lookup(&s->s2, ipa_of(gfn), &m) && m.state == S2_LEAF;
	if (t)
		*t = leaf ? leaf_type(m.attr) : p2m_invalid;
	if (valid)
		*valid = leaf;
	if (page_order)
		*page_order = XEN_PT_LEVEL_ORDER(m.level);
	if (!leaf)
		return INVALID_MFN;
	if (a)
		*a = p2m_mem_access_radix_get(p2m, gfn);
	mfn = mfn_add(maddr_to_mfn(m.pa.pa), gfn_x(gfn) - PFN_DOWN(m.ipa.ipa));
	this_cpu(last_look) = (struct last_look){ s, s->changes, gfn, mfn };
	return mfn;
}

/*
 * True if the guest's access can be made again: a mapping was being replaced. Entries
 * are never kept invalid on purpose.
 */
bool p2m_resolve_translation_fault(struct domain *d, gfn_t gfn)
{
	p2m_type_t t;

	p2m_lookup(d, gfn, &t);
	return t != p2m_invalid;
}

void p2m_dump_info(struct domain *d)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct s2_op op = { .max_entries = STEP };
	struct s2_survey all;
	int ret;

	do {
		p2m_write_lock(p2m);
		ret = s2_survey(&p2m->stage2->s2, s2_ipa(0), p2m->stage2->s2.ipa_end, 0,
				&all, &op);
		p2m_write_unlock(p2m);
		process_pending_softirqs();
	} while (ret == S2_MORE);
	printk("p2m mappings for domain %d (vmid %d):\n", d->domain_id, p2m->vmid);
	for (int level = 1; level < S2_LEVELS; level++)
		printk("  level %d: %lu MiB\n", level, all.leaves[level] >> 20);
}

/* ---- changing --------------------------------------------------------------- */

/* The caller of a map or an unmap: again if the open batch is in the way. */
static bool in_the_way(struct stage2 *t, int ret)
{
	return ret == S2_E_BATCH && !stage2_flush(t);
}

static int map(struct p2m_domain *p2m, gfn_t gfn, unsigned long nr, mfn_t mfn,
	       p2m_type_t t, p2m_access_t a)
{
	struct stage2 *s = p2m->stage2;
	struct domain *d = p2m->domain;
	uint32_t flags = S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_NO_CLEAN;
	s2_attr_t attr = leaf_attr(t, a, is_xenheap(t, mfn, nr));
	int ret;

	/* mem_access keeps its settings by page. */
	if (p2m->mem_access_enabled) {
		flags |= S2_MAP_PAGES;
		for (unsigned long i = 0; i < nr; i++) {
			ret = p2m_mem_access_radix_set(p2m, gfn_add(gfn, i), a);
			if (ret)
				return ret;
		}
	}
	do
		ret = s2_map(&s->s2, ipa_of(gfn), s2_pa(mfn_to_maddr(mfn)),
			     (uint64_t)nr << PAGE_SHIFT, attr, flags, NULL);
	while (in_the_way(s, ret));
	if (ret)
		return stage2_errno(s, ret);
	p2m->max_mapped_gfn = gfn_max(p2m->max_mapped_gfn, gfn_add(gfn, nr - 1));
	p2m->lowest_mapped_gfn = gfn_min(p2m->lowest_mapped_gfn, gfn);
	return is_iommu_enabled(d) ?
		       iommu_iotlb_flush(d, _dfn(gfn_x(gfn)), nr, IOMMU_FLUSHF_added) :
		       0;
}

static int unmap(struct p2m_domain *p2m, gfn_t gfn, unsigned long nr)
{
	struct stage2 *s = p2m->stage2;
	struct s2_op op = { .batch = stage2_own_batch(s) };
	int ret;

	if (p2m->mem_access_enabled)
		for (unsigned long i = 0; i < nr; i++)
			p2m_mem_access_radix_set(p2m, gfn_add(gfn, i), p2m_access_rwx);
	do
		ret = s2_unmap(&s->s2, ipa_of(gfn), (uint64_t)nr << PAGE_SHIFT,
			       S2_SPLIT_EDGES | S2_NO_CLEAN, &op);
	while (in_the_way(s, ret));
	return stage2_errno(s, ret);
}

#ifdef CONFIG_IOREQ_SERVER
/* A device model maps the guest's RAM: tell it when some of that has gone. */
static void forget(struct p2m_domain *p2m)
{
	if (domain_has_ioreq_server(p2m->domain))
		ioreq_request_mapcache_invalidate(p2m->domain);
}

static bool is_mapped(struct p2m_domain *p2m, gfn_t gfn, unsigned long nr)
{
	struct s2_iter it;
	struct s2_mapping m;

	return domain_has_ioreq_server(p2m->domain) &&
	       !s2_iter_start(&it, &p2m->stage2->s2, ipa_of(gfn),
			      (uint64_t)nr << PAGE_SHIFT) &&
	       s2_iter_next(&it, &m);
}
#else
#define forget(p2m) ((void)0)
#define is_mapped(p2m, gfn, nr) false
#endif

static int set(struct p2m_domain *p2m, gfn_t gfn, unsigned long nr, mfn_t mfn,
	       p2m_type_t t, p2m_access_t a)
{
	bool mapped;
	int ret;

	ASSERT(p2m_is_write_locked(p2m));
	/* relinquish_p2m_mapping() has been there, or will be. */
	if (unlikely(p2m->domain->is_dying))
		return -ENOMEM;
	if (!nr)
		return 0;
	p2m->stage2->changes++;
	mapped = is_mapped(p2m, gfn, nr);
	if (mfn_eq(mfn, INVALID_MFN))
		ret = unmap(p2m, gfn, nr);
	else
		ret = map(p2m, gfn, nr, mfn, t, a);
	if (!ret && mapped)
		forget(p2m);
	return ret;
}

/*
 * For code that changes what it has just found in the p2m (mem_access), and for a
 * xenheap page that is mapped nowhere. The old leaf is reported as gone
 * (s2_port_leaf_gone()), so what the mapping holds is taken for the new one first.
 */
int p2m_set_entry(struct p2m_domain *p2m, gfn_t sgfn, unsigned long nr, mfn_t smfn,
		  p2m_type_t t, p2m_access_t a)
{
	bool maps = !mfn_eq(smfn, INVALID_MFN), foreign = maps && p2m_is_foreign(t);
	bool xenheap = maps && is_xenheap(t, smfn, nr);
	struct page_info *page = foreign || xenheap ? mfn_to_page(smfn) : NULL;
	gfn_t gfn = xenheap ? page_get_xenheap_gfn(page) : INVALID_GFN;
	struct stage2 *s = p2m->stage2;
	unsigned int order;
	p2m_type_t old;
	int ret;

	ASSERT(!foreign || nr == 1);
	if (foreign && !page_get_owner_and_reference(page))
		return -EINVAL;
	/*
	 * Permissions of a page that stays change in place. mem_access does this to many
	 * pages under one lock: one invalidation before the lock is dropped is enough.
	 */
	s->quiet = maps && !page && nr == 1 && !is_iommu_enabled(p2m->domain) &&
		   mfn_eq(p2m_get_entry(p2m, sgfn, &old, NULL, &order, NULL), smfn) &&
		   old == t && !order;
	p2m->need_flush |= s->quiet;
	ret = set(p2m, sgfn, nr, smfn, t, a);
	s->quiet = false;
	if (ret && foreign)
		put_page(page);
	if (!ret && xenheap && gfn_eq(gfn, sgfn))
		page_set_xenheap_gfn(page, gfn);
	return ret;
}

int p2m_insert_mapping(struct domain *d, gfn_t start_gfn, unsigned long nr, mfn_t mfn,
		       p2m_type_t t)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	int ret;

	p2m_write_lock(p2m);
	ret = set(p2m, start_gfn, nr, mfn, t, p2m->default_access);
	p2m_write_unlock(p2m);
	return ret;
}

/* RAM is removed only if it is what the caller thinks: two PEs may try to remove it. */
static bool is_as_expected(struct p2m_domain *p2m, gfn_t gfn, unsigned long nr, mfn_t mfn)
{
	const struct last_look *last = &this_cpu(last_look);
	const struct stage2 *s = p2m->stage2;
	struct s2_iter it;
	struct s2_mapping m;

	if (nr == 1 && last->t == s && last->changes == s->changes &&
	    gfn_eq(last->gfn, gfn) && mfn_eq(last->mfn, mfn) && mfn_valid(mfn))
		return true;
	if (s2_iter_start(&it, &s->s2, ipa_of(gfn), (uint64_t)nr << PAGE_SHIFT))
		return true;
	while (s2_iter_next(&it, &m)) {
		unsigned long offset = PFN_DOWN(m.ipa.ipa) - gfn_x(gfn);

		if (m.state == S2_LEAF && p2m_is_any_ram(leaf_type(m.attr)) &&
		    (!mfn_valid(mfn) ||
		     !mfn_eq(mfn_add(mfn, offset), maddr_to_mfn(m.pa.pa))))
			return false;
	}
	return true;
}

int p2m_remove_mapping(struct domain *d, gfn_t start_gfn, unsigned long nr, mfn_t mfn)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	int ret = -EILSEQ;

	p2m_write_lock(p2m);
	if (!nr || is_as_expected(p2m, start_gfn, nr, mfn))
		ret = set(p2m, start_gfn, nr, INVALID_MFN, p2m_invalid, p2m_access_rwx);
	p2m_write_unlock(p2m);
	return ret;
}

void p2m_write_unlock(struct p2m_domain *p2m)
{
	if (p2m->need_flush)
		stage2_flush_vmid(p2m->stage2);
	p2m->need_flush = false;
	write_unlock(&p2m->lock);
	stage2_clock_stop();
}

/* ---- set/way and cache flushes ---------------------------------------------- */

/*
 * The stock function makes entries invalid to find out what the guest uses until the
 * next flush, which then cleans no more than that. Here a flush cleans all that is
 * mapped.
 */
void p2m_invalidate_root(struct p2m_domain *p2m)
{
}

int p2m_cache_flush_range(struct domain *d, gfn_t *pstart, gfn_t end)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct s2_op op = { .max_entries = STEP, .max_bytes = STEP_BYTES };
	gfn_t start = gfn_max(*pstart, p2m->lowest_mapped_gfn);
	int ret = 0;

	end = gfn_min(end, gfn_add(p2m->max_mapped_gfn, 1));
	while (gfn_x(start) < gfn_x(end)) {
		p2m_write_lock(p2m);
		ret = s2_clean(&p2m->stage2->s2, ipa_of(start),
			       gfn_to_gaddr(end) - gfn_to_gaddr(start), 0, &op);
		p2m_write_unlock(p2m);
		if (ret != S2_MORE)
			break;
		if (softirq_pending(smp_processor_id())) {
			*pstart = gaddr_to_gfn(op.done.ipa);
			return -ERESTART;
		}
	}
	*pstart = end;
	invalidate_icache();
	return stage2_errno(p2m->stage2, ret);
}

/* ---- the beginning and the end ---------------------------------------------- */

int p2m_alloc_table(struct domain *d)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = xzalloc(struct stage2);
	struct s2_config cfg;
	int ret;

	if (!t)
		return -ENOMEM;
	t->p2m = p2m;
	/* As no instance before has had it: last_look. */
	t->changes = NOW();
	stage2_config(&cfg, system_cpuinfo.mm64.vmid_bits == MM64_VMID_16_BITS_SUPPORT);
	cfg.port = t;
	ret = s2_init(&t->s2, &cfg);
	if (ret) {
		xfree(t);
		return ret == S2_E_NOMEM ? -ENOMEM : -EINVAL;
	}
	p2m->stage2 = t;
	p2m->vttbr = generate_vttbr(p2m->vmid, page_to_mfn(p2m->root));
	/* Its last user may have left translations. */
	p2m_write_lock(p2m);
	stage2_flush_vmid(t);
	p2m_write_unlock(p2m);
	return 0;
}

/* Nothing is mapped in a dying domain any more. Preempted after a step. */
int relinquish_p2m_mapping(struct domain *d)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = p2m->stage2;
	/* Whole entries of level 0, so that no table stays for its rest. */
	const uint64_t start = gfn_to_gaddr(p2m->lowest_mapped_gfn) & ~(ROOT_ENTRY - 1);
	const uint64_t end = ROUNDUP(gfn_to_gaddr(p2m->max_mapped_gfn) + 1, ROOT_ENTRY);
	int ret;

	BUG_ON(!d->is_dying);
	if (gfn_x(p2m->lowest_mapped_gfn) > gfn_x(p2m->max_mapped_gfn))
		return 0;
	t->op.max_entries = STEP;
	t->op.limbo = &t->limbo;
	for (;;) {
		p2m_write_lock(p2m);
		t->changes++;
		do
			ret = s2_unmap(&t->s2, s2_ipa(start),
				       min(end, t->s2.ipa_end) - start, S2_NO_CLEAN,
				       &t->op);
		while (in_the_way(t, ret));
		p2m_write_unlock(p2m);
		if (ret != S2_MORE)
			break;
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	t->unused = !ret;
	/* The IOMMU has let go of the domain before: iommu_release_dt_devices(). */
	return ret == S2_E_AGENTS ? 0 : stage2_errno(t, ret);
}

int p2m_teardown(struct domain *d, bool allow_preemption)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = p2m->stage2;
	struct s2_op op = { .max_entries = STEP };
	uint32_t flags = S2_NO_CLEAN;
	int ret;

	if (!t)
		return 0;
	p2m_write_lock(p2m);
	do
		ret = s2_release(&t->s2, &t->limbo, &op);
	while (ret == S2_MORE && !(allow_preemption && hypercall_preempt_check()));
	if (ret != S2_MORE)
		s2_release(&t->s2, &t->s2.stuck, NULL);
	p2m_write_unlock(p2m);
	if (ret == S2_MORE)
		return -ERESTART;
	/* The root stays for those who still look something up. */
	if (allow_preemption)
		return 0;
	/*
	 * relinquish_p2m_mapping() has invalidated all that was mapped, and no vCPU has
	 * run since. Who gets the VMID next invalidates it, too.
	 */
	if (t->unused)
		flags |= S2_VMID_UNUSED;
	p2m_write_lock(p2m);
	BUG_ON(s2_destroy(&t->s2, flags, NULL));
	p2m->stage2 = NULL;
	p2m_write_unlock(p2m);
	xfree(t);
	return 0;
}
