// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cases that make kvm-bench measures: bench large-MiB SET. A vCPU touches guest
 * memory, which maps it. Then the memory is taken away, or its dirty pages are logged, or
 * it is touched again. QEMU counts (count.c); two instructions without effect tell it
 * where to begin and to end. Each line on the console, "##PHASE kind bytes mapped-entries
 * way", belongs to one line of counts.
 *
 * SET: one: everything that one vCPU or the host does; two: what two vCPUs do at once, on
 * a CPU each; log: rounds of dirty logging.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define DATA_IPA UINT64_C(0x80000000)
#define MIB (UINT64_C(1) << 20)
#define HUGE (2 * MIB)
#define SMALL (16 * MIB)

/* Touches every x2 bytes from x0 to x1, then stores at x3, where there is no slot. */
extern const char guest_start[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_end\n"
	"guest_start:\n"
	"1:	str	x0, [x0]\n"
	"	add	x0, x0, x2\n"
	"	cmp	x0, x1\n"
	"	b.lo	1b\n"
	"	str	x0, [x3]\n"
	"	b	1b\n"
	"guest_end:\n"
	".popsection\n");

/*
 * DONTNEED, SLOT, CLOSE: how the memory is taken away. LOG: logging begins, which
 * write-protects. SPLIT: the same, and blocks become pages at once. COLLAPSE: logging has
 * ended, and the faults of the vCPU make blocks of pages again. FAULT: the first access.
 * WRITE: the first write to each page while dirty pages are logged, of blocks too. AGE:
 * the host asks which pages have been used, and forgets it. OLD: it asks again. YOUNG:
 * the first access after that. ROUND: the guest writes to all pages while they are
 * logged, not for the first time, and the host fetches the log. SPLIT_ROUND: the same,
 * with blocks split when logging began.
 */
enum way {
	DONTNEED,
	SLOT,
	CLOSE,
	LOG,
	SPLIT,
	COLLAPSE,
	FAULT,
	WRITE,
	AGE,
	OLD,
	YOUNG,
	ROUND,
	SPLIT_ROUND
};
static const char *const way_name[] = { "dontneed", "slot",  "close",	   "log", "split",
					"collapse", "fault", "write",	   "age", "old",
					"young",    "round", "split-round" };

/* What a vCPU, or the host beside it, does on a CPU. */
struct worker {
	struct vcpu vcpu;
	pthread_t thread;
	unsigned id;
	char *data; /* of the host, to be made idle; NULL: the guest touches it */
	uint64_t size, first, stride;
};

static pthread_barrier_t together;

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(w->id, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("affinity");
	pthread_barrier_wait(&together);
	if (w->data) {
		make_idle(w->data, w->first, w->size, w->stride);
		return NULL;
	}
	vcpu_reg(&w->vcpu, 0, DATA_IPA + w->first);
	vcpu_reg(&w->vcpu, 1, DATA_IPA + w->size);
	vcpu_reg(&w->vcpu, 2, w->stride);
	vcpu_reg(&w->vcpu, 3, DATA_IPA + w->size);
	if (vcpu_run(&w->vcpu) != DATA_IPA + w->size)
		die("the vCPU was interrupted");
	return NULL;
}

/*
 * A page in every stride bytes: by one or by two workers, each of which takes every other
 * one or, with @same, all of them.
 */
static void share(struct worker *w, unsigned n, char *data, uint64_t size,
		  uint64_t stride, bool same)
{
	pthread_barrier_init(&together, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		w[i].id = i;
		w[i].data = data;
		w[i].size = size;
		w[i].first = same ? 0 : i * stride;
		w[i].stride = same ? stride : n * stride;
		if (i && pthread_create(&w[i].thread, NULL, work, &w[i]))
			die("thread");
	}
	work(&w[0]);
	if (n > 1)
		pthread_join(w[1].thread, NULL);
	pthread_barrier_destroy(&together);
}

static void fetch(const struct vm *vm, uint64_t size)
{
	struct kvm_dirty_log log = { .slot = 1 };

	log.dirty_bitmap = calloc(size / 4096 / 64, 8);
	if (!log.dirty_bitmap || ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
	free(log.dirty_bitmap);
}

/*
 * One case. block: backed by huge pages. stride: one page in so many bytes is touched,
 * by n vCPUs.
 */
static void measure_by(const char *kind, bool block, uint64_t size, uint64_t stride,
		       enum way way, unsigned n, bool same)
{
	struct worker w[2] = { 0 };
	struct vm vm;
	char *data;

	data = vm_memory(size, block ? MADV_HUGEPAGE : MADV_NOHUGEPAGE, MAP_NORESERVE);
	for (uint64_t i = 0; i < size; i += stride)
		data[i] = 1;
	vm_open(&vm, guest_start, (size_t)(guest_end - guest_start),
		way == SPLIT || way == COLLAPSE || way == SPLIT_ROUND ? HUGE : 0);
	vm_slot(&vm, 1, DATA_IPA, data, size, 0);
	for (unsigned i = 0; i < n; i++)
		vcpu_open(&vm, &w[i].vcpu, i, 0);
	if (way != FAULT)
		share(w, 1, NULL, size, stride, false);
	if (way == COLLAPSE || way == WRITE || way == ROUND || way == SPLIT_ROUND)
		vm_slot(&vm, 1, DATA_IPA, data, size, KVM_MEM_LOG_DIRTY_PAGES);
	if (way == COLLAPSE)
		vm_slot(&vm, 1, DATA_IPA, data, size, 0);
	if (way == OLD || way == YOUNG)
		make_idle(data, 0, size, stride);
	/* Blocks become pages. */
	if (way == WRITE)
		stride = 4096;
	if (way == ROUND || way == SPLIT_ROUND) {
		stride = 4096;
		for (int i = 0; i < 2; i++) {
			share(w, 1, NULL, size, stride, false);
			fetch(&vm, size);
		}
	}

	/* The freed tables of the previous case are not to be counted here. */
	usleep(300000);
	__asm__ volatile("hint #120" ::: "memory");
	if (way == DONTNEED && madvise(data, size, MADV_DONTNEED))
		die("DONTNEED");
	if (way == SLOT)
		vm_slot(&vm, 1, DATA_IPA, data, 0, 0);
	if (way == CLOSE)
		vcpu_close(&vm, &w[0].vcpu), vm_close(&vm);
	if (way == LOG || way == SPLIT)
		vm_slot(&vm, 1, DATA_IPA, data, size, KVM_MEM_LOG_DIRTY_PAGES);
	if (way == COLLAPSE || way == FAULT || way == WRITE || way >= YOUNG)
		share(w, n, NULL, size, stride, same);
	if (way == AGE || way == OLD)
		share(w, n, data, size, stride, same);
	if (way == ROUND || way == SPLIT_ROUND)
		fetch(&vm, size);
	usleep(500000);
	__asm__ volatile("hint #121" ::: "memory");
	printf("##PHASE %s%s%s %llu %llu %s\n", kind, n > 1 ? "-two" : "",
	       same ? "-same" : "", (unsigned long long)size,
	       (unsigned long long)(size / stride), way_name[way]);
	fflush(stdout);
	if (way != CLOSE) {
		for (unsigned i = 0; i < n; i++)
			vcpu_close(&vm, &w[i].vcpu);
		vm_close(&vm);
	}
	munmap(data, size);
}

static void measure(const char *kind, bool block, uint64_t size, uint64_t stride,
		    enum way way)
{
	measure_by(kind, block, size, stride, way, 1, false);
}

static void two(const char *kind, bool block, uint64_t size, uint64_t stride,
		enum way way)
{
	measure_by(kind, block, size, stride, way, 2, false);
}

int main(int argc, char **argv)
{
	uint64_t large = argc > 1 ? strtoull(argv[1], NULL, 0) * MIB : 1024 * MIB;
	const char *set = argc > 2 ? argv[2] : "one";

	if (!strcmp(set, "log")) {
		measure("4k", false, large / 4, 4096, ROUND);
		measure("2m", true, large / 4, HUGE, ROUND);
		measure("2m", true, large / 4, HUGE, SPLIT_ROUND);
		return 0;
	}
	if (!strcmp(set, "two")) {
		two("4k", false, SMALL, 4096, FAULT);
		measure_by("4k", false, SMALL, 4096, FAULT, 2, true);
		two("2m", true, 64 * MIB, HUGE, FAULT);
		two("4k", false, SMALL, 4096, WRITE);
		measure_by("4k", false, SMALL, 4096, WRITE, 2, true);
		two("2m", true, large / 4, HUGE, WRITE);
		two("2m", true, large / 4, HUGE, COLLAPSE);
		two("4k", false, SMALL, 4096, AGE);
		two("4k", false, SMALL, 4096, OLD);
		two("4k", false, SMALL, 4096, YOUNG);
		return 0;
	}
	measure("4k", false, 64 * MIB, 4096, DONTNEED);
	measure("4k", false, large, 4096, DONTNEED);
	measure("4k", false, large / 4, 4096, SLOT);
	measure("4k", false, large / 4, 4096, CLOSE);
	measure("2m", true, large, HUGE, DONTNEED);
	measure("2m", true, 2 * large, HUGE, SLOT);
	measure("2m", true, large, HUGE, CLOSE);
	measure("sparse", false, large, 16 * 4096, DONTNEED);
	measure("sparse", false, 2 * large, HUGE, DONTNEED);
	measure("sparse", false, 2 * large, HUGE, CLOSE);
	measure("4k", false, large / 4, 4096, LOG);
	measure("2m", true, large / 4, HUGE, SPLIT);
	measure("2m", true, large / 4, HUGE, COLLAPSE);
	measure("4k", false, SMALL, 4096, FAULT);
	measure("2m", true, 64 * MIB, HUGE, FAULT);
	/* Each needs a table of its own. */
	measure("sparse", false, 64 * MIB, HUGE, FAULT);
	measure("4k", false, SMALL, 4096, WRITE);
	measure("2m", true, large / 4, HUGE, WRITE);
	measure("4k", false, SMALL, 4096, AGE);
	measure("4k", false, SMALL, 4096, OLD);
	measure("4k", false, SMALL, 4096, YOUNG);
	return 0;
}
