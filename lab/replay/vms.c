/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: the VMs of a recording and the PEs that they run on. */
#include <stdlib.h>

#include "run.h"

uint64_t replay_root(const struct replay *r, const struct guest_vm *vm)
{
	return s2m_pa(r->m, vm->s2.root);
}

static void load_regs(struct replay *r, unsigned pe, const struct guest_vm *vm)
{
	s2m_setup(r->m, pe, s2_vtcr(&vm->s2), r->out.features & S2_FEAT_FWB);
}

/*
 * The operation runs on the PE that stands for the CPU in the recording. The
 * hypervisor's PEs have the lowest numbers, one for each CPU.
 */
void replay_run_on(struct replay *r, uint32_t i)
{
	struct guest_vm *vm = r->vm[i];
	unsigned pe = r->ev->cpu % r->cpus;

	if (pe != r->last_pe)
		s2m_handoff(r->m, r->last_pe, pe);
	r->last_pe = vm->port.pe = pe;
	if (r->loaded[pe] != i + 1) {
		load_regs(r, pe, vm);
		r->loaded[pe] = i + 1;
	}
}

/*
 * The guest runs on two PEs. With more than two VMs alive, VMs share PEs; such a PE may
 * run any of its VMs at any time.
 */
static unsigned guest_pe(const struct replay *r, const struct guest_vm *vm, unsigned i)
{
	return r->cpus + (2 * vm->vmid + i) % r->guest_pes;
}

static void guest_start(struct replay *r, struct guest_vm *vm)
{
	for (unsigned i = 0; i < 2; i++) {
		unsigned pe = guest_pe(r, vm, i);

		s2m_handoff(r->m, r->last_pe, pe);
		load_regs(r, pe, vm);
		s2m_guest_enter(r->m, pe, vm->port.vttbr);
	}
}

static void guest_stop(struct replay *r, struct guest_vm *vm)
{
	for (unsigned i = 0; i < 2; i++) {
		s2m_guest_leave(r->m, guest_pe(r, vm, i));
		s2m_handoff(r->m, guest_pe(r, vm, i), r->last_pe);
	}
}

/*
 * The recording has the IPA size only in the events that destroy the VM. One without
 * gets 40 bits, or more if its addresses need them. The CPU's features are the limit.
 */
unsigned replay_ipa_bits(const struct replay *r, const struct trace_vm *tv)
{
	unsigned most = r->out.features & S2_FEAT_LPA2 ? 52 : 48, bits;

	if (tv->ia_bits)
		bits = tv->ia_bits;
	else
		bits = tv->end <= UINT64_C(1) << 40 ? 40 :
		       tv->end <= UINT64_C(1) << 48 ? 48 :
						      most;
	if (bits < r->ipa_bits)
		bits = r->ipa_bits;
	return bits < most ? bits : most;
}

int replay_vm_init(struct replay *r)
{
	const struct trace_vm *tv = &r->t.vm[r->ev->vm];
	struct guest_vm *vm = calloc(1, sizeof(*vm));
	struct s2_config cfg = {
		.ipa_bits = (uint8_t)replay_ipa_bits(r, tv),
		.pa_bits = (uint8_t)replay_pa_bits(r->out.features),
		.features = r->out.features,
	};
	int err;

	if (!vm)
		return replay_no_memory(r);
	r->vm[r->ev->vm] = vm;
	flat_init(&vm->flat, &r->frames);
	vm->port.m = r->m;
	vm->port.pe = r->last_pe;
	vm->port.fail_alloc = -1;
	cfg.port = &vm->port;
	/* The lowest free VMID, so that VMIDs are soon used again: stale entries show. */
	for (vm->vmid = 1; vm->vmid < REPLAY_VMIDS && r->vmid[vm->vmid]; vm->vmid++)
		;
	if (vm->vmid == REPLAY_VMIDS)
		return replay_input_error(r, "more than 255 VMs alive at once");
	s2m_counters_reset(r->m);
	err = s2_init(&vm->s2, &cfg);
	replay_counted(r, TRACE_INIT);
	if (err)
		return replay_refused(r, vm, err);
	r->vmid[vm->vmid] = true;
	vm->port.vttbr = s2_vttbr(&vm->s2) | (uint64_t)vm->vmid << 48;
	guest_start(r, vm);
	r->out.wide_vms += tv->ia_bits > 48;
	r->out.unfinished_vms += !tv->destroyed;
	r->out.partial_vms += tv->partial;
	return LAB_OK;
}

/* While an unmap is pending, PEs may still reach a frame through its old mapping. */
void replay_frames_free(struct replay *r)
{
	if (r->pendings)
		return;
	for (size_t i = 0; i < r->frames.freed_n; i++)
		s2m_claim_frame_free(r->m, r->last_pe, r->frames.freed[i].pa,
				     r->frames.freed[i].size);
	r->frames.freed_n = 0;
}

void replay_vm_free(struct replay *r, uint32_t i)
{
	free(r->vm[i]);
	r->vm[i] = NULL;
}

int replay_vm_destroy(struct replay *r, struct guest_vm *vm)
{
	int err = replay_compare(r, vm);
	uint64_t root = replay_root(r, vm), size = UINT64_C(1) << vm->s2.ipa_bits;
	unsigned vmid = vm->vmid;

	if (err)
		return err;
	guest_stop(r, vm);
	s2m_counters_reset(r->m);
	err = s2_destroy(&vm->s2, S2_NO_CLEAN, NULL);
	replay_counted(r, TRACE_DESTROY);
	if (err)
		return replay_refused(r, vm, err);
	r->vmid[vmid] = false;
	/* KVM does not clean here: nobody reads the data, the next owner zeroes it. */
	s2m_claim_unmapped(r->m, r->last_pe, root, 0, size, S2M_CLAIM_NO_CLEAN);
	if (!flat_free(&vm->flat))
		return replay_no_memory(r);
	replay_vm_free(r, r->ev->vm);
	for (unsigned pe = 0; pe < r->cpus; pe++)
		if (r->loaded[pe] == r->ev->vm + 1)
			r->loaded[pe] = 0;
	replay_frames_free(r);
	return LAB_OK;
}
