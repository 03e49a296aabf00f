// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first program of the guest that guest.c boots. It reports that it is up, uses some
 * memory, gives it back, and switches off. It writes to the log of the kernel, whose
 * early console needs no interrupt. If there is /programs/guest, it boots a guest by
 * that.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(int log, const char *text)
{
	if (write(log, text, strlen(text)) < 0)
		exit(1);
}

/* With what it prints in the log, and so on the console of this guest. */
static int run_guest(int log)
{
	int status = -1;
	pid_t pid;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	pid = fork();
	if (!pid) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		execl("/programs/guest", "guest", "/Image", "/programs/inner.dtb",
		      "/programs/guest.cpio", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

int main(void)
{
	/* The kernel passes what it does not know. */
	const char *mib = getenv("mib");
	const unsigned long size = (mib ? strtoul(mib, NULL, 10) : 100) << 20;
	unsigned long bad = 0;
	char text[80];
	int log;

	mkdir("/dev", 0755);
	mknod("/dev/kmsg", S_IFCHR | 0600, makedev(1, 11));
	log = open("/dev/kmsg", O_WRONLY);
	if (!access("/programs/guest", X_OK)) {
		say(log,
		    run_guest(log) ? "guest has failed\n" : "guest has run a guest\n");
		reboot(RB_POWER_OFF);
	}
	for (int round = 0; round < 2; round++) {
		unsigned long *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (unsigned long i = 0; i < size / 8; i += 512)
			p[i] = i + (unsigned long)round;
		for (unsigned long i = 0; i < size / 8; i += 512)
			bad += p[i] != i + (unsigned long)round;
		munmap(p, size);
	}
	snprintf(text, sizeof(text),
		 bad ? "<0>guest has lost %ld pages\n" : "<0>guest is up, %ld CPUs\n",
		 bad ? (long)bad : sysconf(_SC_NPROCESSORS_ONLN));
	say(log, text);
	reboot(RB_POWER_OFF);
	return 0;
}
