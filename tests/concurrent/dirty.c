/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty state that hardware keeps, with a guest at its worst: where a PE may write
 * without marking an entry, because it holds one, or would find one, that is dirty
 * already, it does so after every change. Where it would have to mark one first, that
 * is a step of its own (CALL_WRITE).
 *
 * A write is remembered until a log that has a bit for the page is read, which is when
 * the call that filled it returns; at the end the page must be dirty in the tables
 * if there is a write that no log has told of. A call without a log that takes dirty
 * state away takes the right to know with it.
 */
#include "judge.h"
#include "weak.h"

#define DIRTY (DESC_DBM | DESC_S2AP_W)

static bool is_dirty(uint64_t d)
{
	return desc_valid(d) && (d & DIRTY) == DIRTY;
}

/* s2_unmap() and s2_map() take a log only if they are exclusive. */
bool dirty_logged(const struct call *c)
{
	if (!(sc->features & S2_FEAT_DBM) || c->unlogged)
		return false;
	return c->kind == CALL_WRPROTECT || c->kind == CALL_DIRTY ||
	       (sc->locked && !c->shared &&
		(c->kind == CALL_UNMAP || c->kind == CALL_MAP));
}

/* ---- the guest --------------------------------------------------------------- */

static void may_write(void *data, uint64_t pa, uint64_t desc, const struct stale *stale)
{
	unsigned i = *(const unsigned *)data;

	(void)stale;
	if (is_dirty(desc))
		world.known[i].written |= (uint16_t)owners(probe[i], pa);
}

void dirty_may_write(void)
{
	if (!(world.s2.features & S2_FEAT_DBM))
		return;
	for (unsigned i = 0; i < nprobe; i++)
		pe_each(probe[i], may_write, &i);
}

struct access {
	uint64_t ipa;
	bool write;
};

static void access_entry(void *data, uint32_t entry, int level)
{
	const struct access *a = data;
	uint64_t d = arena[entry], new = d | DESC_AF, pa, mask;

	touched(entry, true);
	if (!desc_valid_leaf(d, level))
		return;
	if (a->write && !(d & DESC_S2AP_W)) {
		if (!(d & DESC_DBM))
			return;
		new |= DESC_S2AP_W;
	}
	if (new == d)
		return;
	if (world.page[entry / ENTRIES].state != PAGE_PUBLISHED)
		violation("hw-update-in-freed-table", "0x%llx for 0x%llx",
			  (unsigned long long)new, (unsigned long long)a->ipa);
	mem_write(entry, new);
	weak_hardware(entry, d, new);
	mask = (UINT64_C(1) << (12 + 9 * (3 - level))) - 1;
	pa = (d & UINT64_C(0xfffffffff000) & ~mask) + (a->ipa & mask);
	for (unsigned i = 0; i < nprobe; i++)
		if (probe[i] == a->ipa && !(d & DESC_AF))
			world.known[i].young |= (uint16_t)owners(a->ipa, pa);
}

/*
 * Hardware does it in one step: a walk is gone with the TLBI like what it found. Each
 * way to an entry is a PE's.
 */
void dirty_access(uint64_t ipa, bool write)
{
	struct access a = { ipa, write };

	pe_each_entry(ipa, access_entry, &a);
	dirty_may_write();
}

/* ---- who has been told --------------------------------------------------------- */

static bool in_log(const struct s2_dirty_log *log, uint64_t ipa)
{
	uint64_t i = (ipa - LOG_START) >> 12;

	return ipa >= LOG_START && ipa - LOG_START < LOG_SIZE &&
	       log->bits[i / 64] >> i % 64 & 1;
}

uint64_t dirty_probes(void)
{
	uint64_t mask = 0, pa;
	int level;

	for (unsigned i = 0; sc->features & S2_FEAT_DBM && i < nprobe; i++)
		mask |= (uint64_t)is_dirty(page_now(probe[i], &pa, &level)) << i;
	return mask;
}

/* Whether a page that was dirty when the call began was so until it ended. */
static bool was_all_the_time(unsigned call, unsigned i, uint64_t before)
{
	static const enum call_kind changes[] = { CALL_MAP, CALL_UNMAP, CALL_WRPROTECT,
						  CALL_DIRTY };

	for (unsigned k = 0; k < sizeof(changes) / sizeof(changes[0]); k++)
		if (not_before(changes[k], probe[i], call) & ~(1u << call))
			return false;
	return before >> i & 1 && !may_be_gone(probe[i], call);
}

void dirty_reported(unsigned call, const struct s2_dirty_log *log, uint64_t before)
{
	const struct call *c = &sc->call[call];

	if (log->missed)
		violation("dirty-missed", "%c says so of a leaf that its log holds",
			  'a' + call);
	for (unsigned i = 0; i < nprobe; i++) {
		if (c->kind == CALL_DIRTY && !world.call[call].ret &&
		    covers(c, probe[i]) && !in_log(log, probe[i]) &&
		    was_all_the_time(call, i, before))
			violation("dirty-missed", "%c did not find 0x%llx dirty",
				  'a' + call, (unsigned long long)probe[i]);
		if (in_log(log, probe[i]))
			world.known[i].written = 0;
	}
	dirty_may_write();
}

struct asked {
	unsigned call;
	uint64_t ipa;
};

static void still_dirty(void *data, uint64_t pa, uint64_t desc, const struct stale *stale)
{
	const struct asked *a = data;

	if (!is_dirty(desc) || owners(a->ipa, pa) & ~world.call[a->call].before)
		return;
	violation(stale ? "stale-after-dirty" : "left-dirty",
		  "dirty %c has returned, a PE may write by 0x%llx for 0x%llx unseen",
		  'a' + a->call, (unsigned long long)desc, (unsigned long long)a->ipa);
}

/* Whether the guest has marked a page of the same block since the call began. */
static bool written_near(unsigned call, uint64_t ipa)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == CALL_WRITE && world.call[i].state == CALL_DONE &&
		    !(world.call[call].before & 1u << i) &&
		    !((sc->call[i].ipa ^ ipa) >> 21))
			return true;
	return false;
}

void dirty_is_clean(unsigned call, uint64_t ipa)
{
	struct asked a = { call, ipa };

	/* Those make it dirty again; of a block or a collapse one page is enough. */
	if (!(sc->call[call].flags & S2_CLEAR) || written_near(call, ipa) ||
	    not_before(CALL_RELAX, ipa, call) || not_before(CALL_MAP, ipa, call) ||
	    not_before(CALL_COLLAPSE, ipa, call))
		return;
	pe_each(ipa, still_dirty, &a);
}

void dirty_aged(unsigned call, bool young)
{
	for (unsigned i = 0; young && i < nprobe; i++)
		if (covers(&sc->call[call], probe[i]))
			world.known[i].young = 0;
}

/* Whether dirty state of a page may have gone with nobody wanting to know. */
static bool unlogged(uint64_t ipa)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (c->who != AT_FIRST && !dirty_logged(c) &&
		    (removes(c, ipa) || (covers(c, ipa) && (c->kind == CALL_WRPROTECT ||
							    c->kind == CALL_MAP))))
			return true;
	}
	return false;
}

void dirty_end(void)
{
	for (unsigned i = 0; i < nprobe; i++) {
		int level;
		uint64_t pa, d = page_now(probe[i], &pa, &level);
		unsigned own = pa ? owners(probe[i], pa) : 0;
		unsigned lost = world.known[i].written & ~(is_dirty(d) ? own : 0);

		if (lost && !unlogged(probe[i]))
			violation(
				"dirty-lost",
				"0x%llx, mapped by %c, may have been written to, no log "
				"tells and it is 0x%llx",
				(unsigned long long)probe[i], 'a' + __builtin_ctz(lost),
				(unsigned long long)d);
		if (world.known[i].young & own && !(d & DESC_AF))
			violation(
				"hw-update-lost",
				"0x%llx was accessed, no s2_age() tells and it is 0x%llx",
				(unsigned long long)probe[i], (unsigned long long)d);
	}
}
