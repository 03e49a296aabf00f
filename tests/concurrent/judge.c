/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a call promised when it returns. A promise holds against what was done before
 * the call began; what runs beside it may come first or second.
 */
#include "judge.h"

#define BLOCK_SIZE (UINT64_C(2) << 20)
#define GIB_SIZE (UINT64_C(1) << 30)

static bool is_unmap(const struct call *c)
{
	return c->kind == CALL_UNMAP ||
	       (c->kind == CALL_MAP && c->flags & S2_MAP_REPLACE);
}

/* ---- who did what ---- */

bool covers(const struct call *c, uint64_t ipa)
{
	return ipa >= c->ipa && ipa - c->ipa < c->size;
}

static bool is_before(unsigned call, unsigned than)
{
	return world.call[than].before >> call & 1;
}

unsigned owners(uint64_t ipa, uint64_t pa)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == CALL_MAP && covers(&sc->call[i], ipa) &&
		    pa - sc->call[i].pa == ipa - sc->call[i].ipa)
			mask |= 1u << i;
	return mask;
}

unsigned not_before(enum call_kind kind, uint64_t ipa, unsigned than)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == kind && covers(&sc->call[i], ipa) &&
		    world.call[i].state != CALL_IDLE && !is_before(i, than))
			mask |= 1u << i;
	return mask;
}

/* The size of the blocks that a call can make; 0: none. */
static uint64_t blocks_of(const struct call *c)
{
	if (c->kind != CALL_COLLAPSE && (c->kind != CALL_MAP || c->flags & S2_MAP_PAGES))
		return 0;
	return c->size >= GIB_SIZE ? GIB_SIZE : c->size >= BLOCK_SIZE ? BLOCK_SIZE : 0;
}

/* Whether @ipa can be in one block with a part of what call @c is for. */
static bool one_block(const struct call *c, uint64_t ipa)
{
	for (unsigned i = 0; i < CALLS; i++) {
		uint64_t size = blocks_of(&sc->call[i]), at = ipa & ~(size - 1);

		if (size && covers(&sc->call[i], ipa) && at < c->ipa + c->size &&
		    c->ipa < at + size)
			return true;
	}
	return false;
}

/* Between two steps the edge is where the operation has come to. */
bool may_straddle(const struct call *c)
{
	for (unsigned i = 0; (c->entries || c->bytes) && i < CALLS; i++)
		if (blocks_of(&sc->call[i]) && sc->call[i].ipa < c->ipa + c->size &&
		    c->ipa < sc->call[i].ipa + sc->call[i].size)
			return true;
	return (c->ipa && one_block(c, c->ipa - 1)) || one_block(c, c->ipa + c->size);
}

bool removes(const struct call *c, uint64_t ipa)
{
	return is_unmap(c) &&
	       (covers(c, ipa) || (c->flags & S2_DROP_EDGES && one_block(c, ipa)));
}

/* A call that has refused has changed nothing, or nothing from op->done on. */
static bool has_refused(unsigned call, uint64_t ipa)
{
	const struct call_run *r = &world.call[call];

	if (r->state != CALL_DONE)
		return false;
	return r->ret == S2_E_EXIST || r->ret == S2_E_BATCH ||
	       (r->ret == S2_E_BLOCK && ipa >= r->done);
}

bool has_removed(unsigned call, uint64_t ipa)
{
	/* A map that has given up may have removed it, or not. */
	return is_unmap(&sc->call[call]) && covers(&sc->call[call], ipa) &&
	       world.call[call].ret != S2_E_BUSY && !has_refused(call, ipa);
}

bool may_be_gone(uint64_t ipa, unsigned since)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (i != since && removes(&sc->call[i], ipa) &&
		    world.call[i].state != CALL_IDLE && !is_before(i, since) &&
		    !has_refused(i, ipa))
			return true;
	return false;
}

/* Whether a call beside @since may be splitting or collapsing what @ipa is in. */
static bool may_be_remade(uint64_t ipa, unsigned since)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (world.call[i].state == CALL_IDLE || is_before(i, since))
			continue;
		if (c->kind == CALL_COLLAPSE ? covers(c, ipa) :
		    c->kind == CALL_SPLIT || c->flags & S2_SPLIT_EDGES ?
					       one_block(c, ipa) :
					       false)
			return true;
	}
	return false;
}

uint64_t page_now(uint64_t ipa, uint64_t *pa, int *level)
{
	uint32_t entry;
	uint64_t d = pe_walk(ipa, level, &entry);

	*pa = desc_valid(d) ?
		      (d & UINT64_C(0xfffffffff000)) + (ipa & (pe_size(*level) - 1)) :
		      0;
	return d;
}

/* Whether a call beside @since may have changed what a page is, or was, in. */
static bool may_be_changed(enum call_kind kind, uint64_t ipa, unsigned since)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (sc->call[i].kind == kind && world.call[i].state != CALL_IDLE &&
		    !is_before(i, since) &&
		    (covers(&sc->call[i], ipa) || one_block(&sc->call[i], ipa)))
			return true;
	return false;
}

/* ---- what PEs may use ---- */

struct asked {
	unsigned call;
	uint64_t ipa;
};

static void still_usable(void *data, uint64_t pa, uint64_t desc,
			 const struct stale *stale)
{
	const struct asked *a = data;
	unsigned own = owners(a->ipa, pa);

	if (own & ~world.call[a->call].before)
		return;
	violation(stale ? "stale-after-unmap" : "left-mapped",
		  "%c has returned, a PE may use 0x%llx for 0x%llx%s", 'a' + a->call,
		  (unsigned long long)desc, (unsigned long long)a->ipa,
		  own ? "" : ", which nobody mapped");
}

static void still_writable(void *data, uint64_t pa, uint64_t desc,
			   const struct stale *stale)
{
	const struct asked *a = data;

	if (!(desc & DESC_S2AP_W) || owners(a->ipa, pa) & ~world.call[a->call].before ||
	    may_be_changed(CALL_RELAX, a->ipa, a->call))
		return;
	violation(stale ? "stale-after-wrprotect" : "left-writable",
		  "wrprotect %c has returned, a PE may write by 0x%llx for 0x%llx",
		  'a' + a->call, (unsigned long long)desc, (unsigned long long)a->ipa);
}

/* A map that gives no permission to write: of the frame that it gives. */
static void still_permitted(void *data, uint64_t pa, uint64_t desc,
			    const struct stale *stale)
{
	const struct asked *a = data;
	const struct call *c = &sc->call[a->call];

	if (!(desc & DESC_S2AP_W) || pa - c->pa != a->ipa - c->ipa ||
	    owners(a->ipa, pa) & ~world.call[a->call].before & ~(1u << a->call) ||
	    may_be_changed(CALL_RELAX, a->ipa, a->call))
		return;
	violation(stale ? "stale-after-map" : "left-writable",
		  "map %c without S2_W has returned, a PE may write by 0x%llx for 0x%llx",
		  'a' + a->call, (unsigned long long)desc, (unsigned long long)a->ipa);
}

/* ---- one page ---- */

/* Of a map that has returned 0: each page is there, or may have gone since. */
static void is_mapped(unsigned call, uint64_t ipa, bool at_end)
{
	const struct call *c = &sc->call[call];
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	if (pa == c->pa + (ipa - c->ipa) || may_be_gone(ipa, call))
		return;
	if (!at_end && desc_busy(d) && d & DESC_REMAKE && may_be_remade(ipa, call))
		return;
	violation("map-lost", "map %c has returned 0, 0x%llx is 0x%llx", 'a' + call,
		  (unsigned long long)ipa, (unsigned long long)d);
}

static void looked_up(unsigned call, uint64_t ipa)
{
	const struct call_run *r = &world.call[call];
	unsigned own = owners(ipa, r->pa);

	if (desc_valid(r->seen)) {
		bool fine = false;

		for (unsigned m = 0; m < CALLS; m++) {
			bool gone = false;

			if (!(own & 1u << m) || world.call[m].state == CALL_IDLE)
				continue;
			for (unsigned u = 0; u < CALLS; u++)
				gone |= has_removed(u, ipa) && u != m &&
					is_before(u, call) && is_before(m, u);
			fine |= !gone;
		}
		if (!fine)
			violation("lookup-stale", "lookup %c found 0x%llx", 'a' + call,
				  (unsigned long long)r->seen);
		return;
	}
	for (unsigned m = 0; m < CALLS; m++)
		if (sc->call[m].kind == CALL_MAP && covers(&sc->call[m], ipa) &&
		    is_before(m, call) && !world.call[m].ret && !r->seen &&
		    !may_be_gone(ipa, m))
			violation("lookup-missed", "lookup %c found nothing at 0x%llx",
				  'a' + call, (unsigned long long)ipa);
}

static void has_perms(unsigned call, uint64_t ipa)
{
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	if (pa && sc->call[call].attr & S2_W && !(d & DESC_S2AP_W) &&
	    !may_be_gone(ipa, call) && !may_be_changed(CALL_WRPROTECT, ipa, call) &&
	    !may_be_changed(CALL_DIRTY, ipa, call) &&
	    !may_be_changed(CALL_MAP, ipa, call))
		violation("relax-lost", "relax %c has returned 0, 0x%llx is 0x%llx",
			  'a' + call, (unsigned long long)ipa, (unsigned long long)d);
}

/*
 * Of a split that has returned 0: no block is left, none that another is still splitting
 * either. One that came beside it may have come after it.
 */
static void is_split(unsigned call, uint64_t ipa)
{
	int level;
	uint64_t pa, d = page_now(ipa, &pa, &level);

	if (level == 3 || not_before(CALL_COLLAPSE, ipa, call) ||
	    (pa ? owners(ipa, pa) & ~world.call[call].before :
		  !desc_busy(d) || !(d & DESC_REMAKE) || may_be_gone(ipa, call)))
		return;
	violation("left-block", "split %c has returned, 0x%llx is in a block: 0x%llx",
		  'a' + call, (unsigned long long)ipa, (unsigned long long)d);
}

static void judge_page(unsigned call, uint64_t ipa, bool at_end)
{
	const struct call *c = &sc->call[call];
	struct asked a = { call, ipa };

	switch (c->kind) {
	case CALL_MAP:
		is_mapped(call, ipa, at_end);
		if (c->flags & S2_MAP_REPLACE)
			pe_each(ipa, still_usable, &a);
		if (!(c->attr & (S2_W | S2_DBM)))
			pe_each(ipa, still_permitted, &a);
		break;
	case CALL_UNMAP:
		pe_each(ipa, still_usable, &a);
		break;
	case CALL_WRPROTECT:
		pe_each(ipa, still_writable, &a);
		break;
	case CALL_RELAX:
		has_perms(call, ipa);
		break;
	case CALL_SPLIT:
		is_split(call, ipa);
		break;
	case CALL_LOOKUP:
	case CALL_TRANSLATE:
		if (!at_end)
			looked_up(call, ipa);
		break;
	case CALL_DIRTY:
		if (!at_end)
			dirty_is_clean(call, ipa);
		break;
	default:
		break;
	}
}

/* ---- cleans ----
 *
 * Who breaks a leaf cleans it, unless the call waives that (S2_NO_CLEAN), and so does
 * every other call for whose range it is, for itself. What all of them waive nobody
 * cleans.
 */

static bool waived(unsigned call)
{
	return call < CALLS && sc->call[call].flags & S2_NO_CLEAN;
}

static void is_cleaned(unsigned call, uint64_t end)
{
	const struct call *c = &sc->call[call];
	const struct stale *s;

	for (unsigned i = 0; (s = pe_uncleaned(&i, c->ipa, end - c->ipa)); i++) {
		unsigned own = owners(s->ipa, s->desc & UINT64_C(0xfffffffff000));

		/*
		 * One that was mapped beside the call may have been so after it; of one
		 * that reaches out of the range only a part has to be clean. What a call
		 * has taken from the tree, and waived, is not there for those after it.
		 */
		if (s->by != call && (waived(s->by) || waived(s->first) ||
				      own & ~world.call[call].before || s->ipa < c->ipa ||
				      s->ipa + pe_size(s->level) > end))
			continue;
		violation("not-cleaned", "%c has returned, 0x%llx is not clean",
			  'a' + call, (unsigned long long)s->desc);
	}
}

/* Whether call @c, which does not waive cleans, may clean [ipa, ipa + size). */
static bool may_clean(const struct call *c, uint64_t ipa, uint64_t size)
{
	if (c->flags & S2_NO_CLEAN)
		return false;
	if (c->kind == CALL_CLEAN || c->kind == CALL_MAP)
		return covers(c, ipa) && covers(c, ipa + size - 1);
	return false;
}

/* A block that another has broken is cleaned whole for a part of it. */
static bool may_clean_removed(const struct call *c, uint64_t ipa, uint64_t size)
{
	if (c->flags & S2_NO_CLEAN || !is_unmap(c))
		return false;
	return (removes(c, ipa) || one_block(c, ipa)) &&
	       (removes(c, ipa + size - 4096) || one_block(c, ipa + size - 4096));
}

/*
 * A block of which the byte budget was not enough for the clean of all: whoever meets it
 * goes on with that.
 */
static bool is_parked(const struct call *c, uint64_t ipa, uint64_t size)
{
	const struct stale *s;

	if (!sc->locked || !is_unmap(c))
		return false;
	for (unsigned i = 0; (s = pe_uncleaned(&i, c->ipa, c->size)); i++)
		if (s->level < 3 && !waived(s->by) && ipa >= s->ipa &&
		    ipa + size <= s->ipa + pe_size(s->level))
			return true;
	return false;
}

static bool cleans_for(unsigned call, uint64_t ipa, uint64_t size)
{
	const struct call *c = &sc->call[call];

	if (may_clean(c, ipa, size) || is_parked(c, ipa, size))
		return true;
	/* For itself, or for another whose markers are in a table that it takes. */
	for (unsigned i = 0; i < CALLS; i++)
		if (world.call[i].state != CALL_IDLE &&
		    may_clean_removed(&sc->call[i], ipa, size))
			return true;
	for (unsigned i = 0; i < CALLS; i++)
		if (world.call[i].state == CALL_PENDING &&
		    is_parked(&sc->call[i], ipa, size))
			return true;
	return false;
}

void judge_clean(unsigned call, uint64_t pa, uint64_t size)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];
		uint64_t start, end;

		if (c->kind != CALL_MAP || pa >= c->pa + c->size || pa + size <= c->pa)
			continue;
		start = pa > c->pa ? pa : c->pa;
		end = pa + size < c->pa + c->size ? pa + size : c->pa + c->size;
		if (cleans_for(call, start - c->pa + c->ipa, end - start))
			return;
	}
	violation("cleaned-waived", "%c cleans 0x%llx+0x%llx, for which nobody asks",
		  'a' + call, (unsigned long long)pa, (unsigned long long)size);
}

void judge_destroyed(void)
{
	const struct stale *s;

	for (unsigned i = 0; (s = pe_uncleaned(&i, 0, UINT64_C(1) << 48)); i++)
		if (s->by < CALLS && sc->call[s->by].abandoned && !waived(s->by))
			violation("not-cleaned", "destroyed, and 0x%llx is not clean",
				  (unsigned long long)s->desc);
}

/* ---- batches ---- */

/* Whether an unmap that the open batch has not finished is of a part of the range. */
static bool is_pending(const struct call *c)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *b = &sc->call[i];

		if (world.call[i].state == CALL_PENDING &&
		    ((b->ipa < c->ipa + c->size && c->ipa < b->ipa + b->size) ||
		     removes(b, c->ipa) || removes(b, c->ipa + c->size - 4096)))
			return true;
	}
	return false;
}

/* A table on the way has gone with its last page, and waits for the flush. */
static bool is_pending_above(const struct call *c)
{
	int level;
	uint64_t pa, d = page_now(c->ipa, &pa, &level);

	return world.s2.batch && desc_busy(d) && desc_is_table(d, level);
}

static bool is_structural(const struct call *c)
{
	return is_unmap(c) || c->kind == CALL_MAP || c->kind == CALL_WRPROTECT ||
	       c->kind == CALL_SPLIT || c->kind == CALL_COLLAPSE;
}

/* A call outside has gone over what an open batch has broken. */
static void not_pending(unsigned call, uint64_t ipa)
{
	int level;
	uint64_t pa;

	if (is_structural(&sc->call[call]) && !sc->call[call].batched &&
	    is_pending(&sc->call[call]) && desc_busy(page_now(ipa, &pa, &level)))
		violation("batch-passed", "%c has returned 0, 0x%llx is in an open batch",
			  'a' + call, (unsigned long long)ipa);
}

/* ---- a call ---- */

static bool allowed(const struct call *c, int ret)
{
	bool edges = c->flags & (S2_DROP_EDGES | S2_SPLIT_EDGES);

	switch (ret) {
	case 0:
		return true;
	case S2_E_EXIST:
		return c->kind == CALL_MAP;
	case S2_E_NOENT:
		return c->kind == CALL_RELAX || c->kind == CALL_MKYOUNG;
	case S2_E_BUSY:
		return c->once;
	case S2_E_BLOCK:
		return (is_unmap(c) || c->kind == CALL_MAP) && !edges && may_straddle(c);
	case S2_E_BATCH:
		return !c->batched && (is_pending(c) || is_pending_above(c));
	case S2_E_AGENTS:
		return sc->agents_fail;
	default:
		return false;
	}
}

void judge(unsigned call, bool at_end)
{
	const struct call *c = &sc->call[call];
	const struct call_run *r = &world.call[call];
	uint64_t end = c->ipa + c->size;

	if (!at_end && !allowed(c, r->ret))
		violation("result", "%c returned %d (%s)", 'a' + call, r->ret,
			  s2_strerror(r->ret));
	/* What was done before the block was met is done; so it is for the PEs. */
	if ((r->ret == S2_E_BLOCK || r->ret == S2_E_AGENTS) && c->kind == CALL_UNMAP)
		end = r->done < end ? r->done : end;
	else if (r->ret)
		return;
	for (unsigned i = 0; i < nprobe; i++) {
		if (!covers(c, probe[i]) || probe[i] >= end)
			continue;
		judge_page(call, probe[i], at_end);
		if (!at_end)
			not_pending(call, probe[i]);
	}
	if (is_unmap(c) && !waived(call) && end > c->ipa)
		is_cleaned(call, end);
}
