/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parsing of what stands on s2lab's command line. Every function that returns
 * bool has said on stderr what is wrong, and with which option, when it returns
 * false; the caller then returns LAB_USAGE.
 */
#ifndef STAGE2_LAB_OPTIONS_H
#define STAGE2_LAB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "s2lab compare: MESSAGE" and a pointer to --help, on stderr.
 * Return: LAB_USAGE, so that a caller can return it at once.
 */
int lab_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The subcommand's name for messages; main() sets it. */
extern const char *lab_command;

/*
 * A number of bytes or an address: decimal, or hexadecimal after 0x, and then
 * K, M, G or T (powers of 1024, either case). @opt is the option's name.
 */
bool lab_parse_size(const char *opt, const char *arg, uint64_t *out);

/* As lab_parse_size(), and a multiple of 4 KiB. */
bool lab_parse_pages(const char *opt, const char *arg, uint64_t *out);

/*
 * A leaf's size ("4k", "32m", "64g"), from which granule and level follow. @wide: it
 * exists with 52-bit addresses only.
 */
struct lab_leaf {
	uint64_t size;
	unsigned page_shift;
	int level;
	bool wide;
};
bool lab_parse_leaf(const char *opt, const char *arg, struct lab_leaf *out);

/* 4k, 16k or 64k, as the number of address bits in a page. */
bool lab_parse_granule(const char *opt, const char *arg, unsigned *page_shift);

/* A plain number, decimal or 0x, min <= number <= max. */
bool lab_parse_number(const char *opt, const char *arg, uint64_t min, uint64_t max,
		      uint64_t *out);

/* Comma-separated feature names, or "none", to S2_FEAT_* bits. */
bool lab_parse_features(const char *opt, const char *arg, uint32_t *out);

/* The names again, comma-separated, or "none". @buf: LAB_FEATURES_LEN. */
#define LAB_FEATURES_LEN 64
const char *lab_features_text(uint32_t features, char *buf);

/*
 * The index in @names (ends with NULL) of @arg. @what: what they are, for the
 * message, which lists them. Return: -1 and a message if there is none.
 */
int lab_parse_name(const char *opt, const char *what, const char *arg,
		   const char *const *names);

/* "1 GiB", "4 KiB", "1 GiB + 4 KiB": exact, for titles. @buf: LAB_SIZE_LEN. */
#define LAB_SIZE_LEN 64
const char *lab_size_text(uint64_t bytes, char *buf);

#endif /* STAGE2_LAB_OPTIONS_H */
