/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls through a pointer. */
#include "port.h"

int s2_bad_pointer(int (*callback)(void));

int s2_bad_pointer(int (*callback)(void))
{
	return callback() + 1;
}
