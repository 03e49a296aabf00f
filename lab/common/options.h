/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parsing of s2lab's command line. A function that returns false has printed the error
 * and the option on stderr; the caller then returns LAB_USAGE.
 */
#ifndef STAGE2_LAB_OPTIONS_H
#define STAGE2_LAB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Prints "s2lab COMMAND: MESSAGE" and a hint at --help on stderr. Return: LAB_USAGE. */
int lab_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The name of the command, for messages; main() sets it. */
extern const char *lab_command;

/*
 * A number of bytes or an address: decimal or 0x, optionally followed by K, M, G or T
 * (powers of 1024, upper or lower case); or as lab_size_text() writes it. @opt is the
 * name of the option.
 */
bool lab_parse_size(const char *opt, const char *arg, uint64_t *out);

/* As lab_parse_size(), and a multiple of 4 KiB. */
bool lab_parse_pages(const char *opt, const char *arg, uint64_t *out);

/*
 * The size of a leaf ("4k", "32m", "64g"), which determines granule and level. @wide:
 * such a leaf needs 52-bit addresses.
 */
struct lab_leaf {
	uint64_t size;
	unsigned page_shift;
	int level;
	bool wide;
};
bool lab_parse_leaf(const char *opt, const char *arg, struct lab_leaf *out);

/* 4k, 16k or 64k: page_shift becomes 12, 14 or 16. */
bool lab_parse_granule(const char *opt, const char *arg, unsigned *page_shift);

/* A plain number, decimal or 0x, min <= number <= max. */
bool lab_parse_number(const char *opt, const char *arg, uint64_t min, uint64_t max,
		      uint64_t *out);

/* Feature names, separated by commas, or "none"; as S2_FEAT_* bits. */
bool lab_parse_features(const char *opt, const char *arg, uint32_t *out);

/* False if @path is the file @other too: an input, or another output. */
bool lab_parse_output(const char *opt, const char *path, const char *other);

/* The reverse of lab_parse_features(). @buf: LAB_FEATURES_LEN. */
#define LAB_FEATURES_LEN 64
const char *lab_features_text(uint32_t features, char *buf);

/*
 * The index of @arg in @names, which ends with NULL. Return: -1 after a message that
 * lists the names if there is none. @what: the kind of the names, for the message.
 */
int lab_parse_name(const char *opt, const char *what, const char *arg,
		   const char *const *names);

/* "1 GiB", "1 GiB + 4 KiB": the exact size in words. @buf: LAB_SIZE_LEN. */
#define LAB_SIZE_LEN 64
const char *lab_size_text(uint64_t bytes, char *buf);

#endif /* STAGE2_LAB_OPTIONS_H */
