/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Has a frame that is too large for a small stack. */
#include "port.h"

int s2_bad_frame(unsigned i);

int s2_bad_frame(unsigned i)
{
	volatile char buf[2048];

	buf[i & 2047] = 1;
	return buf[0];
}
