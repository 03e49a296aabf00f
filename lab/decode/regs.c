// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* VTCR_EL2 and VTTBR_EL2. */
#include <inttypes.h>
#include <stdio.h>

#include <stage2/stage2.h>
#include "common/granule.h"
#include "decode.h"

#define RESERVED 4 /* no start level */

struct geometry {
	unsigned page_shift; /* 0: reserved */
	unsigned ipa_bits;
	int start;
	unsigned root_bits; /* log2 of the root's size in bytes */
	unsigned tables;    /* in the root; 0: SL0 and T0SZ contradict each other */
	bool wide;	    /* DS = 1, and not 64 KiB granules */
};

static const unsigned pa_bits[8] = { 32, 36, 40, 42, 44, 48, 52, 0 };

static void geometry(uint64_t v, struct geometry *g)
{
	static const uint8_t shifts[4] = { 12, 16, 14, 0 };
	unsigned sl0 = (unsigned)decode_bits(v, 7, 6), entry;
	bool ds = v >> 32 & 1;

	*g = (struct geometry){
		.page_shift = shifts[decode_bits(v, 15, 14)],
		.ipa_bits = 64 - (unsigned)decode_bits(v, 5, 0),
	};
	if (!g->page_shift)
		return;
	g->wide = ds && g->page_shift < 16;
	if (g->page_shift == 12)
		g->start = sl0 == 3 ? 3 : 2 - (int)sl0;
	else if (sl0 == 3 && !g->wide)
		g->start = RESERVED;
	else
		g->start = 3 - (int)sl0;
	if (g->page_shift == 12 && g->wide && v >> 33 & 1)
		g->start = sl0 ? RESERVED : -1;
	if (g->start == RESERVED)
		return;
	/* One root table translates page_shift - 3 bits, 16 tables 4 bits more. */
	entry = level_shift(g->page_shift, g->start);
	if (g->ipa_bits <= entry || g->ipa_bits > entry + g->page_shift - 3 + 4)
		return;
	g->root_bits = g->ipa_bits - entry + 3;
	g->tables = g->root_bits > g->page_shift ? 1u << (g->root_bits - g->page_shift) :
						   1;
}

/* "2 concatenated tables", "1 table" */
static const char *root_text(const struct geometry *g, char *buf, size_t size)
{
	snprintf(buf, size, g->tables > 1 ? "%u concatenated tables" : "%u table",
		 g->tables);
	return buf;
}

/* SL0: the level where walks start, and the root tables. */
static void start_level(struct decoded *d, const struct geometry *g)
{
	static const uint8_t cpu_bits[] = { [12] = 44, [14] = 42, [16] = 44 };
	bool high = g->page_shift == 12 ? g->start <= 0 : g->start <= 1;
	unsigned ps = pa_bits[decode_bits(d->value, 18, 16)];
	char root[32];

	if (!g->page_shift) {
		decode_field(d, 7, 6, "SL0", "start level not known");
	} else if (g->start == RESERVED) {
		decode_field(d, 7, 6, "SL0", "reserved");
		if (g->page_shift == 12)
			decode_problem(d, "SL0 is 0 where SL2 is 1");
		else
			decode_problem(d, "SL0 0b11 is reserved with %u KiB%s",
				       1u << (g->page_shift - 10),
				       g->page_shift == 14 ? " unless DS = 1" : "");
	} else if (!g->tables) {
		decode_field(d, 7, 6, "SL0", "start at level %d", g->start);
	} else {
		decode_field(d, 7, 6, "SL0",
			     "start at level %d by IPA[%u:%u]: root of %s, 0x%x bytes",
			     g->start, g->ipa_bits - 1,
			     level_shift(g->page_shift, g->start),
			     root_text(g, root, sizeof(root)), 1u << g->root_bits);
		if (high && ps && ps < cpu_bits[g->page_shift])
			decode_problem(
				d,
				"a start at level %d is reserved on CPUs with PAs of "
				"fewer than %u bits",
				g->start, cpu_bits[g->page_shift]);
	}
}

static void walk_attributes(struct decoded *d, bool wide)
{
	static const char *const cache[] = { "non-cacheable",
					     "write-back, write-allocate",
					     "write-through",
					     "write-back, no "
					     "write-allocate" };
	static const char *const sh[] = { "non-shareable", "reserved", "outer shareable",
					  "inner shareable" };

	decode_field(d, 9, 8, "IRGN0", "walks, inner: %s",
		     cache[decode_bits(d->value, 9, 8)]);
	decode_field(d, 11, 10, "ORGN0", "walks, outer: %s",
		     cache[decode_bits(d->value, 11, 10)]);
	decode_field(d, 13, 12, "SH0", "walks%s: %s",
		     wide ? ", and all that is mapped (DS = 1)" : "",
		     sh[decode_bits(d->value, 13, 12)]);
	if (decode_bits(d->value, 13, 12) == 1)
		decode_problem(d, "SH0 0b01 is reserved");
	if (!decode_bits(d->value, 9, 8) || !decode_bits(d->value, 11, 10))
		decode_problem(d, "walks are not cacheable: table writes would need "
				  "cleaning, which libstage2 does not do");
}

/* Whether descriptors and VTTBR_EL2 can hold 52-bit PAs. */
static bool wide_pa(const struct geometry *g)
{
	return g->wide || g->page_shift == 16;
}

static void flag(struct decoded *d, unsigned n, const char *name, const char *on,
		 const char *off)
{
	decode_field(d, n, n, name, "%s", d->value >> n & 1 ? on : off);
}

void decode_vtcr(struct decoded *d)
{
	unsigned ps = pa_bits[decode_bits(d->value, 18, 16)];
	struct geometry g;
	char root[32];

	geometry(d->value, &g);
	decode_field(d, 5, 0, "T0SZ", "IPA size %u bits", g.ipa_bits);
	start_level(d, &g);
	walk_attributes(d, g.wide);
	if (g.page_shift)
		decode_field(d, 15, 14, "TG0", "granule %u KiB",
			     1u << (g.page_shift - 10));
	else
		decode_field(d, 15, 14, "TG0", "reserved");
	if (!ps)
		decode_field(d, 18, 16, "PS", "reserved");
	else if (ps > 48 && g.page_shift && !wide_pa(&g))
		decode_field(d, 18, 16, "PS",
			     "PA size 52 bits, of which this layout holds 48");
	else
		decode_field(d, 18, 16, "PS", "PA size %u bits", ps);
	flag(d, 19, "VS", "VMID of 16 bits", "VMID of 8 bits");
	decode_res0(d, 20, 20);
	flag(d, 21, "HA", "hardware sets the access flag", "software sets it");
	flag(d, 22, "HD", "hardware keeps dirty state", "no dirty state in hardware");
	decode_res0(d, 24, 23);
	decode_field(d, 28, 25, "HWU",
		     "bits [62:59] of descriptors for hardware: 0x%" PRIx64,
		     decode_bits(d->value, 28, 25));
	flag(d, 29, "NSW", "non-secure walks (Secure state)", "0");
	flag(d, 30, "NSA", "non-secure output (Secure state)", "0");
	flag(d, 31, "RES1", "1", "0");
	flag(d, 32, "DS", "52-bit descriptors (LPA2)",
	     g.page_shift != 16 ? "48-bit descriptors" :
	     ps > 48		? "OA[51:48] in bits [15:12] (LPA)" :
				  "48-bit addresses");
	flag(d, 33, "SL2", "with SL0: start level -1", "0");
	if (decode_bits(d->value, 63, 34))
		decode_problem(d,
			       "bits [63:34] = 0x%" PRIx64 ": later extensions, not "
			       "decoded",
			       decode_bits(d->value, 63, 34));

	if (!(d->value >> 31 & 1))
		decode_problem(d, "bit 31 is RES1");
	if (!g.page_shift)
		decode_problem(d, "TG0 0b11 is reserved");
	if (!ps)
		decode_problem(d, "PS 0b111 is reserved");
	if (d->value >> 22 & 1 && !(d->value >> 21 & 1))
		decode_problem(d, "HD has no effect without HA");
	if (d->value >> 33 & 1 && !(g.wide && g.page_shift == 12))
		decode_problem(d, "SL2 is RES0 unless DS = 1 with 4 KiB");
	if (d->value >> 32 & 1 && g.page_shift == 16)
		decode_problem(d, "DS is RES0 with 64 KiB");
	if (ps && g.ipa_bits > ps)
		decode_problem(d, "the IPA size is above the PA size: CONSTRAINED "
				  "UNPREDICTABLE");
	if (g.ipa_bits > 48 && !g.wide && g.page_shift != 16)
		decode_problem(d, "more than 48 bits need DS = 1");
	if (g.ipa_bits < 25)
		decode_problem(d, "fewer than 25 bits: T0SZ above 39 needs FEAT_TTST");
	if (g.ipa_bits > 52)
		decode_problem(d, "more than 52 bits: T0SZ below 12 is not valid");
	if (g.page_shift && g.start != RESERVED && !g.tables)
		decode_problem(d,
			       "SL0 does not fit T0SZ: this start level cannot translate "
			       "%u bits",
			       g.ipa_bits);
	if (!g.tables)
		decode_summary(d, "not a usable configuration");
	else
		decode_summary(
			d, "IPA %u bits, %u KiB granule%s, start level %d, root of %s",
			g.ipa_bits, 1u << (g.page_shift - 10), g.wide ? " with DS" : "",
			g.start, root_text(&g, root, sizeof(root)));
}

void decode_vttbr(struct decoded *d, const struct decode_config *c)
{
	uint64_t vmid = decode_bits(d->value, 63, 48), baddr;
	struct geometry g = { 0 };
	bool wide = false;
	char root[32];

	if (c->has_vtcr) {
		geometry(c->vtcr, &g);
		wide = pa_bits[decode_bits(c->vtcr, 18, 16)] == 52 && wide_pa(&g);
	}
	decode_field(d, 63, 48, "VMID", "%" PRIu64, vmid);
	if (c->has_vtcr && !(c->vtcr >> 19 & 1) && vmid > 255)
		decode_problem(d, "the VMID has 8 bits (VTCR_EL2.VS = 0)");
	if (wide) {
		baddr = decode_bits(d->value, 47, 6) << 6 | decode_bits(d->value, 5, 2)
								    << 48;
		decode_field(d, 47, 6, "BADDR[47:6]", "root at PA 0x%" PRIx64, baddr);
		decode_field(d, 5, 2, "BADDR[51:48]", "0x%" PRIx64,
			     decode_bits(d->value, 5, 2));
		decode_res0(d, 1, 1);
	} else {
		baddr = decode_bits(d->value, 47, 1) << 1;
		decode_field(d, 47, 1, "BADDR", "root at PA 0x%" PRIx64, baddr);
	}
	decode_field(d, 0, 0, "CnP",
		     d->value & 1 ? "all PEs use these tables for this VMID" :
				    "not common");
	if (g.tables && baddr & ((UINT64_C(1) << g.root_bits) - 1))
		decode_problem(d, "the root must be aligned to its size, 0x%" PRIx64,
			       UINT64_C(1) << g.root_bits);
	if (c->has_vtcr && !g.tables)
		decode_problem(d, "the value for VTCR_EL2 is not a usable configuration");
	if (g.tables)
		decode_summary(d,
			       "VMID %" PRIu64 ", root at PA 0x%" PRIx64
			       ": %s of %u KiB at level %d",
			       vmid, baddr, root_text(&g, root, sizeof(root)),
			       1u << (g.page_shift - 10), g.start);
	else
		decode_summary(d, "VMID %" PRIu64 ", root at PA 0x%" PRIx64, vmid, baddr);
}
