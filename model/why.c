/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a PE may still hold a stale translation, as a rule and in words. */
#include "internal.h"

const char *rec_text(const struct rec *r, char *buf, size_t n)
{
	if (r->kind == K_ALL)
		snprintf(buf, n, "whatever was mapped under VMID %u", r->ctx->vmid);
	else if (r->kind == K_TABLE)
		snprintf(buf, n,
			 "the level-%u entry of %#llx, which pointed to table %#llx "
			 "until step %llu",
			 r->level, NS(r->ipa), NS(r->pa), NS(r->first));
	else
		snprintf(buf, n,
			 "the level-%u translation of %#llx-%#llx to %#llx, %s at step "
			 "%llu",
			 r->level, NS(r->ipa), NS(r->end), NS(r->pa),
			 r->flags & F_OLD ? "changed" : "broken", NS(r->first));
	return buf;
}

static const char *const failed[R_NONE] = {
	[R_TLBI_BEFORE_DSB] = "came before a DSB had made the write visible",
	[R_TLBI_NOT_BROADCAST] = "was not broadcast",
	[R_TTL_MISMATCH] = "had a level hint that does not fit",
	[R_LAST_LEVEL_ONLY] =
		"was for the last level only, but a table entry was removed",
	[R_TLBI_BAD_OPERAND] = "had an operand with which nothing need be invalidated",
};

static enum rule why_not_invalidated(const struct rec *r, char *buf, size_t n)
{
	const struct ctx *c = r->ctx;

	if (r->why != R_NONE) {
		snprintf(buf, n, "the TLBI by PE%u at step %llu %s", r->why_pe,
			 NS(r->why_step), failed[r->why]);
		return (enum rule)r->why;
	}
	if (c->by_address > r->last) {
		snprintf(buf, n,
			 "the TLBIs since, the last at step %llu, do not cover it",
			 NS(c->by_address));
		return R_TLBI_MISSES_RANGE;
	}
	if (c->wrong.step > r->last && c->wrong.pe == r->writer &&
	    c->wrong.start < r->end && c->wrong.end > r->ipa) {
		snprintf(buf, n,
			 "the TLBI by PE%u at step %llu acted on another VMID than %u",
			 c->wrong.pe, NS(c->wrong.step), c->vmid);
		return R_TLBI_WRONG_VMID;
	}
	if (c->s1 > r->last) {
		snprintf(buf, n,
			 "the stage-1 TLBI at step %llu came before any stage-2 TLBI",
			 NS(c->s1));
		return R_S1_BEFORE_S2;
	}
	snprintf(buf, n, "no TLBI was issued since");
	return R_TLBI_MISSING;
}

static enum rule why_not_complete(const struct rec *r, char *buf, size_t n)
{
	if (r->why == R_DSB_OTHER_PE) {
		snprintf(
			buf, n,
			"the TLBI at step %llu was issued by PE%u, but the DSB at step "
			"%llu is PE%u's, and a DSB completes only the TLBIs of its own PE",
			NS(r->acted), r->actor, NS(r->why_step), r->why_pe);
		return R_DSB_OTHER_PE;
	}
	if (r->why == R_TLBI_NOT_COMPLETED)
		snprintf(buf, n,
			 "the DSB at step %llu, after the TLBI by PE%u at step %llu, is "
			 "too weak to complete it",
			 NS(r->why_step), r->actor, NS(r->acted));
	else
		snprintf(buf, n, "no DSB by PE%u completed its TLBI of step %llu",
			 r->actor, NS(r->acted));
	return R_TLBI_NOT_COMPLETED;
}

enum rule rec_why(const struct rec *r, char *buf, size_t n)
{
	const struct ctx *c = r->ctx;

	switch (r->state) {
	case ST_WRITTEN:
	case ST_VISIBLE:
		return why_not_invalidated(r, buf, n);
	case ST_S2:
	case ST_S1:
		return why_not_complete(r, buf, n);
	case ST_S2DONE:
		if (c->s1 > r->last) {
			snprintf(buf, n,
				 "the stage-1 TLBI at step %llu came before the stage-2 "
				 "TLBI was complete, at step %llu",
				 NS(c->s1), NS(r->acted));
			return R_S1_BEFORE_S2;
		}
		snprintf(buf, n,
			 "its stage-2 TLBI is complete since step %llu, but no stage-1 "
			 "TLBI followed: combined entries remain",
			 NS(r->acted));
		return R_S1_NOT_KILLED;
	case ST_REPEAT:
	case ST_REPEATED:
		snprintf(buf, n,
			 "the erratum's second TLBI and DSB ISH by PE%u did not follow "
			 "the DSB",
			 r->actor);
		return R_REPEAT_TLBI_MISSING;
	case ST_ISB:
		snprintf(buf, n,
			 "PE%u, which issued the TLBI, has had no ISB since step %llu",
			 r->actor, NS(r->acted));
		return R_ISB_MISSING;
	default:
		snprintf(buf, n, "the other agent has not invalidated it");
		return R_AGENT_NOT_INVALIDATED;
	}
}
