// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is every write to the huge pages of a guest in the dirty log, and do the pages become
 * blocks again afterwards?
 *
 * There are two vCPUs. The first writes all pages, again and again, for as long as the
 * test lasts. A page whose content has changed between two looks must be in the log that
 * was fetched before or after the second look. The other vCPU writes what it is told to,
 * and nothing else: exactly that must be in the log. Both start on blocks, which KVM
 * splits at the first write or, with --eager, when logging begins (no selftest of KVM
 * does that). After logging has ended, the writes of the second vCPU make blocks again,
 * which the dump of the tables must show.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define PAGE vm_page()
#define HUGE vm_block()
/* Four blocks, or one if it is larger than 2 MiB. */
#define AREA (HUGE >> 22 ? HUGE : 4 * HUGE)
#define AREA_PAGES (AREA / PAGE)
#define AREA_PAGES_MAX 8192
#define ROUNDS 4
#define FETCHES 6
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)

/* The first area belongs to the busy vCPU, the second to the obedient one. */
static char *data;
static struct vm vm;
static atomic_bool stop;
static atomic_ulong sweeps;

static void fail(const char *what, unsigned long page)
{
	fprintf(stderr, "%s: page %lu\n", what, page);
	exit(1);
}

static void *write_always(void *arg)
{
	while (!stop) {
		vcpu_run(arg);
		sweeps++;
	}
	return NULL;
}

static void start(struct vcpu *vcpu, unsigned id, uint64_t from, uint64_t to,
		  uint64_t stride, uint64_t value)
{
	vcpu_open(&vm, vcpu, id, 0);
	vcpu_reg(vcpu, 0, DATA_IPA + from);
	vcpu_reg(vcpu, 1, DATA_IPA + to);
	vcpu_reg(vcpu, 2, stride);
	vcpu_reg(vcpu, 3, END_IPA);
	vcpu_reg(vcpu, 4, value);
}

static void look(uint64_t *seen)
{
	for (unsigned long i = 0; i < AREA_PAGES; i++)
		seen[i] = *(volatile uint64_t *)(data + i * PAGE);
}

static void fetch(uint64_t *bits)
{
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	if (ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
}

static bool bit(const uint64_t *bits, unsigned long page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/* What changed from *seen to now must be in the previous log or in the next one. */
static void compare(const uint64_t *before, const uint64_t *after, const uint64_t *log,
		    const uint64_t *next)
{
	for (unsigned long i = 0; i < AREA_PAGES; i++)
		if (before[i] != after[i] && !bit(log, i) && !bit(next, i))
			fail("a write is not in the log", i);
}

/* Every third page or a similar set, written by one vCPU and by nobody else. */
static void exactly(struct vcpu *vcpu, unsigned long stride, uint64_t value,
		    uint64_t *bits)
{
	vcpu_reg(vcpu, 2, stride * PAGE);
	vcpu_reg(vcpu, 4, value);
	vcpu_run(vcpu);
	fetch(bits);
	for (unsigned long i = 0; i < AREA_PAGES; i++) {
		bool written = !(i % stride);

		if (bit(bits, AREA_PAGES + i) != written)
			fail(written ? "not in the log" : "in the log, not written", i);
		if (written && *(uint64_t *)(data + AREA + i * PAGE) != value)
			fail("not in memory", i);
	}
}

/* How many blocks of HUGE bytes there are from an address on, in the kernel's dump. */
static unsigned blocks(uint64_t ipa)
{
	FILE *f = vm_debugfs(&vm, "stage2_page_tables");
	char line[256];
	unsigned n = 0;

	while (fgets(line, sizeof(line), f)) {
		unsigned long long from, to;

		/* 0x0000000080000000-0x0000000080800000  8M 2  R W AF BLK */
		if (sscanf(line, "0x%llx-0x%llx", &from, &to) != 2 || to <= ipa ||
		    !strstr(line, "BLK"))
			continue;
		n += (unsigned)((to - (from < ipa ? ipa : from)) / HUGE);
	}
	fclose(f);
	return n;
}

static void expect(uint64_t ipa, unsigned n, const char *when)
{
	unsigned found = blocks(ipa);

	if (found == n)
		return;
	fprintf(stderr, "%u blocks of %u %s\n", found, n, when);
	exit(1);
}

static void round_of(struct vcpu *vcpu, bool eager)
{
	static uint64_t bits[FETCHES][2 * AREA_PAGES_MAX / 64];
	static uint64_t seen[FETCHES][AREA_PAGES_MAX];
	static uint64_t value = 1;
	unsigned long from;

	vcpu_reg(vcpu, 2, PAGE);
	vcpu_reg(vcpu, 4, value++);
	vcpu_run(vcpu);
	for (from = sweeps; sweeps < from + 2;)
		usleep(100);
	expect(DATA_IPA + AREA, (unsigned)(AREA / HUGE), "before logging");
	vm_slot(&vm, 1, DATA_IPA, data, 2 * AREA, KVM_MEM_LOG_DIRTY_PAGES);
	if (eager)
		expect(DATA_IPA, 0, "with all split");
	for (int i = 0; i < FETCHES; i++) {
		exactly(vcpu, 3 + (unsigned long)i, value++, bits[i]);
		look(seen[i]);
		if (i > 1)
			compare(seen[i - 2], seen[i - 1], bits[i - 1], bits[i]);
		usleep(2000);
	}
	vm_slot(&vm, 1, DATA_IPA, data, 2 * AREA, 0);
	vcpu_reg(vcpu, 2, PAGE);
	vcpu_reg(vcpu, 4, value++);
	vcpu_run(vcpu);
	/* All pages of the busy vCPU may be writable already: no fault, no block. */
	expect(DATA_IPA + AREA, (unsigned)(AREA / HUGE), "after logging");
	for (from = sweeps; sweeps < from + 2;)
		usleep(100);
}

int main(int argc, char **argv)
{
	bool eager = argc > 1 && !strcmp(argv[1], "--eager");
	struct vcpu busy, obedient;
	pthread_t thread;

	vm_open(&vm, vm_writer, (size_t)(vm_writer_end - vm_writer), eager ? HUGE : 0);
	data = vm_memory(2 * AREA, MADV_HUGEPAGE, 0);
	memset(data, 0, 2 * AREA);
	vm_slot(&vm, 1, DATA_IPA, data, 2 * AREA, 0);
	start(&busy, 0, 0, AREA, PAGE, 1);
	start(&obedient, 1, AREA, 2 * AREA, PAGE, 1);
	pthread_create(&thread, NULL, write_always, &busy);
	for (int i = 0; i < ROUNDS; i++)
		round_of(&obedient, eager);
	stop = true;
	pthread_join(thread, NULL);
	printf("%d rounds, %lu sweeps\n", ROUNDS, sweeps);
	vcpu_close(&vm, &busy);
	vcpu_close(&vm, &obedient);
	vm_close(&vm);
	return 0;
}
