/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "desc.h"

#define BIT(n) (UINT64_C(1) << (n))
#define FIELD(v, hi, lo) (((v) >> (lo)) & (BIT((hi) - (lo) + 1) - 1))

bool desc_valid(uint64_t v, int level)
{
	if (!(v & BIT(0)))
		return false;
	if (level == 3)
		return v & BIT(1);
	/* A block at level 0 needs LPA2. */
	return v & BIT(1) || level > 0;
}

struct desc desc_read(uint64_t v, int level, struct desc_mode mode)
{
	struct desc d = { .kind = DESC_INVALID, .size = desc_span(level) };
	unsigned memattr = FIELD(v, 5, 2);

	if (!desc_valid(v, level))
		return d;
	d.pa = v & (BIT(48) - BIT(12));
	if (level < 3 && v & BIT(1)) {
		d.kind = DESC_TABLE;
		return d;
	}
	d.kind = DESC_LEAF;
	d.pa &= ~(d.size - 1);
	d.af = v & BIT(10);
	d.write = v & BIT(7);
	d.dbm = v & BIT(51);
	d.exec = mode.xnx ? FIELD(v, 54, 53) != 2 : !(v & BIT(54));
	/* With FWB bit 5 is RES0 and 00xx is Device; without, bits 5:4 = 00 is. */
	if (mode.fwb)
		memattr &= 7;
	d.normal = memattr >> 2;
	d.weak = d.normal && !(mode.fwb && memattr == 6);
	/* Memory type, shareability, and the Contiguous bit. */
	d.type = (uint16_t)(memattr | FIELD(v, 9, 8) << 4 | FIELD(v, 52, 52) << 6);
	return d;
}

bool desc_vtcr(uint64_t vtcr, struct desc_tree *t)
{
	unsigned t0sz = FIELD(vtcr, 5, 0), sl0 = FIELD(vtcr, 7, 6);
	unsigned top;

	if (FIELD(vtcr, 15, 14) || vtcr & BIT(32) || sl0 > 2 || t0sz < 16 || t0sz > 39)
		return false;
	t->ipa_bits = 64 - t0sz;
	t->start_level = 2 - (int)sl0;
	t->ha = vtcr & BIT(21);
	t->hd = vtcr & BIT(22);
	top = desc_shift(t->start_level) + 9;	/* bits of one root table */
	if (t->ipa_bits <= desc_shift(t->start_level) || t->ipa_bits > top + 4)
		return false;
	t->roots = t->ipa_bits > top ? 1u << (t->ipa_bits - top) : 1;
	return true;
}
