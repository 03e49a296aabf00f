/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Operands of the stage-2 TLBI instructions, decoded. */
#ifndef STAGE2_LAB_TLBI_H
#define STAGE2_LAB_TLBI_H

#include "decoded.h"

enum tlbi_form { TLBI_IPA, TLBI_RANGE, TLBI_ALL };

struct tlbi_name {
	const char *name;
	enum tlbi_form form;
	bool last_level;
};

/* By any of its names ("ipas2e1is", "ripas2le1osnxs"), any case; NULL: none. */
const struct tlbi_name *decode_tlbi_find(const char *name);

struct tlbi_reach {
	uint64_t start, size; /* IPAs reached; a leaf that contains one goes whole */
	bool hint;	      /* a level hint is given: ttl */
	unsigned ttl;
	unsigned scale, num; /* range forms */
	bool sure;	     /* false: reserved or UNPREDICTABLE, may do nothing */
};

void decode_tlbi(struct decoded *d, const struct tlbi_name *op,
		 const struct decode_config *c, struct tlbi_reach *reach);

#endif /* STAGE2_LAB_TLBI_H */
