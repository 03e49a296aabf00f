/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keeps global state, which two instances would share. */
#include "port.h"

int s2_bad_state(void);

int s2_bad_state(void)
{
	static volatile int calls;

	return ++calls;
}
