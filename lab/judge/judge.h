/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab judge: a trace while it is judged, and what is found. The files call downwards
 * only: judge.c (command line), report.c (output), run.c (a trace), step.c (a record),
 * memory.c (table pages), regs.c (registers, threads), locks.c, found.c, reader.c,
 * record.c.
 */
#ifndef STAGE2_LAB_JUDGE_JUDGE_H
#define STAGE2_LAB_JUDGE_JUDGE_H

#include "machine.h"
#include "reader.h"

/* clang-format off */
#define JUDGE_PES 16u
#define JUDGE_LOCKS 4096u
#define JUDGE_STRANGE 4096u
#define JUDGE_OWNERS 4096u   /* entries that a thread owns */
#define JUDGE_FINDINGS 4096u /* kept in full */
#define JUDGE_TABLES (UINT64_C(1) << 30) /* bytes of table pages */
#define JUDGE_SENTENCE 512u
/* clang-format on */

struct judge_options {
	bool locks, strict, no_claims, named, af, cleans, why, json;
	bool has_features;
	uint32_t features; /* S2M_* */
};

enum judge_verdict { JUDGE_OK, JUDGE_BAD, JUDGE_UNJUDGED, JUDGE_MALFORMED };

struct judge_finding {
	const char *rule;
	uint64_t record, line; /* at which it was found */
	uint64_t cause;	       /* the record behind it; UINT64_MAX: none */
	uint64_t ipa, pa;
	char src[RECORD_SRC];
	char sentence[JUDGE_SENTENCE];
};

/* @n records, each with the next number, in the next line, and of one step. */
struct judge_origin {
	uint64_t step, record, line, n;
};

struct judge_thread {
	uint64_t tid;
	uint64_t vttbr;
	bool off;     /* stage 2 is: HCR_EL2.VM = 0 */
	bool resting; /* --named: vttbr is loaded, for a TLBI or to be run */
};

struct judge_lock {
	uint64_t address;
	unsigned depth, holder; /* PE, if depth */
	bool released;
	struct s2m_release release;
};

struct judge_root {
	uint64_t root, lock;
};

struct judge_owned {
	uint64_t entry, tid;
};

struct judge {
	const struct judge_options *opt;
	struct machine *m;
	FILE *log;
	bool own;      /* the trace says which machine it is of: every event counts */
	uint64_t vtcr; /* the last that any thread wrote, as the machine has it */
	bool has_vtcr, fixed_vtcr;
	bool el2_tree;
	bool switched, on; /* some HCR_EL2 had VM = 0; some had VM = 1 */
	unsigned threads, pes;
	uint64_t max_pages; /* of tables */
	struct judge_thread thread[JUDGE_PES];
	struct judge_lock *lock;
	size_t locks;
	struct judge_root *root; /* with a lock: set_root_lock */
	size_t roots;
	struct judge_owned *owner; /* entries: set_pte_thread_owner */
	size_t owners;
	struct reader rd;

	uint64_t records, stores, tlbis, el2;
	uint64_t *strange; /* pages that were written and not initialised */
	size_t stranges;
	uint64_t apart; /* pages that are written and in no tree, at the end */
	struct judge_origin *origin;
	size_t origins, origin_max;

	struct judge_finding *finding;
	size_t findings;
	uint64_t found;	  /* all, kept or not */
	char reason[256]; /* why it cannot be judged; "" */
	struct reader_error error;
	bool malformed;
};

/* ---- run.c ------------------------------------------------------------------ */

/* False: no memory. */
bool judge_begin(struct judge *j, const struct judge_options *opt, FILE *log);
/* A line of the trace. False: go no further. */
bool judge_line(struct judge *j, uint64_t line, const char *text, size_t len);
enum judge_verdict judge_end(struct judge *j);
void judge_free(struct judge *j);
/* All of a file; "-": standard input. */
enum judge_verdict judge_file(struct judge *j, const struct judge_options *opt,
			      const char *path, FILE *log);

/* ---- step.c ----------------------------------------------------------------- */

/* Makes the machine's events of the record r. False: malformed, or out of memory. */
bool judge_step(struct judge *j, const struct record *r);

/* ---- memory.c --------------------------------------------------------------- */

bool judge_memory(struct judge *j, unsigned pe, const struct record *r);

/* ---- regs.c ----------------------------------------------------------------- */

/* The machine, before the first record: as it says, or as the options say. */
bool judge_machine(struct judge *j, const struct record *r);
/* The PE that stands for the thread of r. */
bool judge_thread(struct judge *j, const struct record *r, unsigned *pe);
bool judge_sysreg(struct judge *j, unsigned pe, const struct record *r);
/* The thread issues a TLBI: what it has loaded counts, as the VMID. */
void judge_before_tlbi(struct judge *j, unsigned pe);
/* Another event of another kind, of thread @pe: who has loaded a tree runs it. */
void judge_runs(struct judge *j, unsigned pe, bool quiet);
/* The guest runs on the PE, with the tree that is loaded; or does so no more. */
void judge_guest(struct judge *j, unsigned pe, bool runs);

/* ---- locks.c ---------------------------------------------------------------- */

bool judge_lock(struct judge *j, unsigned pe, const struct record *r);
bool judge_unlock(struct judge *j, unsigned pe, const struct record *r);
bool judge_root_lock(struct judge *j, const struct record *r);
void judge_owner(struct judge *j, const struct record *r);
/* The thread stores to pa. */
void judge_locked(struct judge *j, unsigned pe, uint64_t pa, const struct record *r);

/* ---- found.c ---------------------------------------------------------------- */

/* The record r begins. False: no memory. */
bool judge_origin_add(struct judge *j, const struct record *r);
/* Takes over the violations that the machine has recorded since. */
void judge_take_over(struct judge *j);
/* At the end: the violation is said of the record that caused it. */
void judge_take_over_settled(struct judge *j);
void judge_found(struct judge *j, const char *rule, const struct record *r,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The first reason counts. */
void judge_cannot(struct judge *j, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The value of field f of r is not accepted. Return: false. */
bool judge_wrong(struct judge *j, const struct record *r, enum record_field f,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The sentence of a rule: the machine's, or one of locks.c. */
const char *judge_rule_says(const char *rule);

#endif /* STAGE2_LAB_JUDGE_JUDGE_H */
