/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory of a range cleaned. No table is changed.
 */
#include "internal.h"

int s2_clean(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	uint64_t end = ipa.ipa + size, bytes;
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err;

	if (!S2_USE_CHANGES)
		return S2_E_UNSUPPORTED;
	if (flags & ~S2_SHARED)
		return S2_E_FLAGS;
	err = op_begin(s2, &op, &local, &step, OP_CLEAN, ipa.ipa, size, 0, flags);
	if (err)
		return err;
	bytes = step.bytes;
	cursor_start(&c, s2, &step, op->st.pos, end);
	while (cursor_more(&c) && step.bytes >= page_size(s2)) {
		uint64_t *entry, d, past, n;

		if (!cursor_read(&c, &entry, &d))
			continue;
		/* Being split or collapsed beside this: it is mapped, and comes back. */
		if (is_shared(&step) && desc_busy(d) && d & DESC_REMAKE)
			break;
		past = cursor_past(&c) < end ? cursor_past(&c) : end;
		if (desc_valid(d) && desc_needs_clean(s2->features, d)) {
			n = step_bytes(s2, &step, past - c.ipa);
			s2_port_clean(s2->port,
				      desc_oa(s2, d) + (c.ipa - cursor_base(&c)), n,
				      desc_attr(s2, d));
			step.bytes -= n;
			if (n < past - c.ipa) {
				c.ipa += n;
				break;
			}
		}
		cursor_next(&c);
	}
	/* Nothing was unmapped, so what it says of owners and TLBIs is not meant here. */
	clean_barrier(s2, &step, bytes);
	return op_end_at(s2, op, &step, cursor_at(&c));
}
