/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab judge: one record of a trace, an s-expression. See docs/judge.md for the format.
 *
 * 	(tlbi (id 8) (tid 0) ipas2e1is (value 300000000001) (src "file.c:10"))
 *
 * A field is (KEY VALUE), in any order, or the bare value in the place that it has in the
 * table of forms in record.c.
 */
#ifndef STAGE2_LAB_JUDGE_RECORD_H
#define STAGE2_LAB_JUDGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_kind {
	/* Casemate's */
	R_SYSREG_WRITE,
	R_MEM_INIT,
	R_MEM_WRITE,
	R_MEM_READ,
	R_MEM_SET,
	R_MEM_FREE,
	R_BARRIER,
	R_TLBI,
	R_HINT,
	R_LOCK,
	R_UNLOCK,
	R_TRYLOCK,
	R_ENTER_CONTEXT,
	R_EXIT_CONTEXT,
	/* ours */
	R_MACHINE,
	R_MEM_TAKE,
	R_MEM_XCHG,
	R_CAS,
	R_DC_CIVAC,
	R_DC_CVAC,
	R_IC_IVAU,
	R_AGENT_TLBI,
	R_HANDOFF,
	R_WALKER_ENTER,
	R_WALKER_LEAVE,
	R_GUEST_ENTER,
	R_GUEST_LEAVE,
	R_GUESTS_GONE,
	R_GUEST_WRITE,
	R_GUEST_WRITES,
	R_HOST_WROTE,
	R_CLAIM_UNMAPPED,
	R_CLAIM_WRPROTECTED,
	R_CLAIM_HARVESTED,
	R_CLAIM_FRAME_FREE,
	R_DIRTY_FOUND,
	R_LEAF_GONE,
	RECORD_KINDS
};

enum record_field {
	F_ID,
	F_TID,
	F_OP,
	F_KIND,
	F_SYSREG,
	F_ORDER,
	F_LOCATION,
	F_ADDRESS,
	F_ROOT,
	F_IPA,
	F_SIZE,
	F_OLD,
	F_VALUE,
	F_TO,
	F_EL,
	F_NO_CLEAN,
	F_FEATURES,
	F_AGENT_LACKS,
	F_GRANULE,
	F_PES,
	F_COUNTED,
	F_SRC,
	RECORD_FIELDS
};

#define RECORD_WORD 128u /* the longest word or string, with its NUL */
#define RECORD_SRC 512u	 /* the longest source location */

struct record {
	enum record_kind kind;
	uint32_t has; /* bit n: field n is there */
	uint64_t n[RECORD_FIELDS];
	const char *at[RECORD_FIELDS];		 /* where the value begins */
	char op[RECORD_WORD], word[RECORD_WORD]; /* F_OP; F_KIND, F_SYSREG or F_ORDER */
	char features[RECORD_SRC], lacks[RECORD_SRC], src[RECORD_SRC];
};

/* What is wrong with a text: a message, and the place. */
struct record_error {
	const char *at;
	char what[160];
};

/* Reads the record in @text, all of it. Return: false with *err. */
bool record_parse(const char *text, size_t len, struct record *r,
		  struct record_error *err);

/* For a value that the reader of the record does not accept. Return: false. */
bool record_wrong(struct record_error *err, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *record_name(enum record_kind kind);

#endif /* STAGE2_LAB_JUDGE_RECORD_H */
