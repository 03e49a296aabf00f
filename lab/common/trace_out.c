/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes a trace: every event of a machine, in the format of s2lab judge. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "machine_text.h"
#include "trace_text.h"

const char *const trace_out_formats[] = { "judge", "casemate", NULL };

struct trace_out *trace_out_open(const char *path, enum trace_out_format format)
{
	struct trace_out *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->format = format;
	t->f = strcmp(path, "-") ? fopen(path, "w") : stdout;
	if (!t->f) {
		free(t);
		return NULL;
	}
	trace_out_src(t, "s2lab", 0);
	return t;
}

void trace_out_src(struct trace_out *t, const char *what, uint64_t n)
{
	size_t at = 0;

	/* In the trace it is a string, and ends at the first colon. */
	for (; *what && at + 1 < sizeof(t->what); what++)
		t->what[at++] =
			*what < ' ' || *what > '~' || strchr("\":", *what) ? '_' : *what;
	t->what[at] = '\0';
	t->n = n;
}

const char *trace_out_close(struct trace_out *t, char *buf, size_t n)
{
	bool failed;

	if (!t->refused[0])
		casemate_unlock(t, -1);
	failed = ferror(t->f);
	failed |= t->f == stdout ? fflush(t->f) : fclose(t->f);
	buf[0] = '\0';
	if (t->refused[0])
		snprintf(buf, n, "%s", t->refused);
	else if (failed)
		snprintf(buf, n, "the trace cannot be written: %s", strerror(errno));
	free(t);
	return buf[0] ? buf : NULL;
}

/* ---- the format of s2lab judge ---------------------------------------------- */

static const char *const sysregs[] = { "vttbr_el2", "vtcr_el2", "hcr_el2", "tcr_el1",
				       "sctlr_el1" };

static const char *waived(const struct s2m_event *e)
{
	return e->waived ? " (no-clean 1)" : "";
}

#define RANGE "(%s %" PRIx64 ") (size %" PRIx64 ")"

static void put_table(struct trace_out *t, const struct machine *m,
		      const struct s2m_event *e)
{
	uint64_t size = (uint64_t)e->op << s2m_granule_shift(m);

	switch (e->kind) {
	case S2M_EV_TAKE:
		trace_put(t, "mem-take", e->pe, RANGE, "address", e->pa, size);
		break;
	case S2M_EV_GIVE:
		trace_put(t, "mem-free", e->pe, RANGE, "address", e->pa, size);
		break;
	case S2M_EV_READ:
		trace_put(t, "mem-read", e->pe,
			  "(address %" PRIx64 ") (value %" PRIx64 ")", e->pa, e->value);
		break;
	case S2M_EV_WRITE:
		trace_put(t, "mem-write", e->pe,
			  "(mem-order %s) (address %" PRIx64 ") (value %" PRIx64 ")%s",
			  e->op == S2M_RELEASE ? "release" : "plain", e->pa, e->value,
			  waived(e));
		break;
	case S2M_EV_XCHG:
		trace_put(t, "mem-xchg", e->pe,
			  "(address %" PRIx64 ") (value %" PRIx64 ")%s", e->pa, e->value,
			  waived(e));
		break;
	case S2M_EV_CAS:
		trace_put(t, "cas", e->pe,
			  "(address %" PRIx64 ") (old %" PRIx64 ") (value %" PRIx64 ")%s",
			  e->pa, e->old, e->value, waived(e));
		break;
	default:
		if (e->value != (e->value & 0xff) * UINT64_C(0x0101010101010101))
			trace_refuse(t,
				     "a fill with a value that is not one byte repeated");
		else
			trace_put(t, "mem-set", e->pe, RANGE " (value %" PRIx64 ")",
				  "address", e->pa, e->size, e->value & 0xff);
		break;
	}
}

/* dsb-ishst: "dsb (kind ishst)". */
static void put_barrier(struct trace_out *t, const struct s2m_event *e)
{
	const char *name = s2m_barrier_name((enum s2m_barrier)e->op);

	if (e->op == S2M_ISB)
		trace_put(t, "barrier", e->pe, "isb");
	else
		trace_put(t, "barrier", e->pe, "%.3s (kind %s)", name, name + 4);
}

static void put_tlbi(struct trace_out *t, const struct s2m_event *e)
{
	const char *name = s2m_tlbi_name((enum s2m_tlbi)e->op);

	if (strstr(name, "ipas2"))
		trace_put(t, "tlbi", e->pe, "%s (value %" PRIx64 ")", name, e->value);
	else
		trace_put(t, "tlbi", e->pe, "%s", name);
}

static void put_promise(struct trace_out *t, const struct s2m_event *e)
{
	static const char *const name[S2M_EVENTS] = {
		[S2M_EV_UNMAPPED] = "claim-unmapped",
		[S2M_EV_WRPROTECTED] = "claim-wrprotected",
		[S2M_EV_HARVESTED] = "claim-harvested",
		[S2M_EV_DIRTY_FOUND] = "dirty-found",
		[S2M_EV_FRAME_FREE] = "claim-frame-free",
		[S2M_EV_HOST_WROTE] = "host-wrote",
		[S2M_EV_LEAF_GONE] = "leaf-gone",
	};
	const char *flag = e->op & S2M_CLAIM_NO_CLEAN ? " (no-clean 1)" : "";

	if (e->kind == S2M_EV_FRAME_FREE || e->kind == S2M_EV_HOST_WROTE)
		trace_put(t, name[e->kind], e->pe, RANGE, "address", e->pa, e->size);
	else if (e->kind == S2M_EV_LEAF_GONE)
		trace_put(t, name[e->kind], e->pe,
			  "(root %" PRIx64 ") (ipa %" PRIx64 ") " RANGE "%s", e->root,
			  e->ipa, "address", e->pa, e->size, flag);
	else
		trace_put(t, name[e->kind], e->pe, "(root %" PRIx64 ") " RANGE "%s",
			  e->root, "ipa", e->ipa, e->size, flag);
}

static void put_other(struct trace_out *t, const struct s2m_event *e)
{
	static const char *const dc[] = { "dc-civac", "dc-cvac", "ic-ivau" };
	/* Of which there is no more to say. */
	static const char *const bare[S2M_EVENTS] = {
		[S2M_EV_WALKER_ENTER] = "walker-enter",
		[S2M_EV_WALKER_LEAVE] = "walker-leave",
		[S2M_EV_GUEST_LEAVE] = "guest-leave",
	};

	if (bare[e->kind]) {
		trace_put(t, bare[e->kind], e->pe, "%s", "");
		return;
	}
	switch (e->kind) {
	case S2M_EV_SYSREG:
		trace_put(t, "sysreg-write", e->pe, "(sysreg %s) (value %" PRIx64 ")",
			  sysregs[e->op], e->value);
		break;
	case S2M_EV_CACHE:
		trace_put(t, dc[e->op], e->pe, RANGE, "address", e->pa, e->size);
		break;
	case S2M_EV_AGENT_TLBI:
		trace_put(t, "agent-tlbi", e->pe, RANGE, "ipa", e->ipa, e->size);
		break;
	case S2M_EV_HANDOFF:
		trace_put(t, "handoff", e->pe, "(to %u)", e->op);
		break;
	case S2M_EV_GUEST_ENTER:
		trace_put(t, "guest-enter", e->pe, "(value %" PRIx64 ")", e->value);
		break;
	case S2M_EV_GUESTS_GONE:
		trace_put(t, "guests-gone", e->pe, "(root %" PRIx64 ")", e->root);
		break;
	case S2M_EV_GUEST_WRITE:
		trace_put(t, "guest-write", e->pe, "(root %" PRIx64 ") (ipa %" PRIx64 ")",
			  e->root, e->ipa);
		break;
	case S2M_EV_GUEST_WRITES:
		trace_put(t, "guest-writes", e->pe,
			  "(root %" PRIx64 ") " RANGE " (value %" PRIx64 ")", e->root,
			  "ipa", e->ipa, e->size, e->value);
		break;
	default:
		put_promise(t, e);
		break;
	}
}

static void put_event(void *arg, const struct machine *m, const struct s2m_event *e)
{
	struct trace_out *t = arg;

	if (t->refused[0])
		return;
	if (t->format == TRACE_FOR_CASEMATE) {
		casemate_event(t, m, e);
		return;
	}
	t->id = s2m_step(m);
	if (e->kind <= S2M_EV_FILL)
		put_table(t, m, e);
	else if (e->kind == S2M_EV_BARRIER)
		put_barrier(t, e);
	else if (e->kind == S2M_EV_TLBI)
		put_tlbi(t, e);
	else
		put_other(t, e);
}

void trace_out_watch(struct trace_out *t, struct machine *m)
{
	char features[256], lacks[256];

	machine_features_text(s2m_features(m), features, sizeof(features));
	machine_features_text(s2m_agent_lacks(m), lacks, sizeof(lacks));
	if (t->format == TRACE_FOR_JUDGE)
		trace_put(t, "machine", 0,
			  "(features \"%s\") (granule %x) (pes %u) (counted %x) "
			  "(agent-lacks \"%s\")",
			  features, 1u << s2m_granule_shift(m), s2m_pes(m),
			  s2m_counted(m), lacks);
	else if (!casemate_begin(t, m))
		return;
	s2m_watch(m, put_event, t);
}
