/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * planted			prints the names of the programs
 * planted PROGRAM [LOG]	runs one: prints "none", or "RULE: why" for each verdict
 *
 * Programs are small. The name of a program, its line in the table below, and the shape
 * that it runs say what it does.
 */
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "world.h"

#define FWB S2_FEAT_FWB
#define RANGE S2_FEAT_TLBIRANGE
#define TTL S2_FEAT_TTL
#define HAFDBS S2_FEAT_HAFDBS
#define DBM (S2_FEAT_HAFDBS | S2_FEAT_DBM)

/* ---- shapes: sequences of calls; world.c makes the promises of each -------------- */

/* Single pages are mapped and unmapped, the last of a table among them. */
static void pages(void)
{
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	map(8 * PAGE, PAGE, S2_R | S2_X, 0);
	unmap(PAGE, PAGE, 0);
	unmap(PAGE, PAGE, 0);
	map(PAGE, PAGE, RWX, 0);
	unmap(0, 2 * PAGE, 0);
	unmap(2 * PAGE, PAGE, S2_NO_CLEAN);
	map_to(2 * PAGE, frame(4 * PAGE), PAGE, RW, S2_NO_CLEAN);
	unmap(2 * PAGE, PAGE, 0);
	unmap(3 * PAGE, PAGE, 0);
	unmap(8 * PAGE, PAGE, 0);
	world_flush();
	map(0, PAGE, RW, 0);
}

/* Page by page: upwards, downwards, in many tables, until the tables are empty. */
static void one_by_one(void)
{
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 12; i++)
			map(i * BLOCK, (8 + i) * PAGE, RW, S2_MAP_PAGES);
		map(20 * PAGE, 4 * PAGE, RW | S2_MEM_NC, S2_MAP_PAGES);
		for (unsigned i = 1; i < 5; i++)
			unmap(i * PAGE, PAGE, 0);
		for (unsigned i = 22; i > 19; i--)
			unmap(i * PAGE, PAGE, 0);
		unmap(6 * PAGE, PAGE, S2_NO_CLEAN);
		world_flush();
		map(2 * PAGE, 2 * PAGE, RW, S2_MAP_PAGES);
		for (unsigned i = 0; i < 12; i++)
			unmap(i * BLOCK + 5 * PAGE, PAGE, 0);
		for (unsigned i = 0; i < 10; i++)
			unmap(2 * BLOCK + i * PAGE, PAGE, 0);
		world_flush();
		unmap(0, 12 * BLOCK, 0);
		world_flush();
	}
}

/* Tables wholly inside the range, with and without tables below, and at its edges. */
static void tables(void)
{
	for (unsigned round = 0; round < 2; round++) {
		map(GIB, BLOCK, RW, S2_MAP_PAGES);
		map(GIB + 8 * BLOCK, 3 * PAGE, RW, S2_MAP_PAGES);
		map(2 * GIB - PAGE, 2 * PAGE, RW, S2_MAP_PAGES);
		map(2 * GIB + BLOCK, BLOCK, RW, 0);
		unmap(GIB, GIB, 0);
		map(GIB + 5 * PAGE, PAGE, RW, 0);
		unmap(GIB - 8 * PAGE, BLOCK, 0);
		unmap(2 * GIB, BLOCK, 0);
		unmap(2 * GIB, GIB, 0);
		world_flush();
	}
}

/* Part of a range, then the rest of it. */
static void parts(void)
{
	map(0, 2 * BLOCK, RW, S2_MAP_PAGES);
	unmap(PAGE, 2 * BLOCK - 2 * PAGE, 0);
	map(PAGE, 2 * BLOCK - 2 * PAGE, RW, S2_MAP_PAGES);
	unmap(0, BLOCK / 2, 0);
	unmap(0, BLOCK, 0);
	map(0, PAGE, RW, 0);
	unmap(0, 2 * BLOCK, 0);
	world_flush();
	map(PAGE, PAGE, RW, 0);
	unmap(0, GIB, 0);
}

/* Blocks across an edge are dropped whole, or split first. */
static void edges(void)
{
	map(0, 2 * GIB, RW, 0);
	unmap(GIB + 3 * PAGE, PAGE, S2_SPLIT_EDGES);
	unmap(BLOCK / 2, BLOCK, S2_SPLIT_EDGES);
	unmap(6 * BLOCK + PAGE, 2 * BLOCK, S2_DROP_EDGES);
	unmap(12 * BLOCK + PAGE, 2 * PAGE, S2_DROP_EDGES);
	world_flush();
	unmap(0, 2 * GIB, 0);
}

/* Blocks and pages at the end of the address space. */
static void end_of_space(void)
{
	uint64_t end = UINT64_C(1) << world.s2.ipa_bits;

	map_to(end - 4 * BLOCK, 4 * GIB, 4 * BLOCK, RW, 0);
	map_to(end - 8 * BLOCK, 8 * GIB, BLOCK, RW, S2_MAP_PAGES);
	unmap(end - BLOCK - PAGE, BLOCK + PAGE, S2_SPLIT_EDGES);
	unmap(end - 3 * BLOCK, 3 * BLOCK, 0);
	map_to(end - PAGE, 4 * GIB, PAGE, RW, 0);
	unmap(0, end, 0);
	world_flush();
}

/* Both halves of a root that has two tables. */
static void roots(void)
{
	uint64_t half = UINT64_C(1) << (world.s2.ipa_bits - 1);

	map_to(PAGE, GIB, PAGE, RW, 0);
	map_to(half + PAGE, 2 * GIB, PAGE, RW, 0);
	map_to(half + half / 2, 4 * GIB, GIB, RW, 0);
	unmap(half - GIB, half, 0);
	map_to(half + PAGE, 2 * GIB, 2 * PAGE, RW, 0);
	unmap(0, 2 * half, 0);
	map_to(half + PAGE, 2 * GIB, PAGE, RW, 0);
	unmap(0, 2 * half, 0);
	world_flush();
}

/* Page, block and table are each replaced by another. */
static void replace(void)
{
	map(0, BLOCK, RW, S2_MAP_PAGES);
	map(BLOCK, BLOCK, RW, 0);
	map_to(0, frame(GIB), BLOCK, RW, S2_MAP_REPLACE);
	map_to(0, frame(GIB + BLOCK), BLOCK, RW, S2_MAP_REPLACE);
	map_to(BLOCK, frame(2 * GIB), BLOCK, RW, S2_MAP_REPLACE | S2_MAP_PAGES);
	map_to(BLOCK + PAGE, frame(0), PAGE, RW, S2_MAP_REPLACE);
	map_to(BLOCK + PAGE, frame(0), PAGE, S2_R, S2_MAP_REPLACE);
	map_to(BLOCK + PAGE, frame(0), PAGE, S2_R | S2_MEM_NC, S2_MAP_REPLACE);
	unmap(0, GIB, 0);
}

/* Permissions change in place. */
static void in_place(void)
{
	map(0, 3 * PAGE, RW, S2_MAP_PAGES);
	map(0, 3 * PAGE, S2_R, S2_MAP_REPLACE);
	relax(PAGE, RW);
	relax(PAGE, RWX);
	wrprotect(0, 2 * PAGE);
	map(BLOCK, BLOCK, RW, 0);
	/* Write-protecting a page of a block protects all of the block. */
	now_has(BLOCK, BLOCK, S2_R);
	wrprotect(BLOCK + PAGE, PAGE);
	unmap(0, 2 * BLOCK, S2_DROP_EDGES);
}

/* What is mapped already is mapped again. */
static void again(void)
{
	map(0, 5 * PAGE, S2_R, S2_MAP_PAGES);
	map_fails(0, frame(0), PAGE, RW, S2_MAP_NEW, S2_E_EXIST);
	map_fails(PAGE, frame(0), PAGE, RW, 0, S2_E_EXIST);
	/* In place, all of them, and with software bits among the permissions. */
	map(0, 5 * PAGE, RW, 0);
	map(0, 5 * PAGE, S2_R | S2_SW(1), 0);
	map(0, BLOCK, RW, 0);
	/* In a block nothing changes, or a part of it does; two tables are enough. */
	map(GIB, GIB, RW, 0);
	memory(0);
	map(GIB + 9 * BLOCK + PAGE, PAGE, RW, S2_MAP_PAGES);
	memory(2);
	map(GIB + 5 * BLOCK + PAGE, PAGE, S2_R, S2_SPLIT_EDGES);
	memory(-1);
	map(3 * GIB, GIB, RW, 0);
	map_fails(3 * GIB, frame(3 * GIB), PAGE, S2_R, 0, S2_E_BLOCK);
	/* Both edges in one block. */
	map(8 * GIB, GIB, RW, 0);
	memory(3);
	map(8 * GIB + 20 * BLOCK + PAGE, 2 * BLOCK, S2_R, S2_SPLIT_EDGES);
	memory(-1);
	/* An owner's mark in the place of one, and others beside it. */
	memory(2);
	annotate_over(3 * GIB + 5 * BLOCK + PAGE, PAGE, 7);
	memory(-1);
	annotate_over(3 * GIB + 5 * BLOCK, BLOCK, 8);
	unmap(0, 16 * GIB, 0);
}

static void splits(void)
{
	map(GIB, GIB, RW, 0);
	split(GIB + 5 * BLOCK + PAGE, PAGE);
	unmap(GIB + 5 * BLOCK, 2 * PAGE, 0);
	world_flush();
	split(GIB + 7 * BLOCK, 3 * BLOCK);
	wrprotect(GIB + 7 * BLOCK, PAGE);
	unmap(GIB, GIB, 0);
	world_flush();
}

static void collapses(void)
{
	map(GIB, BLOCK, RW, S2_MAP_PAGES);
	map(GIB + BLOCK, BLOCK - PAGE, RW, S2_MAP_PAGES);
	map(GIB + 2 * BLOCK, GIB - 2 * BLOCK, RW, 0);
	collapse(GIB, GIB);
	map(GIB + 2 * BLOCK - PAGE, PAGE, RW, 0);
	collapse(GIB, BLOCK);
	collapse(GIB, GIB);
	unmap(GIB, GIB, 0);
	map(0, BLOCK / 2, RW, S2_MAP_PAGES);
	map_to(BLOCK / 2, frame(0), BLOCK / 2, RW, S2_MAP_PAGES);
	collapse(0, BLOCK);
	unmap(0, BLOCK, 0);
}

/* A range with a page at each end and nothing between. */
static void ends(uint64_t start, uint64_t size)
{
	uint64_t page = UINT64_C(1) << world.s2.granule_shift;

	map(start, page, RW, 0);
	map(start + size - page, page, RW, 0);
	unmap(start, size, 0);
	world_flush();
}

static void ranges(void)
{
	uint64_t page = UINT64_C(1) << world.s2.granule_shift;

	/* The greatest length of one TLBI, and twice that. */
	ends(page << 21, page << 21);
	ends(page << 21, page << 22);
	ends(page << 22, page * 3);
	ends(page * 5, page * 64);
	ends(page * 5, page * 65);
	ends(page * 1025, page * 2079);
	ends(page * 7, page * 66000);
}

/* So few leaves that each has a TLBI of its own. */
static void singles(void)
{
	map(0, 8 * BLOCK, RW, 0);
	map(GIB, 8 * PAGE, RW, S2_MAP_PAGES);
	map(GIB + 16 * PAGE, PAGE, RW, 0);
	unmap(GIB, 5 * PAGE, 0);
	unmap(0, 3 * BLOCK, 0);
	unmap(3 * BLOCK, BLOCK, 0);
	unmap(GIB, 8 * PAGE, 0);
	world_flush();
}

/* More places than a batch remembers. */
static void places(void)
{
	for (unsigned i = 0; i < 12; i++)
		map(i * BLOCK, 2 * PAGE, RW, S2_MAP_PAGES);
	for (unsigned i = 0; i < 12; i++)
		unmap(i * BLOCK + PAGE, PAGE, 0);
	world_flush();
}

/* What a batch has unmapped is refused to all others until the flush. */
static void pending(void)
{
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	unmap(PAGE, PAGE, 0);
	unmap(3 * PAGE, PAGE, 0);
	map_fails(PAGE, frame(GIB), PAGE, RW, 0, S2_E_BATCH);
	map_fails(PAGE, frame(GIB), PAGE, RW, S2_MAP_REPLACE, S2_E_BATCH);
	wrprotect(2 * PAGE, PAGE);
	wrprotect_fails(0, 2 * PAGE, S2_E_BATCH);
	outside_batch(true);
	unmap_fails(3 * PAGE, PAGE, 0, S2_E_BATCH);
	unmap(0, PAGE, 0);
	outside_batch(false);
	world_flush();
	map(PAGE, PAGE, RW, 0);
}

/* All that is left in a table is what waits for the flush. */
static void last_in_batch(void)
{
	map(0, 2 * PAGE, RW, S2_MAP_PAGES);
	unmap(0, PAGE, 0);
	outside_batch(true);
	unmap(PAGE, PAGE, 0);
	outside_batch(false);
	world_flush();
}

/* Unmaps side by side in a batch, of which some have waived the clean. */
static void waived_beside(void)
{
	map(0, 16 * PAGE, RW, S2_MAP_PAGES);
	map(BLOCK, 4 * BLOCK, RW, 0);
	unmap(2 * PAGE, 2 * PAGE, 0);
	unmap(4 * PAGE, 2 * PAGE, S2_NO_CLEAN);
	unmap(6 * PAGE, 2 * PAGE, 0);
	unmap(8 * PAGE, PAGE, S2_NO_CLEAN);
	unmap(9 * PAGE, PAGE, 0);
	unmap(10 * PAGE, PAGE, S2_NO_CLEAN);
	unmap(BLOCK, BLOCK, S2_NO_CLEAN);
	unmap(2 * BLOCK, BLOCK, 0);
	world_flush();
	outside_batch(true);
	unmap(3 * BLOCK, 2 * BLOCK, S2_NO_CLEAN);
	unmap(0, PAGE, S2_NO_CLEAN);
	outside_batch(false);
}

static void waived_first(void)
{
	map(0, 8 * PAGE, RW, S2_MAP_PAGES);
	unmap(2 * PAGE, 2 * PAGE, S2_NO_CLEAN);
	unmap(4 * PAGE, 2 * PAGE, 0);
	world_flush();
}

/* Leaves of one level, of two levels, and a table: which level hint is allowed. */
static void hints(void)
{
	map(0, 4 * BLOCK, RW, 0);
	map(4 * BLOCK, 2 * PAGE, RW, S2_MAP_PAGES);
	map(5 * BLOCK, PAGE, RW, 0);
	map(GIB - 4 * PAGE, 4 * PAGE, RW, S2_MAP_PAGES);
	map(GIB + BLOCK, BLOCK, RW, 0);
	unmap(0, BLOCK, 0);
	unmap(3 * BLOCK, BLOCK + PAGE, 0);
	map(3 * BLOCK, BLOCK, RW, 0);
	unmap(3 * BLOCK, 2 * BLOCK, 0);
	unmap(5 * BLOCK, PAGE, 0);
	/* Neighbours, which are one place in a batch. */
	unmap(GIB - 2 * PAGE, 2 * PAGE, 0);
	unmap(GIB, GIB, 0);
	unmap(BLOCK, 2 * BLOCK, 0);
	world_flush();
	map(GIB, GIB, RW, 0);
	unmap(GIB, GIB, 0);
	unmap(0, GIB, 0);
	world_flush();
}

/* A block of 512 GiB, which LPA2 has, and pages that are aligned to less than 64 KiB. */
static void lpa2(void)
{
	map(512 * GIB, 512 * GIB, RW, 0);
	map(5 * PAGE, 20 * PAGE, RW, 0);
	unmap(512 * GIB, 512 * GIB, 0);
	unmap(7 * PAGE, 14 * PAGE, 0);
	unmap(0, GIB, 0);
	world_flush();
	map(BLOCK + PAGE, PAGE, RW, 0);
	unmap(BLOCK + PAGE, PAGE, 0);
	world_flush();
}

/* Allocations fail: of the first or second table of a map, and of a split. */
static void failures(void)
{
	map(0, 2 * PAGE, RW, S2_MAP_PAGES);
	map(8 * BLOCK, 2 * BLOCK, RW, 0);
	for (unsigned n = 0; n < 2; n++) {
		memory(n);
		map_fails(GIB, frame(GIB), 2 * BLOCK, RW, S2_MAP_PAGES, S2_E_NOMEM);
		memory(n);
		split_fails(8 * BLOCK, 2 * BLOCK, S2_E_NOMEM);
	}
	memory(-1);
	map(BLOCK, BLOCK, RW, 0);
	map_fails(PAGE, frame(GIB), BLOCK, RW, S2_MAP_REPLACE, S2_E_BLOCK);
	map_fails(0, frame(GIB), BLOCK, RW, 0, S2_E_EXIST);
	unmap(0, 2 * BLOCK, 0);
}

/* ---- budgets ----------------------------------------------------------------------- */

static void unmap_above_waived(void)
{
	bool root = world.s2.ipa_bits < 48;

	/* What an entry of the root translates, where that is no block. */
	unmap_beside(0, root ? 4 * GIB : UINT64_C(1) << world.s2.start_shift,
		     S2_NO_CLEAN);
}

static void unmap_last_blocks(void)
{
	unmap_beside(GIB, GIB, 0);
}

static void replace_parked(void)
{
	map_beside(GIB, frame(4 * GIB), GIB, RW, S2_MAP_REPLACE);
}

/* Blocks larger than what a step may clean; others that meet one that is half clean. */
static void parked(void)
{
	void (*const between[])(void) = { NULL, unmap_above_waived, unmap_last_blocks,
					  replace_parked };

	for (unsigned i = 0; i < sizeof(between) / sizeof(*between); i++) {
		budget(0, 0);
		map(GIB, GIB, RW, 0);
		budget(512, 64 * MIB);
		world.at_parked = between[i];
		unmap(GIB, GIB, 0);
	}
	map(GIB - BLOCK, BLOCK, RW, S2_MAP_PAGES);
	map(GIB, GIB, RW, 0);
	budget(0, 0);
	map(2 * GIB, 2 * GIB, RW, 0);
	budget(1024, 64 * MIB);
	unmap(GIB - BLOCK, 2 * GIB, S2_NO_CLEAN | S2_SPLIT_EDGES);
	map_to(2 * GIB, frame(8 * GIB), GIB, RW, S2_MAP_REPLACE | S2_DROP_EDGES);
	unmap(0, 4 * GIB, 0);
}

/* One or, with 16 KiB, two tables below the root, which the other detaches whole. */
static void parked_below(void)
{
	uint64_t block = world.s2.granule_shift == 12 ? GIB : 32 * MIB;

	budget(0, 0);
	map(block, block, RW, 0);
	budget(512, 2 * MIB);
	world.at_parked = unmap_above_waived;
	unmap(block, block, 0);
}

/* Many windows: of tables, holes and pages; more than a step may visit. */
static void windows(void)
{
	for (unsigned i = 0; i < 4; i++) {
		map(i * 8 * BLOCK, BLOCK, RW, S2_MAP_PAGES);
		map((i * 8 + 2) * BLOCK, 5 * PAGE, RW, S2_MAP_PAGES);
	}
	map(GIB, GIB, RW, 0);
	unmap(PAGE, 16 * BLOCK, 0);
	map_to(PAGE, frame(4 * GIB), 9 * BLOCK, RW, S2_MAP_REPLACE);
	map_to(BLOCK, frame(8 * GIB), BLOCK, RW, S2_MAP_REPLACE);
	/* The same memory, by one leaf. */
	map(24 * BLOCK, BLOCK, RW, S2_MAP_REPLACE);
	unmap(0, GIB, S2_NO_CLEAN);
	unmap(0, 2 * GIB, 0);
}

static void guest_writes(void)
{
	s2m_guest_write(world.m, 2, world_root(), PAGE);
}

static void guest_writes_third(void)
{
	s2m_guest_write(world.m, 2, world_root(), 2 * PAGE);
}

static void guest_writes_fourth(void)
{
	s2m_guest_write(world.m, 2, world_root(), 3 * PAGE);
}

static void guest_writes_block(void)
{
	s2m_guest_write(world.m, 2, world_root(), BLOCK + PAGE);
}

/* The guest writes between the look at an entry and its swap. */
static void hardware(void)
{
	s2_attr_t dbm = world.s2.features & S2_FEAT_DBM ? S2_R | S2_DBM : RW;

	map(0, 4 * PAGE, dbm, S2_MAP_PAGES);
	map(BLOCK, BLOCK, dbm, 0);
	world.before_cas = guest_writes;
	wrprotect(0, 2 * PAGE);
	map(PAGE, PAGE, dbm, S2_MAP_REPLACE);
	world.before_cas = guest_writes;
	unmap(PAGE, PAGE, 0);
	age(2 * PAGE, 2 * PAGE);
	world.before_cas = guest_writes_third;
	wrprotect(2 * PAGE, PAGE);
	world.before_cas = guest_writes_fourth;
	unmap(3 * PAGE, PAGE, 0);
	world.before_cas = guest_writes_block;
	split(BLOCK + PAGE, PAGE);
	collapse(BLOCK, BLOCK);
	unmap(0, 2 * BLOCK, 0);
}

/* The guest writes to a table that is about to become a block. */
static void hardware_collapse(void)
{
	struct s2_mapping m;

	map(BLOCK, BLOCK, S2_R | S2_DBM, S2_MAP_PAGES);
	world.before_tlbi = guest_writes_block;
	collapse(BLOCK, BLOCK);
	/* The machine wants every entry read again, and the block is dirty unread. */
	if (s2_lookup(&world.s2, s2_ipa(BLOCK), &m) || !(m.attr & S2_W))
		convict("hw-dirty-lost", "a page was written, and the block is clean");
}

/* Each page that the guest writes is reported once. */
static void dirt(void)
{
	map(0, 4 * PAGE, S2_R | S2_DBM, S2_MAP_PAGES);
	guest_writes();
	dirty(0, 4 * PAGE);
	guest_writes();
	dirty(0, 4 * PAGE);
	guest_writes();
	wrprotect(0, 2 * PAGE);
	map(PAGE, PAGE, S2_R | S2_DBM, 0);
	guest_writes();
	unmap(0, BLOCK, 0);
}

/* The VMID changes between two calls. */
static void rollover(void)
{
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	unmap(0, PAGE, 0);
	vmid_rollover();
	unmap(PAGE, PAGE, 0);
	unmap(0, BLOCK, 0);
}

/* Part of a run changes: the hint is taken from all of it first. */
static void runs(void)
{
	map(0, 32 * PAGE, RW, S2_MAP_CONT | S2_MAP_PAGES);
	unmap(3 * PAGE, PAGE, 0);
	now_has(16 * PAGE, 16 * PAGE, S2_R);
	wrprotect(20 * PAGE, PAGE);
	unmap(0, BLOCK, 0);
}

static void notes(void)
{
	annotate(0, BLOCK, 7);
	map(PAGE, PAGE, RW, 0);
	unmap(0, BLOCK, S2_KEEP_NOTES);
	annotate(0, BLOCK, 0);
	annotate(GIB, GIB, 7);
	annotate(GIB + PAGE, PAGE, 9);
	annotate(GIB + BLOCK + PAGE, 2 * PAGE, 0);
	map(GIB + BLOCK, PAGE, RW, 0);
	unmap(0, 2 * GIB, 0);
}

/* At destroy only an annotation is left. */
static void last_note(void)
{
	map(0, PAGE, RW, 0);
	unmap(0, PAGE, 0);
	annotate(GIB, GIB, 7);
}

/* Memory with execute permission, and memory that had another owner. */
static void published(void)
{
	map(0, 2 * PAGE, RWX, S2_MAP_PAGES);
	unmap(0, PAGE, 0);
	map_to(0, frame(0), PAGE, RWX, 0);
	map(BLOCK, BLOCK, RW, 0);
	map_to(BLOCK, frame(BLOCK), BLOCK, RWX, 0);
	map(4 * PAGE, PAGE, RW, 0);
	relax(4 * PAGE, S2_X);
	unmap(0, GIB, 0);
}

/* The same memory, of a type that the guest may use past the caches. */
static void exchange(void)
{
	map(0, 2 * PAGE, RW, S2_MAP_PAGES);
	map(BLOCK, BLOCK, RW, 0);
	s2m_guest_write(world.m, 2, world_root(), 0);
	map_to(0, frame(0), PAGE, RW | S2_MEM_NC, S2_MAP_REPLACE);
	map_to(BLOCK, frame(BLOCK), BLOCK, RW | S2_MEM_NC, S2_MAP_REPLACE);
	unmap(0, GIB, 0);
}

/* Tables, blocks, and memory of two types side by side, in tables that stay. */
static void neighbours(void)
{
	for (unsigned round = 0; round < 2; round++) {
		map(GIB, 3 * BLOCK, RW, S2_MAP_PAGES);
		map(GIB + 3 * BLOCK, 3 * BLOCK, RW, 0);
		map(GIB + 6 * BLOCK, 2 * BLOCK, RW | S2_MEM_NC, 0);
		map(GIB + 9 * BLOCK, 2 * BLOCK, RW, 0);
		map(GIB + 11 * BLOCK, 4 * PAGE, RW | S2_MEM_NC, S2_MAP_PAGES);
		map(GIB + 11 * BLOCK + 4 * PAGE, 4 * PAGE, RW, S2_MAP_PAGES);
		map(GIB + 11 * BLOCK + 9 * PAGE, 4 * PAGE, RW | S2_MEM_NC, S2_MAP_PAGES);
		age(GIB, 12 * BLOCK);
		unmap(GIB + 11 * BLOCK + 2 * PAGE, 10 * PAGE, 0);
		unmap(GIB + 11 * BLOCK, PAGE, 0);
		unmap(GIB, 11 * BLOCK, 0);
		world_flush();
	}
	/*
	 * A table of blocks is detached. Two of them are neighbours in memory, in falling
	 * order.
	 */
	map_to(4 * GIB, 64 * GIB + BLOCK, BLOCK, RW, 0);
	map_to(4 * GIB + BLOCK, 64 * GIB, BLOCK, RW, 0);
	map(4 * GIB + 5 * BLOCK, 3 * BLOCK, RW, 0);
	unmap(GIB, 4 * GIB, 0);
	world_flush();
}

/* Counted leaves go in every way that there is. The machine knows what is due. */
static void counted(void)
{
	map(0, 8 * PAGE, COUNTED, S2_MAP_PAGES);
	map(8 * PAGE, 2 * PAGE, RW, S2_MAP_PAGES);
	unmap(PAGE, PAGE, 0);
	unmap(4 * PAGE, 4 * PAGE, 0);
	world_flush();
	map_to(0, frame(GIB), PAGE, RW, S2_MAP_REPLACE);
	map_to(2 * PAGE, frame(2 * PAGE), PAGE, S2_R, S2_MAP_REPLACE);
	map_to(3 * PAGE, frame(3 * PAGE), PAGE, COUNTED, S2_MAP_REPLACE);
	map(BLOCK, 2 * BLOCK, COUNTED, 0);
	map(3 * BLOCK, BLOCK, COUNTED, S2_MAP_PAGES);
	map(4 * BLOCK, BLOCK, RW, S2_MAP_PAGES);
	split(BLOCK, BLOCK);
	unmap(BLOCK + PAGE, PAGE, 0);
	unmap(2 * BLOCK + PAGE, PAGE, S2_SPLIT_EDGES);
	unmap(0, GIB, 0);
	world_flush();
	/* The second takes the table along. */
	map(0, PAGE, COUNTED, 0);
	map(5 * PAGE, PAGE, COUNTED, 0);
	unmap(5 * PAGE, PAGE, 0);
	unmap(0, PAGE, 0);
	world_flush();
	map(GIB, 2 * PAGE, COUNTED, 0);
}

static void counted_parked(void)
{
	map(GIB, GIB, COUNTED, 0);
	budget(512, 64 * MIB);
	unmap(GIB, GIB, 0);
}

/* ---- programs --------------------------------------------------------------------- */

static const struct program {
	const char *name;
	void (*shape)(void);
	struct setup setup;
} programs[] = {
	{ "pages", pages, { .features = FWB } },
	{ "pages-no-fwb", pages, { 0 } },
	{ "pages-shared", pages, { .features = FWB, .how = SHARED } },
	{ "pages-shared-no-fwb", pages, { .how = SHARED } },
	{ "pages-batch", pages, { .how = BATCH } },
	{ "pages-agent", pages, { .features = FWB, .machine = S2M_AGENT } },
	{ "one-by-one", one_by_one, { .features = FWB | RANGE } },
	{ "one-by-one-batch", one_by_one, { .features = FWB | RANGE, .how = BATCH } },
	{ "one-by-one-batch-no-fwb", one_by_one, { .how = BATCH } },
	{ "tables", tables, { .features = FWB | RANGE } },
	{ "tables-no-fwb", tables, { .features = RANGE } },
	{ "tables-no-range", tables, { .features = FWB } },
	{ "tables-shared", tables, { .features = FWB | RANGE, .how = SHARED } },
	{ "tables-shared-no-fwb", tables, { .how = SHARED } },
	{ "tables-batch", tables, { .features = FWB | RANGE, .how = BATCH } },
	{ "tables-batch-no-fwb", tables, { .features = RANGE, .how = BATCH } },
	{ "tables-steps", tables, { .features = RANGE, .entries = 512 } },
	{ "tables-steps-fwb", tables, { .features = FWB | RANGE, .entries = 512 } },
	{ "tables-agent", tables, { .features = RANGE, .machine = S2M_AGENT } },
	{ "neighbours", neighbours, { .features = FWB | RANGE } },
	{ "neighbours-af", neighbours, { .features = FWB | HAFDBS } },
	{ "neighbours-no-fwb", neighbours, { 0 } },
	{ "neighbours-batch", neighbours, { .features = FWB, .how = BATCH } },
	{ "neighbours-steps", neighbours, { .entries = 512, .bytes = 2 * MIB } },
	{ "parts", parts, { .features = FWB | RANGE } },
	{ "parts-no-fwb", parts, { .features = RANGE } },
	{ "parts-shared", parts, { .features = RANGE, .how = SHARED } },
	{ "parts-batch", parts, { .features = RANGE, .how = BATCH } },
	{ "parts-steps", parts, { .entries = 512 } },
	{ "edges", edges, { .features = FWB | RANGE } },
	{ "edges-no-fwb", edges, { 0 } },
	{ "edges-steps", edges, { .entries = 512, .bytes = BLOCK } },
	{ "edges-shared", edges, { .features = FWB, .how = SHARED } },
	{ "edges-batch", edges, { .features = FWB, .how = BATCH } },
	{ "end-of-space", end_of_space, { .features = FWB } },
	{ "end-of-space-shared", end_of_space, { .features = FWB, .how = SHARED } },
	{ "roots", roots, { .features = FWB } },
	{ "roots-shared", roots, { .how = SHARED } },
	{ "replace", replace, { .features = FWB | RANGE } },
	{ "replace-no-fwb", replace, { .features = TTL } },
	{ "replace-shared", replace, { .features = FWB, .how = SHARED } },
	{ "replace-steps", replace, { .features = RANGE, .entries = 4096 } },
	{ "in-place", in_place, { .features = FWB } },
	{ "in-place-shared", in_place, { .how = SHARED } },
	{ "again", again, { .features = FWB } },
	{ "again-no-fwb", again, { .features = RANGE } },
	{ "split", splits, { .features = FWB | RANGE } },
	{ "split-ttl", splits, { .features = FWB | TTL } },
	{ "split-shared", splits, { .features = FWB | RANGE, .how = SHARED } },
	{ "split-steps", splits, { .features = FWB | RANGE, .entries = 512 } },
	{ "split-bbm2", splits, { .features = FWB | S2_FEAT_BBM2 } },
	{ "collapse", collapses, { .features = FWB | RANGE } },
	{ "collapse-no-range", collapses, { .features = TTL } },
	{ "collapse-shared", collapses, { .features = FWB | RANGE, .how = SHARED } },
	{ "collapse-bbm2", collapses, { .features = FWB | RANGE | S2_FEAT_BBM2 } },
	{ "ranges", ranges, { .late = true, .features = FWB | RANGE | TTL } },
	{ "ranges-16k",
	  ranges,
	  { .late = true,
	    .features = FWB | RANGE | TTL,
	    .granule = 14,
	    .ipa_bits = 42 } },
	{ "ranges-64k",
	  ranges,
	  { .late = true,
	    .features = FWB | RANGE | TTL,
	    .granule = 16,
	    .ipa_bits = 42 } },
	{ "ranges-lpa2",
	  ranges,
	  { .late = true,
	    .features = FWB | RANGE | S2_FEAT_LPA2,
	    .ipa_bits = 48,
	    .pa_bits = 52 } },
	{ "ranges-batch",
	  ranges,
	  { .late = true, .features = FWB | RANGE, .how = BATCH } },
	{ "ranges-64k-no-range",
	  ranges,
	  { .late = true, .features = FWB, .granule = 16, .ipa_bits = 42 } },
	{ "singles", singles, { .features = FWB } },
	{ "singles-shared", singles, { .features = FWB | TTL, .how = SHARED } },
	{ "singles-batch", singles, { .features = FWB, .how = BATCH } },
	{ "places", places, { .features = FWB, .how = BATCH } },
	{ "places-agent",
	  places,
	  { .features = FWB, .how = BATCH, .machine = S2M_AGENT } },
	{ "pending", pending, { .features = FWB, .how = BATCH } },
	{ "last-in-batch", last_in_batch, { .features = FWB, .how = BATCH } },
	{ "last-in-batch-no-fwb", last_in_batch, { .how = BATCH } },
	{ "waived-batch", waived_beside, { .how = BATCH } },
	{ "waived-first-batch", waived_first, { .how = BATCH } },
	{ "foreign", foreign, { .features = FWB, .how = SHARED } },
	{ "foreign-no-fwb", foreign, { .how = SHARED } },
	{ "taken-along", taken_along, { .how = SHARED } },
	{ "crossing", crossing, { .features = FWB | RANGE, .how = SHARED } },
	{ "reshape-beside", reshape_beside, { .features = FWB, .how = SHARED } },
	{ "parked", parked, { .features = RANGE } },
	{ "parked-below",
	  parked_below,
	  { .features = RANGE, .ipa_bits = 48, .pa_bits = 48 } },
	{ "parked-deep",
	  parked_below,
	  { .features = RANGE | S2_FEAT_LPA2,
	    .granule = 14,
	    .ipa_bits = 52,
	    .pa_bits = 52 } },
	{ "windows", windows, { .features = FWB | RANGE, .entries = 512 } },
	{ "windows-no-fwb",
	  windows,
	  { .features = RANGE, .entries = 1024, .bytes = 8 * MIB } },
	{ "hints", hints, { .late = true, .features = FWB | TTL } },
	{ "hints-range", hints, { .late = true, .features = FWB | RANGE | TTL } },
	{ "hints-batch",
	  hints,
	  { .late = true, .features = FWB | RANGE | TTL, .how = BATCH } },
	{ "lpa2",
	  lpa2,
	  { .late = true,
	    .features = FWB | RANGE | TTL | S2_FEAT_LPA2,
	    .ipa_bits = 48,
	    .pa_bits = 52 } },
	{ "failures", failures, { .features = FWB } },
	{ "lost-race", lost_race, { .features = FWB, .how = SHARED } },
	{ "hardware", hardware, { .features = FWB | DBM } },
	{ "hardware-af", hardware, { .features = FWB | HAFDBS } },
	{ "hardware-af-batch", hardware, { .features = FWB | HAFDBS, .how = BATCH } },
	{ "hardware-shared", hardware, { .features = FWB | DBM, .how = SHARED } },
	{ "hardware-collapse", hardware_collapse, { .features = FWB | DBM } },
	{ "dirty", dirt, { .features = FWB | DBM } },
	{ "dirty-shared", dirt, { .features = FWB | DBM, .how = SHARED } },
	{ "rollover", rollover, { .features = FWB } },
	{ "runs", runs, { .features = FWB | RANGE } },
	{ "notes", notes, { .features = FWB } },
	{ "last-note", last_note, { .features = FWB } },
	{ "counted", counted, { .features = FWB | RANGE, .counted = true } },
	{ "counted-no-fwb", counted, { .counted = true } },
	{ "counted-af", counted, { .features = HAFDBS, .counted = true } },
	{ "counted-shared", counted, { .how = SHARED, .counted = true } },
	{ "counted-batch", counted, { .features = FWB, .how = BATCH, .counted = true } },
	{ "counted-steps",
	  counted,
	  { .entries = 512, .bytes = 2 * MIB, .counted = true } },
	{ "counted-steps-fwb",
	  counted,
	  { .features = FWB, .entries = 512, .counted = true } },
	{ "counted-parked", counted_parked, { .counted = true } },
	{ "exchange", exchange, { .features = FWB } },
	{ "published", published, { 0 } },
	{ "published-fwb", published, { .features = FWB } },
	{ "published-shared", published, { .how = SHARED } },
	{ "repeat", pages, { .features = FWB, .errata = S2_ERRATUM_REPEAT_TLBI } },
	{ "repeat-tables", tables, { .late = true, .errata = S2_ERRATUM_REPEAT_TLBI } },
	{ "speculative-at", pages, { .features = FWB, .machine = S2M_SPECULATIVE_AT } },
};

int main(int argc, char **argv)
{
	unsigned n = sizeof(programs) / sizeof(*programs);
	const struct program *p = NULL;
	FILE *log = argc > 2 ? fopen(argv[2], "w") : NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < n; i++) {
		if (argc < 2)
			printf("%s\n", programs[i].name);
		else if (!strcmp(programs[i].name, argv[1]))
			p = &programs[i];
	}
	if (argc < 2)
		return 0;
	if (!p || (argc > 2 && !log)) {
		fprintf(stderr, "%s: no such program, or its log cannot be written\n",
			argv[1]);
		return 2;
	}
	world_open(&p->setup, log);
	p->shape();
	world_close();
	if (log)
		fclose(log);
	printf("none\n");
	return 0;
}
