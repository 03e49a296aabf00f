/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "unpack.h"

/* The limit for unpacking. Files made by xz -9 need 65 MiB, by zstd --ultra -22 128. */
#define MEMORY_LOG 28
#define MEMORY (UINT64_C(1) << MEMORY_LOG)
#define MEMORY_TEXT "256 MiB"

/* SKIP: zstd that begins with a frame to be skipped, as pzstd writes it. */
enum packed { XZ, GZ, ZST, SKIP };

static const struct {
	uint8_t magic[UNPACK_MAGIC];
	size_t len;
} kinds[] = {
	[XZ] = { { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
	[GZ] = { { 0x1f, 0x8b }, 2 },
	[ZST] = { { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	[SKIP] = { { 0x50, 0x2a, 0x4d, 0x18 }, 4 },
};

static const struct {
	uint8_t magic[UNPACK_MAGIC];
	size_t len;
	const char *says;
} foreign[] = {
	{ "\x17\x08\x44tracing", 10,
	  "a binary file of trace-cmd: give what \"trace-cmd report\" prints of it" },
	{ "PERFILE2", 8,
	  "a binary file of perf: give what \"perf script --header\" prints of it" },
	{ "BZh", 3, "packed by bzip2: unpack it first (xz, gzip and zstd are read)" },
	{ "\x04\x22\x4d\x18", 4,
	  "packed by lz4: unpack it first (xz, gzip and zstd are read)" },
	{ "PK\x03\x04", 4,
	  "packed by zip: unpack it first (xz, gzip and zstd are read)" },
	{ "\xff\xfe", 2, "UTF-16: text has to be ASCII or UTF-8" },
};

struct unpack {
	enum packed kind;
	lzma_stream xz;
	z_stream gz;
	ZSTD_DCtx *zst;
	bool between; /* gzip, zstd: one part has ended, another may follow */
};

const char *unpack_foreign(const uint8_t *magic, size_t n)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (n >= foreign[i].len &&
		    !memcmp(magic, foreign[i].magic, foreign[i].len))
			return foreign[i].says;
	return NULL;
}

bool unpack_new(const uint8_t *magic, size_t n, struct unpack **u)
{
	bool ok;

	*u = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !*u; i++) {
		if (n < kinds[i].len || memcmp(magic, kinds[i].magic, kinds[i].len))
			continue;
		*u = calloc(1, sizeof(**u));
		if (!*u)
			return false;
		(*u)->kind = (enum packed)i;
	}
	if (!*u)
		return true;
	switch ((*u)->kind) {
	case XZ:
		(*u)->xz = (lzma_stream)LZMA_STREAM_INIT;
		ok = lzma_stream_decoder(&(*u)->xz, MEMORY, LZMA_CONCATENATED) == LZMA_OK;
		break;
	case GZ:
		ok = inflateInit2(&(*u)->gz, 16 + MAX_WBITS) == Z_OK;
		break;
	default:
		(*u)->zst = ZSTD_createDCtx();
		ok = (*u)->zst && !ZSTD_isError(ZSTD_DCtx_setParameter(
					  (*u)->zst, ZSTD_d_windowLogMax, MEMORY_LOG));
	}
	if (!ok)
		unpack_free(*u);
	return ok;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->kind == XZ)
		lzma_end(&u->xz);
	else if (u->kind == GZ)
		inflateEnd(&u->gz);
	else
		ZSTD_freeDCtx(u->zst);
	free(u);
}

/* ---- each returns whether it is the end, with a message if it is a broken one ---- */

static const char *xz_error(lzma_ret ret)
{
	switch (ret) {
	case LZMA_STREAM_END:
		return NULL;
	case LZMA_BUF_ERROR:
		return "the file ends in the middle of its xz data";
	case LZMA_DATA_ERROR:
	case LZMA_FORMAT_ERROR:
		return "the xz data is corrupt";
	case LZMA_MEMLIMIT_ERROR:
		return "the xz data needs more than " MEMORY_TEXT " to unpack";
	case LZMA_OPTIONS_ERROR:
		return "the xz data uses options that are not supported";
	default:
		return "out of memory";
	}
}

static bool xz_some(struct unpack *u, const uint8_t **in, size_t *in_len, bool eof,
		    char **out, size_t *room, const char **what)
{
	lzma_ret ret;

	u->xz.next_in = *in;
	u->xz.avail_in = *in_len;
	u->xz.next_out = (uint8_t *)*out;
	u->xz.avail_out = *room;
	ret = lzma_code(&u->xz, eof ? LZMA_FINISH : LZMA_RUN);
	*in = u->xz.next_in;
	*in_len = u->xz.avail_in;
	*out = (char *)u->xz.next_out;
	*room = u->xz.avail_out;
	if (ret == LZMA_OK)
		return false;
	*what = xz_error(ret);
	return true;
}

static bool gz_some(struct unpack *u, const uint8_t **in, size_t *in_len, bool eof,
		    char **out, size_t *room, const char **what)
{
	int ret;

	if (!*in_len) {
		if (eof && !u->between)
			*what = "the file ends in the middle of its gzip data";
		return eof;
	}
	if (u->between)
		inflateReset(&u->gz);
	u->between = false;
	u->gz.next_in = (uint8_t *)(uintptr_t)*in; /* it does not write there */
	u->gz.avail_in = (unsigned)*in_len;
	u->gz.next_out = (uint8_t *)*out;
	u->gz.avail_out = (unsigned)*room;
	ret = inflate(&u->gz, Z_NO_FLUSH);
	*in = u->gz.next_in;
	*in_len = u->gz.avail_in;
	*out = (char *)u->gz.next_out;
	*room = u->gz.avail_out;
	u->between = ret == Z_STREAM_END;
	if (ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR)
		return false;
	*what = ret == Z_MEM_ERROR ? "out of memory" : "the gzip data is corrupt";
	return true;
}

static bool zst_some(struct unpack *u, const uint8_t **in, size_t *in_len, bool eof,
		     char **out, size_t *room, const char **what)
{
	ZSTD_inBuffer from = { *in, *in_len, 0 };
	ZSTD_outBuffer to = { *out, *room, 0 };
	size_t ret;

	if (!*in_len && u->between)
		return eof;
	ret = ZSTD_decompressStream(u->zst, &to, &from);
	*in += from.pos;
	*in_len -= from.pos;
	*out += to.pos;
	*room -= to.pos;
	if (!ZSTD_isError(ret)) {
		u->between = !ret;
		/* Nothing comes of what there is, and there is no more. */
		if (eof && !u->between && !from.pos && !to.pos) {
			*what = "the file ends in the middle of its zstd data";
			return true;
		}
		return false;
	}
	*what = ZSTD_getErrorCode(ret) == ZSTD_error_frameParameter_windowTooLarge ?
			"the zstd data needs more than " MEMORY_TEXT " to unpack" :
		ZSTD_getErrorCode(ret) == ZSTD_error_memory_allocation ?
			"out of memory" :
			"the zstd data is corrupt";
	return true;
}

size_t unpack_some(struct unpack *u, const uint8_t **in, size_t *in_len, bool eof,
		   char *out, size_t room, bool *end, const char **what)
{
	char *at = out;

	switch (u->kind) {
	case XZ:
		*end = xz_some(u, in, in_len, eof, &at, &room, what);
		break;
	case GZ:
		*end = gz_some(u, in, in_len, eof, &at, &room, what);
		break;
	default:
		*end = zst_some(u, in, in_len, eof, &at, &room, what);
	}
	return (size_t)(at - out);
}
