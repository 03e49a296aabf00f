/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks at more than one entry, s2_survey() and s2_iter_next(), beside changes. Each
 * entry is as it was at some time, but not all of them at one: so every leaf that is
 * found was there some time during the call, and what was there all the time is found.
 * And what annotations there may be at the end.
 */
#include "judge.h"

/* Whether it was mapped all through the call by what was done before it. */
static bool there_all_the_time(unsigned call, uint64_t ipa)
{
	for (unsigned m = 0; m < CALLS; m++)
		if (sc->call[m].kind == CALL_MAP && covers(&sc->call[m], ipa) &&
		    world.call[call].before & 1u << m && !world.call[m].ret &&
		    !may_be_gone(ipa, m))
			return true;
	return false;
}

/* Whether one of the maps @own may have had it mapped at some time of the call. */
static bool there_some_time(unsigned call, uint64_t ipa, unsigned own)
{
	for (unsigned m = 0; m < CALLS; m++) {
		bool gone = world.call[m].state == CALL_IDLE;

		if (!(own & 1u << m))
			continue;
		for (unsigned u = 0; u < CALLS; u++)
			gone |= u != m && has_removed(u, ipa) &&
				world.call[call].before & 1u << u &&
				world.call[u].before & 1u << m;
		if (!gone)
			return true;
	}
	return false;
}

static unsigned all_maps(uint64_t ipa)
{
	unsigned mask = 0;

	for (unsigned m = 0; m < CALLS; m++)
		if (sc->call[m].kind == CALL_MAP && covers(&sc->call[m], ipa))
			mask |= 1u << m;
	return mask;
}

int look_survey(unsigned call, struct s2_op *op, uint32_t flags)
{
	const struct call *c = &sc->call[call];
	struct s2_survey v = { 0 };
	uint64_t least = 0, most = 0;
	int ret = s2_survey(&world.s2, s2_ipa(c->ipa), c->size, flags, &v, op);

	for (uint64_t ipa = c->ipa; ipa < c->ipa + c->size; ipa += 4096) {
		/* What is being split or collapsed is not mapped for a while. */
		least += there_all_the_time(call, ipa) &&
			 !not_before(CALL_SPLIT, ipa, call) &&
			 !not_before(CALL_COLLAPSE, ipa, call);
		most += there_some_time(call, ipa, all_maps(ipa));
	}
	if (ret || v.mapped < least * 4096 || v.mapped > most * 4096 ||
	    v.mapped + v.noted + v.busy + v.empty != c->size)
		violation("survey-wrong",
			  "%c: %d, 0x%llx of at least 0x%llx, at most 0x%llx", 'a' + call,
			  ret, (unsigned long long)v.mapped,
			  (unsigned long long)least * 4096,
			  (unsigned long long)most * 4096);
	return ret;
}

int look_iter(unsigned call)
{
	const struct call *c = &sc->call[call];
	uint64_t at = 0, seen = 0;
	struct s2_mapping m;
	struct s2_iter it;
	int ret = s2_iter_start(&it, &world.s2, s2_ipa(c->ipa), c->size);

	while (!ret && s2_iter_next(&it, &m)) {
		if (m.ipa.ipa + m.size <= at || m.ipa.ipa + m.size <= c->ipa ||
		    m.ipa.ipa >= c->ipa + c->size)
			violation("iter-order", "%c: 0x%llx after 0x%llx", 'a' + call,
				  (unsigned long long)m.ipa.ipa, (unsigned long long)at);
		at = m.ipa.ipa + m.size;
		for (unsigned i = 0; i < nprobe; i++) {
			uint64_t in = probe[i] - m.ipa.ipa;

			if (probe[i] < m.ipa.ipa || in >= m.size)
				continue;
			seen |= UINT64_C(1) << i;
			if (m.state == S2_LEAF &&
			    !there_some_time(call, probe[i],
					     owners(probe[i], m.pa.pa + in)))
				violation("iter-stale", "%c found 0x%llx for 0x%llx",
					  'a' + call, (unsigned long long)m.desc,
					  (unsigned long long)probe[i]);
		}
	}
	for (unsigned i = 0; i < nprobe; i++)
		if (covers(c, probe[i]) && !(seen >> i & 1) &&
		    there_all_the_time(call, probe[i]))
			violation("iter-missed", "%c found nothing at 0x%llx", 'a' + call,
				  (unsigned long long)probe[i]);
	return ret;
}

/* ---- annotations ------------------------------------------------------------------ */

/* A call that drops every annotation it finds in its range. */
static bool drops(const struct call *c)
{
	return c->kind == CALL_UNMAP;
}

/* Whether some call may put something else in the place of a page's annotation. */
static bool may_take(uint64_t ipa)
{
	for (unsigned i = 0; i < CALLS; i++) {
		const struct call *c = &sc->call[i];

		if (c->who != AT_FIRST && covers(c, ipa) &&
		    (c->kind == CALL_MAP || drops(c)))
			return true;
	}
	return false;
}

/* Whether a call has dropped all of what call @note has put there. */
static bool taken(unsigned note)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (drops(&sc->call[i]) && !world.call[i].ret &&
		    covers(&sc->call[i], sc->call[note].ipa) &&
		    covers(&sc->call[i], sc->call[note].ipa + sc->call[note].size - 1))
			return true;
	return false;
}

/* Every page that was annotated at first. */
static void look_note(unsigned call)
{
	const struct call *c = &sc->call[call];

	for (uint64_t ipa = c->ipa; ipa < c->ipa + c->size; ipa += 4096) {
		int level;
		uint64_t pa, d = page_now(ipa, &pa, &level);
		bool there = d == c->pa << DESC_NOTE_SHIFT;

		if (!there && !may_take(ipa))
			violation("note-lost", "0x%llx is 0x%llx",
				  (unsigned long long)ipa, (unsigned long long)d);
		if (there ? taken(call) : desc_note(d))
			violation(there ? "note-left" : "note-invented",
				  "0x%llx is 0x%llx", (unsigned long long)ipa,
				  (unsigned long long)d);
	}
}

void look_notes(void)
{
	bool any = false;

	for (unsigned i = 0; i < CALLS; i++) {
		any |= sc->call[i].kind == CALL_ANNOTATE;
		if (sc->call[i].kind == CALL_ANNOTATE)
			look_note(i);
	}
	for (unsigned i = 0; !any && i < nprobe; i++) {
		uint64_t pa;
		int level;

		if (desc_note(page_now(probe[i], &pa, &level)))
			violation("note-invented", "0x%llx",
				  (unsigned long long)probe[i]);
	}
}
