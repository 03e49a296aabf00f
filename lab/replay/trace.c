// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads the operations from ftrace text. An error that can be found without replaying
 * is reported here, with its line and column.
 */
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stage2/stage2.h>
#include "common/lines.h"
#include "trace_line.h"

#define KIB4 UINT64_C(0x1000)
#define MIB2 (UINT64_C(1) << 21)
#define GIB1 (UINT64_C(1) << 30)

const char *const trace_op_names[TRACE_OPS] = {
	"phase",   "init", "map",   "unmap", "wrprotect", "relax-perms",
	"mkyoung", "age",  "flush", "split", "destroy",	  "failed",
};

/* A VM that is alive, found by its pgt; a task, found by its PID. */
struct live {
	RB_ENTRY(live) node;
	uint64_t pgt;
	uint32_t vm;
};

struct task {
	RB_ENTRY(task) node;
	uint64_t pid;
	size_t last; /* its last event, a map or relax_perms, or NONE */
};
#define NONE SIZE_MAX

static int live_cmp(struct live *a, struct live *b)
{
	return a->pgt < b->pgt ? -1 : a->pgt > b->pgt;
}

static int task_cmp(struct task *a, struct task *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

RB_HEAD(live_tree, live);
RB_HEAD(task_tree, task);
RB_PROTOTYPE(live_tree, live, node, live_cmp)
RB_PROTOTYPE(task_tree, task, node, task_cmp)
RB_GENERATE(live_tree, live, node, live_cmp)
RB_GENERATE(task_tree, task, node, task_cmp)

/* The state of the reader, and the current line. */
struct parser {
	struct trace_line l;
	struct live_tree live;
	struct task_tree tasks;
	struct task *task;
	unsigned cpu;
	unsigned cpu_number[TRACE_CPUS];
	unsigned name_column;
};

static bool out_of_memory(struct parser *ps)
{
	return trace_fail(&ps->l, ps->l.line, "out of memory");
}

/* Makes room for @more elements of @size bytes. */
static bool grow(struct parser *ps, void *array, size_t n, size_t *room, size_t more,
		 size_t size)
{
	void **a = array, *bigger;
	size_t want = *room ? *room : 1024;

	if (n + more <= *room)
		return true;
	while (want < n + more)
		want *= 2;
	bigger = realloc(*a, want * size);
	if (!bigger)
		return out_of_memory(ps);
	*a = bigger;
	*room = want;
	return true;
}

/* ---- events ---------------------------------------------------------------- */

static const struct kind {
	const char *name;
	uint8_t op;
	unsigned needed;
} kinds[] = {
	{ "s2_init", TRACE_INIT, F(PGT) },
	{ "s2_map", TRACE_MAP, F(PGT) | F(ADDR) | F(SIZE) | F(PHYS) | F(PROT) },
	{ "s2_map_ret", TRACE_FAILED, F(RET) | F(PGT) | F(ADDR) },
	{ "s2_unmap", TRACE_UNMAP, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_wrprotect", TRACE_WRPROTECT, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_relax_perms", TRACE_RELAX_PERMS, F(PGT) | F(ADDR) | F(PROT) },
	{ "s2_relax_perms_ret", TRACE_FAILED, F(RET) | F(PGT) | F(ADDR) },
	{ "s2_mkyoung", TRACE_MKYOUNG, F(PGT) | F(ADDR) },
	{ "s2_age", TRACE_AGE, F(PGT) | F(ADDR) | F(SIZE) | F(MKOLD) },
	{ "s2_flush", TRACE_FLUSH, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_split", TRACE_SPLIT, F(PGT) | F(ADDR) | F(SIZE) },
	{ "s2_destroy", TRACE_DESTROY, F(PGT) | F(IA_BITS) },
};

static bool add_event(struct parser *ps, struct trace_event ev)
{
	struct trace *t = ps->l.t;

	if (t->events == TRACE_MAX_EVENTS)
		return trace_fail(&ps->l, ps->l.line,
				  "more than %u operations: record less at once",
				  TRACE_MAX_EVENTS);
	if (!grow(ps, &t->event, t->events, &t->room, 1, sizeof(*t->event)))
		return false;
	ev.line = t->lines;
	ev.cpu = (uint8_t)ps->cpu;
	t->event[t->events++] = ev;
	return true;
}

static bool parse_init(struct parser *ps, const struct fields *f, struct trace_event *ev)
{
	struct live *l, key = { .pgt = f->value[F_PGT] };
	struct trace *t = ps->l.t;

	l = RB_FIND(live_tree, &ps->live, &key);
	if (l)
		return trace_fail(&ps->l, f->at[F_PGT], "this pgt is alive since line %u",
				  t->vm[l->vm].init_line);
	if (!grow(ps, &t->vm, t->vms, &t->vm_room, 1, sizeof(*t->vm)))
		return false;
	l = malloc(sizeof(*l));
	if (!l)
		return out_of_memory(ps);
	l->pgt = key.pgt;
	l->vm = ev->vm = (uint32_t)t->vms;
	RB_INSERT(live_tree, &ps->live, l);
	t->vm[t->vms++] = (struct trace_vm){ .pgt = key.pgt, .init_line = t->lines };
	return add_event(ps, *ev);
}

/* A call has returned an error: the last event of its task must be the call. */
static bool parse_ret(struct parser *ps, const struct kind *k, const struct fields *f)
{
	uint8_t op = strstr(k->name, "map") ? TRACE_MAP : TRACE_RELAX_PERMS;
	struct trace *t = ps->l.t;
	struct trace_event *call;

	if (!f->value[F_RET])
		return trace_fail(&ps->l, f->at[F_RET], "%s without an error", k->name);
	call = ps->task->last == NONE ? NULL : &t->event[ps->task->last];
	if (!call || call->op != op || call->addr != f->value[F_ADDR] ||
	    t->vm[call->vm].pgt != f->value[F_PGT])
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

static bool parse_op(struct parser *ps, const struct kind *k, const struct fields *f,
		     struct trace_event *ev)
{
	struct live *l, key = { .pgt = f->value[F_PGT] };
	struct trace_vm *vm;

	l = RB_FIND(live_tree, &ps->live, &key);
	if (!l)
		return trace_fail(&ps->l, f->at[F_PGT], "no s2_init for this pgt before");
	ev->vm = l->vm;
	vm = &ps->l.t->vm[l->vm];
	if (k->op == TRACE_DESTROY) {
		if (f->value[F_IA_BITS] < 32 || f->value[F_IA_BITS] > 52)
			return trace_fail(&ps->l, f->at[F_IA_BITS],
					  "an IPA size is 32 to 52 bits");
		vm->ia_bits = (uint8_t)f->value[F_IA_BITS];
		RB_REMOVE(live_tree, &ps->live, l);
		free(l);
		return add_event(ps, *ev);
	}
	if (!check_range(ps, f, k->op))
		return false;
	ev->addr = f->value[F_ADDR];
	ev->size = f->at[F_SIZE] ? f->value[F_SIZE] : KIB4;
	ev->phys = f->value[F_PHYS];
	ev->column = (uint16_t)trace_column(&ps->l, f->at[F_ADDR]);
	if (k->needed & F(PROT) &&
	    !trace_prot(&ps->l, f, k->op == TRACE_RELAX_PERMS, &ev->attr))
		return false;
	if (k->op == TRACE_AGE)
		ev->attr = !!f->value[F_MKOLD];
	if (k->op == TRACE_MAP || k->op == TRACE_RELAX_PERMS)
		ps->task->last = ps->l.t->events;
	vm->maps += k->op == TRACE_MAP;
	if (vm->end < ev->addr + ev->size)
		vm->end = ev->addr + ev->size;
	return add_event(ps, *ev);
}

static bool parse_phase(struct parser *ps)
{
	struct trace *t = ps->l.t;
	struct trace_event ev = { .op = TRACE_PHASE,
				  .column = (uint16_t)ps->name_column };
	size_t len;

	if (strncmp(ps->l.p, "@phase ", 7))
		return true;
	len = strlen(ps->l.p + 7) + 1;
	if (!grow(ps, &t->text, t->text_len, &t->text_room, len, 1))
		return false;
	memcpy(t->text + t->text_len, ps->l.p + 7, len);
	ev.addr = t->text_len;
	t->text_len += len;
	return add_event(ps, ev);
}

static struct task *task_of(struct parser *ps, uint64_t pid)
{
	struct task *task, key = { .pid = pid };

	task = RB_FIND(task_tree, &ps->tasks, &key);
	if (task)
		return task;
	task = malloc(sizeof(*task));
	if (!task)
		return NULL;
	*task = (struct task){ .pid = pid, .last = NONE };
	RB_INSERT(task_tree, &ps->tasks, task);
	return task;
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

static bool parse_event(struct parser *ps)
{
	struct trace_event ev = { 0 };
	uint64_t pid, cpu, time;
	const char *name, *colon;
	struct fields f;
	size_t i, len;
	bool ok;

	if (!trace_task(&ps->l, &pid, &cpu) || !trace_time(&ps->l, &time))
		return false;
	name = ps->l.p;
	colon = strstr(name, ": ");
	len = colon ? (size_t)(colon - name) : 0;
	if (!len || memchr(name, ' ', len))
		return trace_fail(&ps->l, name, "no event name and colon here");
	ps->l.p = colon + 2;
	ps->name_column = trace_column(&ps->l, name);
	ps->cpu = cpu_of(ps, cpu);
	ps->task = task_of(ps, pid);
	if (!ps->task)
		return out_of_memory(ps);
	if (len == 18 && !memcmp(name, "tracing_mark_write", len)) {
		ps->task->last = NONE;
		return parse_phase(ps);
	}
	if (len == 15 && !memcmp(name, "kvm_guest_fault", len)) {
		ps->task->last = NONE;
		ps->l.t->faults++;
		return true;
	}
	if (len < 3 || memcmp(name, "s2_", 3)) {
		ps->l.t->ignored++;
		return true;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, name, len))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return trace_fail(&ps->l, name, "unknown operation %.*s", (int)len, name);
	ev.op = kinds[i].op;
	ev.column = (uint16_t)ps->name_column;
	if (!trace_fields(&ps->l, kinds[i].needed, &f))
		return false;
	if (ev.op == TRACE_FAILED) {
		ok = parse_ret(ps, &kinds[i], &f);
		ps->task->last = NONE;
		return ok;
	}
	ps->task->last = NONE;
	return ev.op == TRACE_INIT ? parse_init(ps, &f, &ev) :
				     parse_op(ps, &kinds[i], &f, &ev);
}

static bool parse_line(struct parser *ps, const char *line, size_t len)
{
	const char *nul = memchr(line, '\0', len);

	ps->l.line = line;
	if (nul)
		return trace_fail(&ps->l, nul, "a NUL byte: this is not text");
	while (*line == ' ' || *line == '\t')
		line++;
	return !*line || *line == '#' || parse_event(ps);
}

static void parser_free(struct parser *ps)
{
	struct live *l, *ln;
	struct task *k, *kn;

	RB_FOREACH_SAFE(l, live_tree, &ps->live, ln) {
		RB_REMOVE(live_tree, &ps->live, l);
		free(l);
	}
	RB_FOREACH_SAFE(k, task_tree, &ps->tasks, kn) {
		RB_REMOVE(task_tree, &ps->tasks, k);
		free(k);
	}
}

bool trace_read(struct trace *t, const char *path)
{
	struct parser ps = { .l = { .t = t } };
	const char *line, *what;
	struct lines *in;
	size_t len;
	int got;

	memset(t, 0, sizeof(*t));
	t->name = strcmp(path, "-") ? path : "<stdin>";
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
	} else if (!got && !t->vms) {
		trace_error(t, t->lines + 1, 1, "there is no s2_init in this file");
		ps.l.failed = true;
	}
	lines_close(in);
	parser_free(&ps);
	if (ps.l.failed)
		trace_free(t);
	return !ps.l.failed;
}

void trace_free(struct trace *t)
{
	free(t->event);
	free(t->vm);
	free(t->text);
	t->event = NULL;
	t->vm = NULL;
	t->text = NULL;
}
