/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What would make a recorded host cheaper, with the figure that it would save. */
#ifndef STAGE2_LAB_ADVICE_H
#define STAGE2_LAB_ADVICE_H

#include "replay.h"

#define ADVICE_MOST 6u
#define ADVICE_TEXT 400u

struct advice {
	const char *what; /* "unmap", "batch", ... */
	char text[ADVICE_TEXT];
	struct call_cost saves; /* without ESTIMATE */
};

/* Return: how many there are. */
unsigned replay_advice(const struct replay_result *r, struct advice list[ADVICE_MOST]);

#endif /* STAGE2_LAB_ADVICE_H */
