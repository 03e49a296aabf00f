// SPDX-License-Identifier: GPL-2.0-only
/*
 * dom0's part of the test for stale translations: hammering A B [planted]. Domain A
 * runs hammer.S and reads one page in a loop. This program takes the page away and
 * looks whether A reads it once more: the read that was under way may be counted late,
 * and no other. In every second round B, which is paused, gets memory at once, with a
 * secret that A must not see. Planted: invalidation is switched off for the rounds, of
 * the first kind only, since dom0 itself maps pages in the second.
 *
 * Exit status: 0, 1 if there was a stale read, 2 if something did not work.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "hypercall.h"

#define ROUNDS 128
#define RAM_GFN 0x40000u
#define FIRST_GFN 0x41000u
#define PAGE 4096u
#define SECRET UINT64_C(0x5ec2e75ec2e75ec2)
#define LOOPS 2000u

struct mailbox {
	uint64_t target, loops, reads, faults, value, ready;
};

static volatile struct mailbox *box;

static void die(const char *what)
{
	fprintf(stderr, "hammering: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Until *word is @least, or the guest does not come on. */
static void wait_for(const char *what, volatile uint64_t *word, uint64_t least)
{
	for (unsigned i = 0; *word < least; i++) {
		if (i == 100000) {
			fprintf(stderr, "hammering: no %s\n", what);
			exit(2);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void take(unsigned domain, uint64_t gfn)
{
	if (reserve(XENMEM_decrease_reservation, domain, gfn, 1, 1, 0))
		die("take");
}

static void give(unsigned domain, uint64_t gfn)
{
	if (reserve(XENMEM_populate_physmap, domain, gfn, 1, 1, 0))
		die("give");
}

/* Returns whether the guest used the page after it had been taken. */
static bool one_round(unsigned a, unsigned b, unsigned n)
{
	const uint64_t gfn = FIRST_GFN + n;
	const uint64_t faults = box->faults;
	uint64_t reads, late;
	bool secret = false;

	box->target = gfn * PAGE;
	wait_for("read", &box->reads, box->reads + 100);
	take(a, gfn);
	reads = box->reads;
	if (n & 1) {
		volatile uint64_t *other;

		give(b, FIRST_GFN);
		other = map_page(b, FIRST_GFN);
		for (unsigned i = 0; i < PAGE / 8; i++)
			other[i] = SECRET;
		wait_for("loop", &box->loops, box->loops + LOOPS);
		secret = box->value == SECRET;
		munmap((void *)other, PAGE);
		take(b, FIRST_GFN);
	} else {
		wait_for("loop", &box->loops, box->loops + LOOPS);
	}
	late = box->reads - reads;
	if (late <= 1 && !secret && box->faults != faults + 1) {
		fprintf(stderr, "hammering: round %u: %" PRIu64 " faults\n", n,
			box->faults - faults);
		exit(2);
	}
	/* A fault of this round must not be taken for one of the next. */
	box->target = 0;
	wait_for("loop", &box->loops, box->loops + 2);
	give(a, gfn);
	if (secret)
		printf("round %u: read what another domain wrote\n", n);
	return late > 1 || secret;
}

int main(int argc, char **argv)
{
	unsigned stale = 0, a, b;

	const bool planted = argc == 4;

	if (argc < 3)
		return 2;
	a = strtoul(argv[1], NULL, 0);
	b = strtoul(argv[2], NULL, 0);
	open_privcmd();
	box = map_page(a, RAM_GFN);
	wait_for("guest", &box->ready, 1);
	take(b, FIRST_GFN);
	if (planted && debug_key("3"))
		die("debug key");
	for (unsigned n = 0; n < ROUNDS; n++)
		stale += one_round(a, b, planted ? 2 * n : n);
	if (planted && debug_key("3"))
		die("debug key");
	munmap((void *)box, PAGE);
	printf("hammering: %u of %u pages were used after they had gone\n", stale,
	       ROUNDS);
	return stale != 0;
}
