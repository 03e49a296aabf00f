/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* random [SEED [OPERATIONS]]: the random differential run on the counting port. */
#include "rig.h"
#include "stage2_port.h"

#define ROOT_PAGES 16u
#define ARENA_PAGES 4096u

static struct count_port port;

void rig_open(struct s2_config *cfg, uint64_t seed)
{
	(void)seed;
	cfg->port = &port;
	port.shift = cfg->granule_shift;
}

void rig_ready(struct s2 *s2)
{
	(void)s2;
}

void rig_destroying(struct s2 *s2)
{
	(void)s2;
}

void rig_close(void)
{
}

void rig_call(void)
{
}

void rig_fail_after(long n)
{
	port.fail_after = n;
}

struct rig_cost rig_cost(void)
{
	return (struct rig_cost){ port.tlbi, port.dsb };
}

uint64_t rig_tables(const struct s2 *s2)
{
	(void)s2;
	return ARENA_PAGES - ROOT_PAGES - port.nfree;
}

void rig_unmapped(const struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags)
{
	(void)s2;
	(void)ipa;
	(void)size;
	(void)flags;
}

void rig_wrprotected(const struct s2 *s2, uint64_t ipa, uint64_t size)
{
	(void)s2;
	(void)ipa;
	(void)size;
}

void rig_frame_free(uint64_t pa)
{
	(void)pa;
}

const char *rig_wrong(void)
{
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t operations = argc > 2 ? strtoull(argv[2], NULL, 0) : 300000;
	int failed;

	port = (struct count_port){ .shift = 12, .pages = ARENA_PAGES, .fail_after = -1 };
	port.arena = aligned_alloc(65536, (size_t)ARENA_PAGES << 16);
	port.meta = calloc(2 * ARENA_PAGES, sizeof(*port.meta));
	port.free = calloc(ARENA_PAGES, sizeof(*port.free));
	if (!port.arena || !port.meta || !port.free)
		return 2;
	memset(port.arena, 0xa5, (size_t)ARENA_PAGES << 16);
	for (uint32_t i = ROOT_PAGES; i < ARENA_PAGES; i++)
		port.free[port.nfree++] = i;
	failed = workload(seed, operations);
	free(port.arena);
	free(port.meta);
	free(port.free);
	return failed;
}
