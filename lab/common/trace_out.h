/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes the events of a machine as a trace: all of them for s2lab judge, or those that
 * Casemate knows (docs/judge.md).
 */
#ifndef STAGE2_LAB_TRACE_OUT_H
#define STAGE2_LAB_TRACE_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct machine;
struct trace_out;

/* The values of --trace-for, ended by NULL. */
extern const char *const trace_out_formats[];
enum trace_out_format { TRACE_FOR_JUDGE, TRACE_FOR_CASEMATE };

/* NULL: the file cannot be made, or memory is short (errno). */
struct trace_out *trace_out_open(const char *path, enum trace_out_format format);
/* From now on, the events of m. Called once, before its first event. */
void trace_out_watch(struct trace_out *t, struct machine *m);
/* What is written as the source: "WHAT:N" of the events that follow. */
void trace_out_src(struct trace_out *t, const char *what, uint64_t n);
/*
 * Ends the trace. NULL: it is complete. Otherwise what went wrong: the file cannot be
 * written, or has an event that its format cannot express; it ends before that event.
 */
const char *trace_out_close(struct trace_out *t, char *buf, size_t n);

#endif /* STAGE2_LAB_TRACE_OUT_H */
