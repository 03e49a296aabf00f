/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab judge: the records among the lines of a log. A line that does not begin with '('
 * is prose, and skipped. A record may go on in lines that begin with a blank. A record
 * that is the same as the one before, id included, is a repetition: a checker's log ends
 * with one.
 */
#ifndef STAGE2_LAB_JUDGE_READER_H
#define STAGE2_LAB_JUDGE_READER_H

#include "record.h"

#define READER_MAX 65536u /* bytes in a record of several lines */

struct reader {
	uint64_t line; /* of the record that was read last, its first */
	uint64_t prose, repeated;
	struct record last;
	bool any;	/* last holds one */
	bool open;	/* text holds the beginning of a record */
	bool quoted;	/* its last line ends in a string */
	int depth;	/* parentheses that are open in it */
	uint64_t first; /* its line */
	size_t len;
	char text[READER_MAX];
};

struct reader_error {
	uint64_t line;
	unsigned column;
	char what[160];
};

enum reader_result { READER_NOTHING, READER_RECORD, READER_ERROR };

/* The next line, whose number is @line. A record is then in @rd->last. */
enum reader_result reader_line(struct reader *rd, uint64_t line, const char *text,
			       size_t len, struct reader_error *err);
/* The end of the log. READER_ERROR if a record is not complete. */
enum reader_result reader_end(struct reader *rd, struct reader_error *err);
/* The place of @at, the value of a field of @rd->last. */
void reader_place(const struct reader *rd, const char *at, struct reader_error *err);

#endif /* STAGE2_LAB_JUDGE_READER_H */
