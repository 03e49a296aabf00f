/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "granule.h"
#include "lab.h"
#include "options.h"

const char *lab_command = "";

static const struct feature {
	const char *name;
	uint32_t bit;
} features[] = {
	{ "fwb", S2_FEAT_FWB },	      { "tlbirange", S2_FEAT_TLBIRANGE },
	{ "ttl", S2_FEAT_TTL },	      { "bbm1", S2_FEAT_BBM1 },
	{ "bbm2", S2_FEAT_BBM2 },     { "lpa2", S2_FEAT_LPA2 },
	{ "hafdbs", S2_FEAT_HAFDBS }, { "xnx", S2_FEAT_XNX },
	{ "ets2", S2_FEAT_ETS2 },
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

int lab_usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "s2lab %s: ", lab_command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 's2lab %s --help'.\n", lab_command);
	return LAB_USAGE;
}

/*
 * strtoull() alone would accept leading blanks and a minus sign, and read a leading 0 as
 * octal.
 */
static bool parse_digits(const char *arg, const char **end, uint64_t *out)
{
	bool hex = arg[0] == '0' && (arg[1] == 'x' || arg[1] == 'X');
	const char *digits = hex ? arg + 2 : arg;
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (!n)
		return false;
	errno = 0;
	*out = strtoull(digits, NULL, hex ? 16 : 10);
	*end = digits + n;
	return !errno;
}

/* The unit at *@p: "K", "KiB", "bytes" or none; as a shift. -1: another word. */
static int parse_unit(const char **p)
{
	static const char letters[] = "KMGT";
	const char *at, *word = *p + strspn(*p, " ");
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	char letter = (char)(*word >= 'a' && *word <= 'z' ? *word - 'a' + 'A' : *word);

	if (!len)
		return 0;
	*p = word + len;
	if (len == 5 && !strncmp(word, "bytes", len))
		return 0;
	at = strchr(letters, letter);
	if (!at || (len != 1 && (len != 3 || strncmp(word + 1, "iB", 2))))
		return -1;
	return 10 * (int)(at - letters + 1);
}

static bool parse_size(const char *arg, uint64_t *out)
{
	const char *p = arg;
	uint64_t sum = 0;

	for (;;) {
		uint64_t n = 0;
		int shift;

		if (!parse_digits(p, &p, &n))
			return false;
		shift = parse_unit(&p);
		if (shift < 0 || n > UINT64_MAX >> shift ||
		    __builtin_add_overflow(sum, n << shift, &sum))
			return false;
		if (!*p) {
			*out = sum;
			return true;
		}
		p += strspn(p, " ");
		if (*p++ != '+')
			return false;
		p += strspn(p, " ");
	}
}

bool lab_parse_size(const char *opt, const char *arg, uint64_t *out)
{
	if (parse_size(arg, out))
		return true;
	lab_usage("%s: '%s' is not a number of bytes (4K, \"1 GiB + 4 KiB\", 0x40000000)",
		  opt, arg);
	return false;
}

bool lab_parse_pages(const char *opt, const char *arg, uint64_t *out)
{
	uint64_t n;

	if (!lab_parse_size(opt, arg, &n))
		return false;
	if (n & 4095) {
		lab_usage("%s: '%s' is not a multiple of 4K", opt, arg);
		return false;
	}
	*out = n;
	return true;
}

bool lab_parse_leaf(const char *opt, const char *arg, struct lab_leaf *out)
{
	/* The first level with blocks, without and with 52-bit addresses. */
	static const struct {
		unsigned page_shift;
		int first, first_wide;
	} granule[] = { { 12, 1, 0 }, { 14, 2, 1 }, { 16, 2, 1 } };
	uint64_t size;

	if (!lab_parse_size(opt, arg, &size))
		return false;
	for (unsigned g = 0; g < 3; g++) {
		unsigned page_shift = granule[g].page_shift;

		for (int level = granule[g].first_wide; level <= 3; level++) {
			if (size != level_size(page_shift, level))
				continue;
			*out = (struct lab_leaf){ size, page_shift, level,
						  level < granule[g].first };
			return true;
		}
	}
	lab_usage("%s: no leaf is %s; known are 4k, 2m, 1g, 512g, 16k, 32m, 64g, 64k,"
		  " 512m, 4t",
		  opt, arg);
	return false;
}

bool lab_parse_granule(const char *opt, const char *arg, unsigned *page_shift)
{
	uint64_t size;

	if (parse_size(arg, &size))
		for (*page_shift = 12; *page_shift <= 16; *page_shift += 2)
			if (size == UINT64_C(1) << *page_shift)
				return true;
	lab_usage("%s: no granule '%s'; known are 4k, 16k, 64k", opt, arg);
	return false;
}

bool lab_parse_number(const char *opt, const char *arg, uint64_t min, uint64_t max,
		      uint64_t *out)
{
	const char *end = arg;
	uint64_t n = 0;

	if (!parse_digits(arg, &end, &n) || *end || n < min || n > max) {
		if (max == UINT64_MAX)
			lab_usage("%s: '%s' is not a number below 2^64", opt, arg);
		else
			lab_usage("%s: '%s' is not a number from %" PRIu64 " to %" PRIu64,
				  opt, arg, min, max);
		return false;
	}
	*out = n;
	return true;
}

bool lab_parse_output(const char *opt, const char *path, const char *other)
{
	struct stat a, b;

	if (strcmp(path, other) &&
	    (stat(path, &a) || stat(other, &b) || !S_ISREG(a.st_mode) ||
	     a.st_dev != b.st_dev || a.st_ino != b.st_ino))
		return true;
	lab_usage("%s: this would overwrite %s", opt, other);
	return false;
}

bool lab_parse_features(const char *opt, const char *arg, uint32_t *out)
{
	uint32_t found = 0;
	size_t len;

	if (!strcmp(arg, "none")) {
		*out = 0;
		return true;
	}
	for (const char *p = arg;; p += len + 1) {
		size_t i = 0;

		len = strcspn(p, ",");
		while (i < FEATURES && (strlen(features[i].name) != len ||
					strncmp(features[i].name, p, len)))
			i++;
		if (i == FEATURES) {
			lab_usage("%s: no feature '%.*s'; known are fwb, tlbirange,"
				  " ttl, bbm1, bbm2, lpa2,\nhafdbs, xnx, ets2, or"
				  " 'none'",
				  opt, (int)len, p);
			return false;
		}
		found |= features[i].bit;
		if (!p[len])
			break;
	}
	*out = found;
	return true;
}

const char *lab_features_text(uint32_t bits, char *buf)
{
	size_t at = 0;

	for (size_t i = 0; i < FEATURES; i++) {
		if (bits & features[i].bit)
			at += (size_t)snprintf(buf + at, LAB_FEATURES_LEN - at, "%s%s",
					       at ? "," : "", features[i].name);
	}
	if (!at)
		snprintf(buf, LAB_FEATURES_LEN, "none");
	return buf;
}

int lab_parse_name(const char *opt, const char *what, const char *arg,
		   const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		if (!strcmp(arg, names[i]))
			return i;
	}
	fprintf(stderr, "s2lab %s: %s: no %s '%s'; known are", lab_command, opt, what,
		arg);
	for (int i = 0; names[i]; i++)
		fprintf(stderr, "%s %s", i ? "," : "", names[i]);
	fprintf(stderr, "\nTry 's2lab %s --help'.\n", lab_command);
	return -1;
}

const char *lab_size_text(uint64_t bytes, char *buf)
{
	static const char *const unit[] = { "TiB", "GiB", "MiB", "KiB", "bytes" };
	static const unsigned shift[] = { 40, 30, 20, 10, 0 };
	size_t at = 0;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t n = bytes >> shift[i];

		if (!n && (bytes || i < 4))
			continue;
		at += (size_t)snprintf(buf + at, LAB_SIZE_LEN - at, "%s%" PRIu64 " %s",
				       at ? " + " : "", n, unit[i]);
		bytes -= n << shift[i];
		if (!bytes)
			break;
	}
	return buf;
}
