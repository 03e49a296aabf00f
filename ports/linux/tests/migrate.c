// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live migration, as a VMM does it. Two vCPUs write pseudo-randomly to the memory of a
 * VM. The host begins to log dirty pages, copies all of the memory into a second VM, and
 * in each round what the log has. In the last round the vCPUs stand. Then both memories
 * must be the same, and the second VM goes on. At its end its memory must be what the
 * writes of the vCPUs since their start make, as a loop in this program does them.
 *
 * This is done with pages, transparent and reserved huge pages, with blocks split when
 * logging begins and without, by KVM_GET_DIRTY_LOG alone and with KVM_CLEAR_DIRTY_LOG.
 * The first migration of each is cancelled. Beside the second one the host takes memory
 * out of the VM that stays the same (mprotect), ages it, and gives memory away.
 *
 * With the vCPUs standing before and after, exactly the pages whose content has changed
 * must be in the log. Where hardware logs, the cancelled migration must have no fault.
 * (Blocks that are not split when logging begins have one each, in the first round.)
 *
 * --without-harvest: an unmap does not collect what hardware has logged (a kernel for
 * tests). Then a page must be lost. Exit 0: as expected.
 */
#define _GNU_SOURCE
#include <fcntl.h>
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

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define PAGES 512UL /* that the vCPUs write to */
#define MORE 512UL  /* that the host gives away */
#define ALL (PAGES + MORE)
#define SIZE (ALL * PAGE)
#define VCPUS 2UL
#define ROUNDS 3
#define STEPS 512UL /* between two reports of a vCPU */
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)
#define TRACING "/sys/kernel/tracing/"
#define SWITCH "/sys/kernel/debug/stage2/no_harvest"

/*
 * x0: base, x1: pages of this vCPU - 1, x2: seed, x3: where to report, x4: steps between
 * two reports, x5: steps so far. A step writes its number to a word of a page of its own:
 * every other one. The second part writes once to each page from x0 to x1.
 */
extern const char guest_start[], guest_fill[], guest_end[];
__asm__(".pushsection .rodata\n"
	".globl	guest_start, guest_fill, guest_end\n"
	"guest_start:\n"
	"1:	mov	x6, x4\n"
	"2:	eor	x2, x2, x2, lsl #13\n"
	"	eor	x2, x2, x2, lsr #7\n"
	"	eor	x2, x2, x2, lsl #17\n"
	"	and	x7, x1, x2, lsr #20\n"
	"	add	x7, x0, x7, lsl #13\n"
	"	ubfx	x8, x2, #50, #9\n"
	"	add	x5, x5, #1\n"
	"	str	x5, [x7, x8, lsl #3]\n"
	"	subs	x6, x6, #1\n"
	"	b.ne	2b\n"
	"	str	x5, [x3]\n"
	"	b	1b\n"
	"guest_fill:\n"
	"	str	x0, [x0]\n"
	"	add	x0, x0, #4096\n"
	"	cmp	x0, x1\n"
	"	b.lo	guest_fill\n"
	"	str	x0, [x3]\n"
	"guest_end:\n"
	".popsection\n");

struct side {
	struct vm vm;
	struct vcpu vcpus[VCPUS];
	char *data;
};

static struct side source, target;
static pthread_t threads[VCPUS];
static atomic_bool stop, disturb;
static atomic_ulong reports[VCPUS];
static uint64_t bits[ALL / 64], seed, given;
static char before[SIZE];
static bool manual, hardware;

static uint64_t next_random(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static uint64_t random_below(uint64_t n)
{
	static _Thread_local uint64_t x;

	x = next_random(x ? x : seed);
	return (x >> 20) % n;
}

/* ---- what the kernel counts ------------------------------------------------- */

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static const char *const counted[] = { "map", "relax_perms" };

/* Those of an earlier run may be there. */
static void probes(bool on)
{
	char line[128];

	for (int i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), TRACING "events/migrate/of_%s/enable",
			 counted[i]);
		put(line, "0");
		snprintf(line, sizeof(line), "-:migrate/of_%s\n", counted[i]);
		put(TRACING "kprobe_events", line);
		if (!on)
			continue;
		snprintf(line, sizeof(line), "p:migrate/of_%s kvm_pgtable_stage2_%s\n",
			 counted[i], counted[i]);
		if (!put(TRACING "kprobe_events", line))
			die(line);
		snprintf(line, sizeof(line), TRACING "events/migrate/of_%s/enable",
			 counted[i]);
		if (!put(line, "1"))
			die(line);
	}
}

/* Faults of all vCPUs since the probes were made. */
static unsigned long faults(void)
{
	FILE *f = fopen(TRACING "kprobe_profile", "r");
	unsigned long n, sum = 0;
	char name[64];

	while (f && fscanf(f, "%63s %lu %*u", name, &n) == 2)
		if (!strncmp(name, "of_", 3))
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

/* ---- the two VMs ------------------------------------------------------------ */

static void open_side(struct side *s, uint64_t chunk)
{
	vm_open(&s->vm, guest_start, (size_t)(guest_end - guest_start), chunk);
	if (manual) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
				  KVM_DIRTY_LOG_INITIALLY_SET },
		};

		if (ioctl(s->vm.fd, KVM_ENABLE_CAP, &cap))
			die("manual protect");
	}
	vm_slot(&s->vm, 1, DATA_IPA, s->data, SIZE, 0);
	for (unsigned i = 0; i < VCPUS; i++)
		vcpu_open(&s->vm, &s->vcpus[i], i, 0);
}

static void close_side(struct side *s)
{
	for (unsigned i = 0; i < VCPUS; i++)
		vcpu_close(&s->vm, &s->vcpus[i]);
	vm_close(&s->vm);
	munmap(s->data, SIZE);
}

static uint64_t seed_of(unsigned i)
{
	return seed * (i + 3) | 1;
}

static struct side *running;

static void *run(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	while (!stop) {
		if (vcpu_run(&running->vcpus[i]) != END_IPA)
			die("the guest does not report");
		reports[i]++;
	}
	return NULL;
}

static void start(struct side *s)
{
	stop = false;
	running = s;
	for (uintptr_t i = 0; i < VCPUS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)i))
			die("thread");
}

/* Completes the store that a vCPU has left at. */
static void settle(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	if (vcpu_run(vcpu))
		die("the vCPU runs");
	vcpu->run->immediate_exit = 0;
}

/* The pages that the host will give away. */
static void fill(struct vcpu *vcpu)
{
	vcpu_reg(vcpu, 0, DATA_IPA + PAGES * PAGE);
	vcpu_reg(vcpu, 1, DATA_IPA + SIZE);
	vcpu_reg(vcpu, 3, END_IPA);
	vcpu_reg(vcpu, VM_REG_PC, VM_CODE_IPA + (uint64_t)(guest_fill - guest_start));
	if (vcpu_run(vcpu) != END_IPA)
		die("the guest does not fill");
	settle(vcpu);
	vcpu_reg(vcpu, VM_REG_PC, VM_CODE_IPA);
}

static void stand(void)
{
	stop = true;
	for (unsigned i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
}

/* Until each vCPU has reported n times. */
static void let(unsigned long n)
{
	for (unsigned i = 0; i < VCPUS; i++)
		for (unsigned long from = reports[i]; reports[i] < from + n;)
			usleep(200);
}

/* ---- beside it -------------------------------------------------------------- */

/* A notifier takes these pages out of the VM; their content and permission stay. */
static void take(uint64_t from, uint64_t n)
{
	char *at = source.data + from * PAGE;

	if (mprotect(at, n * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    mprotect(at, n * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

/* Once between two reports of the first vCPU at most. */
static void *disturber(void *arg)
{
	uint64_t unit = arg ? HUGE / PAGE : 1;

	for (unsigned long seen = reports[0]; disturb;) {
		uint64_t n = arg ? unit : 1 + random_below(32);
		uint64_t from = random_below((PAGES - n) / unit + 1) * unit;

		if (seen == reports[0]) {
			usleep(1000);
			continue;
		}
		seen = reports[0];
		if (random_below(2))
			take(from, n);
		else
			make_idle(source.data, from * PAGE, (from + n) * PAGE,
				  unit * PAGE);
	}
	return NULL;
}

/* ---- a migration ------------------------------------------------------------ */

static void get_log(void)
{
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	struct kvm_clear_dirty_log clear = { .slot = 1,
					     .num_pages = ALL,
					     .dirty_bitmap = bits };

	if (ioctl(source.vm.fd, KVM_GET_DIRTY_LOG, &log))
		die("dirty log");
	if (manual && ioctl(source.vm.fd, KVM_CLEAR_DIRTY_LOG, &clear))
		die("clear dirty log");
}

static bool is_logged(unsigned long page)
{
	return bits[page / 64] >> page % 64 & 1;
}

static unsigned long copy_logged(void)
{
	unsigned long n = 0;

	get_log();
	for (unsigned long i = 0; i < ALL; i++)
		if (is_logged(i)) {
			memcpy(target.data + i * PAGE, source.data + i * PAGE, PAGE);
			n++;
		}
	return n;
}

static void fail(const char *what, unsigned long page)
{
	fprintf(stderr, "%s: page %lu\n", what, page);
	exit(1);
}

/* The vCPUs stand before and after. */
static void exactly(void)
{
	stand();
	copy_logged();
	memcpy(before, source.data, SIZE);
	start(&source);
	let(1);
	stand();
	get_log();
	for (unsigned long i = 0; i < ALL; i++) {
		bool changed = memcmp(before + i * PAGE, source.data + i * PAGE, PAGE);

		if (changed != is_logged(i))
			fail(changed ? "not in the log" : "in the log, not written", i);
		if (changed)
			memcpy(target.data + i * PAGE, source.data + i * PAGE, PAGE);
	}
	start(&source);
}

/* Logging is on, and all has been copied once. */
static void first_copy(void)
{
	vm_slot(&source.vm, 1, DATA_IPA, source.data, SIZE, KVM_MEM_LOG_DIRTY_PAGES);
	/* Where nothing is write-protected before, the log says that all is dirty. */
	if (manual)
		get_log();
	memcpy(target.data, source.data, SIZE);
}

static unsigned long hash(const char *data)
{
	uint64_t h = 14695981039346656037u;

	for (unsigned long i = 0; i < SIZE / 8; i++)
		h = (h ^ ((const uint64_t *)data)[i]) * 1099511628211u;
	return h;
}

/* A migration that is cancelled, with nothing beside it. @blocks: there are some. */
static void cancelled(bool blocks, bool eager)
{
	unsigned long first, later, from = faults(), pages = 0;

	first_copy();
	/* Before all blocks are split there may be faults; those under way end here. */
	if (eager) {
		stand();
		from = faults();
		start(&source);
	}
	let(4);
	pages += copy_logged();
	first = faults() - from;
	for (int i = 1; i < ROUNDS; i++) {
		let(4);
		pages += copy_logged();
	}
	later = faults() - from - first;
	vm_slot(&source.vm, 1, DATA_IPA, source.data, SIZE, 0);
	printf("  %lu pages copied, %lu faults in the first round, %lu later\n", pages,
	       first, later);
	/* While one vCPU splits a block, the other one may fault on it many times. */
	if (hardware && (later || (first && (eager || !blocks)))) {
		fprintf(stderr, "there should be none\n");
		exit(1);
	}
	let(4);
}

static bool completed(bool hugetlb)
{
	unsigned long from = faults(), pages = 0;
	pthread_t other;
	bool same;

	first_copy();
	disturb = true;
	if (pthread_create(&other, NULL, disturber, hugetlb ? &other : NULL))
		die("thread");
	for (int i = 0; i < ROUNDS; i++) {
		let(4);
		pages += copy_logged();
		if (i != ROUNDS / 2)
			continue;
		/* What the host gives away, the VMM knows itself. */
		given = hugetlb ? MORE : 1 + random_below(MORE);
		if (madvise(source.data + PAGES * PAGE, given * PAGE, MADV_DONTNEED) ||
		    madvise(target.data + PAGES * PAGE, given * PAGE, MADV_DONTNEED))
			die("DONTNEED");
	}
	disturb = false;
	pthread_join(other, NULL);
	exactly();
	let(2);
	/* All pages go; what was written to them before is in the log. */
	take(0, PAGES);
	stand();
	pages += copy_logged();
	same = hash(source.data) == hash(target.data);
	printf("  %lu pages copied, %lu faults, %s\n", pages, faults() - from,
	       same ? "the same" : "DIFFERENT");
	for (unsigned long i = 0; i < ALL && !same; i++)
		if (memcmp(source.data + i * PAGE, target.data + i * PAGE, PAGE)) {
			printf("  page %lu is the first that differs\n", i);
			break;
		}
	return same;
}

/* The second VM runs on from where the first one stands. */
static void go_on(void)
{
	static uint64_t model[SIZE / 8];

	for (unsigned i = 0; i < VCPUS; i++) {
		settle(&source.vcpus[i]);
		for (unsigned n = 0; n <= VM_REG_PSTATE; n++)
			vcpu_reg(&target.vcpus[i], n, vcpu_read(&source.vcpus[i], n));
	}
	start(&target);
	let(8);
	stand();
	memset(model, 0, sizeof(model));
	for (uint64_t i = PAGES + given; i < ALL; i++)
		model[i * PAGE / 8] = DATA_IPA + i * PAGE;
	for (unsigned i = 0; i < VCPUS; i++) {
		uint64_t x = seed_of(i), last = vcpu_read(&target.vcpus[i], 5);

		for (uint64_t step = 1; step <= last; step++) {
			x = next_random(x);
			model[((x >> 20 & (PAGES / VCPUS - 1)) * VCPUS + i) * PAGE / 8 +
			      (x >> 50 & 511)] = step;
		}
		printf("  vCPU %u: %llu writes\n", i, (unsigned long long)last);
	}
	for (unsigned long i = 0; i < SIZE / 8; i++)
		if (model[i] != ((uint64_t *)target.data)[i])
			fail("not what the vCPUs have written", i * 8 / PAGE);
}

/* Returns whether both memories were the same. */
static bool migrate(const char *kind, bool huge, int flags, bool eager)
{
	const int advice = huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
	bool same;

	printf("%s%s, %s\n", kind, eager ? ", split at once" : "",
	       manual ? "cleared by hand" : "cleared when read");
	fflush(stdout);
	source.data = vm_memory(SIZE, advice, flags);
	target.data = vm_memory(SIZE, advice, flags);
	memset(source.data, 0, SIZE);
	open_side(&source, eager ? HUGE : 0);
	hardware = by_hardware();
	open_side(&target, 0);
	fill(&source.vcpus[0]);
	for (unsigned i = 0; i < VCPUS; i++) {
		struct vcpu *vcpu = &source.vcpus[i];

		vcpu_reg(vcpu, 0, DATA_IPA + i * PAGE);
		vcpu_reg(vcpu, 1, PAGES / VCPUS - 1);
		vcpu_reg(vcpu, 2, seed_of(i));
		vcpu_reg(vcpu, 3, END_IPA);
		vcpu_reg(vcpu, 4, STEPS);
		vcpu_reg(vcpu, 5, 0);
	}
	start(&source);
	/* So that all pages have been written to. */
	let(PAGES * 16 / STEPS);
	cancelled(huge || flags, eager);
	same = completed(flags);
	if (same)
		go_on();
	close_side(&source);
	close_side(&target);
	return same;
}

static bool all(void)
{
	if (!migrate("pages", false, 0, false) ||
	    !migrate("huge pages", true, 0, false) ||
	    !migrate("huge pages", true, 0, true) ||
	    !migrate("hugetlb pages", false, MAP_HUGETLB, true))
		return false;
	manual = true;
	return migrate("pages", false, 0, false) &&
	       migrate("huge pages", true, 0, true) &&
	       migrate("hugetlb pages", false, MAP_HUGETLB, false);
}

int main(int argc, char **argv)
{
	bool without = argc > 1 && !strcmp(argv[1], "--without-harvest"), same;

	setbuf(stdout, NULL);
	seed = argc > 1 + without ? strtoull(argv[argc - 1], NULL, 0) : 1;
	printf("seed %llu\n", (unsigned long long)seed);
	probes(true);
	if (without && !put(SWITCH, "Y"))
		die(SWITCH);
	same = without ? migrate("pages", false, 0, false) : all();
	if (without)
		put(SWITCH, "N");
	probes(false);
	printf("%s\n", hardware ? "by hardware" : "by faults");
	/* Nothing can be lost where faults log. */
	return without && hardware ? same : !same;
}
