/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ports/template leaves to the embedder: a pool of tables, one guest, no SMMU. */
#include "port.h"

#define PAGES 64
static uint64_t pool[PAGES][512] __attribute__((aligned(16 * 4096)));
static uint64_t words[PAGES][2];
static bool used[PAGES];

/* The first 16 pages are the root's: it has as many at most, aligned to all of them. */
uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	__builtin_memset(words, 0, 16 * sizeof(words[0]));
	return __builtin_memset(pool, 0, 16 * sizeof(pool[0]));
}
void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
}
uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	for (unsigned i = 16; i < PAGES; i++) {
		if (used[i])
			continue;
		used[i] = true;
		words[i][0] = words[i][1] = 0;
		return __builtin_memset(pool[i], 0, sizeof(pool[i]));
	}
	return NULL;
}
void s2_port_table_free(void *port, uint64_t *table)
{
	used[(table - pool[0]) / 512] = false;
}
uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	return words[(table - pool[0]) / 512];
}
uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	return (uintptr_t)table;
}
uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	return (uint64_t *)s2_port_mem(pa);
}
void s2_port_vmid_enter(void *port)
{
	/* VTTBR_EL2 always holds the VMID of the one guest. */
}
void s2_port_vmid_leave(void *port)
{
}
int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	return 0;
}
