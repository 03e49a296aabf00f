/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: the records among the lines of a log. */
#include <stdio.h>
#include <string.h>

#include "reader.h"

/* The text stays as it is until the next line, for the places of errors. */
static bool append(struct reader *rd, const char *text, size_t len)
{
	rd->quoted = false;
	if (rd->len + len + 1 > sizeof(rd->text))
		return false;
	if (rd->len)
		rd->text[rd->len++] = '\n';
	memcpy(rd->text + rd->len, text, len);
	rd->len += len;
	for (size_t i = 0; i < len; i++) {
		rd->quoted ^= text[i] == '"';
		if (!rd->quoted)
			rd->depth += (text[i] == '(') - (text[i] == ')');
	}
	return true;
}

void reader_place(const struct reader *rd, const char *at, struct reader_error *err)
{
	const char *start = rd->text;

	err->line = rd->first;
	for (const char *p = rd->text; p < at; p++) {
		if (*p != '\n')
			continue;
		err->line++;
		start = p + 1;
	}
	err->column = (unsigned)(at - start) + 1;
}

/* The same event: all but the source, which logs print in several ways. */
static bool same(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->has == b->has &&
	       !memcmp(a->n, b->n, sizeof(a->n)) && !strcmp(a->op, b->op) &&
	       !strcmp(a->word, b->word);
}

static enum reader_result parse(struct reader *rd, struct reader_error *err)
{
	struct record_error wrong;
	struct record r;

	rd->open = false;
	if (!record_parse(rd->text, rd->len, &r, &wrong)) {
		reader_place(rd, wrong.at, err);
		memcpy(err->what, wrong.what, sizeof(err->what));
		return READER_ERROR;
	}
	if (rd->any && same(&r, &rd->last)) {
		rd->repeated++;
		return READER_NOTHING;
	}
	rd->any = true;
	rd->last = r;
	rd->line = rd->first;
	return READER_RECORD;
}

static enum reader_result unfinished(struct reader *rd, struct reader_error *err)
{
	reader_place(rd, rd->text + rd->len, err);
	snprintf(err->what, sizeof(err->what), "%s",
		 rd->quoted ? "the string is not closed" :
			      "the record ends here, without its ')'");
	return READER_ERROR;
}

enum reader_result reader_line(struct reader *rd, uint64_t line, const char *text,
			       size_t len, struct reader_error *err)
{
	size_t blank = 0;

	while (blank < len && (text[blank] == ' ' || text[blank] == '\t'))
		blank++;
	if (rd->open && !blank)
		return unfinished(rd, err);
	if (!rd->open) {
		if (blank == len || text[blank] != '(') {
			rd->prose += blank < len;
			return READER_NOTHING;
		}
		rd->open = true;
		rd->first = line;
		rd->len = 0;
		rd->depth = 0;
	}
	if (!append(rd, text, len)) {
		unfinished(rd, err);
		snprintf(err->what, sizeof(err->what), "a record of more than %u bytes",
			 READER_MAX);
		return READER_ERROR;
	}
	return rd->depth > 0 ? READER_NOTHING : parse(rd, err);
}

enum reader_result reader_end(struct reader *rd, struct reader_error *err)
{
	return rd->open ? unfinished(rd, err) : READER_NOTHING;
}
