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

/* Finds an instruction by name ("ipas2e1is", "RIPAS2LE1OSNXS"); NULL: no such name. */
const struct tlbi_name *decode_tlbi_find(const char *name);

struct tlbi_reach {
	uint64_t start, size; /* IPAs reached; a leaf is invalidated as a whole */
	bool hint;	      /* there is a level hint: ttl */
	unsigned ttl;
	unsigned scale, num; /* range forms */
	bool sure;	     /* false: reserved or UNPREDICTABLE; may have no effect */
};

void decode_tlbi(struct decoded *d, const struct tlbi_name *op,
		 const struct decode_config *c, struct tlbi_reach *reach);

#endif /* STAGE2_LAB_TLBI_H */
