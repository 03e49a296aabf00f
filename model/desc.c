/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "desc.h"

#define BIT(n) (UINT64_C(1) << (n))
#define FIELD(v, hi, lo) (((v) >> (lo)) & (BIT((hi) - (lo) + 1) - 1))

#define VTCR_DS BIT(32)
#define VTCR_SL2 BIT(33)
#define PS_52 6

void desc_layout(struct desc_mode *mode, unsigned granule, bool ds, bool lpa)
{
	mode->ds = ds;
	mode->lpa = lpa;
	mode->granule = (uint8_t)granule;
	mode->address = BIT(ds ? 50 : 48) - BIT(granule);
	/* LPA2, or a 52-bit PA with 64K, gives one more. */
	mode->top_block = (int8_t)((granule == 12 ? 1 : 2) - (ds || lpa));
}

bool desc_valid(uint64_t v, int level, const struct desc_mode *mode)
{
	if (!(v & BIT(0)))
		return false;
	return v & BIT(1) || (level < 3 && level >= mode->top_block);
}

struct desc desc_read(uint64_t v, int level, const struct desc_mode *mode)
{
	struct desc d = { .kind = DESC_INVALID };
	unsigned memattr = FIELD(v, 5, 2);

	if (!desc_valid(v, level, mode))
		return d;
	d.pa = v & mode->address;
	if (mode->ds)
		d.pa |= FIELD(v, 9, 8) << 50;
	else if (mode->lpa)
		d.pa |= FIELD(v, 15, 12) << 48;
	if (level < 3 && v & BIT(1)) {
		d.kind = DESC_TABLE;
		return d;
	}
	d.kind = DESC_LEAF;
	d.size = desc_span(mode->granule, level);
	d.pa &= ~(d.size - 1);
	d.af = mode->af || v & BIT(10);
	d.read = v & BIT(6);
	d.write = v & BIT(7);
	d.dbm = v & BIT(51);
	d.contiguous = v & BIT(52);
	d.sw = (uint8_t)FIELD(v, 58, 55);
	d.nt = mode->nt && level < 3 && v & BIT(16);
	/* Without FEAT_XNX only XN[1] counts; with it XN[0] inverts XN[1] for EL1. */
	d.exec0 = !(v & BIT(54));
	d.exec1 = d.exec0 ^ (mode->xnx && v & BIT(53));
	d.exec = d.exec0 || d.exec1;
	/* With FWB bit 5 is RES0 and 00xx is Device; without, bits 5:4 = 00 is. */
	if (mode->fwb)
		memattr &= 7;
	d.normal = memattr >> 2;
	d.weak = d.normal && !(mode->fwb && memattr == 6);
	/*
	 * Memory type, shareability, the Contiguous bit and nT. With DS
	 * shareability is VTCR_EL2.SH0, the same for every entry of a tree.
	 */
	d.type = (uint16_t)(memattr | (mode->ds ? 0 : FIELD(v, 9, 8)) << 4 |
			    (d.contiguous ? TYPE_CONTIGUOUS : 0) | (d.nt ? TYPE_NT : 0));
	return d;
}

unsigned desc_run(unsigned granule, int level)
{
	static const uint8_t run[3][4] = {
		{ 1, 16, 16, 16 },
		{ 1, 1, 32, 128 },
		{ 1, 1, 32, 32 },
	};

	return run[(granule - 12) / 2][level];
}

bool desc_ds(uint64_t vtcr, unsigned granule)
{
	return granule != 16 && vtcr & VTCR_DS;
}

bool desc_vtcr(uint64_t vtcr, unsigned granule, bool lpa2, struct desc_tree *t)
{
	static const uint8_t tg0[] = { 12, 16, 14, 0 };
	static const uint8_t ps[] = { 32, 36, 40, 42, 44, 48, 52, 52 };
	unsigned t0sz = FIELD(vtcr, 5, 0), top;

	t->granule = (uint8_t)granule;
	t->ds = desc_ds(vtcr, granule);
	t->lpa = granule == 16 && FIELD(vtcr, 18, 16) == PS_52;
	t->wide_root = t->lpa || (t->ds && FIELD(vtcr, 18, 16) == PS_52);
	/* No level -1: 16 concatenated tables at level 0 translate 52 bits. */
	if (tg0[FIELD(vtcr, 15, 14)] != granule || vtcr & VTCR_SL2 ||
	    (vtcr & VTCR_DS && !lpa2))
		return false;
	/* SL0 = 3 is level 0 of the 16K granule with DS; else reserved or FEAT_TTST. */
	if (FIELD(vtcr, 7, 6) == 3 && !(granule == 14 && t->ds))
		return false;
	if (t0sz < (t->ds || t->lpa ? 12 : 16) || t0sz > 39)
		return false;
	t->ipa_bits = 64 - t0sz;
	t->pa_bits = ps[FIELD(vtcr, 18, 16)];
	if (t->pa_bits > 48 && !t->ds && !t->lpa)
		t->pa_bits = 48;
	t->start_level = (granule == 12 ? 2 : 3) - (int)FIELD(vtcr, 7, 6);
	t->ha = vtcr & BIT(21);
	t->hd = vtcr & BIT(22);
	top = desc_shift(granule, t->start_level - 1); /* bits of one root table */
	if (t->ipa_bits <= desc_shift(granule, t->start_level) || t->ipa_bits > top + 4)
		return false;
	t->roots = t->ipa_bits > top ? 1u << (t->ipa_bits - top) : 1;
	return true;
}

uint64_t desc_root(uint64_t vttbr, const struct desc_tree *t)
{
	uint64_t root = FIELD(vttbr, 47, 0);

	if (t->wide_root)
		root |= FIELD(vttbr, 5, 2) << 48;
	return root & ~(((uint64_t)t->roots << t->granule) - 1);
}
