/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two functions call each other. This is not a tail call, so -O2 does not make it a loop.
 */
#include "port.h"

unsigned s2_bad_even(volatile unsigned *n);
unsigned s2_bad_odd(volatile unsigned *n);

unsigned s2_bad_even(volatile unsigned *n)
{
	return --*n ? s2_bad_odd(n) + 1 : *n;
}

unsigned s2_bad_odd(volatile unsigned *n)
{
	return --*n ? s2_bad_even(n) + 1 : *n;
}
