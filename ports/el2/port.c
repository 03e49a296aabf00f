/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions that the template leaves to the embedder: table pages from a pool, and
 * the VMID. Nobody else walks the tables.
 */
#include "el2.h"
#include "port.h"

#define ROOT_PAGES 16u
#define META_WORDS 2u

void pool_init(struct pool *p, uint64_t base, uint64_t size, unsigned granule_shift)
{
	const uint64_t page = 1ull << granule_shift;

	memset(p, 0, sizeof(*p));
	p->base = base;
	p->shift = granule_shift;
	/* The stack and the words take a little of the memory. */
	p->pages = (uint32_t)(size / (page + 4 + 8 * META_WORDS + 1));
	p->meta = (uint64_t *)(base + p->pages * page);
	p->free = (uint32_t *)(p->meta + (uint64_t)p->pages * META_WORDS);
	for (uint32_t i = p->pages; i-- > ROOT_PAGES;)
		p->free[p->nfree++] = i;
}

static uint64_t *page_at(struct pool *p, uint32_t page)
{
	return (uint64_t *)(p->base + ((uint64_t)page << p->shift));
}

static uint32_t page_of(struct pool *p, uint64_t *table)
{
	return (uint32_t)(((uintptr_t)table - p->base) >> p->shift);
}

static void zero(struct pool *p, uint32_t page)
{
	memset(page_at(p, page), 0, 1ull << p->shift);
	memset(p->meta + (uint64_t)page * META_WORDS, 0, 8 * META_WORDS);
}

uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	struct pool *p = port;
	uint32_t page = 0;

	(void)cookie;
	lock(&p->lock);
	if (p->nfree)
		page = p->free[--p->nfree];
	unlock(&p->lock);
	if (!page)
		return NULL;
	this_cpu()->count.tables_alloc++;
	zero(p, page);
	return page_at(p, page);
}

void s2_port_table_free(void *port, uint64_t *table)
{
	struct pool *p = port;

	this_cpu()->count.tables_free++;
	lock(&p->lock);
	p->free[p->nfree++] = page_of(p, table);
	unlock(&p->lock);
}

/* The first pages of the pool: one instance, one root. */
uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	struct pool *p = port;

	for (uint32_t i = 0; i < pages; i++)
		zero(p, i);
	return page_at(p, 0);
}

void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	(void)port;
	(void)root;
	(void)pages;
}

uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	struct pool *p = port;

	return p->meta + (uint64_t)page_of(p, table) * META_WORDS;
}

/* EL2 has an identity map of memory. */
uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	(void)port;
	return (uintptr_t)table;
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	(void)port;
	return (uint64_t *)pa;
}

/*
 * A CPU that runs this guest has its VTTBR_EL2 loaded at all times, and EL2 is not
 * preempted in between. Another CPU (in the tests, which switch between two instances)
 * loads it for the time of the invalidation. The ISB makes the TLBI use the new VMID.
 */
void s2_port_vmid_enter(void *port)
{
	const uint64_t want = ((struct pool *)port)->vttbr;
	struct cpu *cpu = this_cpu();

	cpu->tlbis = 0;
	if (PLANTED(LATE_TLBI))
		plant_before_tlbi();
	cpu->vttbr = read_sysreg(vttbr_el2);
	if (PLANTED(WRONG_VMID))
		write_sysreg(vttbr_el2, want ^ 1ull << 48);
	else if (cpu->vttbr != want)
		write_sysreg(vttbr_el2, want);
	else
		return;
	isb();
}

void s2_port_vmid_leave(void *port)
{
	const uint64_t old = this_cpu()->vttbr;

	(void)port;
	if (read_sysreg(vttbr_el2) != old) {
		write_sysreg(vttbr_el2, old);
		isb();
	}
}

/* No SMMU: the guest gets no device that can do DMA. */
int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port;
	(void)ipa;
	(void)size;
	return 0;
}
