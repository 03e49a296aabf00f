/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Give a guest 1 GiB of memory, take one page away, then all of it. On the host. */
#include <stdio.h>
#include "stage2_port.h"

#define GIB (UINT64_C(1) << 30)
#define RAM s2_ipa(4 * GIB)

static int done(const char *what, int err, const struct host_port *port)
{
	printf("%-18s %-34s %3llu tables, %llu TLBIs, %llu DSBs so far\n", what,
	       s2_strerror(err), (unsigned long long)port->tables,
	       (unsigned long long)port->tlbis, (unsigned long long)port->dsbs);
	return err;
}

int main(void)
{
	struct host_port port = { 0 };
	struct s2_config cfg = {
		.ipa_bits = 40,
		.pa_bits = 48,
		.port = &port,
		.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL,
	};
	struct s2_leaf leaf;
	struct s2 s2;

	if (done("init", s2_init(&s2, &cfg), &port))
		return 1;
	if (done("map",
		 s2_map(&s2, RAM, s2_pa(64 * GIB), GIB, S2_R | S2_W | S2_X, S2_MAP_PAGES,
			NULL),
		 &port))
		return 1;
	if (s2_translate(&s2, s2_ipa(4 * GIB + 0x1234), &leaf))
		return 1;
	printf("0x%llx is at 0x%llx, in a page of level %d\n", 4 * GIB + 0x1234ull,
	       (unsigned long long)leaf.pa.pa, leaf.level);
	if (done("unmap a page", s2_unmap(&s2, RAM, 4096, S2_SPLIT_EDGES, NULL), &port))
		return 1;
	if (done("look for it", s2_translate(&s2, RAM, &leaf), &port) != S2_E_NOENT)
		return 1;
	if (done("unmap 1 GiB", s2_unmap(&s2, RAM, GIB, S2_SPLIT_EDGES, NULL), &port))
		return 1;
	return done("destroy", s2_destroy(&s2, 0, NULL), &port) || port.tables;
}
