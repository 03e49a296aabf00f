/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>
#include <string.h>

#include "internal.h"

/* clang-format off */
/* docs/rules.md has a section for each rule, with the source in the architecture. */
const struct s2m_rule s2m_rules[] = {
	[R_TLBI_MISSING] = { "tlbi-missing",
		"a translation was changed and no TLBI followed" },
	[R_TLBI_MISSES_RANGE] = { "tlbi-misses-range",
		"the addresses of the TLBIs leave out part of what was changed" },
	[R_TLBI_BEFORE_DSB] = { "tlbi-before-dsb",
		"a TLBI was issued before a DSB had made the table write visible" },
	[R_TLBI_NOT_COMPLETED] = { "tlbi-not-completed",
		"no DSB that is strong enough followed the TLBI" },
	[R_DSB_OTHER_PE] = { "dsb-other-pe",
		"the DSB after the TLBI was executed by another PE" },
	[R_TLBI_WRONG_VMID] = { "tlbi-wrong-vmid",
		"the TLBI acted on another VMID" },
	[R_TLBI_NOT_BROADCAST] = { "tlbi-not-broadcast",
		"the TLBI reached its own PE only" },
	[R_TTL_MISMATCH] = { "ttl-mismatch",
		"the level hint of the TLBI does not fit what was changed" },
	[R_LAST_LEVEL_ONLY] = { "last-level-only",
		"a table entry was removed and the TLBI was for the last level only" },
	[R_TLBI_BAD_OPERAND] = { "tlbi-bad-operand",
		"the operand's granule or alignment is such that nothing need be invalidated" },
	[R_TLBI_UNDEFINED] = { "tlbi-undefined",
		"a TLBI that the PE, or the other agent, does not have" },
	[R_S1_NOT_KILLED] = { "s1-not-killed",
		"stage-2 invalidation without the stage-1 invalidation after it" },
	[R_S1_BEFORE_S2] = { "s1-before-s2",
		"stage-1 invalidation before the stage-2 invalidation was complete" },
	[R_REPEAT_TLBI_MISSING] = { "repeat-tlbi-missing",
		"the erratum's second TLBI and DSB were left out" },
	[R_ISB_MISSING] = { "isb-missing",
		"the PE that issued the TLBI has had no context synchronisation since" },
	[R_UNMAP_RETURN_PENDING] = { "unmap-return-pending",
		"returned while another PE's invalidation of the range was pending" },
	[R_UNMAP_LEFT_MAPPED] = { "unmap-left-mapped",
		"part of the range is still mapped" },
	[R_WRPROTECT_LEFT_WRITABLE] = { "wrprotect-left-writable",
		"part of the range may still be written" },
	[R_AGENT_NOT_INVALIDATED] = { "agent-not-invalidated",
		"another agent's TLB was not invalidated" },
	[R_AGENT_MISREADS] = { "agent-misreads",
		"an entry that another agent, with fewer features, reads otherwise" },
	[R_FRAME_STILL_MAPPED] = { "frame-still-mapped",
		"a frame was handed on while an entry maps it" },
	[R_TABLE_USE_AFTER_FREE] = { "table-use-after-free",
		"a table page was given back, or used, where a walker may still be in it" },
	[R_HW_UPDATE_IN_FREED_TABLE] = { "hw-update-in-freed-table",
		"hardware may set an access flag or dirty state in a page given back" },
	[R_HW_UPDATE_LOST] = { "hw-update-lost",
		"a plain store over an entry that hardware may have updated" },
	[R_HW_DIRTY_LOST] = { "hw-dirty-lost",
		"a page was written and is not in the set of dirty pages" },
	[R_TABLE_LINKED_BEFORE_FILLED] = { "table-linked-before-filled",
		"a table was linked before its content was ordered" },
	[R_TABLE_LINKED_TWICE] = { "table-linked-twice",
		"a table was linked while it is reachable at another place" },
	[R_PA_BEYOND_PS] = { "pa-beyond-ps",
		"an entry's output address is not below what VTCR_EL2.PS allows" },
	[R_BBM_VALID_TO_VALID] = { "bbm-valid-to-valid",
		"a change that needs break-before-make was made in place" },
	[R_BBM_MADE_TOO_EARLY] = { "bbm-made-too-early",
		"a new entry was made before the old one's invalidation had completed" },
	[R_CONTIGUOUS_MIXED] = { "contiguous-mixed",
		"the members of a live run with the Contiguous bit do not agree" },
	[R_CLEAN_MISSING] = { "clean-missing",
		"memory that the guest may have written past the cache was not cleaned" },
	[R_CLEAN_BEFORE_TLBI] = { "clean-before-tlbi",
		"memory was cleaned before the TLBI had completed" },
	[R_CLEAN_NOT_COMPLETED] = { "clean-not-completed",
		"no DSB SY by the PE that cleaned" },
	[R_CLEAN_WITHOUT_INVALIDATE] = { "clean-without-invalidate",
		"memory was cleaned but stale lines were not invalidated" },
	[R_MAP_CLEAN_MISSING] = { "map-clean-missing",
		"memory was mapped that was not cleaned since the host wrote it" },
	[R_MAP_ICACHE_MISSING] = { "map-icache-missing",
		"memory was mapped executable without instruction cache invalidation" },
	[R_COUNTED_LOST] = { "counted-lost",
		"a counted leaf has gone and was not reported" },
	[R_COUNTED_TWICE] = { "counted-twice",
		"a counted leaf was reported that is not due: again, or it never was" },
	[R_COUNTED_EARLY] = { "counted-early",
		"a counted leaf was reported while PEs may use it, or before its clean" },
	[R_SPECULATIVE_AT] = { "speculative-at",
		"VTTBR_EL2 was changed while stage 1 of another context could be walked" },
	[R_VMID_REUSED] = { "vmid-reused",
		"a VMID was used while PEs may hold translations of another tree under it" },
	[R_TREE_UNKNOWN] = { "tree-unknown",
		"a promise about a tree that no VTTBR_EL2 has ever pointed to" },
	[R_NONE] = { NULL, NULL },
};
/* clang-format on */

/* One event gives at most one verdict by each rule. */
void verdict(struct machine *m, enum rule rule, struct where w, const char *fmt, ...)
{
	struct s2m_violation *v;
	va_list ap;

	if (m->reported[rule] == m->step)
		return;
	m->reported[rule] = m->step;
	m->violations++;
	if (m->kept_n == m->kept_max && !m->log)
		return;
	v = m->kept_n < m->kept_max ? &m->kept[m->kept_n++] : &m->spill;
	v->rule = s2m_rules[rule].name;
	v->step = m->step;
	v->cause = w.cause;
	v->pe = w.pe;
	v->ipa = w.ipa;
	v->pa = w.pa;
	va_start(ap, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, ap);
	va_end(ap);
	if (m->log)
		fprintf(m->log, "          !!   %s: %s\n", v->rule, v->detail);
}

uint64_t s2m_violations(const struct machine *m)
{
	return m->violations;
}

unsigned s2m_violations_kept(const struct machine *m)
{
	return m->kept_n;
}

const struct s2m_violation *s2m_violation(const struct machine *m, unsigned i)
{
	return i < m->kept_n ? &m->kept[i] : NULL;
}

void s2m_violations_clear(struct machine *m)
{
	m->violations = 0;
	m->kept_n = 0;
	memset(m->reported, 0, sizeof(m->reported));
}
