/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine as a port of the engine: every function of src/port.h is an event.
 */
#include "port.h"
#include "machine.h"

/* EPD0 and EPD1 stop stage-1 walks; SCTLR_EL1.M keeps stage 1 on. */
#define TCR_EPD (UINT64_C(1) << 7 | UINT64_C(1) << 23)
#define SCTLR_M (UINT64_C(1) << 0)

static struct machine *machine(void *port)
{
	return ((struct model_port *)port)->m;
}

static unsigned pe(void *port)
{
	return ((struct model_port *)port)->pe;
}

/* ---- table pages --------------------------------------------------------- */

static uint64_t *alloc(struct model_port *p, unsigned pages, unsigned align)
{
	uint64_t pa;

	p->allocs++;
	if (p->fail_alloc >= 0 && p->fail_alloc-- == 0) {
		p->fail_alloc = 0;
		return NULL;
	}
	pa = s2m_table_take(p->m, p->pe, pages, align);
	if (!pa)
		return NULL;
	s2m_fill(p->m, p->pe, pa, (uint64_t)pages << s2m_granule_shift(p->m), 0);
	return s2m_ptr(p->m, pa);
}

uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	(void)cookie;
	return alloc(port, 1, 1);
}

void s2_port_table_free(void *port, uint64_t *table)
{
	s2m_table_give(machine(port), pe(port), s2m_pa(machine(port), table), 1);
}

uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	unsigned align = 1;

	while (align < pages)
		align *= 2;
	return alloc(port, pages, align);
}

void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	s2m_table_give(machine(port), pe(port), s2m_pa(machine(port), root), pages);
}

uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	return s2m_meta(machine(port), s2m_pa(machine(port), table));
}

uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	return s2m_pa(machine(port), table);
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	return s2m_ptr(machine(port), pa);
}

/* ---- entries ------------------------------------------------------------- */

static uint64_t entry_pa(struct model_port *p, const uint64_t *entry)
{
	s2m_waive_map_clean(p->m, p->pe, p->no_clean);
	return s2m_pa(p->m, entry);
}

uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	return s2m_read(machine(port), pe(port), s2m_pa(machine(port), entry));
}

void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	s2m_write(machine(port), pe(port), entry_pa(port, entry), desc, S2M_PLAIN);
}

void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	s2m_write(machine(port), pe(port), entry_pa(port, entry), desc, S2M_RELEASE);
}

uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc)
{
	return s2m_cas(machine(port), pe(port), entry_pa(port, entry), old, desc);
}

/* ---- words: the machine does not model them, and calls do not overlap ------ */

uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	(void)port;
	return *word;
}

uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	uint64_t old = *word;

	(void)port;
	*word = old + n;
	return old;
}

uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	uint64_t old = *word;

	(void)port;
	*word = old | bits;
	return old;
}

uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old, uint64_t new_value)
{
	uint64_t found = *word;

	(void)port;
	if (found == old)
		*word = new_value;
	return found;
}

/* ---- barriers and TLBIs -------------------------------------------------- */

void s2_port_vmid_enter(void *port)
{
	struct model_port *p = port;

	if (s2m_features(p->m) & S2M_SPECULATIVE_AT) {
		s2m_sysreg(p->m, p->pe, S2M_TCR_EL1, TCR_EPD);
		s2m_sysreg(p->m, p->pe, S2M_SCTLR_EL1, SCTLR_M);
		s2m_barrier(p->m, p->pe, S2M_ISB);
	}
	s2m_sysreg(p->m, p->pe, S2M_VTTBR_EL2, p->vttbr);
	s2m_barrier(machine(port), pe(port), S2M_ISB);
}

void s2_port_vmid_leave(void *port)
{
	s2m_sysreg(machine(port), pe(port), S2M_VTTBR_EL2, 0);
	s2m_barrier(machine(port), pe(port), S2M_ISB);
	if (s2m_features(machine(port)) & S2M_SPECULATIVE_AT) {
		s2m_sysreg(machine(port), pe(port), S2M_SCTLR_EL1, 0);
		s2m_sysreg(machine(port), pe(port), S2M_TCR_EL1, 0);
	}
}

void s2_port_dsb_ishst(void *port)
{
	s2m_barrier(machine(port), pe(port), S2M_DSB_ISHST);
}

void s2_port_dsb_ish(void *port)
{
	s2m_barrier(machine(port), pe(port), S2M_DSB_ISH);
}

void s2_port_dsb_sy(void *port)
{
	s2m_barrier(machine(port), pe(port), S2M_DSB_SY);
}

void s2_port_dsb_nsh(void *port)
{
	s2m_barrier(machine(port), pe(port), S2M_DSB_NSH);
}

void s2_port_isb(void *port)
{
	s2m_barrier(machine(port), pe(port), S2M_ISB);
}

void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	s2m_tlbi(machine(port), pe(port), S2M_IPAS2E1IS, operand);
}

void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	s2m_tlbi(machine(port), pe(port), S2M_IPAS2E1, operand);
}

void s2_port_tlbi_vmalle1(void *port)
{
	s2m_tlbi(machine(port), pe(port), S2M_VMALLE1, 0);
}

void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	s2m_tlbi(machine(port), pe(port), S2M_RIPAS2E1IS, operand);
}

void s2_port_tlbi_vmalle1is(void *port)
{
	s2m_tlbi(machine(port), pe(port), S2M_VMALLE1IS, 0);
}

void s2_port_tlbi_vmalls12e1is(void *port)
{
	s2m_tlbi(machine(port), pe(port), S2M_VMALLS12E1IS, 0);
}

int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	struct machine *m = machine(port);

	/* Without invalidations of ranges: one page, or everything. */
	if (s2m_agent_lacks(m) & S2M_TLBIRANGE && size >> s2m_granule_shift(m) > 1)
		ipa = size = 0;
	if (s2m_features(m) & S2M_AGENT)
		s2m_agent_tlbi(m, pe(port), ipa, size);
	return 0;
}

void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa, uint64_t size,
		       s2_attr_t attr)
{
	struct model_port *p = port;

	(void)cookie;
	p->gone_attr = attr;
	s2m_leaf_gone(p->m, p->pe, p->root, ipa, pa, size,
		      p->waives ? S2M_CLAIM_NO_CLEAN : 0);
}

/* ---- caches -------------------------------------------------------------- */

void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	(void)attr;
	s2m_cache(machine(port), pe(port), S2M_DC_CIVAC, pa, size);
}

void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	if (((struct model_port *)port)->dic_skip)
		return;
	/* The data must be clean before instructions are fetched again. */
	if (!(s2m_features(machine(port)) & (S2M_FWB | S2M_IDC)))
		s2m_barrier(machine(port), pe(port), S2M_DSB_ISH);
	s2m_cache(machine(port), pe(port), S2M_IC_IVAU, pa, size);
	s2m_barrier(machine(port), pe(port), S2M_DSB_ISH);
}
