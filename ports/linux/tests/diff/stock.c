// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own file, as it is. */
#include "pgtable.c"

#define SIDE stock
#include "functions.h"

static uint64_t count_tables(void)
{
	return taken;
}

static void starve(int n)
{
	(void)n;
}
