/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory of the guest. At first nothing is mapped. An access by the guest causes a
 * stage-2 abort, and the abort maps the page.
 *
 * Faults run beside each other. Their calls of the engine are shared calls in a read-side
 * section. Only the look into page[] is under a lock. What a fault finds there is still
 * true when it maps the page, because the code that moves pages holds the lock for
 * writing from the unmap until page[] says where they are. (The engine cannot know where
 * a PA came from: docs/concurrency.md.)
 */
#include "el2.h"

struct vm vm;

/* ---- setting up -------------------------------------------------------------- */

#define VMID 1ull
#define IPA_BITS 40

/* Fixed places in the memory of the machine. The frames begin after the last one. */
#define TABLES_PA 0x42000000ull
#define TABLES_SIZE MIB(16)
#define PAGES_PA 0x43000000ull
#define FRAMES_PA 0x50000000ull

void vm_init(uint64_t ram_size, uint64_t memory_end)
{
	/* Software keeps the dirty state, and 40 bits need no LPA2. */
	struct s2_config cfg = { .ipa_bits = IPA_BITS,
				 .features = S2_FEAT_ALL & ~(S2_FEAT_DBM | S2_FEAT_LPA2),
				 .port = &vm.pool };
	int err = cpu_config(&cfg);

	pool_init(&vm.pool, TABLES_PA, TABLES_SIZE, 12);
	if (!err)
		err = s2_init(&vm.s2, &cfg);
	if (err)
		el2_panic("s2_init: %s", s2_strerror(err));
	vm.pool.vttbr = s2_vttbr(&vm.s2) | VMID << 48;
	vm.hcr = cpu_hcr(cfg.features);
	vm.pages = ram_size / PAGE;
	vm.page = (struct page *)PAGES_PA;
	memset(vm.page, 0, vm.pages * sizeof(*vm.page));
	vm.region = (uint64_t *)(vm.page + vm.pages);
	memset(vm.region, 0, vm.pages / BLOCK_PAGES * sizeof(*vm.region));
	frames_init(FRAMES_PA, memory_end, vm.pages);
}

void vm_adopt(uint64_t ipa, uint64_t pa, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += PAGE)
		vm.page[(ipa + off - RAM_IPA) / PAGE].frame =
			(uint32_t)((pa + off) / PAGE);
}

void vm_map_device(uint64_t ipa, uint64_t size)
{
	const uint64_t start = ipa & ~(PAGE - 1);
	const uint64_t end = (ipa + size + PAGE - 1) & ~(PAGE - 1);
	const int err = s2_map(&vm.s2, s2_ipa(start), s2_pa(start), end - start,
			       S2_R | S2_W | S2_MEM_DEV_nGnRE, 0, NULL);

	if (err)
		el2_panic("device at %lx: %s", start, s2_strerror(err));
}

uint64_t vm_mismatches(void)
{
	return vm.mismatches + vm.bad_poison + vm.bad_frozen;
}

/* ---- aborts ------------------------------------------------------------------ */

#define EC(esr) ((unsigned)((esr) >> 26) & 63)
enum { EC_HVC = 0x16, EC_SMC = 0x17, EC_INSTRUCTION_ABORT = 0x20, EC_DATA_ABORT = 0x24 };
#define ISV (1u << 24)
#define S1PTW (1u << 7)
#define WNR (1u << 6)
enum { FSC_TRANSLATION = 1, FSC_ACCESS_FLAG = 2, FSC_PERMISSION = 3 };

struct fault {
	uint64_t esr, far, ipa;
	unsigned what; /* FSC_* */
	bool exec, write;
};

/*
 * HPFAR_EL2 is not valid for a permission fault outside a stage-1 walk. There the IPA is
 * found by translating FAR_EL2 by stage 1. This may fail, because the guest or the storm
 * has changed something since; then the guest tries again.
 */
static bool fault_ipa(struct fault *f)
{
	uint64_t par, saved;

	if (f->what != FSC_PERMISSION || f->esr & S1PTW) {
		f->ipa = (read_sysreg(hpfar_el2) >> 4 << 12) | (f->far & 0xfff);
		return true;
	}
	saved = read_sysreg(par_el1);
	__asm__ volatile("at s1e1r, %0" ::"r"(f->far) : "memory");
	isb();
	par = read_sysreg(par_el1);
	write_sysreg(par_el1, saved);
	f->ipa = (par & 0xfffffffff000ull) | (f->far & 0xfff);
	return !(par & 1);
}

/* The whole region as one block, if it is fresh and the random number says so. */
static void populate(uint64_t gfn)
{
	const uint64_t first = gfn & ~(uint64_t)(BLOCK_PAGES - 1);
	uint64_t pa = 0;

	vm.fresh++;
	if ((first / BLOCK_PAGES * 0x9e3779b97f4a7c15ull) >> 63) {
		for (uint64_t i = 0; i < BLOCK_PAGES; i++)
			if (vm.page[first + i].frame)
				goto page;
		pa = frame_alloc_block();
	}
page:
	if (!pa) {
		pa = frame_alloc();
		if (!pa)
			el2_panic("out of frames");
		vm.page[gfn].frame = (uint32_t)(pa / PAGE);
		return;
	}
	vm.region[first / BLOCK_PAGES] = pa;
	for (uint64_t i = 0; i < BLOCK_PAGES; i++)
		vm.page[first + i].frame = (uint32_t)(pa / PAGE + i);
}

/*
 * The call is made again without leaving the section, because what was looked up would
 * otherwise be out of date. The wait is short: another fault is counting an entry in or
 * out.
 */
static int map_shared(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
		      struct s2_limbo *limbo)
{
	struct s2_op op = { .limbo = limbo };
	int err;

	do
		err = s2_map(&vm.s2, s2_ipa(ipa), s2_pa(pa), size, attr,
			     S2_MAP_NEW | S2_SHARED, &op);
	while (err == S2_MORE);
	return err;
}

static int map_in(uint64_t gfn, bool exec, struct s2_limbo *limbo)
{
	const s2_attr_t attr = S2_R | S2_W | (exec ? S2_X : 0);
	const uint64_t first = gfn & ~(uint64_t)(BLOCK_PAGES - 1);
	uint64_t block, pa;
	int err;

	lock(&vm.page_lock);
	if (!vm.page[gfn].frame)
		populate(gfn);
	block = vm.region[gfn / BLOCK_PAGES];
	pa = (uint64_t)vm.page[gfn].frame * PAGE;
	unlock(&vm.page_lock);
	if (block) {
		err = map_shared(RAM_IPA + first * PAGE, block, BLOCK_SIZE, attr, limbo);
		if (!err)
			__atomic_fetch_add(&vm.blocks, 1, __ATOMIC_RELAXED);
		/* Part of it may be mapped as pages. */
		if (err != S2_E_EXIST)
			return err;
	}
	return map_shared(RAM_IPA + gfn * PAGE, pa, PAGE, attr, limbo);
}

/*
 * Frees the tables that a shared call has detached. When the lock is held for writing,
 * every read-side section that began earlier has ended. This is the grace period.
 */
void vm_release(struct s2_limbo *limbo)
{
	int err;

	if (!limbo->tables)
		return;
	write_lock(&vm.lock);
	err = s2_release(&vm.s2, limbo, NULL);
	write_unlock(&vm.lock);
	if (err)
		el2_panic("release: %s", s2_strerror(err));
}

static void note_touch(struct vcpu *v, uint64_t gfn, const struct fault *f)
{
	struct page *p = &vm.page[gfn];

	if (p->moved) {
		p->moved = 0;
		vm.returned++;
		/* The write of this vCPU before the move, and its write after it. */
		if (f->write && p->before == v->id + 1)
			vm.hot_page[vm.hot++ % RECENT] = gfn;
	}
	if (f->write) {
		p->writer = (uint8_t)(v->id + 1);
		vm.written[vm.writes++ % RECENT] = gfn;
	}
}

static void ram_fault(struct vcpu *v, struct fault *f)
{
	const uint64_t gfn = (f->ipa - RAM_IPA) / PAGE;
	const s2_ipa_t ipa = s2_ipa(f->ipa & ~(PAGE - 1));
	struct s2_limbo limbo = { 0 };
	int err;

	read_lock(&vm.lock);
	if (f->what == FSC_TRANSLATION)
		err = map_in(gfn, f->exec, &limbo);
	else if (f->what == FSC_PERMISSION)
		err = s2_relax_perms(&vm.s2, ipa, f->exec ? S2_X : S2_W, S2_SHARED);
	else
		err = s2_mkyoung(&vm.s2, ipa, S2_SHARED);
	lock(&vm.page_lock);
	vm.faults++;
	vm.exec_faults += f->what == FSC_PERMISSION && f->exec;
	vm.write_faults += f->what == FSC_PERMISSION && f->write;
	vm.flag_faults += f->what == FSC_ACCESS_FLAG;
	vm.retries += err != 0;
	if (!err && f->what != FSC_ACCESS_FLAG)
		note_touch(v, gfn, f);
	unlock(&vm.page_lock);
	read_unlock(&vm.lock);
	vm_release(&limbo);
	/*
	 * Another vCPU was first, or the storm has unmapped the page again, or is doing
	 * so. The guest tries again.
	 */
	if (err && err != S2_E_EXIST && err != S2_E_NOENT && err != S2_E_BUSY)
		el2_panic("IPA %lx: %s", f->ipa, s2_strerror(err));
}

/* ---- the mailbox: a page of registers for the guest's programs --------------- */

static uint64_t mailbox(unsigned reg, bool write, uint64_t value)
{
	uint64_t *const counter[] = { NULL, &vm.verified, &vm.mismatches, &vm.rounds };

	if (!write)
		return reg == 0 ? vm.finish : 0;
	if (reg == 0) {
		vm.at_shell = true;
		say("el2: the guest is at its shell, after %lu faults", vm.faults);
	} else if (reg < 4) {
		__atomic_fetch_add(counter[reg], value, __ATOMIC_RELAXED);
		if (reg == 2)
			say("el2: MISMATCH: the guest reports %lu", value);
	}
	return 0;
}

static void mailbox_access(struct vcpu *v, const struct fault *f)
{
	const unsigned rt = (unsigned)(f->esr >> 16) & 31;
	uint64_t value;

	if (!(f->esr & ISV))
		el2_panic("mailbox: access without a syndrome, ELR %lx", v->elr);
	value = mailbox((unsigned)(f->ipa & 0xfff) / 8, f->write,
			rt == 31 ? 0 : v->x[rt]);
	if (!f->write && rt != 31)
		v->x[rt] = value;
	v->elr += 4;
}

/* ---- the run loop ------------------------------------------------------------ */

static void abort_from_guest(struct vcpu *v, uint64_t esr)
{
	struct fault f = {
		.esr = esr,
		.far = read_sysreg(far_el2),
		.what = (unsigned)(esr & 63) >> 2,
		.exec = EC(esr) == EC_INSTRUCTION_ABORT,
	};

	/*
	 * A stage-1 walk without permission needs to write an access flag or a dirty
	 * state, whatever the access was.
	 */
	if (esr & S1PTW)
		f.exec = false;
	f.write = !f.exec && (esr & S1PTW ? f.what == FSC_PERMISSION : (esr & WNR) != 0);
	if (f.what < FSC_TRANSLATION || f.what > FSC_PERMISSION)
		el2_panic("vCPU %u: ESR %lx ELR %lx FAR %lx", v->id, esr, v->elr, f.far);
	if (!fault_ipa(&f))
		return;
	if (f.ipa >= RAM_IPA && f.ipa < RAM_IPA + vm.pages * PAGE)
		ram_fault(v, &f);
	else if (f.ipa >> 12 == MAILBOX_IPA >> 12 && !f.exec)
		mailbox_access(v, &f);
	else
		el2_panic("vCPU %u touches %lx: ESR %lx ELR %lx", v->id, f.ipa, esr,
			  v->elr);
}

void vm_run(struct vcpu *v)
{
	cpu_guest_setup(vm.hcr, s2_vtcr(&vm.s2), vm.pool.vttbr);
	for (;;) {
		const unsigned how = el1_enter(v);
		const uint64_t esr = read_sysreg(esr_el2);

		if (how)
			el2_panic("vCPU %u: exception %u, ESR %lx", v->id, how, esr);
		switch (EC(esr)) {
		case EC_SMC:
			v->elr += 4;
			psci_call(v);
			break;
		case EC_HVC:
			v->x[0] = ~0ull; /* SMCCC: not supported */
			break;
		case EC_INSTRUCTION_ABORT:
		case EC_DATA_ABORT:
			abort_from_guest(v, esr);
			break;
		default:
			el2_panic("vCPU %u: ESR %lx ELR %lx", v->id, esr, v->elr);
		}
	}
}
