// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a Linux guest: fill memory, verify it, again and again: churn MIB. Each page has
 * its number and the round in every word.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

int main(int argc, char **argv)
{
	const size_t size = (argc > 1 ? strtoul(argv[1], NULL, 0) : 32) << 20;

	for (unsigned round = 1;; round++) {
		uint64_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint64_t bad = 0;

		if (memory == MAP_FAILED) {
			perror("##GUEST BAD mmap");
			return 1;
		}
		for (size_t i = 0; i < size / 8; i += 64)
			memory[i] = (uint64_t)round << 32 | i;
		for (size_t i = 0; i < size / 8; i += 64)
			bad += memory[i] != ((uint64_t)round << 32 | i);
		if (bad) {
			printf("##GUEST BAD %llu words in round %u\n",
			       (unsigned long long)bad, round);
			return 1;
		}
		munmap(memory, size);
		printf("##GUEST round %u\n", round);
		fflush(stdout);
		/* Under emulation dom0 wants to run, too. */
		usleep(100000);
	}
}
