/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reproducible random numbers: splitmix64. */
#ifndef STAGE2_BENCH_RND_H
#define STAGE2_BENCH_RND_H

#include <stdint.h>

static inline uint64_t rnd_below(uint64_t *state, uint64_t n)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

#endif /* STAGE2_BENCH_RND_H */
