/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bed.h"
#include "desc.h"

#define ROOT_PAGES 16u

uint32_t feature_set(unsigned i)
{
	return (i & 1 ? S2_FEAT_FWB : 0) | (i & 2 ? S2_FEAT_TLBIRANGE : 0);
}

void bed_open_as(struct bed *b, struct s2_config cfg, uint32_t pages)
{
	uint32_t all = pages + ROOT_PAGES;
	unsigned shift = cfg.granule_shift ? cfg.granule_shift : 12;

	b->port = (struct count_port){ .shift = shift, .pages = all, .fail_after = -1 };
	/* Aligned to what a root of 16 pages is. */
	b->port.arena = aligned_alloc(
		(size_t)ROOT_PAGES << shift,
		(((size_t)all + ROOT_PAGES - 1) / ROOT_PAGES) * ROOT_PAGES << shift);
	b->port.meta = calloc(2 * all, sizeof(*b->port.meta));
	b->port.free = calloc(all, sizeof(*b->port.free));
	assert_true(b->port.arena && b->port.meta && b->port.free);
	/* A page comes with old content: what the engine reads of it must be zeroed. */
	memset(b->port.arena, 0xa5, (size_t)all << shift);
	for (uint32_t i = ROOT_PAGES; i < all; i++)
		b->port.free[b->port.nfree++] = i;
	cfg.port = &b->port;
	assert_int_equal(s2_init(&b->s2, &cfg), 0);
}

void bed_open(struct bed *b, unsigned ipa_bits, uint32_t features, uint32_t pages)
{
	bed_open_as(b,
		    (struct s2_config){ .ipa_bits = (uint8_t)ipa_bits,
					.pa_bits = 48,
					.features = features },
		    pages);
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

void bed_park(struct bed *b, struct s2_op *op, uint64_t ipa, uint64_t pa)
{
	bed_map(b, ipa, pa, GIB, RW, S2_NO_CLEAN);
	*op = (struct s2_op){ .max_bytes = PARKED };
	bed_cost(b);
	assert_int_equal(s2_unmap(&b->s2, s2_ipa(ipa), GIB, 0, op), S2_MORE);
	assert_int_equal(op->cleaned, PARKED);
	assert_int_equal(bed_cost(b).clean_bytes, PARKED);
	assert_int_equal(bed_lookup(b, ipa).state, S2_BUSY);
}

void bed_end_park(struct bed *b, struct s2_op *op, uint64_t ipa)
{
	int ret;

	do
		ret = s2_unmap(&b->s2, s2_ipa(ipa), GIB, 0, op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_lookup(b, ipa).state, S2_EMPTY);
}

void bed_map_leaves(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t size, int level,
		    s2_attr_t attr)
{
	uint64_t each = level == LAST_LEVEL ? size : level_size(&b->s2, level);

	/* s2_map() takes the largest block that fits, so a block a call. */
	for (uint64_t at = 0; at < size; at += each)
		bed_map(b, ipa + at, pa + at, each, attr,
			level == LAST_LEVEL ? S2_MAP_PAGES : 0);
}

uint64_t *bed_entry(struct bed *b, uint64_t ipa, int level)
{
	uint64_t *table = b->s2.root;

	for (int l = b->s2.start_level;; l++) {
		uint64_t i = ipa >> level_shift(&b->s2, l);

		if (l > b->s2.start_level)
			i &= table_entries(&b->s2) - 1;
		if (l == level)
			return &table[i];
		assert_true(desc_valid_table(table[i], l));
		table = s2_port_table_va(&b->port, desc_oa(&b->s2, table[i]));
	}
}
