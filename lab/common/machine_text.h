/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The features of a machine (S2M_*) as words in a trace: "fwb,ttl", or "none". */
#ifndef STAGE2_LAB_MACHINE_TEXT_H
#define STAGE2_LAB_MACHINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: a word that is not known. */
bool machine_features(const char *text, uint32_t *features);
void machine_features_text(uint32_t features, char *buf, size_t n);

#endif /* STAGE2_LAB_MACHINE_TEXT_H */
