/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Output of s2lab: tables, colours on a terminal, progress. */
#ifndef STAGE2_LAB_REPORT_H
#define STAGE2_LAB_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;

/* Colour is used only on a terminal and where NO_COLOR is not set. */
enum lab_style { LAB_PLAIN, LAB_BOLD, LAB_GOOD, LAB_BAD };
/* The escape sequence that switches @style on (LAB_PLAIN: all off), or "". */
const char *lab_style(FILE *f, enum lab_style style);

/*
 * A table. Add the columns first, then the cells row by row. A column is as wide as its
 * widest cell.
 */
#define LAB_COLUMNS 16
struct lab_table {
	unsigned columns;
	const char *head[LAB_COLUMNS];
	bool right[LAB_COLUMNS];
	size_t cells, room;
	struct lab_cell {
		char *text;
		enum lab_style style;
	} * cell;
};

/* @head must live as long as the table; @right: aligned to the right. */
void lab_table_column(struct lab_table *t, const char *head, bool right);
void lab_table_text(struct lab_table *t, enum lab_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void lab_table_count(struct lab_table *t, uint64_t n);
/* Prints the table, each line after @indent spaces, and frees the cells. */
void lab_table_print(struct lab_table *t, FILE *f, int indent);

/* 262657 as "262,657". @buf: LAB_COUNT_LEN. */
#define LAB_COUNT_LEN 32
const char *lab_count_text(uint64_t n, char *buf);

/* Prints @text in lines of at most @width columns, each after @indent spaces. */
void lab_wrap(FILE *f, int indent, int width, const char *text);

/*
 * Shows "what: 42 %" on stderr a few times a second, if stderr is a terminal. Call
 * lab_progress_end(), which erases it, before any other output.
 */
void lab_progress(const char *what, uint64_t done, uint64_t total);
void lab_progress_end(void);

/* Prints @json to stdout with a newline and deletes it. Return: LAB_OK. */
int lab_json_print(struct cJSON *json);
/*
 * Replaces each byte of @text that is no part of UTF-8 by "?". The name of a task may
 * have any bytes; JSON may not.
 */
void lab_utf8(char *text);

#endif /* STAGE2_LAB_REPORT_H */
