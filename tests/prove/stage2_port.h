/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port for provers: plain memory. Table pages come from an arena whose size the harness
 * says; every access of an entry or of a metadata word is checked to be inside of it.
 */
#ifndef TESTS_PROVE_PORT_H
#define TESTS_PROVE_PORT_H

#include <stage2/stage2.h>
#include "prove.h"

#define S2_ASSERT(cond) CLAIM(cond)

#endif
