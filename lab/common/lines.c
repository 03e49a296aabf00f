// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines of a file that may be compressed by xz. Each way in which the input can end
 * early is an error, because the first half of a line may read as a whole line with
 * another number in it.
 */
#include <errno.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"

#define CHUNK 65536u
/* The limit for unpacking. Files made by xz -9 need 65 MiB. */
#define XZ_MEMORY (UINT64_C(256) << 20)

static const uint8_t xz_magic[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

struct lines {
	FILE *f;
	bool is_xz, in_eof, done, whole;
	const char *what; /* an error, to be reported after the bytes in buf */
	lzma_stream xz;
	size_t in_len; /* bytes that the last read put in in[] */
	uint8_t in[CHUNK];
	size_t pos, len; /* of buf */
	char buf[CHUNK];
	char line[LINES_MAX + 1];
};

static void read_file(struct lines *in)
{
	in->in_len = fread(in->in, 1, sizeof(in->in), in->f);
	if (in->in_len < sizeof(in->in)) {
		in->in_eof = true;
		if (ferror(in->f))
			in->what = strerror(errno);
	}
}

struct lines *lines_open(const char *path, bool whole)
{
	struct lines *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->whole = whole;
	in->f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	if (!in->f) {
		free(in);
		return NULL;
	}
	read_file(in);
	in->is_xz = in->in_len >= sizeof(xz_magic) &&
		    !memcmp(in->in, xz_magic, sizeof(xz_magic));
	if (in->is_xz) {
		in->xz = (lzma_stream)LZMA_STREAM_INIT;
		if (lzma_stream_decoder(&in->xz, XZ_MEMORY, LZMA_CONCATENATED) !=
		    LZMA_OK) {
			lines_close(in);
			errno = ENOMEM;
			return NULL;
		}
		in->xz.next_in = in->in;
		in->xz.avail_in = in->in_len;
	}
	return in;
}

void lines_close(struct lines *in)
{
	if (in->is_xz)
		lzma_end(&in->xz);
	if (in->f != stdin)
		fclose(in->f);
	free(in);
}

static const char *xz_error(lzma_ret ret)
{
	switch (ret) {
	case LZMA_BUF_ERROR:
		return "the file ends in the middle of its xz data";
	case LZMA_DATA_ERROR:
	case LZMA_FORMAT_ERROR:
		return "the xz data is corrupt";
	case LZMA_MEMLIMIT_ERROR:
		return "the xz data needs more than 256 MiB to unpack";
	case LZMA_OPTIONS_ERROR:
		return "the xz data uses options that are not supported";
	default:
		return "out of memory";
	}
}

/* Fills buf, which is empty. At the end of the file or on an error len is 0. */
static void fill(struct lines *in)
{
	in->pos = in->len = 0;
	if (in->done)
		return;
	if (!in->is_xz) {
		memcpy(in->buf, in->in, in->in_len);
		in->len = in->in_len;
		in->in_len = 0;
		in->done = in->in_eof;
		if (!in->done)
			read_file(in);
		return;
	}
	in->xz.next_out = (uint8_t *)in->buf;
	in->xz.avail_out = sizeof(in->buf);
	while (in->xz.avail_out == sizeof(in->buf) && !in->done) {
		lzma_ret ret;

		if (!in->xz.avail_in && !in->in_eof) {
			read_file(in);
			in->xz.next_in = in->in;
			in->xz.avail_in = in->in_len;
		}
		ret = lzma_code(&in->xz, in->in_eof ? LZMA_FINISH : LZMA_RUN);
		in->done = ret != LZMA_OK;
		if (in->done && ret != LZMA_STREAM_END && !in->what)
			in->what = xz_error(ret);
	}
	in->len = sizeof(in->buf) - in->xz.avail_out;
}

int lines_next(struct lines *in, const char **line, size_t *len, const char **what)
{
	size_t n = 0;

	*line = in->line;
	for (;;) {
		const char *lf;
		size_t take;

		if (in->pos == in->len)
			fill(in);
		take = in->len - in->pos;
		if (!take) {
			*what = in->what;
			if (n && !in->what) {
				if (!in->whole)
					break;
				*what = "the file ends in the middle of a line";
			}
			*len = n;
			return *what ? -1 : 0;
		}
		lf = memchr(in->buf + in->pos, '\n', take);
		if (lf)
			take = (size_t)(lf - (in->buf + in->pos));
		if (n + take > LINES_MAX) {
			*len = LINES_MAX;
			*what = "the line is too long (more than 8192 bytes)";
			return -1;
		}
		memcpy(in->line + n, in->buf + in->pos, take);
		n += take;
		in->pos += take;
		if (lf) {
			in->pos++;
			break;
		}
	}
	if (n && in->line[n - 1] == '\r')
		n--;
	in->line[n] = '\0';
	*len = n;
	return 1;
}
