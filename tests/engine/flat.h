/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A reference for the engine: a sorted list of runs, no tables. It says what each
 * operation should do, or with which error it should refuse. A run is any number of
 * leaves next to each other that are alike, so a block of 4 TiB costs no more than a
 * page.
 */
#ifndef TESTS_ENGINE_FLAT_H
#define TESTS_ENGINE_FLAT_H

#include <stage2/stage2.h>

/*
 * What is broken and not released: a leaf of which a step has cleaned a part; what an
 * open batch has unmapped, to be cleaned by its flush or with the clean waived.
 */
enum flat_busy { FLAT_LIVE, FLAT_PARKED, FLAT_PENDING, FLAT_WAIVED };

/**
 * struct flat_run - leaves in a row, each continuing the one before
 * @level: of each leaf
 * @busy: enum flat_busy; the other fields are those of the leaf that was there, @pa 0 if
 *	there was none (in a table that went with its last leaf)
 */
struct flat_run {
	uint64_t ipa, end, pa;
	s2_attr_t attr;
	int8_t level;
	bool young;
	uint8_t busy;
};

/* The level of a piece in which there is nothing. */
#define FLAT_NOTHING (-1)

struct flat {
	struct flat_run *run;
	unsigned n, max;
	unsigned shift; /* the granule */
	int first;	/* level of the largest blocks */
	bool lpa2;
	uint32_t features;
	uint16_t counted; /* bit n: leaves with S2_SW(n) */
};

void flat_init(struct flat *f, const struct s2 *s2);
void flat_free(struct flat *f);
void flat_copy(struct flat *to, const struct flat *from);

uint64_t flat_leaf_size(const struct flat *f, int level);
/* The run that holds @ipa, or the first behind it, or NULL. */
const struct flat_run *flat_at(const struct flat *f, uint64_t ipa);
/* Whether anything, or anything busy, is in [lo, hi). */
bool flat_any(const struct flat *f, uint64_t lo, uint64_t hi);
bool flat_busy(const struct flat *f, uint64_t lo, uint64_t hi);
/* Grow [*lo, *hi) to the ends of the leaves and busy entries at its edges. */
void flat_extent(const struct flat *f, uint64_t *lo, uint64_t *hi);
/* @r goes over what is there. */
void flat_put(struct flat *f, const struct flat_run *r);
/* Nothing is in [lo, hi). */
void flat_drop(struct flat *f, uint64_t lo, uint64_t hi);
/* [lo, hi) as it is in @from. */
void flat_take(struct flat *f, const struct flat *from, uint64_t lo, uint64_t hi);
/* The part of @r in [lo, hi). */
struct flat_run flat_cut(const struct flat_run *r, uint64_t lo, uint64_t hi);
/* A leaf that goes on behind @ipa and begins before it. */
bool flat_straddles(const struct flat *f, uint64_t ipa);
/* Whether the memory of a leaf of this type has to be cleaned. */
bool flat_weak(const struct flat *f, s2_attr_t attr);
/* Whether a leaf with these attributes is counted: it is never changed in place. */
bool flat_counted(const struct flat *f, s2_attr_t attr);
/* Bytes in [lo, hi) that are mapped by leaves to be cleaned. */
uint64_t flat_to_clean(const struct flat *f, uint64_t lo, uint64_t hi);

/* What hardware has recorded a write to, or takes the next one for recorded. */
bool flat_dirty(const struct flat_run *r);

int flat_map(struct flat *f, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags);
/*
 * A step of the same that comes from @from to @to, with leaves of at most @max_leaf.
 * @note: an annotation, so that nothing is mapped.
 */
struct flat_map {
	uint64_t ipa, pa, size, from, to, max_leaf;
	s2_attr_t attr;
	uint32_t flags;
	bool note;
};
int flat_map_step(struct flat *f, const struct flat_map *m);
/* A step of an unmap of a range that ends at @end. */
int flat_unmap_step(struct flat *f, uint64_t from, uint64_t to, uint64_t end,
		    uint32_t flags);
int flat_unmap(struct flat *f, uint64_t ipa, uint64_t size, uint32_t flags);
void flat_wrprotect(struct flat *f, uint64_t ipa, uint64_t size);
bool flat_age(struct flat *f, uint64_t ipa, uint64_t size, bool clear);
/* Dirty leaves that are wholly in [from, to) become clean. */
void flat_tidy(struct flat *f, uint64_t ipa, uint64_t size, uint64_t from, uint64_t to);
/* The leaf at @ipa, of the run [lo, hi). */
int flat_mkyoung(struct flat *f, uint64_t ipa, uint64_t lo, uint64_t hi);
int flat_relax(struct flat *f, uint64_t ipa, uint64_t lo, uint64_t hi, s2_attr_t perms);
void flat_split(struct flat *f, uint64_t ipa, uint64_t size);
/* @seen: hardware may have seen an access: a new block is young, and dirty if it can be,
 * even if none of its pages was. */
void flat_collapse(struct flat *f, uint64_t ipa, uint64_t size, bool seen);

/*
 * @ok is asked for each piece of [lo, hi) in which both the reference and the engine
 * are of one kind. NULL: they have to be equal.
 */
typedef bool flat_judge(const struct flat_run *old, const struct flat_run *now,
			void *arg);
bool flat_equal(const struct flat_run *old, const struct flat_run *now);
/* A part of a larger leaf that was split: nothing else has changed. */
bool flat_part(const struct flat_run *old, const struct flat_run *now);
/*
 * Compare [lo, hi) with the engine and, with @adopt, take over what the engine has: what
 * has become busy is of that kind. NULL, or the first piece that is not right, in a
 * static buffer.
 */
const char *flat_check(struct flat *f, const struct s2 *s2, uint64_t lo, uint64_t hi,
		       flat_judge *ok, void *arg, enum flat_busy adopt);
/*
 * NULL when the engine says, by s2_iter_next(), that it maps what the reference does
 * and nothing else.
 */
const char *flat_iterate(const struct flat *f, const struct s2 *s2, uint64_t lo,
			 uint64_t hi);
/* Entries in [lo, hi) for which @mark gives something, which is attr of the runs. */
void flat_read_marks(struct flat *now, const struct s2 *s2, uint64_t lo, uint64_t hi,
		     unsigned (*mark)(uint64_t d, int level));
const char *flat_compare(const struct flat *f, const struct s2 *s2);

/* NULL when every table's metadata says what is in it, and *tables (root aside)
 * are linked; else what is wrong. Reads the tables through the engine's port. */
const char *meta_check(const struct s2 *s2, uint64_t *tables);
/*
 * The same between the steps of operations: leaves may be parked, and a replacing map may
 * leave a table empty that it will fill.
 */
struct meta_seen {
	uint64_t tables;
	unsigned parked, empty;
	unsigned noted; /* of those that are empty: annotations were in it */
};
const char *meta_look(const struct s2 *s2, struct meta_seen *seen);

#endif
