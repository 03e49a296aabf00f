/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Needs a function that is not memset, memcpy or a function of the port. */
#include "port.h"

int puts(const char *s);
int s2_bad_libc(void);

int s2_bad_libc(void)
{
	return puts("");
}
