/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables by the size of a guest and of a call, asked of the engine: s2_tables_needed() of
 * an empty instance takes none. One line for each: what, number. facts.py reads them.
 */
#include <inttypes.h>
#include <stdio.h>
#include "port.h"

#define GIB (UINT64_C(1) << 30)

static struct count_port port;
static struct s2 s2;

static uint64_t needed(uint64_t size, uint32_t flags)
{
	uint64_t n;

	if (s2_tables_needed(&s2, s2_ipa(GIB), s2_pa(GIB), size, S2_R, flags, &n))
		abort();
	return n;
}

/* The largest for any place of a range of this size. */
static uint64_t bound(uint64_t size)
{
	return s2_tables_bound(&s2, s2_ipa((UINT64_C(1) << 39) - 4096),
			       size > 4096 ? size : 4096);
}

int main(void)
{
	static const unsigned ipa_bits[] = { 40, 48 };
	struct s2_config cfg = { .pa_bits = 48, .port = &port };

	port.shift = 12;
	port.fail_after = -1;
	port.arena = aligned_alloc(65536, 65536);
	port.meta = calloc(2 * 16, sizeof(*port.meta));
	for (unsigned i = 0; i < 2 && port.arena && port.meta; i++) {
		cfg.ipa_bits = (uint8_t)ipa_bits[i];
		if (s2_init(&s2, &cfg))
			abort();
		printf("root %u %u\n", ipa_bits[i], s2.root_pages);
		for (unsigned gib = 1; gib <= 256; gib *= 4)
			printf("guest %u %u %" PRIu64 " %" PRIu64 "\n", ipa_bits[i], gib,
			       needed(gib * GIB, S2_MAP_PAGES), needed(gib * GIB, 0));
		for (unsigned shift = 12; shift <= 30; shift += 9)
			printf("call %u %u %" PRIu64 "\n", ipa_bits[i], shift,
			       bound(UINT64_C(1) << shift));
	}
	return 0;
}
