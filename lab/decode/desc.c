// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Stage-2 descriptors [Arm ARM, "VMSAv8-64 translation table format
 * descriptors"], all granules, with and without 52-bit addresses.
 */
#include <inttypes.h>
#include <stdio.h>

#include <stage2/stage2.h>
#include "common/granule.h"
#include "decode.h"

/* The bit of libstage2's marker in an invalid entry; hardware ignores it. */
#define BUSY_BIT 62
/* Linux KVM's: the entry is being changed. */
#define LINUX_LOCKED_BIT 10

static bool bit(const struct decoded *d, unsigned n)
{
	return d->value >> n & 1;
}

static const char *size_text(unsigned shift, char *buf, size_t len)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };

	snprintf(buf, len, "%u %s", 1u << shift % 10, unit[shift / 10]);
	return buf;
}

static const char *memory_type(unsigned m, bool fwb)
{
	static const char *const device[] = { "Device-nGnRnE", "Device-nGnRE",
					      "Device-nGRE", "Device-GRE" };
	static const char *const normal[] = {
		[5] = "Normal non-cacheable",	     [6] = "Normal, outer NC, inner WT",
		[7] = "Normal, outer NC, inner WB",  [9] = "Normal, outer WT, inner NC",
		[10] = "Normal write-through",	     [11] = "Normal, outer WT, inner WB",
		[13] = "Normal, outer WB, inner NC", [14] = "Normal, outer WB, inner WT",
		[15] = "Normal write-back",
	};
	static const char *const forced[] = {
		[5] = "Normal non-cacheable, whatever stage 1 says",
		[6] = "Normal write-back, whatever stage 1 says",
		[7] = "the type stage 1 says",
	};

	if (fwb)
		m &= 7;
	if (m < 4)
		return device[m];
	return fwb ? forced[m] : normal[m];
}

static void memattr(struct decoded *d, const struct decode_config *c)
{
	unsigned m = (unsigned)decode_bits(d->value, 5, 2);
	bool fwb = c->features & S2_FEAT_FWB;
	const char *type = memory_type(m, fwb);

	decode_field(d, 5, 2, "MemAttr", "%s", type ? type : "reserved");
	if (!type)
		decode_problem(d, "MemAttr 0x%x is reserved %s FWB", m,
			       fwb ? "with" : "without");
	if (fwb && m & 8)
		decode_problem(d, "MemAttr[3], bit 5, is RES0 with FWB");
}

static const char *execute(struct decoded *d, const struct decode_config *c)
{
	static const char *const xn[] = { "EL1 and EL0", "EL0 only", "nobody",
					  "EL1 only" };
	const char *who;

	if (c->features & S2_FEAT_XNX) {
		who = xn[decode_bits(d->value, 54, 53)];
		decode_field(d, 54, 53, "XN", "execute: %s", who);
	} else {
		who = xn[bit(d, 54) ? 2 : 0];
		decode_field(d, 54, 54, "XN", "execute: %s", who);
		if (bit(d, 53))
			decode_problem(d, "bit 53 has a meaning with FEAT_XNX only");
	}
	return who;
}

/* The output address in any layout; @low: its lowest bit. */
static uint64_t output(struct decoded *d, const struct decode_config *c, unsigned low,
		       const char *what)
{
	bool wide = c->features & S2_FEAT_LPA2;
	uint64_t oa;

	if (wide && c->page_shift < 16) {
		oa = decode_bits(d->value, 49, low) << low | decode_bits(d->value, 9, 8)
								     << 50;
		decode_field(d, 49, low, "OA[49:]", "%s 0x%" PRIx64, what, oa);
		decode_field(d, 9, 8, "OA[51:50]",
			     "with bits [49:%u]; shareability is "
			     "VTCR_EL2.SH0's",
			     low);
		return oa;
	}
	oa = decode_bits(d->value, 47, low) << low;
	if (wide)
		oa |= decode_bits(d->value, 15, 12) << 48;
	decode_field(d, 47, low, "OA", "%s 0x%" PRIx64, what, oa);
	if (wide)
		decode_field(d, 15, 12, "OA[51:48]", "with bits [47:%u]", low);
	return oa;
}

static void table(struct decoded *d, const struct decode_config *c)
{
	bool wide = c->features & S2_FEAT_LPA2;
	uint64_t oa = output(d, c, c->page_shift, "next table at");
	uint64_t rest = d->value >> 2;

	/* The fields of a table descriptor besides type and address. */
	rest &= ~(decode_bits(UINT64_MAX, wide && c->page_shift < 16 ? 49 : 47,
			      c->page_shift)
		  << (c->page_shift - 2));
	if (wide)
		rest &= c->page_shift < 16 ? ~(UINT64_C(3) << 6) : ~(UINT64_C(15) << 10);
	if (rest)
		decode_problem(d,
			       "bits 0x%" PRIx64 " are ignored or RES0: a stage-2 table "
			       "entry has no attributes",
			       rest << 2);
	decode_summary(d, "table at 0x%" PRIx64, oa);
}

static unsigned contiguous(const struct decode_config *c)
{
	if (c->page_shift == 12)
		return 16;
	if (c->page_shift == 16)
		return 32;
	return c->level == 3 ? 128 : 32;
}

static void leaf(struct decoded *d, const struct decode_config *c)
{
	unsigned shift = level_shift(c->page_shift, c->level);
	bool wide = c->features & S2_FEAT_LPA2, block = c->level < 3;
	bool lpa64 = wide && c->page_shift == 16;
	unsigned perms = (unsigned)decode_bits(d->value, 7, 6);
	unsigned type = (unsigned)decode_bits(d->value, 5, 2);
	static const char *const rw[] = { "no access", "read only", "write only",
					  "read and write" };
	static const char *const sh[] = { "non-shareable", "reserved", "outer shareable",
					  "inner shareable" };
	const char *who, *mem;
	char size[16];
	uint64_t oa;

	memattr(d, c);
	decode_field(d, 7, 6, "S2AP", "%s", rw[perms]);
	if (!wide || lpa64) {
		decode_field(d, 9, 8, "SH", "%s", sh[decode_bits(d->value, 9, 8)]);
		if (decode_bits(d->value, 9, 8) == 1)
			decode_problem(d, "SH 0b01 is reserved");
	}
	decode_field(d, 10, 10, "AF",
		     bit(d, 10)			  ? "accessed" :
		     c->features & S2_FEAT_HAFDBS ? "not accessed: hardware sets it" :
						    "not accessed: an access faults");
	if (bit(d, 11))
		decode_field(d, 11, 11, "FnXS", "with FEAT_XS: not for XS; else RES0");
	oa = output(d, c, shift, "maps to");
	if (block) {
		decode_field(d, 16, 16, "nT",
			     bit(d, 16) ?
				     "with FEAT_BBM: not to be cached as a translation" :
				     "0");
		if (shift > 17)
			decode_res0(d, shift - 1, 17);
		if (!lpa64)
			decode_res0(d, 15, 12);
	}
	decode_res0(d, 50, wide && !lpa64 ? 50 : 48);
	decode_field(d, 51, 51, "DBM",
		     !bit(d, 51) ? "0" :
		     c->features & S2_FEAT_HAFDBS ?
				   "writable, dirty when written" :
				   "ignored without hardware dirty state");
	decode_field(d, 52, 52, "Contiguous", bit(d, 52) ? "one of a run of %u" : "0",
		     contiguous(c));
	who = execute(d, c);
	decode_field(d, 58, 55, "software", "0x%" PRIx64, decode_bits(d->value, 58, 55));
	if (decode_bits(d->value, 62, 59))
		decode_field(d, 62, 59, "PBHA", "0x%" PRIx64,
			     decode_bits(d->value, 62, 59));

	mem = memory_type(type, c->features & S2_FEAT_FWB);
	if (mem && mem[0] == 'D' && who[0] != 'n')
		decode_problem(d, "device memory that may be executed");
	if (!perms)
		decode_problem(d, "mapped, but neither read nor write is allowed");
	decode_summary(d, "%s of %s at 0x%" PRIx64 ", %s, execute: %s, %s",
		       block ? "block" : "page", size_text(shift, size, sizeof(size)), oa,
		       rw[perms], who, mem ? mem : "reserved memory type");
}

/* Whether the architecture has blocks at this level. */
static bool block_level(const struct decode_config *c)
{
	int first = c->page_shift == 12 ? 1 : 2;

	return c->level >= first - !!(c->features & S2_FEAT_LPA2);
}

static void decode_kind(struct decoded *d, const struct decode_config *c)
{
	if (c->level < 3 && bit(d, 1)) {
		decode_field(d, 1, 1, "type", "table");
		table(d, c);
		return;
	}
	decode_field(d, 1, 1, "type",
		     c->level == 3  ? (bit(d, 1) ? "page" : "reserved") :
		     block_level(c) ? "block" :
				      "reserved");
	if (c->level == 3 ? !bit(d, 1) : !block_level(c)) {
		decode_problem(d, "reserved: treated as invalid, accesses fault");
		decode_summary(d, "reserved, treated as invalid");
		return;
	}
	leaf(d, c);
}

static void prepend(struct decoded *d, const char *with)
{
	char was[DECODE_TEXT];

	snprintf(was, sizeof(was), "%s", d->summary);
	snprintf(d->summary, sizeof(d->summary), "%s%.160s", with, was);
}

void decode_desc(struct decoded *d, const struct decode_config *c)
{
	uint64_t value = d->value;

	if (value & 1) {
		decode_field(d, 0, 0, "valid", "valid");
		decode_kind(d, c);
		return;
	}
	decode_field(d, 0, 0, "valid", "invalid: hardware ignores the other bits");
	if (!value) {
		decode_summary(d, "empty");
	} else if (bit(d, BUSY_BIT)) {
		decode_field(d, BUSY_BIT, BUSY_BIT, "busy",
			     "libstage2: broken, not yet invalidated or cleaned");
		/* The rest is the descriptor that was there. */
		d->value &= ~(UINT64_C(1) << BUSY_BIT);
		decode_kind(d, c);
		d->value = value;
		prepend(d, "busy; it was: ");
	} else if (value == UINT64_C(1) << LINUX_LOCKED_BIT) {
		decode_field(d, LINUX_LOCKED_BIT, LINUX_LOCKED_BIT, "locked",
			     "Linux KVM: being changed");
		decode_summary(d, "invalid, locked (Linux KVM)");
	} else {
		decode_problem(d, "not a marker of libstage2: bit 62 is 0");
		decode_summary(d, "invalid, with software's content");
	}
}
