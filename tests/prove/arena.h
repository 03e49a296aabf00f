/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A whole port, for the profile of the core: an arena of table pages, and what the
 * phases of an unmap owe to each other. Every address of an entry is checked; the
 * harness limits how many tables there are.
 */
#ifndef TESTS_PROVE_ARENA_H
#define TESTS_PROVE_ARENA_H

#define ENTRIES 512
#define ROOT_TABLES 4 /* 32 bits of IPA: the start level is 2 */
#define TABLES 2
#define BASE UINT64_C(0x80000000)

static uint64_t mem[(ROOT_TABLES + TABLES) * ENTRIES];
static uint64_t meta[ROOT_TABLES + TABLES][2];
static bool freed[ROOT_TABLES + TABLES];

/* How far the invalidation of what has been broken is. */
static enum { CLEAR, BROKEN, ORDERED, TLBI, STAGE2, STAGE1, INVALID } phase;
static bool cleaned, clean_pending;

static inline uint64_t index_of(const uint64_t *entry)
{
	uint64_t i = (uint64_t)(entry - mem);

	CLAIM(i < sizeof(mem) / sizeof(mem[0]));
	CLAIM(!freed[i / ENTRIES]);
	return i;
}

uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	(void)port;
	return mem[index_of(entry)];
}

void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	uint64_t old = mem[index_of(entry)];

	(void)port;
	/* Valid to busy is a break; busy to empty only after the invalidation. */
	if (old & 1) {
		CLAIM(!(desc & 1));
		CLAIM(desc != 0);
		phase = BROKEN;
	} else if (old & (UINT64_C(1) << 62)) {
		CLAIM(phase == INVALID);
		CLAIM(!clean_pending);
	}
	mem[index_of(entry)] = desc;
}

void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	s2_port_store(port, entry, desc);
}

uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc)
{
	uint64_t found = mem[index_of(entry)];

	if (found == old)
		s2_port_store(port, entry, desc);
	return found;
}

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

uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	uint64_t i = index_of(table);

	(void)port;
	CLAIM(i % ENTRIES == 0);
	return meta[i / ENTRIES];
}

uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	(void)port;
	return BASE + index_of(table) * 8;
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	(void)port;
	CLAIM(pa >= BASE && pa - BASE < sizeof(mem) && !(pa & 4095));
	return mem + (pa - BASE) / 8;
}

void s2_port_table_free(void *port, uint64_t *table)
{
	uint64_t i = index_of(table) / ENTRIES;

	(void)port;
	CLAIM(phase == INVALID && !clean_pending);
	CLAIM(i >= ROOT_TABLES);
	freed[i] = true;
}

void s2_port_dsb_ishst(void *port)
{
	(void)port;
	if (phase == BROKEN)
		phase = ORDERED;
}

void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	(void)port, (void)operand;
	CLAIM(phase == ORDERED || phase == TLBI);
	phase = TLBI;
}

void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	s2_port_tlbi_ipas2e1is(port, operand);
}

void s2_port_tlbi_vmalls12e1is(void *port)
{
	(void)port;
	CLAIM(phase == ORDERED);
	phase = STAGE1;
}

void s2_port_dsb_ish(void *port)
{
	(void)port;
	phase = phase == TLBI ? STAGE2 : phase == STAGE1 ? INVALID : phase;
}

void s2_port_tlbi_vmalle1is(void *port)
{
	(void)port;
	/* Once more with the erratum. */
	if (phase == STAGE2)
		phase = STAGE1;
}

void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	(void)port, (void)pa, (void)size, (void)attr;
	CLAIM(phase == INVALID);
	cleaned = clean_pending = true;
}

void s2_port_dsb_sy(void *port)
{
	(void)port;
	clean_pending = false;
}

void s2_port_isb(void *port)
{
	(void)port;
}

void s2_port_vmid_enter(void *port)
{
	(void)port;
}

void s2_port_vmid_leave(void *port)
{
	(void)port;
}

int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port, (void)ipa, (void)size;
	return 0;
}

#endif
