/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty logging by write protection, as a live migration uses it. In each round the
 * pages that the guest wrote are copied. To find them, write permission is taken away,
 * and given back to a page by its fault. (Where the CPU has FEAT_HAFDBS and DBM, map with
 * S2_DBM and call s2_dirty() with S2_CLEAR in place of s2_wrprotect(): no faults then.)
 *
 *	cc -Iinclude -Isrc -Iexamples/host -o dirty \
 *		examples/dirty.c src/[a-z]*.c extra/[a-z]*.c
 */
#include <stdio.h>
#include "stage2_port.h"

#define PAGES 1024u
#define PAGE UINT64_C(4096)
#define RAM (UINT64_C(1) << 30)	   /* where the guest's memory begins */
#define FRAMES (UINT64_C(2) << 30) /* and where that memory is */

static struct s2 s2;
static bool dirty[PAGES];
static unsigned content[PAGES], copied[PAGES];

/* What the CPU and the fault handler do when the guest writes to a page. */
static int guest_writes(unsigned page, unsigned value)
{
	const s2_ipa_t ipa = s2_ipa(RAM + page * PAGE);
	struct s2_leaf leaf;
	int err = s2_translate(&s2, ipa, &leaf);

	if (err)
		return err;
	if (!(s2_leaf_perms(&leaf) & S2_W)) {
		/* The order matters: first the log, then the permission. */
		dirty[page] = true;
		err = s2_relax_perms(&s2, ipa, S2_W, 0);
		if (err)
			return err;
	}
	content[page] = value;
	return 0;
}

/* Copy what is dirty, after it has been protected again: a write meanwhile faults. */
static int copy_round(unsigned *n)
{
	*n = 0;
	for (unsigned page = 0; page < PAGES; page++) {
		int err;

		if (!dirty[page])
			continue;
		dirty[page] = false;
		err = s2_wrprotect(&s2, s2_ipa(RAM + page * PAGE), PAGE, 0, NULL);
		if (err)
			return err;
		copied[page] = content[page];
		++*n;
	}
	return 0;
}

int main(void)
{
	struct host_port port = { 0 };
	struct s2_config cfg = { .ipa_bits = 40, .pa_bits = 48, .port = &port };
	const uint64_t size = PAGES * PAGE;
	unsigned value = 1, n;

	if (s2_init(&s2, &cfg) ||
	    s2_map(&s2, s2_ipa(RAM), s2_pa(FRAMES), size, S2_R | S2_W, 0, NULL))
		return 1;
	/* Blocks become pages, so that a fault is for one page. Everything is new. */
	if (s2_split(&s2, s2_ipa(RAM), size, 0, NULL) ||
	    s2_wrprotect(&s2, s2_ipa(RAM), size, 0, NULL))
		return 1;
	for (unsigned page = 0; page < PAGES; page++)
		dirty[page] = true;
	for (unsigned round = 0; round < 4; round++) {
		if (copy_round(&n))
			return 1;
		printf("round %u: %u pages copied\n", round, n);
		/* The guest goes on, and writes to fewer pages each time. */
		for (unsigned i = 0; i < 300u >> 2 * round; i++)
			if (guest_writes(i * 7 % PAGES, value++))
				return 1;
	}
	/* The guest is stopped: the last round. Then pages become blocks again. */
	if (copy_round(&n) || memcmp(content, copied, sizeof(content)))
		return 1;
	printf("stopped: %u pages copied, and the copy is right\n", n);
	if (s2_map(&s2, s2_ipa(RAM), s2_pa(FRAMES), size, S2_R | S2_W, 0, NULL) ||
	    s2_collapse(&s2, s2_ipa(RAM), size, 0, NULL))
		return 1;
	printf("%llu tables, %llu TLBIs\n", (unsigned long long)port.tables,
	       (unsigned long long)port.tlbis);
	return s2_destroy(&s2, 0, NULL) || port.tables;
}
