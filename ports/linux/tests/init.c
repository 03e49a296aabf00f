// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first and only program of the test machine. It runs the lines of /tests, prints on
 * the console how each ended, and switches the machine off. A line is
 *
 *         name <tab> timeout in seconds <tab> options <tab> path and arguments
 *
 * options: "pages=N" reserves N huge pages for the test, of 2 MiB or of the size that its
 * last argument ends with ("_32mb"), "trace" prints what it has left in /tmp/trace,
 * "hwdirty" lets hardware log dirty pages; other options are for other programs. After
 * each test the memory in stage-2 tables must be what it was at first. Freed tables wait
 * for a grace period, so the check waits some time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages"
#define TRACE "/tmp/trace"
#define HW_DIRTY "/sys/module/kvm_stage2/parameters/hw_dirty_log"

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		printf("## cannot mount %s: %s\n", dir, strerror(errno));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("## cannot write %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* What the VM of hold_vm() has of tables. */
static long held_kb;

/*
 * Makes a VM that stays until the machine ends. The first VM and the end of the last one
 * make KVM patch the scheduler (the static key preempt_notifier_key). While other CPUs
 * run what is patched, QEMU 7.2 sometimes keeps a translation of the old instruction: IC
 * IVAU does nothing there. Threads of vCPUs are then switched without KVM's knowledge. A
 * program ends by SIGSEGV, because it has a guest's TPIDR_EL0. Or a CPU has no vCPU when
 * the guest exits, and takes one exception after the other at EL2. With this VM nothing
 * is patched. Without it the test "churn" fails on 7.3, on the stock kernel, too.
 */
static void hold_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		printf("## no VM that stays: %s\n", strerror(errno));
}

/*
 * What a CPU has counted is added to the sum within some seconds, but not while the CPU
 * is idle: the timer for that is deferrable. So the CPUs are kept busy in turn.
 */
static void settle(void)
{
	cpu_set_t all, one;

	sched_getaffinity(0, sizeof(all), &all);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		double end = now() + 0.02;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!CPU_ISSET(cpu, &all) || sched_setaffinity(0, sizeof(one), &one))
			continue;
		while (now() < end)
			;
	}
	sched_setaffinity(0, sizeof(all), &all);
	usleep(100000);
}

static void reserve(unsigned mib, const char *pages)
{
	char path[sizeof(HUGE_PAGES) + 16];

	snprintf(path, sizeof(path), HUGE_PAGES, mib << 10);
	write_file(path, pages);
}

static void print_trace(const char *name)
{
	char buf[65536];
	FILE *f = fopen(TRACE, "r");
	size_t n;

	printf("##TRACE %s\n", name);
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, stdout);
	printf("##TRACE END\n");
	if (f)
		fclose(f);
	unlink(TRACE);
}

static void exec_test(char *command)
{
	struct rlimit files = { 4096, 4096 };
	char *argv[64], *word;
	sigset_t none;
	int argc = 0;

	setrlimit(RLIMIT_NOFILE, &files);
	for (word = strtok(command, " "); word && argc < 63; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(argv[0], argv);
	printf("## cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/*
 * Returns the wait status of the test; a timeout looks like SIGKILL. It does not poll,
 * because no other program may run while a test is measured (count.c).
 */
static int wait_for(pid_t pid, double timeout, bool *timed_out)
{
	double end = now() + timeout, left = timeout;
	int status = 0;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	*timed_out = false;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct timespec t = { .tv_sec = (time_t)left + 1 };

		if (left > 0) {
			sigtimedwait(&child, NULL, &t);
			left = end - now();
			continue;
		}
		*timed_out = true;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		break;
	}
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

static void run(char *line)
{
	char *name = strtok(line, "\t"), *limit = strtok(NULL, "\t");
	char *options = strtok(NULL, "\t"), *command = strtok(NULL, "\n");
	bool trace = options && strstr(options, "trace");
	bool hw_dirty = options && strstr(options, "hwdirty");
	const char *pages = options ? strstr(options, "pages=") : NULL;
	const char *size = command ? strrchr(command, '_') : NULL;
	unsigned mib = 2;
	double start = now();
	bool timed_out;
	int status;
	long kb = -1;
	pid_t pid;

	if (!command)
		return;
	if (size && sscanf(size, "_%umb", &mib) != 1)
		mib = 2;
	if (pages)
		reserve(mib, pages + 6);
	if (hw_dirty)
		write_file(HW_DIRTY, "Y");
	printf("##BEGIN %s\n", name);
	fflush(stdout);
	pid = fork();
	if (!pid)
		exec_test(command);
	status = wait_for(pid, atof(limit), &timed_out);
	if (trace)
		print_trace(name);
	if (pages)
		reserve(mib, "0");
	if (hw_dirty)
		write_file(HW_DIRTY, "N");
	for (int i = 0; i < 100; i++) {
		settle();
		kb = table_kb() - held_kb;
		if (!kb)
			break;
	}
	printf("\n##END %s %s %d %.1f %ld\n", name,
	       timed_out	   ? "timeout" :
	       WIFSIGNALED(status) ? "signal" :
				     "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	       now() - start, kb);
	fflush(stdout);
}

int main(void)
{
	char line[1024];
	sigset_t child;
	FILE *tests;

	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");
	mount_at("debugfs", "/sys/kernel/debug");
	mount_at("tracefs", "/sys/kernel/tracing");
	mount_at("tmpfs", "/tmp");
	mount_at("tmpfs", "/dev/shm");
	signal(SIGPIPE, SIG_IGN);
	/* Blocked, so that wait_for() can wait for it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	hold_vm();
	for (int i = 0; i < 20; i++)
		settle();
	held_kb = table_kb();
	tests = fopen("/tests", "r");
	while (tests && fgets(line, sizeof(line), tests))
		run(line);
	printf("##DONE\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
