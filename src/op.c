/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a call begins and ends: what it may ask for, its budget, its tag, and the tables
 * that it takes before it needs them.
 */
#include "internal.h"

int check_shared(const struct s2 *s2, uint32_t flags)
{
	/* No call runs beside an exclusive one, nor in a function of the port. */
	S2_ASSERT(!(s2->special & S2_EXCLUSIVE));
	if (!(flags & S2_SHARED))
		return 0;
	if (!S2_USE_SHARED)
		return S2_E_UNSUPPORTED;
	return has_runs(s2) ? S2_E_FLAGS : open_batch(s2) ? S2_E_BATCH : 0;
}

int check_log(const struct s2 *s2, const struct s2_dirty_log *log)
{
	return log && log->bits ? check_range(s2, log->ipa.ipa, log->size) : S2_E_SIZE;
}

/* A shared call keeps nothing between two calls, and a batch has a flush of its own. */
static int check_budget(const struct s2_op *op, enum op_kind kind, uint32_t flags)
{
	if (!op->max_entries && !op->max_bytes)
		return 0;
	if (!S2_USE_STEPS)
		return S2_E_UNSUPPORTED;
	if ((op->max_entries && op->max_entries < S2_BUDGET_ENTRIES_MIN) ||
	    (op->max_bytes && op->max_bytes < S2_BUDGET_BYTES_MIN) || flags & S2_SHARED ||
	    kind == OP_FLUSH || op->batch)
		return S2_E_BUDGET;
	return 0;
}

/*
 * A batch is of unmaps. While it is open a call outside it may only look at what waits
 * for the flush.
 */
static int check_batch(const struct s2 *s2, const struct s2_op *op, enum op_kind kind,
		       uint64_t ipa, uint64_t size)
{
	const struct s2_batch *open = open_batch(s2);

	if (!S2_USE_BATCH && op->batch)
		return S2_E_UNSUPPORTED;
	if (op->batch && (op->batch != open || (kind != OP_UNMAP && kind != OP_FLUSH)))
		return S2_E_BATCH;
	if (!open || op->batch || kind == OP_FLUSH || kind == OP_CLEAN ||
	    kind == OP_SURVEY)
		return 0;
	return kind == OP_DESTROY || batch_pending(open, ipa, size) ? S2_E_BATCH : 0;
}

int op_begin(struct s2 *s2, struct s2_op **opp, struct s2_op *local, struct step *step,
	     enum op_kind kind, uint64_t ipa, uint64_t size, uint64_t arg, uint32_t flags)
{
	struct s2_op *op = *opp;
	int err;

	if (!op) {
		*local = (struct s2_op){ 0 };
		*opp = op = local;
	}
	err = kind == OP_FLUSH ? 0 : check_range(s2, ipa, size);
	if (!err)
		err = check_budget(op, kind, flags);
	if (!err && !S2_USE_HW && op->dirty)
		err = S2_E_UNSUPPORTED;
	if (!err && log_of(op))
		err = check_log(s2, op->dirty);
	if (!err)
		err = check_shared(s2, flags);
	/* Other walkers may be in a table that is detached. */
	if (!err && S2_USE_SHARED && flags & S2_SHARED && !op->limbo &&
	    (kind == OP_MAP || kind == OP_UNMAP || kind == OP_COLLAPSE))
		err = S2_E_LIMBO;
	if (!err)
		err = check_batch(s2, op, kind, ipa, size);
	if (err)
		return err;
	if (S2_USE_STEPS && op->st.kind != OP_NONE) {
		if (op->st.kind != kind || op->st.ipa != ipa || op->st.size != size ||
		    op->st.arg != arg || op->st.flags != flags ||
		    op->st.limbo != op->limbo || op->st.dirty != op->dirty ||
		    op->st.batch != op->batch)
			return S2_E_RESUME;
	} else {
		op->st.ipa = op->st.pos = ipa;
		op->st.size = size;
		op->st.phase = 0;
		op->st.parked = 0;
		op->st.ended = false;
		if (S2_USE_AGENTS)
			op->st.failures =
				(uint32_t)s2_port_word_load(s2->port, &s2->failures);
		op->st.own = (struct s2_limbo){ 0 };
		op->start = op->done = s2_ipa(ipa);
		op->end = s2_ipa(ipa + size);
		op->changed = 0;
		if (S2_USE_STEPS) {
			op->st.kind = (uint8_t)kind;
			op->st.cleared = 0;
			op->st.arg = arg;
			op->st.flags = flags;
			op->st.limbo = op->limbo;
			op->st.dirty = op->dirty;
			op->st.batch = op->batch;
		}
	}
	*step = step_free(flags);
	if (!is_shared(step))
		s2->special |= S2_EXCLUSIVE;
	if (S2_USE_HINT)
		s2->hint = NULL;
	step->op = op;
	step->tag = batch_of(op) ? op->batch->tag : 0;
	step->bounded = op->max_entries || op->max_bytes;
	if (S2_USE_STEPS && op->max_entries)
		step->entries = op->max_entries;
	if (S2_USE_STEPS && op->max_bytes)
		step->bytes = op->max_bytes;
	return 0;
}

int op_end(struct s2 *s2, struct s2_op *op, const struct step *step, int ret)
{
	if (S2_USE_STEPS) {
		op->visited =
			(op->max_entries ? op->max_entries : NO_BUDGET) - step->entries;
		op->cleaned = (op->max_bytes ? op->max_bytes : NO_BUDGET) - step->bytes;
	}
	if (!is_shared(step))
		s2->special &= (uint8_t)~S2_EXCLUSIVE;
	else if (step->tag)
		tag_free(s2, step->tag);
	/* What has been begun goes on when the batch has been flushed. */
	if (S2_USE_STEPS &&
	    ((ret != S2_MORE && (ret != S2_E_BATCH || op->st.pos == op->st.ipa)) ||
	     is_shared(step)))
		op->st.kind = OP_NONE;
	if (!ret)
		op->done = s2_ipa(op->st.ipa + op->st.size);
	if (op->st.kind == OP_NONE && agents_failed(s2, op))
		return S2_E_AGENTS;
	return ret;
}

int op_end_at(struct s2 *s2, struct s2_op *op, const struct step *step, uint64_t pos)
{
	op->st.pos = pos;
	op->done = s2_ipa(pos);
	return op_end(s2, op, step, pos < op->st.ipa + op->st.size ? S2_MORE : 0);
}

unsigned tag_new(struct s2 *s2)
{
	/* Each failure of the swap is another's success. */
	for (int i = 0; i < 2 * S2_TAGS; i++) {
		uint64_t tags = s2_port_word_load(s2->port, &s2->tags);
		uint64_t bit = ~tags & (tags + 1);
		unsigned tag = 0;

		if (!bit)
			break;
		if (s2_port_word_cas(s2->port, &s2->tags, tags, tags | bit) != tags)
			continue;
		while (bit >> tag > 1)
			tag++;
		return tag;
	}
	return 0;
}

void tag_free(struct s2 *s2, unsigned tag)
{
	s2_port_word_add(s2->port, &s2->tags, UINT64_C(0) - (UINT64_C(1) << tag));
}

bool tag_take(struct s2 *s2, struct step *step)
{
	if (!step->tag)
		step->tag = (uint8_t)tag_new(s2);
	step->wait |= !step->tag;
	return step->tag;
}

int reserve_fill(struct s2 *s2, void *cookie, uint64_t *reserve, uint64_t n)
{
	while (n--) {
		uint64_t *table = s2_port_table_alloc(s2->port, cookie);

		if (!table) {
			reserve_drain(s2, reserve);
			return S2_E_NOMEM;
		}
		reserve_return(s2, reserve, table);
	}
	return 0;
}

uint64_t *reserve_take(struct s2 *s2, uint64_t *reserve)
{
	uint64_t *table, *meta;

	S2_ASSERT(*reserve & LINK_PRESENT);
	table = s2_port_table_va(s2->port, link_pa(*reserve));
	meta = table_meta(s2, table);
	*reserve = meta[META_LINK];
	meta[META_LINK] = 0;
	return table;
}

void reserve_return(struct s2 *s2, uint64_t *reserve, uint64_t *table)
{
	table_meta(s2, table)[META_LINK] = *reserve;
	*reserve = s2_port_table_pa(s2->port, table) | LINK_PRESENT;
}

void reserve_drain(struct s2 *s2, uint64_t *reserve)
{
	while (*reserve)
		s2_port_table_free(s2->port, reserve_take(s2, reserve));
}
