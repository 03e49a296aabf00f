/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A reference for the engine: one record a page, no tables. It says what each
 * operation should do, or with which error it should refuse.
 */
#ifndef TESTS_ENGINE_FLAT_H
#define TESTS_ENGINE_FLAT_H

#include <stage2/stage2.h>

struct flat_page {
	uint64_t pa;
	s2_attr_t attr;
	int8_t level; /* of the leaf that maps it; 0: nothing */
	bool young;
	uint64_t note; /* an owner's annotation, where nothing is mapped */
};

struct flat {
	uint64_t base, pages; /* IPA of the first page; how many */
	struct flat_page *page;
	unsigned shift; /* the granule */
	int first;	/* level of the largest blocks */
};

void flat_init(struct flat *f, const struct s2 *s2, uint64_t base, uint64_t size);
void flat_free(struct flat *f);

int flat_map(struct flat *f, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags);
int flat_unmap(struct flat *f, uint64_t ipa, uint64_t size, uint32_t flags);
void flat_wrprotect(struct flat *f, uint64_t ipa, uint64_t size);
bool flat_age(struct flat *f, uint64_t ipa, uint64_t size, bool clear);
/* A page, or the contiguous run that it is in. */
int flat_mkyoung(struct flat *f, uint64_t ipa, uint64_t size);
int flat_relax(struct flat *f, uint64_t ipa, uint64_t size, s2_attr_t perms);
int flat_annotate(struct flat *f, uint64_t ipa, uint64_t size, uint64_t note);
bool flat_noted(const struct flat *f, uint64_t ipa, uint64_t size);
/* Every dirty page of the leaves that intersect the range, by number into a bitmap. */
void flat_dirty(struct flat *f, uint64_t ipa, uint64_t size, bool clear, uint64_t *bits);
void flat_split(struct flat *f, uint64_t ipa, uint64_t size);

/* NULL when the engine maps what the reference does and nothing else; else what
 * differs, in a static buffer. */
const char *flat_compare(const struct flat *f, const struct s2 *s2);

/* NULL when every table's metadata says what is in it, and *tables (root aside)
 * are linked; else what is wrong. Reads the tables through the engine's port. */
const char *meta_check(const struct s2 *s2, uint64_t *tables);

#endif
