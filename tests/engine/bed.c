/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bed.h"

#define ROOT_PAGES 16u

uint32_t feature_set(unsigned i)
{
	return (i & 1 ? S2_FEAT_FWB : 0) | (i & 2 ? S2_FEAT_TLBIRANGE : 0);
}

void bed_open(struct bed *b, unsigned ipa_bits, uint32_t features, uint32_t pages)
{
	struct s2_config cfg = { .ipa_bits = (uint8_t)ipa_bits,
				 .pa_bits = 48,
				 .features = features,
				 .port = &b->port };
	uint32_t all = pages + ROOT_PAGES;

	b->port = (struct count_port){ .shift = 12, .pages = all, .fail_after = -1 };
	b->port.arena = aligned_alloc(65536, ((size_t)all << 12 | 65535) + 1);
	b->port.meta = calloc(2 * all, sizeof(*b->port.meta));
	b->port.free = calloc(all, sizeof(*b->port.free));
	assert_true(b->port.arena && b->port.meta && b->port.free);
	/* A page comes with old content: what the engine reads of it must be zeroed. */
	memset(b->port.arena, 0xa5, (size_t)all << 12);
	for (uint32_t i = ROOT_PAGES; i < all; i++)
		b->port.free[b->port.nfree++] = i;
	assert_int_equal(s2_init(&b->s2, &cfg), 0);
}

uint64_t bed_tables(const struct bed *b)
{
	return b->port.pages - ROOT_PAGES - b->port.nfree;
}

void bed_check(struct bed *b)
{
	uint64_t tables;
	const char *what = meta_check(&b->s2, &tables);

	if (what)
		fail_msg("%s", what);
	assert_int_equal(tables, bed_tables(b));
}

void bed_close(struct bed *b)
{
	if (b->s2.root)
		assert_int_equal(s2_destroy(&b->s2, 0, NULL), 0);
	assert_null(b->s2.root);
	assert_int_equal(bed_tables(b), 0);
	free(b->port.arena);
	free(b->port.meta);
	free(b->port.free);
}

struct cost bed_cost(struct bed *b)
{
	struct count_port *p = &b->port;
	struct cost c = { p->tlbi,	  p->dsb,	 p->isb,
			  p->clean_bytes, p->exec_bytes, p->agents };

	p->tlbi = p->dsb = p->isb = p->agents = 0;
	p->clean_bytes = p->clean_calls = p->exec_bytes = 0;
	return c;
}

void bed_map(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags)
{
	assert_int_equal(s2_map(&b->s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags, NULL),
			 0);
}

void bed_unmap(struct bed *b, uint64_t ipa, uint64_t size, uint32_t flags)
{
	assert_int_equal(s2_unmap(&b->s2, s2_ipa(ipa), size, flags, NULL), 0);
}

struct s2_mapping bed_lookup(struct bed *b, uint64_t ipa)
{
	struct s2_mapping m;

	assert_int_equal(s2_lookup(&b->s2, s2_ipa(ipa), &m), 0);
	return m;
}
