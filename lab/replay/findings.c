/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: the ways in which a replay fails. */
#include <stdarg.h>
#include <stdio.h>

#include "common/report.h"
#include "run.h"

int replay_found(struct replay *r, const char *rule, uint64_t ipa, const char *fmt, ...)
{
	struct replay_finding *f = &r->out.finding[r->out.findings++];
	va_list ap;

	f->rule = rule;
	f->line = r->ev->line;
	f->ipa = ipa;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
	return LAB_VIOLATION;
}

int replay_input_error(struct replay *r, const char *what)
{
	lab_progress_end();
	trace_error(&r->t, r->ev->line, r->ev->column, "%s", what);
	return LAB_USAGE;
}

int replay_no_memory(struct replay *r)
{
	return replay_input_error(r, "out of memory");
}

/*
 * The engine has returned an error. If a wrong recording explains it, it is an input
 * error; otherwise it is a finding about the engine.
 */
int replay_refused(struct replay *r, struct guest_vm *vm, int err)
{
	bool mapped = flat_get(&vm->flat, r->ev->addr, NULL);

	if (err == S2_E_IPA_RANGE || err == S2_E_PA_RANGE || err == S2_E_ATTR ||
	    (err == S2_E_NOENT && !mapped))
		return replay_input_error(r, s2_strerror(err));
	if (err == S2_E_NOMEM)
		return replay_input_error(r,
					  "more tables than the machine has memory for");
	return replay_found(r, "refused", r->ev->addr, "%s: %s",
			    trace_op_names[r->ev->op], s2_strerror(err));
}

int replay_judged(struct replay *r)
{
	unsigned n = s2m_violations_kept(r->m);

	if (!s2m_violations(r->m))
		return LAB_OK;
	for (unsigned i = 0; i < n && r->out.findings < REPLAY_FINDINGS; i++) {
		const struct s2m_violation *v = s2m_violation(r->m, i);

		replay_found(r, v->rule, v->ipa, "%s", v->detail);
	}
	s2m_violations_clear(r->m);
	return LAB_VIOLATION;
}

int replay_compare(struct replay *r, struct guest_vm *vm)
{
	bool young = !(r->out.features & S2_FEAT_HAFDBS);
	char detail[REPLAY_DETAIL];
	uint64_t ipa;

	r->out.checks++;
	if (replay_check(&vm->s2, &vm->flat, young, &ipa, detail))
		return LAB_OK;
	return replay_found(r, "table-mismatch", ipa, "%s", detail);
}
