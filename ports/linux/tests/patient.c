// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into KVM's selftests.
 *
 * In place of alarm(): memslot_perf_test gives each of its steps ten seconds. This is much
 * on hardware, and little in an emulator on a busy host, with a kernel that checks each
 * access. The list has its own limit for a test.
 *
 * Beside them: one that ends by SIGSEGV says where, because such an end may be of memory
 * that has got the wrong owner, and may not come again.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(60 * seconds);
}

/* Once: the instruction runs again, and ends the program. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	const mcontext_t *regs = &((const ucontext_t *)context)->uc_mcontext;

	fprintf(stderr, "signal %d: address %p, code %d, pc 0x%llx, lr 0x%llx\n", sig,
		info->si_addr, info->si_code, regs->pc, regs->regs[30]);
}

__attribute__((__constructor__)) static void watch(void)
{
	struct sigaction act = {
		.sa_sigaction = on_fault,
		.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND),
	};

	sigaction(SIGSEGV, &act, NULL);
}
