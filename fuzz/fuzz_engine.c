/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entry of the fuzzer into the differential run: its bytes are a sequence of
 * operations (tests/engine/world.h). A fault is an abort. tests/engine/judged shortens
 * the file that libFuzzer then leaves, and prints it as calls.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct world_tally tally;
	struct world w = { .tally = &tally, .thorough = true };

	if (!world_run(&w, bytes, size, NULL, NULL)) {
		fprintf(stderr, "%s\n", w.wrong);
		abort();
	}
	return 0;
}

/*
 * Half of the time whole records are repeated, moved or left out, so that the other
 * records keep their meaning. libFuzzer changes the bytes of one record.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed)
{
	size_t n = size < WORLD_HEADER ? 0 : (size - WORLD_HEADER) / WORLD_RECORD;
	uint8_t *record = bytes + WORLD_HEADER, kept[WORLD_RECORD];
	size_t from, to;

	if (n < 2 || seed & 1)
		return LLVMFuzzerMutate(bytes, size, max);
	size = WORLD_HEADER + n * WORLD_RECORD;
	from = (seed >> 4) % n * WORLD_RECORD;
	to = (seed >> 16) % n * WORLD_RECORD;
	memcpy(kept, record + from, WORLD_RECORD);
	switch (seed >> 1 & 3) {
	case 0:
		memmove(record + from, record + from + WORLD_RECORD,
			(n - 1) * WORLD_RECORD - from);
		return size - WORLD_RECORD;
	case 1:
		memmove(record + from, record + to, WORLD_RECORD);
		memcpy(record + to, kept, WORLD_RECORD);
		return size;
	case 2:
		/* The same place again, with another operation. */
		memcpy(record + to + 2, kept + 2, 5);
		return size;
	default:
		if (size + WORLD_RECORD > max)
			return LLVMFuzzerMutate(bytes, size, max);
		memmove(record + to + WORLD_RECORD, record + to, n * WORLD_RECORD - to);
		memcpy(record + to, kept, WORLD_RECORD);
		return size + WORLD_RECORD;
	}
}
