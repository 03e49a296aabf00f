/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A mistake that has to change the tables without the engine. */
#include "../../ports/el2/el2.h"

/*
 * Stores another output address over a valid page entry, and invalidates afterwards:
 * without break-before-make.
 */
void plant_over_valid(uint64_t ipa, uint64_t pa)
{
	const uint64_t address = 0xfffffffff000ull;
	uint64_t *table = vm.s2.root;
	uint64_t *entry = NULL;

	for (int level = vm.s2.start_level; level <= 3; level++) {
		const unsigned shift = 12 + 9 * (3 - (unsigned)level);
		const uint64_t index = ipa >> shift;

		entry = table + (level == vm.s2.start_level ? index : index & 511);
		if (!(*entry & 1) || (level < 3 && !(*entry & 2)))
			return;
		table = (uint64_t *)(*entry & address);
	}
	__atomic_store_n(entry, (*entry & ~address) | pa, __ATOMIC_RELAXED);
	__asm__ volatile("dsb ishst\n"
			 "tlbi vmalls12e1is\n"
			 "dsb ish\n"
			 "isb" ::
				 : "memory");
}
