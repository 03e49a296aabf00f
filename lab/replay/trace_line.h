/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One line of ftrace text, taken apart. Every function that returns bool has printed
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

bool trace_task(struct trace_line *l, uint64_t *pid, uint64_t *cpu);
/* The time must not be before that of the line before. */
bool trace_time(struct trace_line *l, uint64_t *time);
/* @needed: a bit F(NAME) for each field that must be there. */
bool trace_fields(struct trace_line *l, unsigned needed, struct fields *f);
/* The field prot as S2_* attributes; @relax: of relax_perms. */
bool trace_prot(struct trace_line *l, const struct fields *f, bool relax, uint16_t *attr);

#endif /* STAGE2_LAB_TRACE_LINE_H */
