/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "decoded.h"

void decode_field(struct decoded *d, unsigned hi, unsigned lo, const char *name,
		  const char *fmt, ...)
{
	struct decoded_field *f = &d->field[d->fields++];
	va_list ap;

	f->hi = (uint8_t)hi;
	f->lo = (uint8_t)lo;
	f->name = name;
	va_start(ap, fmt);
	vsnprintf(f->means, sizeof(f->means), fmt, ap);
	va_end(ap);
}

void decode_problem(struct decoded *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->problem[d->problems++], DECODE_TEXT, fmt, ap);
	va_end(ap);
}

void decode_summary(struct decoded *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->summary, sizeof(d->summary), fmt, ap);
	va_end(ap);
}

void decode_res0(struct decoded *d, unsigned hi, unsigned lo)
{
	uint64_t v = decode_bits(d->value, hi, lo);

	if (v && hi == lo)
		decode_problem(d, "bit %u is RES0", hi);
	else if (v)
		decode_problem(d, "bits [%u:%u] = 0x%" PRIx64 " are RES0", hi, lo, v);
}
