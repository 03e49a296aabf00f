/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One entry, one table: how an entry is broken and made, how an empty table dies, how a
 * detached one is freed.
 */
#include "internal.h"

/*
 * The marker is not 0. It keeps the output address for the phases after, and it holds the
 * place, so that a fault cannot put a new entry there before the TLBI (valid, invalid,
 * valid without an invalidation between is what break-before-make forbids [RWHZWS]).
 */
bool break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct s2_gather *g)
{
	if (is_shared(c->step) && !tag_take(c->s2, c->step))
		return false;
	if (S2_USE_COUNTED && c->step->tag && !desc_is_table(marker, c->level))
		marker = desc_keep_exec(marker);
	/*
	 * Hardware may set the access flag or the dirty state of a valid leaf at any
	 * time: a swap loses no update. Table entries it never writes.
	 */
	if (!cursor_swap(c, entry, d, desc_make_busy(marker, c->step->tag),
			 cursor_racy(c, d)))
		return false;
	state_add(c, cursor_meta(c),
		  META_BUSY_ONE - (marker & DESC_REMAKE ? 0 : META_LIVE_ONE));
	gather_entry(g, c, d);
	return true;
}

bool releases(const struct cursor *c, uint64_t d)
{
	return desc_busy(d) && !(d & DESC_REMAKE) && !desc_parked(d) &&
	       (!S2_USE_TAGS || desc_tag(d) == c->step->tag);
}

uint64_t table_revive(const struct cursor *c, uint64_t *meta)
{
	return s2_port_word_add(c->s2->port, &meta[META_STATE], UINT64_C(0) - META_DEAD);
}

static bool state_dead(uint64_t state, unsigned own)
{
	return !meta_live(state) && !meta_notes(state) && meta_busy(state) == own;
}

bool table_kill(const struct cursor *c, uint64_t *meta, unsigned own)
{
	uint64_t old;

	if (!is_shared(c->step))
		return true;
	/*
	 * A map that counts an entry in and out again makes the first test fail. It saw
	 * that the table was dead, so it leaves the empty table to this call: look again.
	 */
	for (int i = 0; i < 8; i++) {
		old = s2_port_word_or(c->s2->port, &meta[META_STATE], META_DEAD);
		if (old & META_DEAD)
			return false;
		if (state_dead(old, own))
			return true;
		if (!state_dead(table_revive(c, meta), own))
			return false;
	}
	c->step->wait = true;
	return false;
}

/*
 * Beside others the entry is counted first: a table that is about to be detached for
 * being empty shows so in the same word, and nothing is put into it (table_kill()). What
 * takes a note's place is counted before the note is counted out, so that a table in use
 * never looks empty.
 */
bool put_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t new, bool *gone)
{
	uint64_t *meta = cursor_meta(c), one = META_LIVE_ONE;

	*gone = false;
	if (desc_valid_table(new, c->level))
		one += META_TABLE_ONE;
	else if (S2_USE_NOTES && desc_note(new))
		one = META_NOTE_ONE;
	if (!is_shared(c->step)) {
		/*
		 * A new table's entries before its link: a walk reads them through the
		 * address that it got from the link, so it needs only that the stores
		 * be ordered.
		 */
		if (desc_valid_table(new, c->level))
			s2_port_store_release(c->s2->port, entry, new);
		else
			s2_port_store(c->s2->port, entry, new);
		state_add(c, meta, one - (desc_note(d) ? META_NOTE_ONE : 0));
		return true;
	}
	*gone = state_add(c, meta, one) & META_DEAD;
	/* The swap releases, as the store above. */
	if (!*gone && cursor_swap(c, entry, d, new, false)) {
		if (desc_note(d))
			state_add(c, meta, UINT64_C(0) - META_NOTE_ONE);
		return true;
	}
	/*
	 * While the entry was counted an unmap may have left the table, which is empty,
	 * because it did not look so. The caller tries again and fills it, or ends with
	 * an error and looks for such tables (window_sweep()).
	 */
	state_add(c, meta, UINT64_C(0) - one);
	return false;
}

/* Entries of a table that is not linked yet: empty, or all of them note @d. */
static void table_fill(struct s2 *s2, uint64_t *table, uint64_t d)
{
	unsigned n = table_entries(s2);

	table_meta(s2, table)[META_STATE] = d ? n * META_NOTE_ONE + META_NOTED : 0;
	for (unsigned i = 0; i < n; i++)
		s2_port_store(s2->port, &table[i], d);
}

void put_table(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t *reserve,
	       bool *gone)
{
	bool note = S2_USE_NOTES && desc_note(d);
	/* Its word is the reserve's until then, so take it first. */
	uint64_t *table = reserve_take(c->s2, reserve);
	uint64_t link = desc_make_table(c->s2, s2_port_table_pa(c->s2->port, table));

	if (note)
		table_fill(c->s2, table, d);
	if (put_entry(c, entry, d, link, gone)) {
		cursor_into(c, table);
		count_made(c, c->level);
		return;
	}
	if (note)
		table_fill(c->s2, table, 0);
	reserve_return(c->s2, reserve, table);
}

/* ---- limbo -------------------------------------------------------------------- */

void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level)
{
	uint64_t *meta = table_meta(s2, table), *at = &limbo->head;

	/* Behind the first while that is being read. */
	if (limbo->idx)
		at = &table_meta(s2, s2_port_table_va(s2->port,
						      link_pa(limbo->head)))[META_LINK];
	meta[META_LINK] = *at;
	*at = s2_port_table_pa(s2->port, table) | LINK_PRESENT | (uint64_t)level;
	limbo->tables++;
}

/*
 * The list is the stack: a table with tables below it puts those on the list as they are
 * read and goes itself when all have been. A table without any is never read. Whether it
 * has is asked only now: before the grace period a late walker may still have been
 * putting one there. An entry that is read is a visit, and so is a table that is freed.
 */
static bool limbo_drain(struct s2 *s2, struct s2_limbo *limbo, struct step *step)
{
	uint64_t freed[S2_LEVELS] = { 0 }, left = step->entries;
	const unsigned n = table_entries(s2);

	while (limbo->head && (!S2_USE_STEPS || left)) {
		uint64_t link = limbo->head;
		int level = (int)(link & LINK_LEVEL);
		uint64_t *table = s2_port_table_va(s2->port, link_pa(link));
		uint64_t *meta = table_meta(s2, table);
		unsigned idx = meta_tables(meta[META_STATE]) ? limbo->idx : n;

		/* A read and a free below it: two visits at most for each turn. */
		while (idx < n && (!S2_USE_STEPS || left >= 2)) {
			uint64_t d = s2_port_load(s2->port, &table[idx++]), *child;

			left -= S2_USE_STEPS;
			if (!(desc_valid(d) || desc_busy(d)) || !desc_is_table(d, level))
				continue;
			child = s2_port_table_va(s2->port, desc_oa(s2, d));
			/* Nothing of a table of pages is read, nor of its metadata. */
			if (level + 1 < LAST_LEVEL &&
			    meta_tables(table_meta(s2, child)[META_STATE])) {
				limbo->idx = idx;
				limbo_push(s2, limbo, child, level + 1);
				continue;
			}
			left -= S2_USE_STEPS;
			freed[level + 1]++;
			s2_port_table_free(s2->port, child);
		}
		limbo->idx = idx;
		if (S2_USE_STEPS && (idx < n || !left))
			break;
		left -= S2_USE_STEPS;
		limbo->idx = 0;
		limbo->head = meta[META_LINK];
		limbo->tables--;
		freed[level]++;
		s2_port_table_free(s2->port, table);
	}
	step->entries = left;
	/* Beside calls under the instance's lock, hence atomic. */
	for (int l = 0; l < S2_LEVELS; l++)
		if (freed[l])
			s2_port_word_add(s2->port, &s2->freed[l], freed[l]);
	return !limbo->head;
}

bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step)
{
	return op->limbo || limbo_drain(s2, &op->st.own, step);
}

int s2_release(struct s2 *s2, struct s2_limbo *limbo, struct s2_op *op)
{
	struct step step = step_free(0);
	uint64_t most = NO_BUDGET;
	bool done;

	if (op && op->max_entries) {
		if (!S2_USE_STEPS)
			return S2_E_UNSUPPORTED;
		if (op->max_entries < S2_BUDGET_ENTRIES_MIN)
			return S2_E_BUDGET;
		most = op->max_entries;
	}
	step.entries = most;
	done = limbo_drain(s2, limbo, &step);
	if (op)
		op->visited = most - step.entries;
	return done ? 0 : S2_MORE;
}
