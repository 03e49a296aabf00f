/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab decode: descriptors and registers. TLBI operands are in common/tlbi.h. */
#ifndef STAGE2_LAB_DECODE_H
#define STAGE2_LAB_DECODE_H

#include "common/decoded.h"

/* Each decodes d->value into *d. */
void decode_desc(struct decoded *d, const struct decode_config *c);
void decode_vtcr(struct decoded *d);
void decode_vttbr(struct decoded *d, const struct decode_config *c);

#endif /* STAGE2_LAB_DECODE_H */
