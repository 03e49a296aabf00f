// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs come and go, one after the other, on CPUs that have other work: each vCPU's thread
 * is preempted in its guest again and again. And signals interrupt the making of VMs at
 * some point: the tables that had been made by then must not stay (init.c looks).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define VMS 150
#define INTERRUPTED 3
#define TRIES 5000
#define CPUS 2
#define MILLISECONDS 40
#define AREA (4UL << 20)
#define STRIDE 16
#define DATA_IPA UINT64_C(0x80000000)
#define END_IPA UINT64_C(0xf0000000)

static void go_to(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static void *other_work(void *cpu)
{
	go_to((long)cpu);
	while (!sched_yield())
		;
	return NULL;
}

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void one(char *data)
{
	double start = milliseconds();
	struct vcpu vcpu;
	struct vm vm;

	vm_open(&vm, vm_writer, (size_t)(vm_writer_end - vm_writer), 0);
	vm_slot(&vm, 1, DATA_IPA, data, AREA, 0);
	vcpu_open(&vm, &vcpu, 0, 0);
	vcpu_reg(&vcpu, 0, DATA_IPA);
	vcpu_reg(&vcpu, 1, DATA_IPA + AREA);
	vcpu_reg(&vcpu, 2, STRIDE);
	vcpu_reg(&vcpu, 3, END_IPA);
	vcpu_reg(&vcpu, 4, 1);
	do {
		if (vcpu_run(&vcpu) != END_IPA)
			die("the guest has not come to its end");
	} while (milliseconds() - start < MILLISECONDS);
	vcpu_close(&vm, &vcpu);
	vm_close(&vm);
}

static void nothing(int sig)
{
	(void)sig;
}

/* The moment at which a signal ends the call is short: the timer tries them all. */
static void interrupt(void)
{
	int kvm = open("/dev/kvm", O_RDWR), vm, n = 0, i;

	if (kvm < 0 || signal(SIGALRM, nothing) == SIG_ERR)
		die("/dev/kvm");
	for (i = 0; n < INTERRUPTED && i < TRIES; i++) {
		struct itimerval after = { .it_value.tv_usec = 10 * (1 + i % 300) };
		struct itimerval never = { 0 };

		setitimer(ITIMER_REAL, &after, NULL);
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
		if (vm < 0 && errno != EINTR)
			die("create VM");
		n += vm < 0;
		setitimer(ITIMER_REAL, &never, NULL);
		if (vm >= 0)
			close(vm);
	}
	close(kvm);
	printf("%d of %d VMs not made for a signal\n", n, i);
	if (!n)
		die("no VM was interrupted");
}

int main(void)
{
	char *data = vm_memory(AREA, MADV_NOHUGEPAGE, 0);
	pthread_t thread;

	interrupt();
	for (long i = 0; i < 2 * CPUS; i++)
		if (pthread_create(&thread, NULL, other_work, (void *)(i % CPUS)))
			die("pthread_create");
	for (long i = 0; i < VMS; i++) {
		go_to(i % CPUS);
		one(data);
	}
	printf("%d VMs\n", VMS);
	return 0;
}
