/* SPDX-License-Identifier: GPL-2.0-only */
/* What the engine expects of <stdint.h>, from the kernel's own headers. */
#ifndef STAGE2_LINUX_STDINT_H
#define STAGE2_LINUX_STDINT_H

#include <linux/limits.h>
#include <linux/types.h>

#define UINT64_C(n) n##ULL
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif

#endif /* STAGE2_LINUX_STDINT_H */
