/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "lab.h"

uint32_t lab_machine_features(uint32_t features, uint32_t errata)
{
	static const struct {
		uint32_t engine, machine;
	} map[] = {
		{ S2_FEAT_FWB, S2M_FWB },
		{ S2_FEAT_TLBIRANGE, S2M_TLBIRANGE },
		{ S2_FEAT_TTL, S2M_TTL },
		{ S2_FEAT_HAFDBS, S2M_HAFDBS },
		{ S2_FEAT_XNX, S2M_XNX },
		{ S2_FEAT_BBM1, S2M_BBM1 },
		{ S2_FEAT_ETS2, S2M_ETS2 },
		{ S2_FEAT_LPA2, S2M_LPA2 },
		/* With S2_FEAT_BBM2 the embedder handles TLB conflict aborts. */
		{ S2_FEAT_BBM2, S2M_BBM2 | S2M_CONFLICTS },
	};
	uint32_t out = errata & S2_ERRATUM_REPEAT_TLBI ? S2M_REPEAT_TLBI : 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (features & map[i].engine)
			out |= map[i].machine;
	}
	return out;
}

bool lab_wide(unsigned page_shift, unsigned pa_bits, uint32_t features)
{
	return features & S2_FEAT_LPA2 || (page_shift == 16 && pa_bits == 52);
}

int lab_vm_init(struct lab_vm *vm, const struct lab_vm_config *cfg)
{
	const bool wide = lab_wide(cfg->page_shift, cfg->pa_bits, cfg->features);
	/*
	 * Table pages are in the upper half of the PA space, the guest's memory in the
	 * lower. If the PA size does not exist, s2_init() reports it below.
	 */
	const bool usable = cfg->pa_bits >= 32 && cfg->pa_bits <= (wide ? 52 : 48);
	const uint64_t table_base = usable ? UINT64_C(1) << (cfg->pa_bits - 1) : 0;
	const struct machine_config mc = {
		.features = lab_machine_features(cfg->features, cfg->errata),
		.pes = cfg->vcpus + 1,
		.granule_shift = cfg->page_shift,
		.table_base = table_base,
		.table_pages = cfg->table_pages,
		.max_violations = cfg->max_violations,
	};
	const struct s2_config sc = {
		.ipa_bits = (uint8_t)cfg->ipa_bits,
		.pa_bits = (uint8_t)cfg->pa_bits,
		.granule_shift = (uint8_t)cfg->page_shift,
		.features = cfg->features,
		.errata = cfg->errata,
		.port = &vm->port,
	};
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->vcpus = cfg->vcpus;
	vm->page_shift = cfg->page_shift;
	vm->wide = wide;
	vm->table_base = table_base;
	vm->table_pages = cfg->table_pages;
	vm->m = machine_new(&mc);
	if (!vm->m)
		return S2_E_NOMEM;
	if (cfg->trace)
		trace_out_watch(cfg->trace, vm->m);
	s2m_shuffle(vm->m, cfg->seed);
	vm->port.m = vm->m;
	vm->port.fail_alloc = -1;
	err = s2_init(&vm->s2, &sc);
	if (err) {
		lab_vm_free(vm);
		return err;
	}
	vm->port.vttbr = s2_vttbr(&vm->s2) | (uint64_t)cfg->vmid << 48;
	for (unsigned pe = 0; pe <= vm->vcpus; pe++) {
		s2m_setup(vm->m, pe, s2_vtcr(&vm->s2), cfg->features & S2_FEAT_FWB);
		if (pe)
			s2m_guest_enter(vm->m, pe, vm->port.vttbr);
	}
	return 0;
}

int lab_vm_destroy(struct lab_vm *vm, uint32_t flags)
{
	for (unsigned pe = 1; pe <= vm->vcpus; pe++)
		s2m_guest_leave(vm->m, pe);
	return s2_destroy(&vm->s2, flags, NULL);
}

void lab_vm_free(struct lab_vm *vm)
{
	machine_free(vm->m);
	memset(vm, 0, sizeof(*vm));
}

uint64_t lab_vm_root(const struct lab_vm *vm)
{
	return s2m_pa(vm->m, vm->s2.root);
}
