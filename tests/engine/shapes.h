/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Configurations in which blocks of every level that there is are made and split. */
#ifndef TESTS_ENGINE_SHAPES_H
#define TESTS_ENGINE_SHAPES_H

#include <stage2/stage2.h>

/* clang-format off */
#define SHAPE(ipa, pa, granule, feat)                               \
	{ .ipa_bits = (ipa), .pa_bits = (pa), .granule_shift = (granule),   \
	  .features = (feat) }
#define DEEP(ipa, pa, granule)                                      \
	{ .ipa_bits = (ipa), .pa_bits = (pa), .granule_shift = (granule),   \
	  .min_levels = 3 }
/* clang-format on */

/*
 * Each granule with one root table and with 16, starting at each level, and with more
 * levels than it needs; with 52-bit addresses, in either layout, which have blocks a
 * level higher.
 */
static const struct s2_config shapes[] = {
	SHAPE(32, 48, 12, 0),
	SHAPE(34, 48, 12, 0),
	DEEP(34, 48, 12),
	SHAPE(39, 48, 12, 0),
	SHAPE(43, 48, 12, 0),
	SHAPE(48, 48, 12, 0),
	SHAPE(40, 48, 12, S2_FEAT_LPA2),
	SHAPE(48, 52, 12, S2_FEAT_LPA2),
	SHAPE(52, 52, 12, S2_FEAT_LPA2),
	SHAPE(36, 48, 14, 0),
	SHAPE(40, 48, 14, 0),
	DEEP(40, 48, 14),
	SHAPE(47, 48, 14, 0),
	SHAPE(41, 52, 14, S2_FEAT_LPA2),
	SHAPE(52, 52, 14, S2_FEAT_LPA2),
	SHAPE(42, 48, 16, 0),
	SHAPE(46, 48, 16, 0),
	DEEP(43, 48, 16),
	SHAPE(48, 48, 16, 0),
	SHAPE(43, 52, 16, 0),
	SHAPE(52, 52, 16, 0),
};

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

#endif
