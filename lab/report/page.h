/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab report: what it writes. */
#ifndef STAGE2_LAB_REPORT_PAGE_H
#define STAGE2_LAB_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cJSON;

/*
 * The page in front of its data and behind it, with Chart.js in it; embed.py writes both
 * when s2lab is built. They are empty if Chart.js was not found then.
 */
extern const unsigned char page_before[], page_after[];
extern const size_t page_before_len, page_after_len;

/* Writes the page with the object of s2lab replay --json. False: memory is short. */
bool page_write(FILE *f, struct cJSON *data);

#endif /* STAGE2_LAB_REPORT_PAGE_H */
