/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this build leaves out; the rest of the port is the template and port.c. */
#ifndef EXAMPLES_BARE_PORT_H
#define EXAMPLES_BARE_PORT_H

#define S2_PROFILE S2_PROFILE_HYPERVISOR
#define S2_GRANULE_SHIFT 12

#include "../../ports/template/stage2_port.h"

#endif /* EXAMPLES_BARE_PORT_H */
