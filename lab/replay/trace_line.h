/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One line of a recording, taken apart. Every function that returns bool has printed
 * FILE:LINE:COLUMN and a message when it returns false.
 */
#ifndef STAGE2_LAB_TRACE_LINE_H
#define STAGE2_LAB_TRACE_LINE_H

#include "trace.h"

struct trace_line {
	struct trace *t;      /* its lines: the number of this one */
	const char *line, *p; /* p: the first character not yet read */
	uint64_t last_time;   /* of the line before, in ns */
	bool failed;
};

enum field { F_PGT, F_ADDR, F_SIZE, F_PHYS, F_PROT, F_MKOLD, F_IA_BITS, F_RET, FIELDS };
#define F(x) (1u << F_##x)

struct fields {
	uint64_t value[FIELDS];
	const char *at[FIELDS]; /* where the value is in the line; NULL: no such field */
};

/* Column of @at in the line, from 1. */
unsigned trace_column(const struct trace_line *l, const char *at);

/* Prints the error, at @at in the line. Return: false. */
bool trace_fail(struct trace_line *l, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Decimal digits at *p. False: there are none, or 64 bits are too few. */
bool trace_digits(const char **p, uint64_t *out);
/* @needed: a bit F(NAME) for each field that must be there. */
bool trace_fields(struct trace_line *l, unsigned needed, struct fields *f);
/*
 * The field prot as S2_* attributes; @relax: of relax_perms. @px_ux: since Linux 6.19
 * bits 0 and 1 are two permissions to execute, and the others have moved.
 */
bool trace_prot(struct trace_line *l, const struct fields *f, bool relax, bool px_ux,
		uint16_t *attr);

/* ---- trace_head.c ----------------------------------------------------------- */

/* What comes before the fields of an event. */
struct trace_head {
	const char *comm, *name; /* not terminated */
	size_t comm_len, name_len;
	uint64_t pid, cpu;
	uint64_t time; /* ns; not before that of the line before */
};

/* A line that is no event and says nothing that matters. */
bool trace_is_note(const char *line);
/* What a comment says: the release of the recorded kernel; the probes that it had not. */
enum trace_says { TRACE_SAYS_KERNEL, TRACE_SAYS_ABSENT };
/* NULL: it does not say it. */
const char *trace_says(const char *line, enum trace_says what);
/* Takes the head of a line of any of the programs; l->p is then behind it. */
bool trace_head(struct trace_line *l, struct trace_head *h);

#endif /* STAGE2_LAB_TRACE_LINE_H */
