// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into KVM's selftests.
 *
 * In place of alarm(): memslot_perf_test gives each of its steps ten seconds. This is
 * much on hardware, and little in an emulator on a busy host, with a kernel that checks
 * each access. The list has its own limit for a test.
 *
 * Beside them: one that ends by SIGSEGV says where, because such an end may be of memory
 * that has got the wrong owner, and may not come again.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(60 * seconds);
}

static void print(const char *what, unsigned long value)
{
	char text[24] = "";

	for (int i = 17; i > 1; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	text[0] = '0';
	text[1] = 'x';
	text[18] = '\n';
	if (write(2, what, strlen(what)) < 0 || write(2, text, 19) < 0)
		_exit(1);
}

/*
 * Once: the instruction runs again, and ends the program. What stdio needs may be what is
 * broken.
 */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	const mcontext_t *regs = &((const ucontext_t *)context)->uc_mcontext;
	unsigned long thread;

	__asm__("mrs %0, tpidr_el0" : "=r"(thread));
	(void)sig;
	print("SIGSEGV: address ", (unsigned long)info->si_addr);
	print("  pc ", regs->pc);
	print("  lr ", regs->regs[30]);
	print("  sp ", regs->sp);
	print("  tpidr_el0 ", thread);
}

__attribute__((__constructor__)) static void watch(void)
{
	struct sigaction act = {
		.sa_sigaction = on_fault,
		.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND),
	};

	sigaction(SIGSEGV, &act, NULL);
}
