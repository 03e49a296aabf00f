/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines of a text file that may be packed by xz, gzip or zstd. */
#ifndef STAGE2_LAB_LINES_H
#define STAGE2_LAB_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 8192u /* bytes in a line */

struct lines;

/*
 * Opens @path; "-" is standard input. With @whole, a last line without its LF is an
 * error, because the first half of a line may read as a line. Return: NULL if the file
 * cannot be opened or memory is short (errno).
 */
struct lines *lines_open(const char *path, bool whole);
void lines_close(struct lines *in);

/*
 * Reads the next line into *line, without its LF or CR LF, terminated by a NUL.
 * Return: 1; 0 at the end of the file; -1 on an error, with a message in *what and the
 * position in the line in *len.
 */
int lines_next(struct lines *in, const char **line, size_t *len, const char **what);

#endif /* STAGE2_LAB_LINES_H */
