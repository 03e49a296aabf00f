/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>

#include "machine.h"
#include "stage2_port.h"
#include "trace_out.h"

#define VMID (UINT64_C(5) << 48)

/* PEs 0 and 1 run the engine, in turns; 2 and 3 the guest; 4 walks by software. */
#define ENGINE_PES 2u
#define WALKER 4u
#define PES 5u
#define TABLE_PAGES 4096u

struct trace_out *rig_trace;
static struct model_port port;
static uint64_t root;
static unsigned root_pages;

void rig_open(struct s2_config *cfg, bool agent, uint64_t seed, FILE *log)
{
	static const struct {
		uint32_t engine, machine;
	} feature[] = {
		{ S2_FEAT_FWB, S2M_FWB },   { S2_FEAT_TLBIRANGE, S2M_TLBIRANGE },
		{ S2_FEAT_TTL, S2M_TTL },   { S2_FEAT_HAFDBS, S2M_HAFDBS },
		{ S2_FEAT_XNX, S2M_XNX },   { S2_FEAT_LPA2, S2M_LPA2 },
		{ S2_FEAT_BBM1, S2M_BBM1 }, { S2_FEAT_BBM2, S2M_BBM2 | S2M_CONFLICTS },
		{ S2_FEAT_ETS2, S2M_ETS2 },
	};
	struct machine_config mc = { .pes = PES,
				     .table_base = UINT64_C(1) << (cfg->pa_bits - 1),
				     .table_pages = TABLE_PAGES,
				     .granule_shift = cfg->granule_shift,
				     .counted = cfg->counted };

	for (unsigned i = 0; i < sizeof(feature) / sizeof(*feature); i++)
		if (cfg->features & feature[i].engine)
			mc.features |= feature[i].machine;
	if (cfg->errata & S2_ERRATUM_REPEAT_TLBI)
		mc.features |= S2M_REPEAT_TLBI;
	if (agent)
		mc.features |= S2M_AGENT;
	/* What agents need not have in common with the PEs (src/port.h). */
	if (agent && seed % 2)
		mc.agent_lacks = S2M_HAFDBS | S2M_BBM1 | S2M_BBM2 | S2M_TLBIRANGE;
	port = (struct model_port){ .m = machine_new(&mc), .fail_alloc = -1 };
	if (!port.m)
		abort();
	if (rig_trace)
		trace_out_watch(rig_trace, port.m);
	s2m_shuffle(port.m, seed | 1);
	s2m_log(port.m, log);
	cfg->port = &port;
}

void rig_ready(struct s2 *s2)
{
	root = port.root = s2m_pa(port.m, s2->root);
	root_pages = s2->root_pages;
	port.vttbr = s2_vttbr(s2) | VMID;
	for (unsigned pe = 0; pe < WALKER; pe++) {
		s2m_setup(port.m, pe, s2_vtcr(s2), s2->features & S2_FEAT_FWB);
		if (pe >= ENGINE_PES)
			s2m_guest_enter(port.m, pe, port.vttbr);
	}
}

void rig_destroying(void)
{
	for (unsigned pe = ENGINE_PES; pe < WALKER; pe++) {
		s2m_guest_leave(port.m, pe);
		s2m_handoff(port.m, pe, port.pe);
	}
	root_pages = 0;
}

void rig_close(void)
{
	machine_free(port.m);
}

void rig_call(unsigned pe, const char *note)
{
	s2m_note(port.m, note);
	if (pe == port.pe)
		return;
	/* The lock is released by one PE and taken by another. */
	s2m_handoff(port.m, port.pe, pe);
	port.pe = pe;
}

void rig_no_clean(bool on)
{
	port.no_clean = on;
}

void rig_waives(bool on)
{
	port.waives = on;
}

void rig_walker(bool on)
{
	if (on)
		s2m_walker_enter(port.m, WALKER);
	else
		s2m_walker_leave(port.m, WALKER);
}

bool rig_failing(void)
{
	return port.fail_alloc >= 0;
}

void rig_fail_after(long n)
{
	port.fail_alloc = n;
}

struct rig_cost rig_cost(void)
{
	const struct s2m_counters *c = s2m_counters(port.m);
	struct rig_cost cost = { .dsb = c->dsb,
				 .by_page = c->tlbi[S2M_IPAS2E1IS],
				 .by_range = c->tlbi[S2M_RIPAS2E1IS],
				 .by_vmid = c->tlbi[S2M_VMALLS12E1IS],
				 .cleaned = c->clean_bytes,
				 .taken = c->tables_taken };

	for (int i = 0; i < S2M_TLBI_KINDS; i++)
		cost.tlbi += c->tlbi[i];
	return cost;
}

uint64_t rig_tables(void)
{
	return s2m_tables_in_use(port.m) - root_pages;
}

void rig_unmapped(uint64_t ipa, uint64_t size, bool clean, bool reported)
{
	s2m_claim_unmapped(port.m, port.pe, root, ipa, size,
			   (clean ? 0 : S2M_CLAIM_NO_CLEAN) |
				   (reported ? 0 : S2M_CLAIM_NO_REPORT));
}

void rig_wrprotected(uint64_t ipa, uint64_t size)
{
	s2m_claim_wrprotected(port.m, port.pe, root, ipa, size);
}

void rig_frames_free(uint64_t pa, uint64_t size)
{
	s2m_claim_frame_free(port.m, port.pe, pa, size);
	s2m_host_wrote(port.m, port.pe, pa, size);
}

const char *rig_wrong(void)
{
	static char text[512];
	const struct s2m_violation *v;

	if (!s2m_violations(port.m))
		return NULL;
	v = s2m_violation(port.m, 0);
	snprintf(text, sizeof(text), "%s: %s (step %" PRIu64 ", from %" PRIu64 ")",
		 v->rule, v->detail, v->step, v->cause);
	return text;
}
