/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Configurations in which blocks of every level that there is are made and split. */
#ifndef TESTS_ENGINE_SHAPES_H
#define TESTS_ENGINE_SHAPES_H

#include <stage2/stage2.h>

/*
 * Each granule with one root table and with 16, starting at each level, and with more
 * levels than it needs; with 52-bit addresses, in either layout, which have blocks a
 * level higher.
 */
static const struct s2_config shapes[] = {
	{ 32, 48, 12, 0, 0, 0, NULL },
	{ 34, 48, 12, 0, 0, 0, NULL },
	{ 34, 48, 12, 3, 0, 0, NULL },
	{ 39, 48, 12, 0, 0, 0, NULL },
	{ 43, 48, 12, 0, 0, 0, NULL },
	{ 48, 48, 12, 0, 0, 0, NULL },
	{ 40, 48, 12, 0, S2_FEAT_LPA2, 0, NULL },
	{ 48, 52, 12, 0, S2_FEAT_LPA2, 0, NULL },
	{ 52, 52, 12, 0, S2_FEAT_LPA2, 0, NULL },
	{ 36, 48, 14, 0, 0, 0, NULL },
	{ 40, 48, 14, 0, 0, 0, NULL },
	{ 40, 48, 14, 3, 0, 0, NULL },
	{ 47, 48, 14, 0, 0, 0, NULL },
	{ 41, 52, 14, 0, S2_FEAT_LPA2, 0, NULL },
	{ 52, 52, 14, 0, S2_FEAT_LPA2, 0, NULL },
	{ 42, 48, 16, 0, 0, 0, NULL },
	{ 46, 48, 16, 0, 0, 0, NULL },
	{ 43, 48, 16, 3, 0, 0, NULL },
	{ 48, 48, 16, 0, 0, 0, NULL },
	{ 43, 52, 16, 0, 0, 0, NULL },
	{ 52, 52, 16, 0, 0, 0, NULL },
};

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

#endif
