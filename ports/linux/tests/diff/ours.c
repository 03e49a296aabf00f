// SPDX-License-Identifier: GPL-2.0-only
/* ports/linux/pgtable.c, short.c and compat.c, as they are, on the engine. */
#include "ports/linux/short.c"
#include "ports/linux/pgtable.c"
#include "ports/linux/compat.c"

#define SIDE ours
#include "functions.h"

void stage2_reclaim_init(struct stage2_tables *t)
{
	struct count_port *p = &t->port;

	p->pages = PAGES;
	p->shift = PAGE_SHIFT;
	p->fail_after = -1;
	p->arena = arena;
	p->meta = calloc(PAGES, 16);
	p->free = calloc(PAGES, sizeof(*p->free));
	must(p->meta && p->free);
	while (p->nfree < PAGES - 16) {
		p->free[p->nfree] = (uint32_t)(p->nfree + 16);
		p->nfree++;
	}
}

void stage2_reclaim(struct stage2_tables *t, struct s2_limbo *limbo, bool exclusive)
{
	(void)exclusive;
	must(!s2_release(&t->layout, limbo, NULL));
}

void stage2_reclaim_all(struct stage2_tables *t)
{
	must(!s2_destroy(&t->s2, S2_NO_CLEAN | S2_VMID_UNUSED, NULL));
	stage2_tables_put(t);
}

void stage2_tables_put(struct stage2_tables *t)
{
	free(t->port.meta);
	free(t->port.free);
	free(t);
}

/* The free pages are a stack: what is held back is the bottom of it. */
static void starve(int n)
{
	struct count_port *p = &stage2_tables(&pgt)->port;
	static uint64_t held;

	p->free -= held;
	p->nfree += held;
	held = n >= 0 && p->nfree > (uint64_t)n ? p->nfree - (uint64_t)n : 0;
	p->free += held;
	p->nfree -= held;
}

static struct {
	bool armed;
	uint64_t ipa, pa, prot;
} other;

/* The rival has a cache of its own. */
static void other_fault(struct count_port *p, enum count_event what, uint64_t at,
			uint64_t value)
{
	const long left = p->fail_after;

	(void)at, (void)value;
	if (!other.armed || what != COUNT_CAS)
		return;
	other.armed = false;
	p->fail_after = -1;
	side_map(other.ipa, PAGE_SIZE, other.pa, other.prot, true);
	p->fail_after = left;
}

static void rival(uint64_t ipa, uint64_t pa, uint64_t prot)
{
	other.armed = true;
	other.ipa = ipa;
	other.pa = pa;
	other.prot = prot;
	/* What is given back does not go to the cache. */
	stage2_tables(&pgt)->port.fail_after = 3 - pgt.start_level;
	stage2_tables(&pgt)->port.record = other_fault;
}

static bool rival_left(void)
{
	bool left = other.armed;

	other.armed = false;
	/* After one refusal there would be no limit. */
	must(stage2_tables(&pgt)->port.fail_after >= 0);
	stage2_tables(&pgt)->port.record = NULL;
	stage2_tables(&pgt)->port.fail_after = -1;
	return left;
}

static uint64_t count_tables(void)
{
	return PAGES - 16 - stage2_tables(&pgt)->port.nfree;
}
