// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Operands of the stage-2 TLBI instructions, and the addresses that they reach. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <stage2/stage2.h>
#include "granule.h"
#include "tlbi.h"

static const struct tlbi_name names[] = {
	{ "ipas2e1", TLBI_IPA, false },	   { "ipas2le1", TLBI_IPA, true },
	{ "ripas2e1", TLBI_RANGE, false }, { "ripas2le1", TLBI_RANGE, true },
	{ "vmalle1", TLBI_ALL, false },	   { "vmalls12e1", TLBI_ALL, false },
	{ "alle1", TLBI_ALL, false },
};
#define NAMES (sizeof(names) / sizeof(names[0]))

/* A name may be followed by is or os, and then by nxs. */
const struct tlbi_name *decode_tlbi_find(const char *name)
{
	for (unsigned i = 0; i < NAMES; i++) {
		size_t len = strlen(names[i].name);
		const char *p = name + len;

		if (strncasecmp(name, names[i].name, len))
			continue;
		if (!strncasecmp(p, "is", 2) || !strncasecmp(p, "os", 2))
			p += 2;
		if (!*p || !strcasecmp(p, "nxs"))
			return &names[i];
	}
	return NULL;
}

static const char *granule_text(unsigned tg)
{
	static const char *const text[] = { "none", "4 KiB", "16 KiB", "64 KiB" };

	return text[tg];
}

/* The field TG: 1, 2, 3 for 4, 16, 64 KiB. */
static unsigned granule_code(const struct decode_config *c)
{
	return (c->page_shift - 10) / 2;
}

/* The first level with leaves is 1, with 16 KiB granules 2; with LPA2 one less. */
static void reserved_level(struct decoded *d, const struct decode_config *c,
			   unsigned level, struct tlbi_reach *r)
{
	unsigned first = c->page_shift == 14 ? 2 : 1;

	if (c->features & S2_FEAT_LPA2 && c->page_shift < 16)
		first--;
	if (level < first) {
		decode_problem(d, "TTL level %u is reserved with this granule", level);
		r->sure = false;
	}
}

static void by_ipa(struct decoded *d, const struct decode_config *c, struct tlbi_reach *r)
{
	unsigned tg = (unsigned)decode_bits(d->value, 47, 46);
	unsigned level = (unsigned)decode_bits(d->value, 45, 44);

	r->start = decode_bits(d->value, 39, 0) << 12;
	r->size = UINT64_C(1) << c->page_shift;
	decode_res0(d, 62, 48);
	if (!tg) {
		decode_field(d, 47, 44, "TTL", "no hint: a leaf of any level");
		if (level) {
			decode_problem(d, "TTL[1:0] without a granule in TTL[3:2] is "
					  "RES0");
		}
	} else {
		decode_field(d, 47, 44, "TTL", "hint: %s granule, leaf at level %u",
			     granule_text(tg), level);
		r->hint = true;
		r->ttl = level;
		reserved_level(d, c, level, r);
		if (tg != granule_code(c)) {
			decode_problem(d, "TTL names another granule: nothing need be "
					  "invalidated");
			r->sure = false;
		}
	}
	decode_res0(d, 43, 40);
	decode_field(d, 39, 0, "IPA[51:12]", "0x%" PRIx64, r->start);
	if (r->start & (r->size - 1)) {
		decode_problem(d, "the IPA is not a multiple of the granule");
		r->start &= ~(r->size - 1);
	}
	decode_summary(d, "the leaf that maps IPA 0x%" PRIx64, r->start);
}

static void by_range(struct decoded *d, const struct decode_config *c,
		     struct tlbi_reach *r)
{
	unsigned tg = (unsigned)decode_bits(d->value, 47, 46);
	bool wide = c->features & S2_FEAT_LPA2 && c->page_shift < 16;
	unsigned base_shift = wide ? 16 : c->page_shift;
	uint64_t pages;

	r->scale = (unsigned)decode_bits(d->value, 45, 44);
	r->num = (unsigned)decode_bits(d->value, 43, 39);
	r->ttl = (unsigned)decode_bits(d->value, 38, 37);
	pages = ((uint64_t)r->num + 1) << (5 * r->scale + 1);
	r->start = decode_bits(d->value, 36, 0) << base_shift;
	r->size = pages << c->page_shift;

	decode_res0(d, 62, 48);
	decode_field(d, 47, 46, "TG", "%s", tg ? granule_text(tg) : "reserved");
	if (tg != granule_code(c)) {
		decode_problem(d,
			       tg ? "TG is not the granule in use: nothing need be "
				    "invalidated" :
				    "TG 0b00 is reserved: nothing need be invalidated");
		r->sure = false;
	}
	decode_field(d, 45, 44, "SCALE", "%u", r->scale);
	decode_field(d, 43, 39, "NUM",
		     "%u: (NUM + 1) << (5 * SCALE + 1) = %" PRIu64 " granules", r->num,
		     pages);
	if (!r->ttl) {
		decode_field(d, 38, 37, "TTL", "no hint: leaves of any level");
	} else {
		unsigned shift = level_shift(c->page_shift, (int)r->ttl);

		r->hint = true;
		decode_field(d, 38, 37, "TTL", "only leaves at level %u are sure to go",
			     r->ttl);
		reserved_level(d, c, r->ttl, r);
		if (r->ttl < 3 && r->start & ((UINT64_C(1) << shift) - 1)) {
			decode_problem(d,
				       "UNPREDICTABLE: TTL %u needs a base aligned to "
				       "0x%" PRIx64,
				       r->ttl, UINT64_C(1) << shift);
			r->sure = false;
		}
	}
	decode_field(d, 36, 0, "BaseADDR", "IPA 0x%" PRIx64 " (in units of %u KiB%s)",
		     r->start, 1u << (base_shift - 10), wide ? ", DS = 1" : "");
	decode_summary(d,
		       "leaves from IPA 0x%" PRIx64 " to 0x%" PRIx64 " (%" PRIu64
		       " granules)",
		       r->start, r->start + r->size, pages);
}

void decode_tlbi(struct decoded *d, const struct tlbi_name *op,
		 const struct decode_config *c, struct tlbi_reach *r)
{
	*r = (struct tlbi_reach){ .sure = true };
	switch (op->form) {
	case TLBI_IPA:
		by_ipa(d, c, r);
		break;
	case TLBI_RANGE:
		by_range(d, c, r);
		break;
	case TLBI_ALL:
		r->size = UINT64_MAX;
		decode_summary(d, "the whole VMID or regime: takes no operand");
		if (d->value)
			decode_problem(d, "this instruction takes no operand");
		return;
	}
	if (op->last_level)
		decode_problem(d, "last level only: not enough where a table entry was "
				  "removed");
	if (d->value >> 63)
		decode_problem(d, "NS is RES0 outside Secure state");
}
