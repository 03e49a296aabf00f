/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine expects of <stdbool.h>, from the kernel's own headers. */
#include <linux/types.h>
