/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: its result, and the interfaces of its parts. */
#ifndef STAGE2_LAB_REPLAY_H
#define STAGE2_LAB_REPLAY_H

#include "account.h"
#include "common/lab.h"
#include "flatmap.h"
#include "moments.h"

/*
 * Recordings are from hosts with 4 KiB pages. Table pages are in the upper half of the
 * PA space, where a recording has no frames. Those that are in use take memory. Their
 * number is enough for 500 GiB of pages.
 */
#define REPLAY_PAGE_SHIFT 12u
#define REPLAY_TABLE_PAGES (UINT64_C(1) << 18)

static inline unsigned replay_pa_bits(uint32_t features)
{
	return features & S2_FEAT_LPA2 ? 52 : 48;
}

static inline uint64_t replay_table_base(uint32_t features)
{
	return UINT64_C(1) << (replay_pa_bits(features) - 1);
}

/* The cost of all operations of one kind so far. */
struct replay_cost {
	uint64_t calls;
	struct s2m_counters sum;
	uint64_t longest; /* most entries visited by one call */
};

/* The operations in the order in which they are listed. */
#define REPLAY_LISTED 10u
extern const uint8_t replay_listed[REPLAY_LISTED];

/* Adds a call with the cost @n. */
void replay_cost_add(struct replay_cost *cost, const struct s2m_counters *n);
/* Adds the cost @n of the end of a batch, which is no call of its own. */
void replay_cost_more(struct replay_cost *cost, const struct s2m_counters *n);

uint64_t replay_tlbis(const struct replay_cost *c);
/* Of all operations; @cost: TRACE_OPS of them. */
struct replay_cost replay_total(const struct replay_cost *cost);
/* VMs that mapped something; calls that failed. */
uint64_t replay_vms_that_mapped(const struct trace *t);
uint64_t replay_failed(const struct trace *t);

/* ---- the engine's tables against the flat map (check.c) --------------------- */

#define REPLAY_DETAIL 384

/*
 * Whether the tables and the flat map agree on every page; @young: on the access flag
 * too. If not, *ipa is the address of the first difference and @detail describes it.
 */
bool replay_check(const struct s2 *s2, struct flatmap *flat, bool young, uint64_t *ipa,
		  char detail[REPLAY_DETAIL]);

/* ---- the same operations as Linux 6.12 does them (merged.c) ------------------ */

struct merged;

/* @vms: the number of VMs in the recording. Return: NULL if memory is short. */
struct merged *merged_new(uint32_t features, size_t vms);
/*
 * @ipa_bits: for TRACE_INIT, the VM's; *n becomes the cost. False: memory or table pages
 * are short.
 */
bool merged_apply(struct merged *mg, const struct trace_event *ev, unsigned ipa_bits,
		  struct s2m_counters *n);
const struct replay_cost *merged_costs(const struct merged *mg); /* TRACE_OPS of them */
void merged_free(struct merged *mg);

/* ---- the result ------------------------------------------------------------ */

#define REPLAY_FINDINGS 8

struct replay_finding {
	const char *rule; /* a rule of the machine, or "table-mismatch", ... */
	char detail[REPLAY_DETAIL];
	uint32_t line;
	uint64_t ipa;
};

struct replay_result {
	const struct trace *trace;
	uint32_t features;
	const char *features_from; /* where they come from, for the output */
	uint64_t mapped, unmapped; /* bytes */
	uint64_t most_tables;
	uint64_t checks;	 /* comparisons with the flat map */
	uint64_t wide_vms;	 /* an IPA size above 48 bits in the recording */
	uint64_t unfinished_vms; /* not destroyed in the recording */
	uint64_t partial_vms;	 /* they ran before the recording began */
	uint64_t found_nothing;	 /* faults whose page was not mapped (any more) */
	uint64_t empty_unmaps;	 /* of ranges where nothing is mapped */
	uint64_t empty_visits;	 /* the entries that they visited */
	struct replay_cost cost[TRACE_OPS];
	const struct replay_cost *merged;    /* NULL: not asked for */
	const struct account *account;	     /* NULL: of the replay with batches */
	const struct moments *moments;	     /* as account */
	const struct replay_result *batched; /* the same with batches, or NULL */
	bool batch_asked;		     /* with --batch; otherwise for advice */
	bool advice;
	uint32_t batch; /* unmaps in a batch, at most; 0: no batches */
	uint64_t flushes;
	struct replay_finding finding[REPLAY_FINDINGS];
	unsigned findings;
};

void replay_print(const struct replay_result *r);
/* The object that --json prints; the caller deletes it. */
struct cJSON *replay_json(const struct replay_result *r);

#endif /* STAGE2_LAB_REPLAY_H */
