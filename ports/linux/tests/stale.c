// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a vCPU continue to use a translation that was removed?
 *
 * Two vCPUs store a growing number to a page A, then to a page B, again and again. The
 * host drops the memory of A, in three ways: a page, a range with a table of its own, a
 * huge page. The next store to A must fault and go to a new page. If the old translation
 * is still used, the store goes to a page that no longer belongs to the VM. Then A, as
 * the host sees it, does not change while B does.
 *
 * The test needs two CPUs: a vCPU that leaves the guest meanwhile loses its cached
 * translations for other reasons.
 *
 * --without-tlbi: switches the invalidation off during the test (a kernel built for
 * tests). Then a stale translation must be found. Exit 0: as expected.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define VCPUS 2
/* The least number of each kind. */
#define DROPS 100
#define SECONDS 1
/*
 * The largest number, until a stale translation has been found. On a busy host the timer
 * of the machine takes the vCPU out of the guest most of the time, and then there is
 * nothing to find.
 */
#define MOST 2048
#define PATIENCE 60
/* Blocks of more are dropped less often. */
#define SMALL (2UL << 20)
#define HUGE vm_block()
#define DATA_IPA UINT64_C(0x80000000)
#define SWITCH "/sys/kernel/debug/stage2/no_tlbi"

/* x0: A, x1: B. */
extern const char guest_start[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_end\n"
	"guest_start:\n"
	"	mov	x2, #0\n"
	"1:	add	x2, x2, #1\n"
	"	str	x2, [x0]\n"
	"	str	x2, [x1]\n"
	"	b	1b\n"
	"guest_end:\n"
	".popsection\n");

struct worker {
	struct vcpu vcpu;
	pthread_t thread;
	_Atomic uint64_t *a, *b;
};

static atomic_bool stop;

static void on_signal(int sig)
{
	(void)sig;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!stop)
		vcpu_run(&w->vcpu);
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Waits until B has grown by n. Otherwise the vCPU hangs. */
static uint64_t wait_b(struct worker *w, uint64_t from, uint64_t n)
{
	double end = now() + 30;
	uint64_t b;

	while ((b = *w->b) < from + n) {
		/* Two CPUs, and two vCPUs that should run on them. */
		usleep(20);
		if (now() > end) {
			fprintf(stderr, "a vCPU does not move: B is %llu\n",
				(unsigned long long)b);
			exit(2);
		}
	}
	return b;
}

/*
 * Without invalidation the guest continues to write to memory that it has lost, and that
 * may get another owner. A pipe keeps a reference, so that it gets none.
 */
static void hold(struct worker *w, int pipe)
{
	struct iovec page = { (void *)(uintptr_t)w->a, 8 };

	if (pipe >= 0 && vmsplice(pipe, &page, 1, SPLICE_F_NONBLOCK) != 8)
		die("vmsplice");
}

/*
 * Drops [drop, drop + size), which holds every A. Returns how many vCPUs did not notice.
 */
static unsigned drop_and_look(struct worker *w, void *drop, size_t size, int pipe)
{
	uint64_t before[VCPUS];
	unsigned stale = 0;

	for (int i = 0; i < VCPUS; i++) {
		wait_b(&w[i], *w[i].b, 2);
		hold(&w[i], pipe);
	}
	if (madvise(drop, size, MADV_DONTNEED))
		die("DONTNEED");
	for (int i = 0; i < VCPUS; i++)
		before[i] = *w[i].b;
	for (int i = 0; i < VCPUS; i++) {
		/*
		 * A is stored before B, and the drop was over before B was read. When B
		 * has grown by two, A has been stored to since the drop.
		 */
		wait_b(&w[i], before[i], 2);
		stale += *w[i].a < before[i];
	}
	return stale;
}

static void set_switch(bool on)
{
	int fd = open(SWITCH, O_WRONLY);

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		die(SWITCH);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const name[] = { "page", "table", "block" };
	bool without = argc > 1 && !strcmp(argv[1], "--without-tlbi");
	struct sigaction act = { .sa_handler = on_signal };
	struct worker w[VCPUS] = { 0 };
	bool wrong = false;
	int held[2] = { -1, -1 };
	struct vm vm;
	char *data;

	sigaction(SIGUSR1, &act, NULL);
	vm_open(&vm, guest_start, (size_t)(guest_end - guest_start), 0);
	/* Four huge pages: three kinds of A, and B. */
	data = vm_memory(4 * HUGE, MADV_NOHUGEPAGE, 0);
	madvise(data + 2 * HUGE, HUGE, MADV_HUGEPAGE);
	vm_slot(&vm, 1, DATA_IPA, data, 4 * HUGE, 0);
	/* pKVM gives a VM no more vCPUs when one of them has run. */
	for (unsigned i = 0; i < VCPUS; i++)
		vcpu_open(&vm, &w[i].vcpu, i, 0);

	for (int kind = 0; kind < 3; kind++) {
		size_t size = kind ? HUGE : vm_page() * VCPUS;
		size_t block = kind == 2 && HUGE > SMALL ? HUGE : SMALL;
		unsigned least = DROPS * SMALL / block + 1;
		unsigned found = 0, drops = 0;
		double end;

		/* A drop takes so long that the vCPUs leave the guest meanwhile. */
		if (without && block > SMALL)
			continue;
		if (without && (pipe(held) ||
				fcntl(held[1], F_SETPIPE_SZ, 2 * MOST * vm_page()) < 0))
			die("pipe");
		stop = false;
		for (unsigned i = 0; i < VCPUS; i++) {
			uint64_t a = (uint64_t)kind * HUGE + i * vm_page();
			uint64_t b = 3 * HUGE + i * vm_page();

			w[i].a = (_Atomic uint64_t *)(data + a);
			w[i].b = (_Atomic uint64_t *)(data + b);
			*w[i].a = *w[i].b = 0;
			w[i].vcpu.run->immediate_exit = 0;
			vcpu_reg(&w[i].vcpu, 0, DATA_IPA + a);
			vcpu_reg(&w[i].vcpu, 1, DATA_IPA + b);
			vcpu_reg(&w[i].vcpu, VM_REG_PC, VM_CODE_IPA);
			pthread_create(&w[i].thread, NULL, work, &w[i]);
		}
		if (without)
			set_switch(true);
		end = now() + (without ? PATIENCE : SECONDS);
		while (without ? !found && drops < MOST && now() < end :
				 drops < least || now() < end) {
			found += drop_and_look(w, data + kind * HUGE, size, held[1]);
			drops++;
		}
		if (without)
			set_switch(false);
		printf("%s: %u drops, %u stale\n", name[kind], drops * VCPUS, found);
		wrong |= without ? !found : !!found;
		stop = true;
		for (int i = 0; i < VCPUS; i++) {
			w[i].vcpu.run->immediate_exit = 1;
			pthread_kill(w[i].thread, SIGUSR1);
			pthread_join(w[i].thread, NULL);
		}
		close(held[0]);
		close(held[1]);
	}
	for (int i = 0; i < VCPUS; i++)
		vcpu_close(&vm, &w[i].vcpu);
	vm_close(&vm);
	return wrong;
}
