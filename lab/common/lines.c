// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lines of a file that may be packed. Each way in which the input can end
 * early is an error, because the first half of a line may read as a whole line with
 * another number in it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "unpack.h"

#define CHUNK 65536u
struct lines {
	FILE *f;
	bool in_eof, done, whole;
	const char *what;      /* an error, to be reported after the bytes in buf */
	struct unpack *unpack; /* NULL: the file is plain */
	const uint8_t *next;   /* in in[]: what is not unpacked yet */
	size_t in_len;	       /* bytes there, or that the last read put in in[] */
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
	in->next = in->in;
	if (!in->what)
		in->what = unpack_foreign(in->in, in->in_len);
	if (in->what) {
		in->in_len = 0;
		in->in_eof = true;
	}
	if (in->in_len >= 3 && !memcmp(in->in, "\xef\xbb\xbf", 3)) {
		/* U+FEFF, which editors put before UTF-8. */
		in->in_len -= 3;
		memmove(in->in, in->in + 3, in->in_len);
	}
	if (!unpack_new(in->in, in->in_len, &in->unpack)) {
		lines_close(in);
		errno = ENOMEM;
		return NULL;
	}
	return in;
}

void lines_close(struct lines *in)
{
	unpack_free(in->unpack);
	if (in->f != stdin)
		fclose(in->f);
	free(in);
}

/* Fills buf, which is empty. At the end of the file or on an error len is 0. */
static void fill(struct lines *in)
{
	const char *what = NULL;

	in->pos = in->len = 0;
	if (in->done)
		return;
	if (!in->unpack) {
		memcpy(in->buf, in->in, in->in_len);
		in->len = in->in_len;
		in->in_len = 0;
		in->done = in->in_eof;
		if (!in->done)
			read_file(in);
		return;
	}
	while (!in->len && !in->done) {
		if (!in->in_len && !in->in_eof) {
			read_file(in);
			in->next = in->in;
		}
		in->len = unpack_some(in->unpack, &in->next, &in->in_len, in->in_eof,
				      in->buf, sizeof(in->buf), &in->done, &what);
	}
	if (what && !in->what)
		in->what = what;
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
