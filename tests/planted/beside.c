/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sequences of calls in which another call comes in between, as in main.c.
 */
#include "beside.h"
#include "world.h"

static void beside_table(void)
{
	map_beside(GIB + PAGE, frame(GIB + PAGE), PAGE, RW, 0);
}

static void beside_page(void)
{
	map_beside(4 * PAGE, frame(4 * PAGE), PAGE, RW, 0);
}

static void beside(void)
{
	map_beside(PAGE, frame(GIB), PAGE, RW, 0);
}

/*
 * The first page loses a permission. Another call takes the place of the second one
 * between the look and the swap. The call fails, and what it has changed counts.
 */
void lost_race(void)
{
	map(0, PAGE, RW, 0);
	map(3 * PAGE, PAGE, RW, 0);
	world.before_cas = beside;
	now_has(0, PAGE, S2_R);
	map_fails(0, frame(0), 2 * PAGE, S2_R, 0, S2_E_BUSY);
	promise_wrprotected(0, PAGE);
	/* Both calls map the same page. */
	world.before_cas = beside_page;
	map(4 * PAGE, PAGE, RW, 0);
	/*
	 * The table for the second page loses the race against the table for the first
	 * one.
	 */
	world.before_cas = beside_table;
	map(GIB, PAGE, RW, 0);
	unmap(0, 2 * GIB, 0);
}

static void unmap_first(void)
{
	unmap_beside(0, PAGE, 0);
}

static void unmap_first_waived(void)
{
	unmap_beside(0, PAGE, S2_NO_CLEAN);
}

static void unmap_second(void)
{
	unmap_beside(PAGE, PAGE, 0);
}

static void unmap_table_waived(void)
{
	unmap_beside(0, BLOCK, S2_NO_CLEAN);
}

/* Once more, before the swap after the next. */
static void unmap_table_later(void)
{
	world.before_cas = unmap_table_waived;
}

static void wrprotect_first(void)
{
	wrprotect_beside(0, PAGE);
}

static void map_first(void)
{
	map_beside(0, frame(0), PAGE, S2_R, 0);
}

/* A second unmap, or another change, of what the first has broken and not invalidated. */
void foreign(void)
{
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	world.before_tlbi = unmap_first;
	unmap(0, PAGE, 0);
	map(0, PAGE, RW, 0);
	world.before_tlbi = unmap_first_waived;
	unmap(0, PAGE, 0);
	map(0, PAGE, RW, 0);
	world.before_tlbi = wrprotect_first;
	unmap(0, PAGE, 0);
	map(0, PAGE, RW, 0);
	world.before_tlbi = wrprotect_first;
	wrprotect(0, PAGE);
	unmap(0, PAGE, 0);
	map(0, PAGE, RW, 0);
	world.before_tlbi = map_first;
	wrprotect(0, PAGE);
	unmap(2 * PAGE, 2 * PAGE, 0);
	unmap(0, PAGE, 0);
	/* Who comes last takes the table along. */
	map(0, PAGE, RW, 0);
	world.before_tlbi = unmap_second;
	unmap(0, PAGE, 0);
}

/* The table that an unmap has gone down into is detached by another. */
void taken_along(void)
{
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	world.before_cas = unmap_table_later;
	unmap(0, 2 * PAGE, 0);
	map(0, 4 * PAGE, RW, S2_MAP_PAGES);
	unmap(0, GIB, 0);
}

static void map_across(void)
{
	map_beside(2 * BLOCK, frame(2 * BLOCK), BLOCK, RW, 0);
}

/* A block comes across the edge after the edges were looked at. */
void crossing(void)
{
	map(0, 2 * PAGE, RW, S2_MAP_PAGES);
	world.before_cas = map_across;
	unmap(0, 2 * BLOCK + PAGE, S2_SPLIT_EDGES);
	unmap(2 * BLOCK, BLOCK, S2_SPLIT_EDGES);
	/* Of a replacing map. */
	map(0, 2 * PAGE, RW, S2_MAP_PAGES);
	world.before_cas = map_across;
	map_to(0, frame(GIB), 2 * BLOCK + PAGE, RW, S2_MAP_REPLACE | S2_SPLIT_EDGES);
	unmap(0, GIB, 0);
}

static void wrprotect_fourth_block(void)
{
	wrprotect_beside(3 * BLOCK, BLOCK);
}

static void map_fifth_block(void)
{
	map_beside(4 * BLOCK, frame(4 * BLOCK), BLOCK, RW, 0);
}

static void wrprotect_last_page(void)
{
	wrprotect_beside(BLOCK - PAGE, PAGE);
}

/* A block changes, one comes, and a page of a table that is to become a block changes. */
void reshape_beside(void)
{
	map(2 * BLOCK, 2 * BLOCK, RW, 0);
	world.before_cas = wrprotect_fourth_block;
	split(2 * BLOCK, 2 * BLOCK);
	unmap(2 * BLOCK, 2 * BLOCK, 0);
	map(2 * BLOCK, BLOCK, RW, 0);
	world.before_tlbi = map_fifth_block;
	split(2 * BLOCK, 3 * BLOCK);
	map(0, BLOCK, RW, S2_MAP_PAGES);
	world.before_cas = wrprotect_last_page;
	collapse(0, BLOCK);
	unmap(0, GIB, 0);
}
