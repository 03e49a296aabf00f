/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Uses of frames, for the flat map. */
#ifndef STAGE2_LAB_FLAT_FRAMES_H
#define STAGE2_LAB_FLAT_FRAMES_H

#include "flatmap.h"

/* The size of a leaf at @level. */
static inline uint64_t flat_level_size(unsigned level)
{
	return FLAT_PAGE << 9 * (3 - level);
}

/* One more leaf at @level maps the frame at @pa. False: memory is short. */
bool flat_frame_get(struct flat_frames *fr, unsigned level, uint64_t pa);
/* One less. What nobody maps any more is added to fr->freed. False: memory is short. */
bool flat_frame_put(struct flat_frames *fr, unsigned level, uint64_t pa);

#endif /* STAGE2_LAB_FLAT_FRAMES_H */
