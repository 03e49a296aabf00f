/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port whose tables hold anything: a load returns any value, each time another one.
 * So what is claimed holds whatever is in the tables, and whatever hardware or other
 * calls write there meanwhile. Only where the engine reads and writes is looked at, and
 * in which order of phases.
 */
#ifndef TESTS_PROVE_ANYTHING_H
#define TESTS_PROVE_ANYTHING_H

#include "plan.h"

/* The root, and any other table: at most 8,192 entries, of 64 KiB granules. */
static uint64_t root[16 * 8192], table[8192];
static uint64_t root_entries, entries, loads;

/* What has been broken and is not invalidated yet; what is being cleaned. */
static enum { NOTHING_BROKEN, BROKEN, ORDERED, STAGE2, STAGE2_DONE, STAGE1 } phase;
static bool cleaning;

static inline void open_tables(struct s2 *s2)
{
	s2->root = root;
	entries = table_entries(s2);
	root_entries = s2->root_pages * entries;
}

static inline void inside(const uint64_t *entry)
{
	if (__CPROVER_same_object(entry, root)) {
		CLAIM(entry >= root && entry < root + root_entries);
	} else {
		CLAIM(__CPROVER_same_object(entry, table));
		CLAIM(entry >= table && entry < table + entries);
	}
}

uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	(void)port;
	inside(entry);
	loads++;
	return nondet_u64();
}

void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	(void)port;
	inside(entry);
	if (desc_busy(desc)) {
		phase = BROKEN;
	} else if (!desc) {
		/* An entry is empty only after the invalidation, and the cleans. */
		CLAIM(phase == NOTHING_BROKEN);
		CLAIM(!cleaning);
	}
}

void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	s2_port_store(port, entry, desc);
}

uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc)
{
	(void)old;
	s2_port_store(port, entry, desc);
	return nondet_u64();
}

uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	(void)port;
	return *word;
}

uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	(void)port, (void)word, (void)n;
	return nondet_u64();
}

uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	return s2_port_word_add(port, word, bits);
}

uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old, uint64_t new_value)
{
	(void)old;
	return s2_port_word_add(port, word, new_value);
}

uint64_t *s2_port_table_meta(void *port, uint64_t *at)
{
	static uint64_t meta[2];

	(void)port;
	inside(at);
	meta[META_STATE] = nondet_u64();
	meta[META_LINK] = 0;
	return meta;
}

uint64_t s2_port_table_pa(void *port, uint64_t *at)
{
	(void)port, (void)at;
	return nondet_u64() << 16;
}

uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	(void)port, (void)pa;
	return table;
}

void s2_port_table_free(void *port, uint64_t *at)
{
	(void)port, (void)at;
	CLAIM(phase == NOTHING_BROKEN && !cleaning);
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
	CLAIM(phase != BROKEN);
	phase = STAGE2;
}

void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	s2_port_tlbi_ipas2e1is(port, operand);
}

void s2_port_tlbi_vmalle1is(void *port)
{
	(void)port;
	CLAIM(phase != BROKEN && phase != ORDERED && phase != STAGE2);
	phase = STAGE1;
}

/* Both stages at once. */
void s2_port_tlbi_vmalls12e1is(void *port)
{
	(void)port;
	CLAIM(phase != BROKEN);
	phase = STAGE1;
}

void s2_port_dsb_ish(void *port)
{
	(void)port;
	if (phase == STAGE2)
		phase = STAGE2_DONE;
	else if (phase == STAGE1)
		phase = NOTHING_BROKEN;
}

void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	(void)port, (void)pa, (void)size, (void)attr;
	CLAIM(phase == NOTHING_BROKEN);
	cleaning = true;
}

void s2_port_dsb_sy(void *port)
{
	(void)port;
	cleaning = false;
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
