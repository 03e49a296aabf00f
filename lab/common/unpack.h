/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Unpacks a stream of xz, gzip or zstd; which one, the first bytes say. */
#ifndef STAGE2_LAB_UNPACK_H
#define STAGE2_LAB_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unpack;

/* The number of first bytes that say what a file is. */
#define UNPACK_MAGIC 10u

/* What to do with a file that is neither text nor unpacked here; NULL: it is neither. */
const char *unpack_foreign(const uint8_t *magic, size_t n);

/*
 * *@u becomes NULL if the @n bytes at @magic do not begin a packed file. False: memory is
 * short.
 */
bool unpack_new(const uint8_t *magic, size_t n, struct unpack **u);
void unpack_free(struct unpack *u);

/*
 * Unpacks from *in, of which there are *in_len bytes, to at most @room bytes at @out;
 * both advance. @eof: there are no more. Return: the number of bytes at @out. *end: there
 * is nothing behind them; if they are all that can be had of a broken file, *what is a
 * message.
 */
size_t unpack_some(struct unpack *u, const uint8_t **in, size_t *in_len, bool eof,
		   char *out, size_t room, bool *end, const char **what);

#endif /* STAGE2_LAB_UNPACK_H */
