/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine model as a port: every function of the porting interface is an event of
 * the machine. The engine on it is compiled from the same source as on hardware.
 *
 * s2_config.port is a struct model_port. The functions are out of line (in
 * model/port.c), so that model/ needs no engine header but this contract.
 */
#ifndef STAGE2_MODEL_PORT_H
#define STAGE2_MODEL_PORT_H

#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

struct machine;

/**
 * struct model_port - one instance of the engine on one machine
 * @m: the machine
 * @pe: the PE on which the engine's calls run; change it between calls
 * @vttbr: VMID << 48 | root (bits 51:48 of it in [5:2] if VTCR_EL2 has them there),
 *	for the VMID context; set after s2_init()
 * @fail_alloc: fail the allocation when it counts down to 0 (-1: never)
 * @allocs: table allocations asked for so far
 * @dic_skip: leave instruction-cache work out (CTR_EL0.DIC)
 * @root: the root table's PA, if leaves are counted; set after s2_init()
 * @waives: the caller waives the clean of what goes: counted leaves are not judged for it
 * @gone_attr: of the last counted leaf that has gone
 * @no_clean: the caller maps with %S2_NO_CLEAN: do not judge what it left out
 */
struct model_port {
	struct machine *m;
	unsigned pe;
	uint64_t vttbr;
	long fail_alloc;
	uint64_t allocs;
	int dic_skip;
	uint64_t root;
	int waives;
	uint32_t gone_attr;
	int no_clean;
};

/* clang-format off */
#define S2_ASSERT(cond)                                                          \
	do {                                                                     \
		if (!(cond)) {                                                   \
			fprintf(stderr, "%s:%d: S2_ASSERT(%s)\n", __FILE__,      \
				__LINE__, #cond);                                \
			abort();                                                 \
		}                                                                \
	} while (0)
/* clang-format on */

#endif /* STAGE2_MODEL_PORT_H */
