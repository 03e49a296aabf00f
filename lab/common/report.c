/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "lab.h"
#include "report.h"

const char *lab_style(FILE *f, enum lab_style style)
{
	static const char *const escape[] = { "\033[0m", "\033[1m", "\033[32m",
					      "\033[1;31m" };
	const char *no_color = getenv("NO_COLOR");

	if ((no_color && *no_color) || !isatty(fileno(f)))
		return "";
	return escape[style];
}

/* ---- tables ---- */

void lab_table_column(struct lab_table *t, const char *head, bool right)
{
	t->head[t->columns] = head;
	t->right[t->columns] = right;
	t->columns++;
}

static void add_cell(struct lab_table *t, enum lab_style style, char *text)
{
	if (t->cells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cell = realloc(t->cell, t->room * sizeof(*t->cell));
		if (!t->cell)
			abort();
	}
	t->cell[t->cells++] = (struct lab_cell){ text, style };
}

void lab_table_text(struct lab_table *t, enum lab_style style, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = malloc((size_t)len + 1);
	if (!text)
		abort();
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	add_cell(t, style, text);
}

void lab_table_count(struct lab_table *t, uint64_t n)
{
	char buf[LAB_COUNT_LEN];

	lab_table_text(t, LAB_PLAIN, "%s", lab_count_text(n, buf));
}

/* One cell. A left-aligned cell at the end of a line is not padded. */
static void print_cell(FILE *f, const struct lab_table *t, unsigned col, const char *text,
		       enum lab_style style, int width)
{
	const char *on = style == LAB_PLAIN ? "" : lab_style(f, style);
	const char *off = *on ? lab_style(f, LAB_PLAIN) : "";
	int pad = width - (int)strlen(text);

	if (col)
		fprintf(f, "  ");
	if (t->right[col])
		fprintf(f, "%*s", pad, "");
	fprintf(f, "%s%s%s", on, text, off);
	if (!t->right[col] && col + 1 < t->columns)
		fprintf(f, "%*s", pad, "");
}

void lab_table_print(struct lab_table *t, FILE *f, int indent)
{
	int width[LAB_COLUMNS];

	for (unsigned c = 0; c < t->columns; c++) {
		width[c] = (int)strlen(t->head[c]);
		for (size_t i = c; i < t->cells; i += t->columns) {
			if ((int)strlen(t->cell[i].text) > width[c])
				width[c] = (int)strlen(t->cell[i].text);
		}
	}
	fprintf(f, "%*s", indent, "");
	for (unsigned c = 0; c < t->columns; c++)
		print_cell(f, t, c, t->head[c], LAB_BOLD, width[c]);
	for (size_t i = 0; i < t->cells; i++) {
		unsigned c = (unsigned)(i % t->columns);

		if (!c)
			fprintf(f, "\n%*s", indent, "");
		print_cell(f, t, c, t->cell[i].text, t->cell[i].style, width[c]);
		free(t->cell[i].text);
	}
	fprintf(f, "\n");
	free(t->cell);
	memset(t, 0, sizeof(*t));
}

const char *lab_count_text(uint64_t n, char *buf)
{
	char digits[LAB_COUNT_LEN];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *out = buf;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}

void lab_wrap(FILE *f, int indent, int width, const char *text)
{
	int column = 0;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column && column + 1 + len > width) {
			fprintf(f, "\n");
			column = 0;
		}
		column += fprintf(f, "%*s%.*s", column ? 1 : indent, "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fprintf(f, "\n");
}

/* ---- progress ---- */

static bool progress_shown;
static struct timespec progress_last;

void lab_progress(const char *what, uint64_t done, uint64_t total)
{
	static int terminal = -1;
	struct timespec now, *last = &progress_last;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* The first call only starts the clock, so that short work prints nothing. */
	if (!last->tv_sec)
		*last = now;
	if ((now.tv_sec - last->tv_sec) * 1000 + (now.tv_nsec - last->tv_nsec) / 1000000 <
	    200)
		return;
	*last = now;
	progress_shown = true;
	fprintf(stderr, "\r\033[K%s: %.0f %%", what,
		total ? 100.0 * (double)done / (double)total : 0.0);
	fflush(stderr);
}

void lab_progress_end(void)
{
	if (progress_shown)
		fprintf(stderr, "\r\033[K");
	progress_shown = false;
	progress_last.tv_sec = 0;
}

/* The bytes of the character at @p, or 0 if it is none. */
static unsigned utf8_len(const unsigned char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? *p : *p & (0x7f >> len);

	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

void lab_utf8(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		unsigned len = utf8_len(p);

		if (!len)
			*p = '?';
		p += len ? len : 1;
	}
}

int lab_json_print(struct cJSON *json)
{
	char *text = cJSON_Print(json);

	if (!text)
		abort();
	lab_utf8(text);
	printf("%s\n", text);
	cJSON_free(text);
	cJSON_Delete(json);
	return LAB_OK;
}
