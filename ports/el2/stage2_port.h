/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The porting header of the EL2 monitor: the instructions of the template, each counted
 * on the CPU that issues it, and the mistakes that a build can plant.
 *
 * The template is used unchanged, so that the code that embedders start from runs on
 * every CPU that the monitor runs on. Its barriers and TLBIs are renamed when it is
 * included, because each has a counter here, and a mistake in its place if the build asks
 * for one.
 */
#ifndef STAGE2_EL2_PORT_H
#define STAGE2_EL2_PORT_H

#define s2_port_dsb_ishst template_dsb_ishst
#define s2_port_dsb_ish template_dsb_ish
#define s2_port_dsb_nsh template_dsb_nsh
#define s2_port_dsb_sy template_dsb_sy
#define s2_port_tlbi_ipas2e1is template_tlbi_ipas2e1is
#define s2_port_tlbi_ripas2e1is template_tlbi_ripas2e1is
#define s2_port_tlbi_vmalle1is template_tlbi_vmalle1is
#define s2_port_tlbi_vmalls12e1is template_tlbi_vmalls12e1is
#define s2_port_tlbi_ipas2e1 template_tlbi_ipas2e1
#define s2_port_tlbi_vmalle1 template_tlbi_vmalle1
#define s2_port_clean template_clean
#include "../template/stage2_port.h"
#undef s2_port_dsb_ishst
#undef s2_port_dsb_ish
#undef s2_port_dsb_nsh
#undef s2_port_dsb_sy
#undef s2_port_tlbi_ipas2e1is
#undef s2_port_tlbi_ripas2e1is
#undef s2_port_tlbi_vmalle1is
#undef s2_port_tlbi_vmalls12e1is
#undef s2_port_tlbi_ipas2e1
#undef s2_port_tlbi_vmalle1
#undef s2_port_clean

#include "cpu.h"
#include "plant.h"

/* A frame has one place in one guest until that guest ends: nothing is counted. */
#define S2_USE_COUNTED 0

#undef S2_ASSERT
#define S2_ASSERT(cond)                                                               \
	do {                                                                          \
		if (!(cond))                                                          \
			el2_panic("%s:%d: S2_ASSERT(%s)", __FILE__, __LINE__, #cond); \
	} while (0)

/* Each CPU has its own counters, so plain additions are enough. */
#define EL2_COUNT(what) (this_cpu()->count.what++)

static inline void s2_port_dsb_ishst(void *port)
{
	EL2_COUNT(dsb);
	if (!PLANTED(NO_DSB))
		template_dsb_ishst(port);
}

static inline void s2_port_dsb_ish(void *port)
{
	EL2_COUNT(dsb);
	if (!PLANTED(NO_DSB))
		template_dsb_ish(port);
}

static inline void s2_port_dsb_nsh(void *port)
{
	EL2_COUNT(dsb);
	if (!PLANTED(NO_DSB))
		template_dsb_nsh(port);
}

static inline void s2_port_dsb_sy(void *port)
{
	EL2_COUNT(dsb);
	if (!PLANTED(NO_DSB))
		template_dsb_sy(port);
}

/* The copies of this PE alone: after permissions were added. */
static inline void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	EL2_COUNT(tlbi);
	if (!PLANTED(NO_TLBI) && !PLANTED(NO_IPAS2))
		template_tlbi_ipas2e1(port, operand);
}

static inline void s2_port_tlbi_vmalle1(void *port)
{
	EL2_COUNT(tlbi);
	if (!PLANTED(NO_TLBI) && !PLANTED(NO_VMALLE1))
		template_tlbi_vmalle1(port);
}

static inline void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	EL2_COUNT(tlbi);
	if (PLANTED(NO_TLBI) || PLANTED(NO_IPAS2))
		return;
	if (PLANTED(LOCAL))
		template_tlbi_ipas2e1(port, operand);
	else if (!PLANTED(FIRST_PAGE) || el2_plant_first())
		template_tlbi_ipas2e1is(port, operand);
}

static inline void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	const uint64_t base = operand & ((UINT64_C(1) << 37) - 1);

	EL2_COUNT(tlbi);
	if (PLANTED(NO_TLBI) || PLANTED(NO_IPAS2))
		return;
	if (PLANTED(LOCAL))
		/* RIPAS2E1, Xt: op1 4, CRn 8, CRm 4, op2 2 */
		__asm__ volatile("sys #4, c8, c4, #2, %0" ::"r"(operand) : "memory");
	else if (PLANTED(RANGE_BASE))
		template_tlbi_ripas2e1is(port, operand + 512);
	else if (!PLANTED(FIRST_PAGE))
		template_tlbi_ripas2e1is(port, operand);
	else if (el2_plant_first())
		template_tlbi_ipas2e1is(port, base);
}

static inline void s2_port_tlbi_vmalle1is(void *port)
{
	EL2_COUNT(tlbi);
	if (PLANTED(NO_TLBI) || PLANTED(NO_VMALLE1))
		return;
	if (PLANTED(LOCAL))
		template_tlbi_vmalle1(port);
	else
		template_tlbi_vmalle1is(port);
}

static inline void s2_port_tlbi_vmalls12e1is(void *port)
{
	EL2_COUNT(tlbi);
	if (PLANTED(NO_TLBI))
		return;
	if (PLANTED(LOCAL))
		/* VMALLS12E1: op1 4, CRn 8, CRm 7, op2 6 */
		__asm__ volatile("sys #4, c8, c7, #6" ::: "memory");
	else if (!PLANTED(NO_IPAS2) && !PLANTED(FIRST_PAGE))
		template_tlbi_vmalls12e1is(port);
	else
		template_tlbi_vmalle1is(port);
}

static inline void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	this_cpu()->count.cleaned += size;
	if (!PLANTED(NO_CLEAN))
		template_clean(port, pa, size, attr);
}

#endif /* STAGE2_EL2_PORT_H */
