/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: the events of one record. */
#include <stdio.h>
#include <string.h>

#include "judge.h"

static bool barrier(struct judge *j, unsigned pe, const struct record *r)
{
	/* OSH is more than ISH; the machine takes it as that. */
	static const struct {
		const char *op, *kind;
		enum s2m_barrier b;
	} kinds[] = {
		{ "isb", "", S2M_ISB },
		{ "dsb", "sy", S2M_DSB_SY },
		{ "dsb", "ish", S2M_DSB_ISH },
		{ "dsb", "osh", S2M_DSB_ISH },
		{ "dsb", "ishst", S2M_DSB_ISHST },
		{ "dsb", "oshst", S2M_DSB_ISHST },
		{ "dsb", "st", S2M_DSB_ISHST },
		{ "dsb", "nsh", S2M_DSB_NSH },
		{ "dsb", "nshst", S2M_DSB_NSHST },
		{ "dmb", "sy", S2M_DMB_ISH },
		{ "dmb", "ish", S2M_DMB_ISH },
		{ "dmb", "osh", S2M_DMB_ISH },
		{ "dmb", "ishst", S2M_DMB_ISHST },
		{ "dmb", "oshst", S2M_DMB_ISHST },
		{ "dmb", "st", S2M_DMB_ISHST },
	};
	bool op = false;

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(r->op, kinds[i].op))
			continue;
		op = true;
		if (strcmp(r->word, kinds[i].kind))
			continue;
		s2m_barrier(j->m, pe, kinds[i].b);
		return true;
	}
	if (!op)
		return judge_wrong(j, r, F_OP, "no barrier '%.32s'", r->op);
	if (!(r->has & 1u << F_KIND))
		return judge_wrong(j, r, F_OP, "%s needs a kind", r->op);
	return judge_wrong(j, r, F_KIND, "no %s of kind '%.32s'", r->op, r->word);
}

/* The kind of a TLBI; S2M_TLBI_KINDS: of another regime; -1: there is none. */
static int tlbi_kind(const char *name)
{
	static const char *const el2[] = {
		"alle2",   "alle2is", "alle2os", "vae2",     "vae2is",
		"vae2os",  "vale2",   "vale2is", "vale2os",  "rvae2",
		"rvae2is", "rvae2os", "rvale2",	 "rvale2is", "rvale2os",
	};
	char is[RECORD_WORD];
	size_t n = strlen(name);

	for (unsigned i = 0; i < sizeof(el2) / sizeof(el2[0]); i++) {
		if (!strcmp(name, el2[i]))
			return S2M_TLBI_KINDS;
	}
	/* Outer shareable is more than inner shareable; the machine takes it as that. */
	memcpy(is, name, n + 1);
	if (n > 2 && !strcmp(is + n - 2, "os"))
		is[n - 2] = 'i';
	for (int i = 0; i < S2M_TLBI_KINDS; i++) {
		if (!strcmp(is, s2m_tlbi_name((enum s2m_tlbi)i)))
			return i;
	}
	return -1;
}

static bool tlbi(struct judge *j, unsigned pe, const struct record *r)
{
	bool address = strstr(r->op, "va") || strstr(r->op, "ipas2");
	bool value = r->has & 1u << F_VALUE;
	int kind = tlbi_kind(r->op);

	if (kind < 0)
		return judge_wrong(j, r, F_OP, "no TLBI '%.32s' that the machine has",
				   r->op);
	if (address != value)
		return judge_wrong(j, r, F_OP, "%s %s", r->op,
				   value ? "takes no value" : "needs a value");
	j->tlbis++;
	if (kind == S2M_TLBI_KINDS) {
		j->el2++;
		return true;
	}
	judge_before_tlbi(j, pe);
	s2m_tlbi(j->m, pe, (enum s2m_tlbi)kind, r->n[F_VALUE]);
	return true;
}

/*
 * The program does not use a table any more. Nobody runs the tree of a root. Another page
 * is judged as if it were given back; it is memory like any other then, and in use.
 */
static void release_table(struct judge *j, unsigned pe, uint64_t pa)
{
	uint64_t page = UINT64_C(1) << s2m_granule_shift(j->m), root;

	pa &= ~(page - 1);
	if (s2m_table_root(j->m, pa, &root) && root == pa) {
		s2m_tree_release(j->m, pe, root);
	} else if (s2m_table_taken(j->m, pa)) {
		s2m_table_give(j->m, pe, pa, 1);
		s2m_table_place(j->m, pe, pa, 1, false);
	}
}

static bool hint(struct judge *j, unsigned pe, const struct record *r)
{
	if (!strcmp(r->word, "set_root_lock"))
		return judge_root_lock(j, r);
	if (!strcmp(r->word, "set_pte_thread_owner"))
		judge_owner(j, r);
	else if (!strcmp(r->word, "release_table"))
		release_table(j, pe, r->n[F_LOCATION]);
	else if (strcmp(r->word, "set_owner_root"))
		return judge_wrong(j, r, F_KIND, "no hint '%.32s'", r->word);
	return true;
}

/* Ranges of IPA or of memory that is not a table. */
static bool range_fits(struct judge *j, const struct record *r)
{
	enum record_field f = r->has & 1u << F_IPA ? F_IPA : F_ADDRESS;

	if (!(r->has & 1u << F_SIZE))
		return true;
	if (r->n[f] >> 52)
		return judge_wrong(j, r, f, "beyond 52 bits of address");
	if (r->n[F_SIZE] > (UINT64_C(1) << 52) - r->n[f])
		return judge_wrong(j, r, F_SIZE, "ends beyond 52 bits of address");
	return true;
}

static bool promise(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t root = r->n[F_ROOT], ipa = r->n[F_IPA], size = r->n[F_SIZE];
	bool waived = r->n[F_NO_CLEAN] || (!j->own && !j->opt->cleans);
	unsigned flags = waived ? S2M_CLAIM_NO_CLEAN : 0;

	if (!range_fits(j, r))
		return false;
	if (j->opt->no_claims)
		return true;
	switch (r->kind) {
	case R_CLAIM_UNMAPPED:
		s2m_claim_unmapped(j->m, pe, root, ipa, size, flags);
		return true;
	case R_CLAIM_WRPROTECTED:
		s2m_claim_wrprotected(j->m, pe, root, ipa, size);
		return true;
	case R_CLAIM_HARVESTED:
		s2m_claim_harvested(j->m, pe, root, ipa, size);
		return true;
	case R_CLAIM_FRAME_FREE:
		if (!j->own && !j->opt->cleans)
			judge_cannot(j, "claim-frame-free is judged with --cleans only");
		s2m_claim_frame_free(j->m, pe, r->n[F_ADDRESS], size);
		return true;
	case R_DIRTY_FOUND:
		s2m_dirty_found(j->m, pe, root, ipa, size);
		return true;
	default:
		s2m_leaf_gone(j->m, pe, root, ipa, r->n[F_ADDRESS], size, flags);
		return true;
	}
}

/* What guests and other agents do, and software that walks. */
static bool others(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t root = r->n[F_ROOT], ipa = r->n[F_IPA], size = r->n[F_SIZE];

	if (!range_fits(j, r))
		return false;
	switch (r->kind) {
	case R_DC_CIVAC:
	case R_DC_CVAC:
	case R_IC_IVAU:
		s2m_cache(j->m, pe,
			  r->kind == R_DC_CIVAC ? S2M_DC_CIVAC :
			  r->kind == R_DC_CVAC	? S2M_DC_CVAC :
						  S2M_IC_IVAU,
			  r->n[F_ADDRESS], size);
		return true;
	case R_AGENT_TLBI:
		s2m_agent_tlbi(j->m, pe, ipa, size);
		return true;
	case R_HANDOFF:
		for (unsigned to = 0; to < j->threads; to++) {
			if (j->thread[to].tid != r->n[F_TO])
				continue;
			s2m_handoff(j->m, pe, to);
			return true;
		}
		return judge_wrong(j, r, F_TO, "no thread that has done anything yet");
	case R_WALKER_ENTER:
		s2m_walker_enter(j->m, pe);
		return true;
	case R_WALKER_LEAVE:
		s2m_walker_leave(j->m, pe);
		return true;
	case R_GUESTS_GONE:
		s2m_guests_gone(j->m, pe, root);
		return true;
	case R_GUEST_WRITE:
		s2m_guest_write(j->m, pe, root, ipa);
		return true;
	case R_GUEST_WRITES:
		s2m_guest_writes(j->m, root, ipa, size, r->n[F_VALUE]);
		return true;
	default:
		s2m_host_wrote(j->m, pe, r->n[F_ADDRESS], size);
		return true;
	}
}

/* Records that say nothing about whether the thread has entered its guest. */
static bool is_quiet(const struct record *r)
{
	return r->kind == R_BARRIER || r->kind == R_TLBI || r->kind == R_SYSREG_WRITE ||
	       r->kind == R_HINT || r->kind == R_ENTER_CONTEXT ||
	       r->kind == R_GUEST_ENTER;
}

static bool step(struct judge *j, unsigned pe, const struct record *r)
{
	switch (r->kind) {
	case R_MACHINE:
		return true;
	case R_SYSREG_WRITE:
		return judge_sysreg(j, pe, r);
	case R_MEM_WRITE:
		if (strcmp(r->word, "plain") && strcmp(r->word, "release"))
			return judge_wrong(j, r, F_ORDER, "plain or release, not '%.32s'",
					   r->word);
		return judge_memory(j, pe, r);
	case R_MEM_INIT:
	case R_MEM_TAKE:
	case R_MEM_READ:
	case R_MEM_SET:
	case R_MEM_FREE:
	case R_MEM_XCHG:
	case R_CAS:
		return judge_memory(j, pe, r);
	case R_BARRIER:
		return barrier(j, pe, r);
	case R_TLBI:
		return tlbi(j, pe, r);
	case R_HINT:
		return hint(j, pe, r);
	case R_LOCK:
	case R_TRYLOCK:
		return judge_lock(j, pe, r);
	case R_UNLOCK:
		return judge_unlock(j, pe, r);
	case R_GUEST_ENTER:
		j->thread[pe].vttbr = r->n[F_VALUE];
		judge_guest(j, pe, true);
		return true;
	case R_GUEST_LEAVE:
		judge_guest(j, pe, false);
		return true;
	case R_ENTER_CONTEXT:
	case R_EXIT_CONTEXT:
		/* Both are context synchronisation events. */
		s2m_barrier(j->m, pe, S2M_ISB);
		if (j->opt->named && (r->kind == R_EXIT_CONTEXT || r->n[F_EL] < 2))
			judge_guest(j, pe, r->kind == R_ENTER_CONTEXT);
		return true;
	case R_CLAIM_UNMAPPED:
	case R_CLAIM_WRPROTECTED:
	case R_CLAIM_HARVESTED:
	case R_CLAIM_FRAME_FREE:
	case R_DIRTY_FOUND:
	case R_LEAF_GONE:
		return promise(j, pe, r);
	default:
		return others(j, pe, r);
	}
}

bool judge_step(struct judge *j, const struct record *r)
{
	unsigned pe = 0;
	bool fine;

	j->records++;
	if (!judge_machine(j, r) || !judge_thread(j, r, &pe))
		return false;
	if (!judge_origin_add(j, r)) {
		judge_cannot(j, "out of memory");
		return false;
	}
	if (!j->own)
		judge_runs(j, pe, is_quiet(r));
	fine = step(j, pe, r);
	judge_take_over(j);
	return fine;
}
