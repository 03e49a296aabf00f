// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only program of the guest that guest.c boots. It reports that it is up, uses some
 * memory, gives it back, and switches off. It writes to the log of the kernel, whose
 * early console needs no interrupt.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SIZE (100UL << 20)

int main(void)
{
	unsigned long bad = 0;
	char text[80];
	int log;

	mkdir("/dev", 0755);
	mknod("/dev/kmsg", S_IFCHR | 0600, makedev(1, 11));
	log = open("/dev/kmsg", O_WRONLY);
	for (int round = 0; round < 2; round++) {
		unsigned long *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (unsigned long i = 0; i < SIZE / 8; i += 512)
			p[i] = i + (unsigned long)round;
		for (unsigned long i = 0; i < SIZE / 8; i += 512)
			bad += p[i] != i + (unsigned long)round;
		munmap(p, SIZE);
	}
	snprintf(text, sizeof(text),
		 bad ? "guest has lost %ld pages\n" : "guest is up, %ld CPUs\n",
		 bad ? (long)bad : sysconf(_SC_NPROCESSORS_ONLN));
	if (write(log, text, strlen(text)) < 0)
		return 1;
	reboot(RB_POWER_OFF);
	return 0;
}
