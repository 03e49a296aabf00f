/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen has no such header. Its types are those. */
#ifndef STAGE2_XEN_STDINT_H
#define STAGE2_XEN_STDINT_H

#include <xen/types.h>

#define UINT64_C(c) c##UL
#ifndef UINT64_MAX
#define UINT64_MAX UINT64_C(18446744073709551615)
#endif

#endif /* STAGE2_XEN_STDINT_H */
