/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The geometry that the engine chooses, read back by the decoder, which shares nothing
 * with the engine: registers for every legal size, descriptors for every layout.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/granule.h"
#include "common/lab.h"
#include "common/tlbi.h"
#include "decode/decode.h"

static const unsigned pa_sizes[] = { 32, 36, 40, 42, 44, 48, 52 };
#define PA_SIZES (sizeof(pa_sizes) / sizeof(pa_sizes[0]))

static struct lab_vm_config config(unsigned page_shift, bool lpa2, unsigned pa_bits,
				   unsigned ipa_bits)
{
	return (struct lab_vm_config){
		.page_shift = page_shift,
		.features = S2_FEAT_VMID16 | (lpa2 ? S2_FEAT_LPA2 : 0),
		.pa_bits = pa_bits,
		.ipa_bits = ipa_bits,
		.vmid = 300,
		.table_pages = 48,
	};
}

static void registers_read_back(const struct lab_vm *vm)
{
	const struct s2 *s2 = &vm->s2;
	struct decoded d = { .value = s2_vtcr(s2) };
	const struct decode_config c = { .has_vtcr = true, .vtcr = d.value };
	char want[DECODE_TEXT], root[64];

	snprintf(root, sizeof(root),
		 s2->root_pages > 1 ? "%u concatenated tables" : "1 table",
		 s2->root_pages);
	decode_vtcr(&d);
	snprintf(want, sizeof(want),
		 "IPA %u bits, %u KiB granule%s, start level %d, root of %s",
		 s2->ipa_bits, 1u << (vm->page_shift - 10),
		 s2->features & S2_FEAT_LPA2 ? " with DS" : "", s2->start_level, root);
	assert_string_equal(d.summary, want);
	if (d.problems)
		fail_msg("%s: %s", want, d.problem[0]);

	d = (struct decoded){ .value = vm->port.vttbr };
	decode_vttbr(&d, &c);
	snprintf(want, sizeof(want),
		 "VMID 300, root at PA 0x%" PRIx64 ": %s of %u KiB at level %d",
		 lab_vm_root(vm), root, 1u << (vm->page_shift - 10), s2->start_level);
	assert_string_equal(d.summary, want);
	if (d.problems)
		fail_msg("%s: %s", want, d.problem[0]);
}

/* Every size of every granule is usable, or refused for the right reason. */
static void every_size(void **state)
{
	unsigned made = 0;

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		unsigned page_shift = 12 + kind / 2 * 2;
		bool lpa2 = kind % 2;

		for (unsigned i = 0; i < PA_SIZES; i++) {
			unsigned pa = pa_sizes[i];
			bool wide = lab_wide(page_shift, pa, lpa2 ? S2_FEAT_LPA2 : 0);

			for (unsigned ipa = 30; ipa <= 53; ipa++) {
				struct lab_vm_config cfg =
					config(page_shift, lpa2, pa, ipa);
				struct lab_vm vm;
				int want = 0, err;

				if (lpa2 && page_shift == 16)
					want = S2_E_CONFIG;
				else if (pa > 48 && !wide)
					want = S2_E_PA_BITS;
				else if (ipa < 32 || ipa > pa || ipa > (wide ? 52 : 48))
					want = S2_E_IPA_BITS;
				err = lab_vm_init(&vm, &cfg);
				if (err != want)
					fail_msg("%u KiB, lpa2 %d, PA %u, IPA %u: %s",
						 1u << (page_shift - 10), lpa2, pa, ipa,
						 s2_strerror(err));
				if (err)
					continue;
				registers_read_back(&vm);
				assert_int_equal(s2m_violations(vm.m), 0);
				lab_vm_free(&vm);
				made++;
			}
		}
	}
	assert_int_equal(made, 5 * (1 + 5 + 9 + 11 + 13 + 17) + 3 * 21);
}

/* A leaf of @level: the decoder reads from its descriptor what was mapped. */
static void leaf_reads_back(struct lab_vm *vm, const struct lab_vm_config *cfg, int level,
			    uint64_t pa)
{
	static const char *const names[] = { "Normal write-back", "Device-nGnRE" };
	static const s2_attr_t attrs[] = { S2_R | S2_W | S2_X,
					   S2_R | S2_W | S2_MEM_DEV_nGnRE };
	const uint64_t size = level_size(cfg->page_shift, level);
	const uint64_t ipa = (UINT64_C(1) << cfg->ipa_bits) - size;

	for (unsigned i = 0; i < 2; i++) {
		struct decode_config c = {
			.page_shift = cfg->page_shift,
			.features = vm->wide ? S2_FEAT_LPA2 : 0,
		};
		struct decoded d = { 0 };
		struct s2_mapping m;
		char want[DECODE_TEXT];

		assert_int_equal(s2_map(&vm->s2, s2_ipa(ipa), s2_pa(pa), size, attrs[i],
					S2_MAP_REPLACE | S2_NO_CLEAN, NULL),
				 0);
		assert_int_equal(s2_lookup(&vm->s2, s2_ipa(ipa), &m), 0);
		assert_int_equal(m.level, level);
		assert_int_equal(m.pa.pa, pa);
		d.value = m.desc;
		c.level = level;
		decode_desc(&d, &c);
		snprintf(want, sizeof(want), " at 0x%" PRIx64 ", read and write,", pa);
		if (!strstr(d.summary, want) || !strstr(d.summary, names[i]) ||
		    d.problems)
			fail_msg("0x%" PRIx64 " at level %d is no %s%s: %s; %s", m.desc,
				 level, names[i], want, d.summary,
				 d.problems ? d.problem[0] : "");
	}
	assert_int_equal(s2_unmap(&vm->s2, s2_ipa(ipa), size, S2_NO_CLEAN, NULL), 0);
}

static void every_layout(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		unsigned page_shift = 12 + kind / 2 * 2;
		bool wide = kind % 2;
		struct lab_vm_config cfg = config(page_shift, wide && page_shift < 16,
						  wide ? 52 : 48, wide ? 52 : 48);
		int first = (page_shift == 12 ? 1 : 2) - wide;
		struct lab_vm vm;

		assert_int_equal(lab_vm_init(&vm, &cfg), 0);
		vm.port.no_clean = 1;
		for (int level = first; level <= 3; level++) {
			unsigned shift = level_shift(page_shift, level);

			/* Each bit of an output address alone, and all of them. */
			for (unsigned n = shift; n < cfg.pa_bits - 1; n++)
				leaf_reads_back(&vm, &cfg, level, UINT64_C(1) << n);
			leaf_reads_back(&vm, &cfg, level,
					(UINT64_C(1) << (cfg.pa_bits - 1)) -
						(UINT64_C(1) << shift));
		}
		if (s2m_violations(vm.m))
			fail_msg("%s", s2m_violation(vm.m, 0)->detail);
		assert_int_equal(lab_vm_destroy(&vm, S2_NO_CLEAN), 0);
		assert_int_equal(s2m_tables_in_use(vm.m), 0);
		lab_vm_free(&vm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size),
		cmocka_unit_test(every_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
