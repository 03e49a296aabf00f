/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port to start from: AArch64 at EL2, without an operating system. It has every
 * instruction that the engine needs. What only the embedder knows is left to the linker:
 * where table pages and their metadata live, which VMID the instance has, and who else
 * walks the tables. docs/porting.md goes through it.
 *
 * System instructions are written as SYS with their encoding, so that an assembler
 * without FEAT_TLBIRANGE accepts them. Each is issued only if the features of the
 * instance say that the CPU has it.
 *
 * These are assumed, and must be changed here if they do not hold: EL2 runs with the MMU
 * and caches on (exclusives need this), and maps all memory that guests get, cacheable
 * and at the address that s2_port_mem() returns.
 */
#ifndef STAGE2_TEMPLATE_PORT_H
#define STAGE2_TEMPLATE_PORT_H

#include <stage2/stage2.h>

#define S2_ASSERT(cond)                   \
	do {                              \
		if (!(cond))              \
			__builtin_trap(); \
	} while (0)

/*
 * A port may leave out parts of the engine: define S2_PROFILE, S2_USE_* constants or
 * S2_GRANULE_SHIFT here (docs/porting.md). Without them the build has everything.
 */

/* The address at which EL2 sees physical memory: an identity map. */
static inline uintptr_t s2_port_mem(uint64_t pa)
{
	return (uintptr_t)pa;
}

/* ---- entries --------------------------------------------------------------
 *
 * The exclusives are written by hand. __atomic_exchange_n() becomes a call to libgcc's
 * outline atomics unless the compiler is told otherwise, and this header should work with
 * any options. LDXR and STXR exist on every v8 CPU. A port that runs with FEAT_LSE only
 * may use SWP and CAS.
 */
static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	(void)port;
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static inline void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELAXED);
}

static inline void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELEASE);
}

static inline uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old,
				   uint64_t desc)
{
	uint64_t found;
	uint32_t failed;

	(void)port;
	__asm__ volatile("1:	ldaxr	%0, %2\n"
			 "	cmp	%0, %3\n"
			 "	b.ne	2f\n"
			 "	stlxr	%w1, %4, %2\n"
			 "	cbnz	%w1, 1b\n"
			 "2:\n"
			 : "=&r"(found), "=&r"(failed), "+Q"(*entry)
			 : "r"(old), "r"(desc)
			 : "cc", "memory");
	return found;
}

/* ---- words: by the same exclusives ------------------------------------------- */

static inline uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	return s2_port_load(port, word);
}

static inline uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old,
					uint64_t new_value)
{
	return s2_port_cas(port, word, old, new_value);
}

static inline uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	uint64_t old, sum;
	uint32_t failed;

	(void)port;
	__asm__ volatile("1:	ldaxr	%0, %3\n"
			 "	add	%1, %0, %4\n"
			 "	stlxr	%w2, %1, %3\n"
			 "	cbnz	%w2, 1b\n"
			 : "=&r"(old), "=&r"(sum), "=&r"(failed), "+Q"(*word)
			 : "r"(n)
			 : "memory");
	return old;
}

static inline uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	uint64_t old, all;
	uint32_t failed;

	(void)port;
	__asm__ volatile("1:	ldaxr	%0, %3\n"
			 "	orr	%1, %0, %4\n"
			 "	stlxr	%w2, %1, %3\n"
			 "	cbnz	%w2, 1b\n"
			 : "=&r"(old), "=&r"(all), "=&r"(failed), "+Q"(*word)
			 : "r"(bits)
			 : "memory");
	return old;
}

/* ---- barriers -------------------------------------------------------------- */

/* DSB ISHST */
static inline void s2_port_dsb_ishst(void *port)
{
	(void)port;
	__asm__ volatile("dsb ishst" ::: "memory");
}

/* DSB ISH */
static inline void s2_port_dsb_ish(void *port)
{
	(void)port;
	__asm__ volatile("dsb ish" ::: "memory");
}

/* DSB NSH */
static inline void s2_port_dsb_nsh(void *port)
{
	(void)port;
	__asm__ volatile("dsb nsh" ::: "memory");
}

/* DSB SY */
static inline void s2_port_dsb_sy(void *port)
{
	(void)port;
	__asm__ volatile("dsb sy" ::: "memory");
}

/* ISB */
static inline void s2_port_isb(void *port)
{
	(void)port;
	__asm__ volatile("isb" ::: "memory");
}

/* ---- TLBIs ----------------------------------------------------------------- */

/* TLBI IPAS2E1IS, Xt: op1 4, CRn 8, CRm 0, op2 1 */
static inline void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	(void)port;
	__asm__ volatile("sys #4, c8, c0, #1, %0" ::"r"(operand) : "memory");
}

/* TLBI IPAS2E1, Xt: op1 4, CRn 8, CRm 4, op2 1 */
static inline void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	(void)port;
	__asm__ volatile("sys #4, c8, c4, #1, %0" ::"r"(operand) : "memory");
}

/* TLBI VMALLE1: op1 0, CRn 8, CRm 7, op2 0 */
static inline void s2_port_tlbi_vmalle1(void *port)
{
	(void)port;
	__asm__ volatile("sys #0, c8, c7, #0" ::: "memory");
}

/* TLBI RIPAS2E1IS, Xt: op1 4, CRn 8, CRm 0, op2 2 (FEAT_TLBIRANGE) */
static inline void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	(void)port;
	__asm__ volatile("sys #4, c8, c0, #2, %0" ::"r"(operand) : "memory");
}

/* TLBI VMALLE1IS: op1 0, CRn 8, CRm 3, op2 0 */
static inline void s2_port_tlbi_vmalle1is(void *port)
{
	(void)port;
	__asm__ volatile("sys #0, c8, c3, #0" ::: "memory");
}

/* TLBI VMALLS12E1IS: op1 4, CRn 8, CRm 3, op2 6 */
static inline void s2_port_tlbi_vmalls12e1is(void *port)
{
	(void)port;
	__asm__ volatile("sys #4, c8, c3, #6" ::: "memory");
}

/* ---- caches ---------------------------------------------------------------- */

/*
 * CTR_EL0: DminLine [19:16], IminLine [3:0] (log2 of words), L1Ip [15:14], IDC [28], DIC
 * [29]. If the PEs differ, use the smallest value of all of them.
 */
static inline uint64_t s2_port_ctr(void)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	return ctr;
}

/* DC CIVAC, Xt: op1 3, CRn 7, CRm 14, op2 1. No DSB: the engine issues it. */
static inline void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	uintptr_t line = (uintptr_t)4 << ((s2_port_ctr() >> 16) & 15);
	uintptr_t p = s2_port_mem(pa), end = p + size;

	(void)port;
	(void)attr;
	for (p &= ~(line - 1); p < end; p += line)
		__asm__ volatile("sys #3, c7, c14, #1, %0" ::"r"(p) : "memory");
}

/*
 * DC CVAU, Xt (op1 3, CRn 7, CRm 11, op2 1) over the range unless CTR_EL0.IDC; then,
 * unless CTR_EL0.DIC, IC IVAU, Xt (op1 3, CRn 7, CRm 5, op2 1). IC IVAU acts on the
 * virtual address that it is given, which is not the guest's. Only a PIPT instruction
 * cache (L1Ip 0b11) is certain to drop the lines of the guest. Any other cache is emptied
 * by IC IALLUIS (op1 0, CRn 7, CRm 1, op2 0). The DSB ISH between the two orders the
 * cleans before the invalidation. The DSB ISH after it completes the invalidation on all
 * PEs. A PE drops what it has already fetched when it enters the guest (ERET synchronises
 * its context).
 */
static inline void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	const uint64_t ctr = s2_port_ctr();
	const uintptr_t dline = (uintptr_t)4 << ((ctr >> 16) & 15);
	const uintptr_t iline = (uintptr_t)4 << (ctr & 15);
	const uintptr_t start = s2_port_mem(pa), end = start + size;
	uintptr_t p;

	if (!(ctr & (1u << 28)))
		for (p = start & ~(dline - 1); p < end; p += dline)
			__asm__ volatile("sys #3, c7, c11, #1, %0" ::"r"(p) : "memory");
	s2_port_dsb_ish(port);
	if (ctr & (1u << 29))
		return;
	if (((ctr >> 14) & 3) == 3)
		for (p = start & ~(iline - 1); p < end; p += iline)
			__asm__ volatile("sys #3, c7, c5, #1, %0" ::"r"(p) : "memory");
	else
		__asm__ volatile("sys #0, c7, c1, #0" ::: "memory");
	s2_port_dsb_ish(port);
}

#endif /* STAGE2_TEMPLATE_PORT_H */
