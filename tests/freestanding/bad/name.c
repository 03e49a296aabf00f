/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A name that the embedder may have, too. */
#include "port.h"

int invalidate(void);

int invalidate(void)
{
	return 0;
}
