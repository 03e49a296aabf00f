/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab on a machine that loses one kind of TLBI, so that replay has something to find.
 * It is linked with --wrap=s2m_tlbi. BROKEN names the kind.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

void __real_s2m_tlbi(struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t operand);
void __wrap_s2m_tlbi(struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t operand);

void __wrap_s2m_tlbi(struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t operand)
{
	const char *broken = getenv("BROKEN");

	if (!broken || strcmp(broken, s2m_tlbi_name(op)))
		__real_s2m_tlbi(m, pe, op, operand);
}
