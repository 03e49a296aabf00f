/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keeps state of its own: two instances would share it. */
#include "port.h"

int s2_bad_state(void);

int s2_bad_state(void)
{
	static volatile int calls;

	return ++calls;
}
