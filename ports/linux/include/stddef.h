/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine expects of <stddef.h>, from the kernel's own headers. */
#include <linux/stddef.h>
#include <linux/types.h>
