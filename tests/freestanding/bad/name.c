/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Uses a name that the embedder may use too. */
#include "port.h"

int invalidate(void);

int invalidate(void)
{
	return 0;
}
