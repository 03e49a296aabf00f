// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The operations of a recording as Linux 6.12 does them, to count their cost. They run
 * on a machine of their own without guests. Unmap is the strategy "merged"; the other
 * operations are here. docs/replay.md says what is counted.
 */
#include <stdlib.h>

#include "strategy/kvm.h"
#include "replay.h"

#define S2AP_R (UINT64_C(1) << 6)
#define S2AP_W (UINT64_C(1) << 7)
#define SH_INNER (UINT64_C(3) << 8)
#define AF (UINT64_C(1) << 10)
#define XN (UINT64_C(1) << 54)
#define PERMS (S2AP_R | S2AP_W | XN)

struct merged {
	struct machine *m;
	uint32_t features;
	size_t vms;
	struct merged_vm {
		struct lab_vm vm;
		struct kvm *k;
	} * *vm;
	struct kvm *running; /* whose VTTBR is loaded */
	struct replay_cost cost[TRACE_OPS];
};

/* A range that a walk acts on, for the visitors. */
struct span {
	uint64_t end;
	bool clear;
};

static uint64_t leaf_desc(const struct kvm *k, uint64_t pa, s2_attr_t attr, int level)
{
	uint64_t type = k->fwb ? 6 : 15;
	uint64_t d = oa_to_desc(k->page_shift, k->wide, pa) | DESC_VALID | AF;

	if ((attr & S2_MEM_MASK) == S2_MEM_NC)
		type = 5;
	else if ((attr & S2_MEM_MASK) == S2_MEM_DEV_nGnRE)
		type = 1;
	d |= type << 2;
	d |= k->lpa2 ? 0 : SH_INNER; /* else VTCR_EL2.SH0 is for all */
	d |= level == 3 ? DESC_TABLE : 0;
	d |= attr & S2_R ? S2AP_R : 0;
	d |= attr & S2_W ? S2AP_W : 0;
	return d | (attr & S2_X ? 0 : XN);
}

static uint64_t table_desc(const struct kvm *k, uint64_t table)
{
	return oa_to_desc(k->page_shift, k->wide, table) | DESC_VALID | DESC_TABLE;
}

/* ---- pieces ---------------------------------------------------------------- */

static uint64_t table_new(struct kvm *k)
{
	uint64_t table = s2m_table_take(k->m, k->pe, 1, 1);

	if (table) {
		s2m_fill(k->m, k->pe, table, entry_size(k, 3), 0);
		*kvm_refs(k, table) = (uint16_t)k->floor;
	}
	return table;
}

static void set(struct kvm *k, uint64_t entry, uint64_t desc)
{
	s2m_write(k->m, k->pe, entry, desc, S2M_RELEASE);
	++*kvm_refs(k, entry);
}

/*
 * Break: writes a locked marker to the entry and invalidates what was valid in it, a
 * leaf by its address and a table by its range.
 */
static void break_entry(struct kvm *k, const struct kvm_visit *v)
{
	uint64_t base = v->ipa & ~(entry_size(k, v->level) - 1);

	kvm_clear(k, v->entry, DESC_LOCKED);
	if (!desc_is_valid(v->desc))
		return;
	if (desc_is_table(v->desc, v->level))
		kvm_flush_range(k, base, entry_size(k, v->level));
	else
		kvm_flush_ipa(k, v->ipa, v->level);
	kvm_drop(k, v->entry);
}

static void clean(struct kvm *k, uint64_t desc, int level)
{
	if (k->fwb || !desc_is_cacheable(desc))
		return;
	s2m_cache(k->m, k->pe, S2M_DC_CIVAC, desc_addr(k, desc), entry_size(k, level));
	s2m_barrier(k->m, k->pe, S2M_DSB_SY);
}

static void make_executable(struct kvm *k, uint64_t desc, int level)
{
	if (desc & XN)
		return;
	s2m_cache(k->m, k->pe, S2M_IC_IVAU, desc_addr(k, desc), entry_size(k, level));
	s2m_barrier(k->m, k->pe, S2M_DSB_ISH);
	s2m_barrier(k->m, k->pe, S2M_ISB);
}

/* Frees each table after the walk below it. */
static void free_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		       void *arg)
{
	(void)arg;
	if (when == WHEN_POST)
		kvm_table_free(k, desc_addr(k, v->desc));
}

/* The entry for @ipa at @level, or the leaf or invalid entry above it. */
static struct kvm_visit descend(struct kvm *k, uint64_t ipa, int level)
{
	struct kvm_visit v = { .ipa = ipa, .level = k->start_level };
	uint64_t table = k->root, index = ipa >> level_shift(k->page_shift, v.level);

	for (;;) {
		v.entry = table + index * 8;
		v.desc = s2m_read(k->m, k->pe, v.entry);
		if (v.level == level || !desc_is_table(v.desc, v.level))
			return v;
		table = desc_addr(k, v.desc);
		v.level++;
		index = entry_index(k, ipa, v.level);
	}
}

/* ---- operations ------------------------------------------------------------ */

static bool map(struct kvm *k, const struct trace_event *ev)
{
	int level = ev->size == entry_size(k, 1) ? 1 :
		    ev->size == entry_size(k, 2) ? 2 :
						   3;
	uint64_t desc = leaf_desc(k, ev->phys, ev->attr, level), table = 0;
	struct kvm_visit v = descend(k, ev->addr, level);

	while (v.level < level) {
		table = table_new(k);
		if (!table)
			return false;
		break_entry(k, &v);
		set(k, v.entry, table_desc(k, table));
		v.level++;
		v.entry = table + entry_index(k, ev->addr, v.level) * 8;
		v.desc = s2m_read(k->m, k->pe, v.entry);
	}
	if (!desc_is_valid(v.desc) || desc_is_table(v.desc, level) ||
	    (v.desc ^ desc) & ~PERMS) {
		break_entry(k, &v);
		clean(k, desc, level);
		make_executable(k, desc, level);
		set(k, v.entry, desc);
	}
	if (desc_is_table(v.desc, level)) {
		table = desc_addr(k, v.desc);
		kvm_walk_table(k, table, level + 1, ev->addr, ev->addr + ev->size,
			       WHEN_LEAF | WHEN_POST, free_visit, NULL);
		kvm_table_free(k, table);
	}
	s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
	return true;
}

/* Writes the new value of a leaf, if it differs from the old one. */
static void update(struct kvm *k, const struct kvm_visit *v, uint64_t desc)
{
	if (!desc_is_valid(v->desc) || desc == v->desc)
		return;
	if (v->desc & XN)
		make_executable(k, desc, v->level);
	kvm_clear(k, v->entry, desc);
}

static void relax_perms(struct kvm *k, const struct trace_event *ev)
{
	struct kvm_visit v = descend(k, ev->addr, 3);
	uint64_t desc = v.desc;

	desc |= ev->attr & S2_R ? S2AP_R : 0;
	desc |= ev->attr & S2_W ? S2AP_W : 0;
	desc &= ev->attr & S2_X ? ~XN : ~UINT64_C(0);
	update(k, &v, desc);
	/* On this PE only: at worst another PE takes the same fault once more. */
	s2m_barrier(k->m, k->pe, S2M_DSB_NSHST);
	s2m_tlbi(k->m, k->pe, S2M_IPAS2E1, ev->addr >> 12);
	s2m_barrier(k->m, k->pe, S2M_DSB_NSH);
	s2m_tlbi(k->m, k->pe, S2M_VMALLE1, 0);
	s2m_barrier(k->m, k->pe, S2M_DSB_NSH);
	s2m_barrier(k->m, k->pe, S2M_ISB);
}

static void mkyoung(struct kvm *k, const struct trace_event *ev)
{
	struct kvm_visit v = descend(k, ev->addr, 3);

	update(k, &v, v.desc | AF);
	s2m_barrier(k->m, k->pe, S2M_DSB_ISHST);
}

static void age_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		      void *arg)
{
	(void)when;
	if (((struct span *)arg)->clear)
		update(k, v, v->desc & ~AF);
}

static void wrprotect_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			    void *arg)
{
	(void)when;
	(void)arg;
	update(k, v, v->desc & ~S2AP_W);
}

static void flush_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			void *arg)
{
	(void)when;
	(void)arg;
	if (desc_is_valid(v->desc))
		clean(k, v->desc, v->level);
}

/*
 * Replaces the block by a table of leaves one level down. As in Linux, each entry is
 * read, locked and written. Return: the table, or 0 if there is none; the block then
 * stays, which is harmless.
 */
static uint64_t split_block(struct kvm *k, const struct kvm_visit *v)
{
	uint64_t part = v->desc | (v->level == 2 ? DESC_TABLE : 0) | AF;
	uint64_t table = table_new(k), size = entry_size(k, v->level + 1);

	if (!table)
		return 0;
	for (unsigned i = 0; i < table_entries(k->page_shift); i++, part += size) {
		s2m_read(k->m, k->pe, table + i * 8);
		s2m_write(k->m, k->pe, table + i * 8, DESC_LOCKED, S2M_PLAIN);
		set(k, table + i * 8, part);
	}
	break_entry(k, v);
	set(k, v->entry, table_desc(k, table));
	return table;
}

/* Splits the new blocks too: the recursion is from level 1 to level 2 only. */
static void split_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			void *arg)
{
	const struct span *span = arg;
	struct kvm_visit below = { .ipa = v->ipa, .level = v->level + 1 };
	uint64_t past, size, table;

	if (v->level == 3 || !desc_is_valid(v->desc))
		return;
	past = (v->ipa | (entry_size(k, v->level) - 1)) + 1;
	size = entry_size(k, below.level);
	table = split_block(k, v);
	while (table && below.ipa < past && below.ipa < span->end) {
		below.entry = table + entry_index(k, below.ipa, below.level) * 8;
		below.desc = s2m_read(k->m, k->pe, below.entry);
		if (below.level < 3)
			split_visit(k, &below, when, arg);
		below.ipa = (below.ipa & ~(size - 1)) + size;
	}
}

/* ---- VMs ------------------------------------------------------------------- */

static bool vm_init(struct merged *mg, uint32_t i, unsigned ipa_bits,
		    struct s2m_counters *n)
{
	struct merged_vm *mv = calloc(1, sizeof(*mv));
	struct s2_config cfg = {
		.ipa_bits = (uint8_t)ipa_bits,
		.pa_bits = (uint8_t)replay_pa_bits(mg->features),
		.features = mg->features,
	};

	if (!mv)
		return false;
	mg->vm[i] = mv;
	mv->vm.m = mv->vm.port.m = mg->m;
	mv->vm.port.fail_alloc = -1;
	mv->vm.page_shift = REPLAY_PAGE_SHIFT;
	mv->vm.wide = lab_wide(REPLAY_PAGE_SHIFT, cfg.pa_bits, mg->features);
	mv->vm.table_base = replay_table_base(mg->features);
	mv->vm.table_pages = REPLAY_TABLE_PAGES;
	cfg.port = &mv->vm.port;
	/* The engine allocates the root and nothing else. */
	s2m_counters_reset(mg->m);
	if (s2_init(&mv->vm.s2, &cfg))
		return false;
	*n = *s2m_counters(mg->m);
	replay_cost_add(&mg->cost[TRACE_INIT], n);
	mv->vm.port.vttbr = s2_vttbr(&mv->vm.s2) | UINT64_C(1) << 48;
	s2m_sysreg(mg->m, 0, S2M_VTCR_EL2, s2_vtcr(&mv->vm.s2));
	/* The machine learns of the tree here; then no PE runs it. */
	s2m_sysreg(mg->m, 0, S2M_VTTBR_EL2, mv->vm.port.vttbr);
	s2m_guests_gone(mg->m, 0, s2m_pa(mg->m, mv->vm.s2.root));
	mv->k = kvm_new(&mv->vm, mg->features, COUNT_LINUX);
	mg->running = mv->k;
	return mv->k;
}

static void vm_free(struct merged *mg, uint32_t i)
{
	if (mg->vm[i])
		kvm_free(mg->vm[i]->k);
	free(mg->vm[i]);
	mg->vm[i] = NULL;
}

/* Frees every table without a TLBI: KVM invalidates a VMID when it assigns it again. */
static void vm_destroy(struct merged *mg, struct merged_vm *mv)
{
	struct kvm *k = mv->k;

	kvm_walk(k, 0, UINT64_C(1) << mv->vm.s2.ipa_bits, WHEN_LEAF | WHEN_POST,
		 free_visit, NULL);
	s2m_table_give(mg->m, k->pe, k->root, k->root_pages);
}

static void switch_to(struct merged *mg, struct merged_vm *mv)
{
	if (mg->running == mv->k)
		return;
	mg->running = mv->k;
	s2m_sysreg(mg->m, 0, S2M_VTCR_EL2, s2_vtcr(&mv->vm.s2));
	s2m_sysreg(mg->m, 0, S2M_VTTBR_EL2, mv->vm.port.vttbr);
	s2m_barrier(mg->m, 0, S2M_ISB);
}

/* *n becomes the cost of an unmap, whose strategy counts its own steps. */
static bool operate(struct merged *mg, struct merged_vm *mv, const struct trace_event *ev,
		    struct s2m_counters *n)
{
	struct lab_run run = { .vm = &mv->vm, .features = mg->features, .kvm = mv->k };
	struct span span = { ev->addr + ev->size, ev->attr };

	switch ((enum trace_op)ev->op) {
	case TRACE_MAP:
		return map(mv->k, ev);
	case TRACE_UNMAP:
		strategy_merged.work[LAB_UNMAP](&run, ev->addr, ev->size);
		*n = run.total;
		return true;
	case TRACE_WRPROTECT:
		kvm_walk(mv->k, ev->addr, span.end, WHEN_LEAF, wrprotect_visit, NULL);
		kvm_flush_range(mv->k, ev->addr, ev->size);
		return true;
	case TRACE_RELAX_PERMS:
		relax_perms(mv->k, ev);
		return true;
	case TRACE_MKYOUNG:
		mkyoung(mv->k, ev);
		return true;
	case TRACE_AGE:
		kvm_walk(mv->k, ev->addr, span.end, WHEN_LEAF, age_visit, &span);
		return true;
	case TRACE_FLUSH:
		if (!mv->k->fwb)
			kvm_walk(mv->k, ev->addr, span.end, WHEN_LEAF, flush_visit, NULL);
		return true;
	case TRACE_SPLIT:
		kvm_walk(mv->k, ev->addr, span.end, WHEN_LEAF, split_visit, &span);
		return true;
	case TRACE_DESTROY:
		vm_destroy(mg, mv);
		return true;
	default:
		return true;
	}
}

bool merged_apply(struct merged *mg, const struct trace_event *ev, unsigned ipa_bits,
		  struct s2m_counters *n)
{
	bool ok;

	if (ev->op == TRACE_INIT)
		return vm_init(mg, ev->vm, ipa_bits, n);
	switch_to(mg, mg->vm[ev->vm]);
	s2m_counters_reset(mg->m);
	ok = operate(mg, mg->vm[ev->vm], ev, n);
	if (ev->op != TRACE_UNMAP)
		*n = *s2m_counters(mg->m);
	replay_cost_add(&mg->cost[ev->op], n);
	if (ev->op == TRACE_DESTROY) {
		mg->running = NULL;
		vm_free(mg, ev->vm);
	}
	return ok;
}

const struct replay_cost *merged_costs(const struct merged *mg)
{
	return mg->cost;
}

struct merged *merged_new(uint32_t features, size_t vms)
{
	const struct machine_config cfg = {
		.features = lab_machine_features(features, 0),
		.pes = 1,
		.table_base = replay_table_base(features),
		.table_pages = REPLAY_TABLE_PAGES,
		.max_violations = 1,
	};
	struct merged *mg = calloc(1, sizeof(*mg));

	if (!mg)
		return NULL;
	mg->features = features;
	mg->vms = vms;
	mg->vm = calloc(vms, sizeof(*mg->vm));
	mg->m = machine_new(&cfg);
	if (!mg->vm || !mg->m) {
		merged_free(mg);
		return NULL;
	}
	return mg;
}

void merged_free(struct merged *mg)
{
	if (!mg)
		return;
	for (size_t i = 0; mg->vm && i < mg->vms; i++)
		vm_free(mg, (uint32_t)i);
	free(mg->vm);
	if (mg->m)
		machine_free(mg->m);
	free(mg);
}
