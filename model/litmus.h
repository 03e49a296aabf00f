/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Litmus tests of translation and TLBI in the syntax of herd7's AArch64 tests
 * with VMSA, run on a small machine with one translation stage, and explored
 * completely. Every symbol names a page of its own, mapped by PTE(symbol).
 */
#ifndef STAGE2_MODEL_LITMUS_H
#define STAGE2_MODEL_LITMUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explore_order.h"
#include "explore_search.h"

#define LITMUS_SYMS 8
#define LITMUS_INSNS 16
#define LITMUS_REGS 32
#define LITMUS_FLAGS 31
#define LITMUS_CONDS 6

/*
 * Values are bytes: a number, or one of these plus the index of a symbol. The value of
 * an entry is the page that it points to, valid or invalid.
 */
enum litmus_value {
	LITMUS_NUMBER = 0,
	LITMUS_ADDR = 64,
	LITMUS_PTE_ADDR = 80,
	LITMUS_VPN = 96,
	LITMUS_VALID = 112,
	LITMUS_INVALID = 128,
};

enum litmus_op {
	LITMUS_NOP,
	LITMUS_MOV,
	LITMUS_LSR12,
	LITMUS_CBZ,
	LITMUS_CMP, /* into LITMUS_FLAGS: 0 if the two are equal */
	LITMUS_CBNZ,
	LITMUS_LDR,
	LITMUS_STR,
	LITMUS_LDXR,
	LITMUS_STXR,
	LITMUS_DMB,
	LITMUS_DMB_ST,
	LITMUS_DMB_LD,
	LITMUS_BARRIER,
	LITMUS_TLBI_ALL,
	LITMUS_TLBI_VA,
};

struct litmus_insn {
	uint8_t op;
	uint8_t reg;	/* destination, or the register read */
	uint8_t base;	/* [base], or the source of LSR, or the operand of a TLBI */
	uint8_t arg;	/* number, label, enum order_barrier, acquire/release, IS */
	uint8_t status; /* STXR */
	char label[8];	/* its own */
	char target[8]; /* CBZ */
};

struct litmus_cond {
	enum { LITMUS_REG, LITMUS_MEM, LITMUS_FAULTED } what;
	bool negated;
	uint8_t pe, reg, sym, value;
	uint8_t insn;
};

struct litmus {
	char name[64];
	unsigned nr_pes, nr_syms, nr_conds;
	char sym[LITMUS_SYMS][16];
	unsigned nr_insns[ORDER_PES];
	struct litmus_insn insn[ORDER_PES][LITMUS_INSNS];
	uint8_t reg[ORDER_PES][LITMUS_REGS];
	uint8_t mem[LITMUS_SYMS];
	uint8_t pte[LITMUS_SYMS];
	bool pte_used[LITMUS_SYMS]; /* the program has the address of the entry */
	struct litmus_cond cond[LITMUS_CONDS];
};

/* 0, or -1 with a message that names the line in err. */
int litmus_parse(struct litmus *l, const char *text, char *err, size_t err_size);

enum litmus_verdict { LITMUS_NEVER, LITMUS_SOMETIMES, LITMUS_ALWAYS };

struct litmus_result {
	enum litmus_verdict verdict;
	uint64_t states;
	uint64_t witnesses, others;  /* final states that satisfy exists; the others */
	char (*steps)[EXPLORE_LINE]; /* to the first witness; the caller frees it */
	unsigned nr_steps;
};

/*
 * 0, or -1: the program does something that the machine does not model, never ends, or
 * has more than max_states states. litmus_run() models no exclusives, litmus_views()
 * (views.h) no translation: every page is mapped, and stays so.
 */
int litmus_run(const struct litmus *l, bool ets2, uint64_t max_states,
	       struct litmus_result *res);

int litmus_views(const struct litmus *l, uint64_t max_states, struct litmus_result *res);

/* Kinds of states. UNKNOWN: something was done that is not modelled. */
enum litmus_kind { KIND_NONE, KIND_WITNESS, KIND_OTHER, KIND_UNKNOWN };

/*
 * Run a search to its end and free it: the verdict by how many final states of the two
 * kinds it has found. 0, or -1 if there is none.
 */
int litmus_search(struct explore_search *s, struct litmus_result *res);

/* "Never", "Sometimes", "Always". */
const char *litmus_verdict_name(enum litmus_verdict v);

#endif /* STAGE2_MODEL_LITMUS_H */
