// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads the operations from a recording. An error that can be found without replaying is
 * reported here, with its line and column.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stage2/stage2.h>
#include "common/lines.h"
#include "trace_line.h"
#include "trace_parts.h"

#define KIB4 UINT64_C(0x1000)
#define MIB2 (UINT64_C(1) << 21)
#define GIB1 (UINT64_C(1) << 30)

const char *const trace_op_names[TRACE_OPS] = {
	"phase",   "init", "map",   "unmap", "wrprotect", "relax-perms",
	"mkyoung", "age",  "flush", "split", "destroy",	  "failed",
};

/* The state of the reader, and the current line. */
struct parser {
	struct trace_line l;
	const struct trace_wanted *wanted;
	struct pgt_tree pgts;
	struct tasks tasks;
	struct task *task;
	uint64_t time; /* since the start */
	unsigned cpu;
	unsigned cpu_number[TRACE_CPUS];
	unsigned name_column;
	bool px_ux; /* Linux 6.19 or newer */
};

static bool out_of_memory(struct parser *ps)
{
	return trace_fail(&ps->l, ps->l.line, "out of memory");
}

/* ---- events ---------------------------------------------------------------- */

static const struct kind {
	const char *name;
	uint8_t op;
	unsigned needed;
} kinds[] = {
	{ "s2_init", TRACE_INIT, F(PGT) },
	{ "s2_map", TRACE_MAP, F(PGT) | F(ADDR) | F(SIZE) | F(PHYS) | F(PROT) },
	{ "s2_map_ret", TRACE_FAILED, F(RET) },
	{ "s2_unmap", TRACE_UNMAP, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_wrprotect", TRACE_WRPROTECT, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_relax_perms", TRACE_RELAX_PERMS, F(PGT) | F(ADDR) | F(PROT) },
	{ "s2_relax_perms_ret", TRACE_FAILED, F(RET) },
	{ "s2_mkyoung", TRACE_MKYOUNG, F(PGT) | F(ADDR) },
	{ "s2_age", TRACE_AGE, F(PGT) | F(ADDR) | F(SIZE) | F(MKOLD) },
	{ "s2_mkold", TRACE_AGE, F(PGT) | F(ADDR) },
	{ "s2_is_young", TRACE_AGE, F(PGT) | F(ADDR) },
	{ "s2_flush", TRACE_FLUSH, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_split", TRACE_SPLIT, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_destroy", TRACE_DESTROY, F(PGT) },
	{ "s2_destroy_range", TRACE_DESTROY, F(PGT) },
	{ "s2_destroy_pgd", TRACE_DESTROY, F(PGT) },
};

/* Whether the VM @i is asked for. */
static bool is_wanted(const struct parser *ps, uint32_t i)
{
	const struct trace_wanted *w = ps->wanted;

	return !w->one_vm || w->vm == i || w->vm == ps->l.t->vm[i].pgt;
}

static bool add_event(struct parser *ps, struct trace_event ev)
{
	struct trace *t = ps->l.t;

	if (ev.op != TRACE_PHASE && !is_wanted(ps, ev.vm)) {
		t->left_out_calls++;
		return true;
	}
	if (t->events == TRACE_MAX_EVENTS)
		return trace_fail(&ps->l, ps->l.line,
				  "more than %u operations: record less at once",
				  TRACE_MAX_EVENTS);
	if (!trace_grow(&t->event, t->events, &t->room, 1, sizeof(*t->event)))
		return out_of_memory(ps);
	ev.line = t->lines;
	ev.cpu = (uint8_t)ps->cpu;
	ev.time = ps->time;
	ev.task = ps->task->index;
	t->event[t->events++] = ev;
	return true;
}

/* The VM of @p ends. */
static bool end_vm(struct parser *ps, struct pgt *p)
{
	struct trace_event ev = { .op = TRACE_DESTROY,
				  .vm = p->vm,
				  .column = (uint16_t)ps->name_column };

	p->state = PGT_ENDED;
	return add_event(ps, ev);
}

/* A VM begins, under a pgt that may have been used before. */
static bool begin_vm(struct parser *ps, uint64_t pgt, struct pgt *p, bool partial)
{
	struct trace_event ev = { .op = TRACE_INIT, .column = (uint16_t)ps->name_column };
	struct trace *t = ps->l.t;

	/*
	 * If this kernel has its teardown under another name, the recording does not say
	 * that a VM has ended. Its pgt is used again, so it has.
	 */
	if (p && p->state == PGT_ALIVE && !end_vm(ps, p))
		return false;
	if (!trace_grow(&t->vm, t->vms, &t->vm_room, 1, sizeof(*t->vm)))
		return out_of_memory(ps);
	if (!p)
		p = pgt_add(&ps->pgts, pgt, PGT_ALIVE);
	if (!p)
		return out_of_memory(ps);
	p->state = PGT_ALIVE;
	p->vm = ev.vm = (uint32_t)t->vms;
	t->vm[t->vms++] = (struct trace_vm){ .pgt = pgt,
					     .init_line = t->lines,
					     .partial = partial };
	return add_event(ps, ev);
}

/*
 * An operation on a pgt without an s2_init: its VM ran before the recording began. It is
 * left out, or begins here if @partial.
 */
static bool earlier_vm(struct parser *ps, uint64_t pgt, struct pgt **p, bool partial)
{
	if (partial && (!*p || (*p)->state == PGT_ENDED)) {
		if (!begin_vm(ps, pgt, *p, true))
			return false;
		*p = pgt_find(&ps->pgts, pgt);
		return true;
	}
	if (!*p || (*p)->state == PGT_ENDED) {
		ps->l.t->earlier_vms++;
		if (!*p)
			*p = pgt_add(&ps->pgts, pgt, PGT_EARLIER);
		if (!*p)
			return out_of_memory(ps);
		(*p)->state = PGT_EARLIER;
	}
	ps->l.t->earlier_calls++;
	ps->task->last = TASK_LEFT_OUT;
	return true;
}

/* A call has returned an error: the last event of its task must be the call. */
static bool parse_ret(struct parser *ps, const struct kind *k, const struct fields *f)
{
	uint8_t op = strstr(k->name, "map") ? TRACE_MAP : TRACE_RELAX_PERMS;
	struct trace *t = ps->l.t;
	struct trace_event *call;

	/* The probe had no filter. */
	if (!f->value[F_RET])
		return true;
	/* It may have begun before the recording did. */
	if (ps->task->last == TASK_LEFT_OUT || ps->task->last == TASK_NEW)
		return true;
	call = ps->task->last == TASK_NONE ? NULL : &t->event[ps->task->last];
	/* Before Linux 6.9 a return probe has no arguments. */
	if (!call || call->op != op ||
	    (f->at[F_ADDR] && call->addr != f->value[F_ADDR]) ||
	    (f->at[F_PGT] && t->vm[call->vm].pgt != f->value[F_PGT]))
		return trace_fail(&ps->l, ps->l.p,
				  "the task's last event is not the call that "
				  "returns here");
	call->op = TRACE_FAILED;
	t->vm[call->vm].maps -= op == TRACE_MAP;
	return true;
}

/* Checks the alignment and size of an operation's range. */
static bool check_range(struct parser *ps, const struct fields *f, uint8_t op)
{
	uint64_t size = f->at[F_SIZE] ? f->value[F_SIZE] : KIB4;
	uint64_t align = op == TRACE_MAP ? size : KIB4;

	if (f->at[F_SIZE] && (!size || size % KIB4))
		return trace_fail(&ps->l, f->at[F_SIZE],
				  "the size is not a number of 4 KiB pages");
	if (op == TRACE_MAP && size != KIB4 && size != MIB2 && size != GIB1)
		return trace_fail(&ps->l, f->at[F_SIZE],
				  "a map is of 4 KiB, 2 MiB or 1 GiB");
	if (f->value[F_ADDR] % align)
		return trace_fail(&ps->l, f->at[F_ADDR], "the address is not aligned");
	if (op == TRACE_MAP && f->value[F_PHYS] % size)
		return trace_fail(&ps->l, f->at[F_PHYS],
				  "the physical address is not aligned");
	if (f->value[F_ADDR] + size < size)
		return trace_fail(&ps->l, f->at[F_SIZE], "address and size wrap around");
	return true;
}

/*
 * A VM may be destroyed in several calls: s2_destroy_range for each part, s2_destroy_pgd
 * at the end. Nobody uses it after the first.
 */
static bool parse_destroy(struct parser *ps, const struct fields *f)
{
	struct pgt *p = pgt_find(&ps->pgts, f->value[F_PGT]);
	uint64_t bits = f->value[F_IA_BITS];

	if (f->at[F_IA_BITS] && (bits < 32 || bits > 52))
		return trace_fail(&ps->l, f->at[F_IA_BITS],
				  "an IPA size is 32 to 52 bits");
	if (p && p->state == PGT_ENDED) {
		ps->l.t->ignored++;
		return true;
	}
	if (!p || p->state == PGT_EARLIER) {
		if (!earlier_vm(ps, f->value[F_PGT], &p, false))
			return false;
		p->state = PGT_ENDED;
		return true;
	}
	ps->l.t->vm[p->vm].ia_bits = (uint8_t)bits;
	ps->l.t->vm[p->vm].destroyed = true;
	return end_vm(ps, p);
}

static bool parse_op(struct parser *ps, const struct kind *k, const struct fields *f,
		     struct trace_event *ev)
{
	struct pgt *p = pgt_find(&ps->pgts, f->value[F_PGT]);
	struct trace *t = ps->l.t;
	struct trace_vm *vm;

	if (!check_range(ps, f, k->op))
		return false;
	ev->addr = f->value[F_ADDR];
	ev->size = f->at[F_SIZE] ? f->value[F_SIZE] : KIB4;
	ev->phys = f->value[F_PHYS];
	ev->column = (uint16_t)trace_column(&ps->l, f->at[F_ADDR]);
	if (k->needed & F(PROT) &&
	    !trace_prot(&ps->l, f, k->op == TRACE_RELAX_PERMS, ps->px_ux, &ev->attr))
		return false;
	if (k->op == TRACE_AGE)
		ev->attr = f->at[F_MKOLD] ? !!f->value[F_MKOLD] :
					    !strcmp(k->name, "s2_mkold");
	if ((!p || p->state != PGT_ALIVE) &&
	    !earlier_vm(ps, f->value[F_PGT], &p, ps->wanted->partial))
		return false;
	if (p->state == PGT_EARLIER)
		return true;
	ev->vm = p->vm;
	if (!is_wanted(ps, p->vm))
		ps->task->last = TASK_LEFT_OUT;
	else if (k->op == TRACE_MAP || k->op == TRACE_RELAX_PERMS)
		ps->task->last = t->events;
	vm = &t->vm[p->vm];
	vm->maps += k->op == TRACE_MAP;
	if (vm->end < ev->addr + ev->size)
		vm->end = ev->addr + ev->size;
	return add_event(ps, *ev);
}

static bool parse_phase(struct parser *ps, const char *text)
{
	struct trace *t = ps->l.t;
	struct trace_event ev = { .op = TRACE_PHASE,
				  .column = (uint16_t)ps->name_column };
	size_t len;

	if (strncmp(text, "@phase ", 7))
		return true;
	text += 7;
	len = strlen(text) + 1;
	if (!trace_grow(&t->text, t->text_len, &t->text_room, len, 1))
		return out_of_memory(ps);
	memcpy(t->text + t->text_len, text, len);
	ev.addr = t->text_len;
	t->text_len += len;
	return add_event(ps, ev);
}

static unsigned cpu_of(struct parser *ps, uint64_t cpu)
{
	unsigned i;

	for (i = 0; i < ps->l.t->cpus; i++)
		if (ps->cpu_number[i] == cpu)
			return i;
	if (ps->l.t->cpus == TRACE_CPUS)
		return cpu % TRACE_CPUS;
	ps->cpu_number[ps->l.t->cpus] = (unsigned)cpu;
	return ps->l.t->cpus++;
}

static bool is_name(const struct trace_head *h, const char *name)
{
	return strlen(name) == h->name_len && !memcmp(name, h->name, h->name_len);
}

/* An event that is no operation. */
static bool other_event(struct parser *ps, const struct trace_head *h)
{
	static const char mark[] = "tracing_mark_write: ",
			  stage2[] = "kvm_pgtable_stage2_";
	const char *at;

	if (is_name(h, "tracing_mark_write"))
		return parse_phase(ps, ps->l.p);
	if (is_name(h, "print") && !strncmp(ps->l.p, mark, strlen(mark)))
		return parse_phase(ps, ps->l.p + strlen(mark));
	if (is_name(h, "kvm_guest_fault")) {
		ps->l.t->faults++;
		trace_bins_count(&ps->l.t->bins, ps->time);
		return true;
	}
	at = strstr(h->name, stage2);
	if (at && at < h->name + h->name_len)
		return trace_fail(
			&ps->l, h->name,
			"a probe of a stage-2 function that is not named s2_... "
			"and whose arguments have no names: record with "
			"ports/linux/record.sh (docs/record.md)");
	ps->l.t->ignored++;
	return true;
}

static bool parse_event(struct parser *ps)
{
	struct trace_event ev = { 0 };
	const struct kind *k = NULL;
	struct trace_head h;
	struct fields f;

	if (!trace_head(&ps->l, &h))
		return false;
	if (!ps->l.t->cpus)
		ps->l.t->start = h.time;
	ps->l.t->end = h.time;
	ps->time = h.time - ps->l.t->start;
	ps->name_column = trace_column(&ps->l, h.name);
	ps->cpu = cpu_of(ps, h.cpu);
	ps->task = task_of(&ps->tasks, ps->l.t, h.pid, h.comm, h.comm_len);
	if (!ps->task)
		return out_of_memory(ps);
	if (h.name_len < 3 || memcmp(h.name, "s2_", 3)) {
		if (is_name(&h, "tracing_mark_write") || is_name(&h, "kvm_guest_fault"))
			ps->task->last = TASK_NONE;
		return other_event(ps, &h);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !k; i++)
		if (is_name(&h, kinds[i].name))
			k = &kinds[i];
	if (!k)
		return trace_fail(&ps->l, h.name, "unknown operation %.*s",
				  (int)h.name_len, h.name);
	if (!trace_fields(&ps->l, k->needed, &f))
		return false;
	ev.op = k->op;
	ev.column = (uint16_t)ps->name_column;
	if (ev.op == TRACE_FAILED) {
		bool ok = parse_ret(ps, k, &f);

		ps->task->last = TASK_NONE;
		return ok;
	}
	ps->task->last = TASK_NONE;
	if (ev.op == TRACE_INIT)
		return begin_vm(ps, f.value[F_PGT], pgt_find(&ps->pgts, f.value[F_PGT]),
				false);
	return ev.op == TRACE_DESTROY ? parse_destroy(ps, &f) : parse_op(ps, k, &f, &ev);
}

/* ---- files ----------------------------------------------------------------- */

/* Since 6.19 enum kvm_pgtable_prot has two bits for X. */
static bool has_px_ux(const char *release)
{
	uint64_t major = 0, minor = 0;

	if (trace_digits(&release, &major) && *release++ == '.')
		trace_digits(&release, &minor);
	return major > 6 || (major == 6 && minor >= 19);
}

static bool parse_line(struct parser *ps, const char *line, size_t len)
{
	const char *nul = memchr(line, '\0', len), *release, *absent;

	ps->l.line = line;
	if (nul)
		return trace_fail(&ps->l, nul, "a NUL byte: this is not text");
	if (!trace_is_note(line))
		return parse_event(ps);
	release = trace_says(line, TRACE_SAYS_KERNEL);
	if (release && !ps->wanted->kernel)
		ps->px_ux = has_px_ux(release);
	absent = trace_says(line, TRACE_SAYS_ABSENT);
	if (absent)
		snprintf(ps->l.t->absent, sizeof(ps->l.t->absent), "%s", absent);
	return true;
}

/* The whole file has been read. */
static bool at_end(struct parser *ps)
{
	const struct trace *t = ps->l.t;
	bool any = false;

	trace_bins_reach(&ps->l.t->bins, t->end - t->start);
	for (uint32_t i = 0; i < t->vms && !any; i++)
		any = is_wanted(ps, i);
	if (any)
		return true;
	if (t->vms)
		trace_error(t, t->lines + 1, 1,
			    "--vm: there is no such VM: say a number below %zu, or a pgt",
			    t->vms);
	else if (t->earlier_calls)
		trace_error(t, t->lines + 1, 1,
			    "there is no s2_init in this file, only %llu calls of VMs "
			    "that ran before: --partial replays them",
			    (unsigned long long)t->earlier_calls);
	else
		trace_error(t, t->lines + 1, 1, "there is no s2_init in this file%s",
			    !t->lines ?
				    ": it is empty" :
			    t->ignored || t->faults ?
				    ", and no other call that changes tables: were the "
				    "probes there (docs/record.md)?" :
				    ", and no event at all");
	return false;
}

bool trace_read(struct trace *t, const char *path, const struct trace_wanted *wanted)
{
	struct parser ps = { .l = { .t = t }, .wanted = wanted };
	const char *line, *what;
	struct lines *in;
	size_t len;
	int got;

	memset(t, 0, sizeof(*t));
	t->name = strcmp(path, "-") ? path : "<stdin>";
	if (wanted->kernel)
		ps.px_ux = has_px_ux(wanted->kernel);
	in = lines_open(path, true);
	if (!in) {
		trace_error(t, 0, 0, "%s", strerror(errno));
		return false;
	}
	while ((got = lines_next(in, &line, &len, &what)) > 0) {
		if (++t->lines == UINT32_MAX) {
			trace_error(t, t->lines, 1, "too many lines");
			ps.l.failed = true;
		} else {
			parse_line(&ps, line, len);
		}
		if (ps.l.failed)
			break;
	}
	if (got < 0) {
		trace_error(t, t->lines + 1, (unsigned)len + 1, "%s", what);
		ps.l.failed = true;
	} else if (!got) {
		ps.l.failed = !at_end(&ps);
	}
	lines_close(in);
	pgts_free(&ps.pgts);
	tasks_free(&ps.tasks);
	if (ps.l.failed)
		trace_free(t);
	return !ps.l.failed;
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; i < t->task_names; i++)
		free(t->task_name[i]);
	free(t->task_name);
	free(t->task);
	free(t->event);
	free(t->vm);
	free(t->text);
	memset(t, 0, sizeof(*t));
}
