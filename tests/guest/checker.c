/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory checker. It runs in the guest as an ordinary process.
 *
 * 	checker run PERCENT	on every CPU, write and verify PERCENT of the memory
 * 	checker shell		tell the monitor that there is a shell
 * 	checker round		report a round of ordinary work
 * 	checker bad N		report N mismatches
 * 	checker done		exit status 0 when the monitor has seen enough
 *
 * Each worker has a bulk area and a few hot pages. Every word of the bulk area depends on
 * its place and on how often its page has been written. In a hot page the worker always
 * writes one word and checks the one before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAILBOX 0x0b000000
enum { COMMAND, VERIFIED, BAD, ROUND }; /* registers of 8 bytes */

#define PAGE 4096u
#define WORDS (PAGE / 8)
#define HOT 256u
#define HOT_PASSES 500u
#define BULK_PAGES 256u /* between two looks at the hot pages */

static volatile uint64_t *mailbox;

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x7fb5d329728ea185);
	x ^= x >> 27;
	return x;
}

static uint64_t bad;

static void report(const char *what, uint64_t page, uint64_t word, uint64_t got,
		   uint64_t want)
{
	bad++;
	if (bad > 4)
		return;
	printf("checker: %s page %" PRIu64 " word %" PRIu64 ": %016" PRIx64
	       ", not %016" PRIx64 "\n",
	       what, page, word, got, want);
	fflush(stdout);
}

static void fill(volatile uint64_t *p, uint64_t key)
{
	for (unsigned i = 0; i < WORDS; i++)
		p[i] = key + i * UINT64_C(0x9e3779b97f4a7c15);
}

static void verify(const volatile uint64_t *p, uint64_t key, uint64_t page)
{
	for (unsigned i = 0; i < WORDS; i++) {
		const uint64_t want = key + i * UINT64_C(0x9e3779b97f4a7c15);

		if (p[i] != want) {
			report("bulk", page, i, p[i], want);
			return;
		}
	}
}

/*
 * Writes word after word of each hot page. After each write it checks the word of the
 * last pass. The write comes first, so that it is the access that faults on a page that
 * was just moved.
 */
static uint64_t hot_passes(volatile uint64_t *hot, uint64_t count)
{
	for (unsigned n = 0; n < HOT_PASSES; n++, count++)
		for (unsigned i = 0; i < HOT; i++) {
			volatile uint64_t *p = hot + (uint64_t)i * WORDS;

			p[count % WORDS] = mix(count + i);
			if (count && p[(count - 1) % WORDS] != mix(count - 1 + i))
				report("hot", i, (count - 1) % WORDS,
				       p[(count - 1) % WORDS], mix(count - 1 + i));
		}
	return count;
}

/*
 * Aligned so that the kernel may use huge pages: neighbours in the RAM of the guest too.
 */
static void *area(uint64_t bytes)
{
	const uint64_t align = UINT64_C(2) << 20;
	char *p = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return (void *)(((uintptr_t)p + align - 1) & ~(align - 1));
}

static int worker(unsigned cpu, uint64_t pages)
{
	uint32_t *writes = calloc(pages, sizeof(*writes));
	volatile uint64_t *bulk = area(pages * PAGE);
	volatile uint64_t *hot = area(HOT * PAGE);
	uint64_t count = 0, at = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	do {
		uint64_t verified = 0;

		for (unsigned n = 0; n < BULK_PAGES; n++) {
			/* Any page: pages * 2 is coprime to the step. */
			const uint64_t page = at = (at + 7919) % pages;
			volatile uint64_t *p = bulk + page * WORDS;

			if (writes[page]) {
				verify(p, mix(page << 32 | writes[page]), page);
				verified++;
			}
			fill(p, mix(page << 32 | ++writes[page]));
		}
		count = hot_passes(hot, count);
		mailbox[VERIFIED] = verified + HOT;
		if (bad)
			mailbox[BAD] = bad;
	} while (!mailbox[COMMAND] && !bad);
	/* Verifies everything once more, while the storm continues. */
	for (uint64_t page = 0; page < pages; page++) {
		if (writes[page])
			verify(bulk + page * WORDS, mix(page << 32 | writes[page]), page);
		if (page % 1024 == 1023)
			mailbox[VERIFIED] = 1024;
	}
	if (bad)
		mailbox[BAD] = bad;
	return bad != 0;
}

static uint64_t free_pages(void)
{
	return (uint64_t)sysconf(_SC_AVPHYS_PAGES);
}

static int run(unsigned percent)
{
	const unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	/* A step of 7919 reaches every page, unless their number is a multiple of it. */
	uint64_t pages = free_pages() * percent / 100 / cpus;
	int status, failed = 0;

	if (pages % 7919 == 0)
		pages--;
	printf("checker: %u CPUs, %" PRIu64 " MiB each\n", cpus, pages * PAGE >> 20);
	fflush(stdout);
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		if (!fork())
			_exit(worker(cpu, pages));
	while (wait(&status) > 0)
		failed |= status != 0;
	if (failed)
		mailbox[BAD] = 1;
	printf("checker: %s\n", failed ? "MISMATCH" : "all verified");
	return failed;
}

int main(int argc, char **argv)
{
	const int fd = open("/dev/mem", O_RDWR | O_SYNC);
	const char *what = argc > 1 ? argv[1] : "";

	if (fd < 0) {
		perror("/dev/mem");
		return 2;
	}
	mailbox = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, MAILBOX);
	if (mailbox == MAP_FAILED) {
		perror("mailbox");
		return 2;
	}
	if (!strcmp(what, "run"))
		return run(argc > 2 ? (unsigned)atoi(argv[2]) : 60);
	if (!strcmp(what, "shell"))
		mailbox[COMMAND] = 1;
	else if (!strcmp(what, "round"))
		mailbox[ROUND] = 1;
	else if (!strcmp(what, "bad"))
		mailbox[BAD] = argc > 2 ? (uint64_t)atoi(argv[2]) : 1;
	else
		return !mailbox[COMMAND];
	return 0;
}
