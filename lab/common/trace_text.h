/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state of a trace that is written: trace_out.c, and casemate.c for that format. */
#ifndef STAGE2_LAB_TRACE_TEXT_H
#define STAGE2_LAB_TRACE_TEXT_H

#include "machine.h"
#include "trace_out.h"

#define CASEMATE_THREADS 4u
#define CASEMATE_ROOTS 64u
#define CASEMATE_PAGES 8192u
#define CASEMATE_FRESH 64u

struct casemate_root {
	uint64_t root;
	int holder; /* the thread that has its lock; -1: none */
};

struct casemate {
	unsigned threads;
	uint8_t pe[CASEMATE_THREADS];
	struct {
		uint64_t hcr;
		bool has_vttbr, has_hcr, hcr_waits;
	} thread[CASEMATE_THREADS];
	struct casemate_root root[CASEMATE_ROOTS];
	unsigned roots;
	uint64_t parking; /* a root for VTTBR_EL2 = 0: Casemate takes 0 for a tree */
	uint64_t pages;	  /* in use */
	uint64_t fresh[CASEMATE_FRESH]; /* taken and not zeroed */
	unsigned fresh_n;
};

struct trace_out {
	FILE *f;
	enum trace_out_format format;
	uint64_t records, id;
	char what[64];
	uint64_t n;
	char refused[192]; /* "": nothing */
	struct casemate c;
};

/* "(NAME (id ID) (tid TID) " FMT " (src ...))" */
void trace_put(struct trace_out *t, const char *name, unsigned tid, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The format cannot express it. Nothing more is written. */
void trace_refuse(struct trace_out *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void casemate_event(struct trace_out *t, const struct machine *m,
		    const struct s2m_event *e);
bool casemate_begin(struct trace_out *t, const struct machine *m);
/* The thread releases its locks; -1: all do. */
void casemate_unlock(struct trace_out *t, int tid);

#endif /* STAGE2_LAB_TRACE_TEXT_H */
