/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Logs of dirty pages: what hardware has recorded in a leaf that goes or becomes clean.
 */
#include "internal.h"

bool log_covers(const struct cursor *c, const struct s2_dirty_log *log)
{
	uint64_t base = cursor_base(c), size = cursor_size(c);

	return base >= log->ipa.ipa && size <= log->size &&
	       base - log->ipa.ipa <= log->size - size;
}

void log_leaf(const struct cursor *c, struct s2_dirty_log *log)
{
	unsigned shift = page_shift(c->s2);
	uint64_t base = cursor_base(c), end = base + cursor_size(c);
	uint64_t i, to;

	if (base < log->ipa.ipa)
		base = log->ipa.ipa;
	if (end > log->ipa.ipa + log->size)
		end = log->ipa.ipa + log->size;
	if (base >= end)
		return;
	i = (base - log->ipa.ipa) >> shift;
	to = (end - log->ipa.ipa) >> shift;
	while (i < to) {
		uint64_t n = 64 - i % 64 < to - i ? 64 - i % 64 : to - i;

		log->bits[i / 64] |= (~UINT64_C(0) >> (64 - n)) << i % 64;
		i += n;
	}
}

void log_harvest(const struct cursor *c, uint64_t d, uint64_t now)
{
	struct s2_dirty_log *log = log_of(c->step->op);

	if (!desc_valid_leaf(d, c->level) || !desc_dirty(d) || desc_dirty(now))
		return;
	log_leaf(c, log);
	log->missed |= !log_covers(c, log);
}
