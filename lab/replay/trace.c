// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From ftrace text to operations. Everything a recording can get wrong without
 * the tables being looked at is refused here, with its place.
 */
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stage2/stage2.h>
#include "common/lines.h"
#include "trace.h"

#define KIB4 UINT64_C(0x1000)
#define MIB2 (UINT64_C(1) << 21)
#define GIB1 (UINT64_C(1) << 30)

const char *const trace_op_names[TRACE_OPS] = {
	"phase",   "init", "map",   "unmap", "wrprotect", "relax-perms",
	"mkyoung", "age",  "flush", "split", "destroy",	  "failed",
};

/* The VMs alive by their pgt, and the tasks by their PID. */
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

/* One line while it is taken apart. */
struct parser {
	struct trace *t;
	const char *line, *p;
	uint64_t last_time;
	struct live_tree live;
	struct task_tree tasks;
	struct task *task;
	unsigned cpu;
	unsigned cpu_number[TRACE_CPUS];
	unsigned name_column;
	bool failed;
};

void trace_error(const struct trace *t, uint32_t line, unsigned column, const char *fmt,
		 ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s:%u:%u: ", t->name, line, column);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Column of @at in the line, from 1. */
static unsigned column(const struct parser *ps, const char *at)
{
	return (unsigned)(at - ps->line) + 1;
}

#define fail(ps, at, ...)                                                   \
	(trace_error((ps)->t, (ps)->t->lines, column(ps, at), __VA_ARGS__), \
	 (ps)->failed = true, false)

static bool out_of_memory(struct parser *ps)
{
	return fail(ps, ps->line, "out of memory");
}

/* Room for one more element of @size bytes. */
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

/* ---- the head of a line ---------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal digits at *p; false if there are none or they do not fit. */
static bool digits(const char **p, uint64_t *out)
{
	uint64_t n = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **p - '0', &n))
			return false;
	*out = n;
	return true;
}

/*
 * "COMM-PID [CPU] ". A comm may hold blanks, minus signs and brackets, so this
 * looks for the first "-PID [CPU] " that has something before it.
 */
static bool parse_task(struct parser *ps, uint64_t *pid, uint64_t *cpu)
{
	const char *p = ps->line, *start, *dash;

	while (*p == ' ' || *p == '\t')
		p++;
	start = p;
	for (dash = p; (dash = strchr(dash, '-')); dash++) {
		if (dash == start)
			continue;
		p = dash + 1;
		if (!digits(&p, pid) || *p != ' ')
			continue;
		while (*p == ' ')
			p++;
		if (*p++ != '[' || !digits(&p, cpu) || *p++ != ']' || *p != ' ')
			continue;
		ps->p = p;
		return true;
	}
	if (!strncmp(start, "CPU:", 4) && strstr(start, "LOST"))
		return fail(ps, start,
			    "events were lost here: the recording cannot be "
			    "replayed");
	return fail(ps, start, "not a line of ftrace: no \"TASK-PID [CPU] \"");
}

/* "[irq-info] SECONDS.FRACTION: ", the fraction in micro- or nanoseconds. */
static bool parse_time(struct parser *ps, uint64_t *time)
{
	uint64_t seconds, fraction;
	const char *p, *at, *dot;
	size_t n;

	while (*ps->p == ' ')
		ps->p++;
	n = strcspn(ps->p, " ");
	if (n && ps->p[n - 1] != ':') {
		ps->p += n;
		while (*ps->p == ' ')
			ps->p++;
	}
	p = at = ps->p;
	if (!digits(&p, &seconds) || *p != '.')
		return fail(ps, at, "no time stamp SECONDS.MICROSECONDS: here");
	dot = ++p;
	if (!digits(&p, &fraction) || p - dot > 9 || p[0] != ':' || p[1] != ' ' ||
	    seconds > UINT64_MAX / 1000000000 - 1)
		return fail(ps, at, "no time stamp SECONDS.MICROSECONDS: here");
	for (n = (size_t)(p - dot); n < 9; n++)
		fraction *= 10;
	*time = seconds * 1000000000 + fraction;
	if (*time < ps->last_time)
		return fail(ps, at, "the time goes back: lines are not in order");
	ps->last_time = *time;
	ps->p = p + 2;
	return true;
}

/* ---- fields ---------------------------------------------------------------- */

enum field { F_PGT, F_ADDR, F_SIZE, F_PHYS, F_PROT, F_MKOLD, F_IA_BITS, F_RET, FIELDS };
static const char *const field_names[FIELDS] = {
	"pgt", "addr", "size", "phys", "prot", "mkold", "ia_bits", "ret",
};
#define F(x) (1u << F_##x)

struct fields {
	uint64_t value[FIELDS];
	const char *at[FIELDS]; /* NULL: not there */
};

/* A number, decimal or 0x, with a minus sign or not, that ends at @end. */
static bool parse_number(struct parser *ps, const char *p, const char *end, uint64_t *out)
{
	const char *at = p;
	bool minus = *p == '-', hex;
	uint64_t n = 0;

	p += minus;
	hex = p[0] == '0' && p[1] == 'x';
	if (hex)
		p += 2;
	if (p == end)
		return fail(ps, at, "a number is missing here");
	for (; p < end; p++) {
		unsigned d;

		if (is_digit(*p))
			d = (unsigned)(*p - '0');
		else if (hex && *p >= 'a' && *p <= 'f')
			d = (unsigned)(*p - 'a') + 10;
		else if (hex && *p >= 'A' && *p <= 'F')
			d = (unsigned)(*p - 'A') + 10;
		else
			return fail(ps, p, "not a digit of a%s number",
				    hex ? " hexadecimal" : " decimal");
		if (__builtin_mul_overflow(n, hex ? 16 : 10, &n) ||
		    __builtin_add_overflow(n, d, &n))
			return fail(ps, at, "the number does not fit 64 bits");
	}
	*out = minus ? -n : n;
	return true;
}

/* "(where) NAME=VALUE ...", names we do not know included. */
static bool parse_fields(struct parser *ps, unsigned needed, struct fields *f)
{
	const char *p = ps->p;
	unsigned i;

	memset(f, 0, sizeof(*f));
	if (*p == '(') {
		p = strchr(p, ')');
		if (!p)
			return fail(ps, ps->p, "the parenthesis is not closed");
		p++;
	}
	for (;;) {
		const char *name, *eq, *end;

		while (*p == ' ')
			p++;
		if (!*p)
			break;
		name = p;
		end = p + strcspn(p, " ");
		eq = memchr(p, '=', (size_t)(end - p));
		if (!eq || eq == name)
			return fail(ps, name, "NAME=VALUE expected");
		for (i = 0; i < FIELDS; i++)
			if (strlen(field_names[i]) == (size_t)(eq - name) &&
			    !memcmp(field_names[i], name, (size_t)(eq - name)))
				break;
		if (i < FIELDS) {
			if (f->at[i])
				return fail(ps, name, "the field %s is there twice",
					    field_names[i]);
			f->at[i] = eq + 1;
			if (!parse_number(ps, eq + 1, end, &f->value[i]))
				return false;
		}
		p = end;
	}
	for (i = 0; i < FIELDS; i++)
		if (needed & 1u << i && !f->at[i])
			return fail(ps, p, "the field %s is missing", field_names[i]);
	return true;
}

/* enum kvm_pgtable_prot of Linux 6.12, to S2_* attributes. */
static bool parse_prot(struct parser *ps, const struct fields *f, bool relax,
		       uint16_t *attr)
{
	uint64_t prot = f->value[F_PROT];
	const char *at = f->at[F_PROT];
	uint32_t a = 0;

	if (prot & ~(UINT64_C(0x1f) | UINT64_C(0xf) << 55))
		return fail(ps, at, "unknown bits in prot 0x%llx",
			    (unsigned long long)prot);
	if (relax && prot & ~UINT64_C(7))
		return fail(ps, at, "relax_perms adds R, W and X only");
	a |= prot & 1 ? S2_X : 0;
	a |= prot & 2 ? S2_W : 0;
	a |= prot & 4 ? S2_R : 0;
	if (!a)
		return fail(ps, at, "prot 0x%llx gives no permission",
			    (unsigned long long)prot);
	if ((prot & 0x18) == 0x18)
		return fail(ps, at, "prot 0x%llx is both device and non-cacheable",
			    (unsigned long long)prot);
	if ((prot & 9) == 9)
		return fail(ps, at, "prot 0x%llx executes from device memory",
			    (unsigned long long)prot);
	a |= prot & 8 ? S2_MEM_DEV_nGnRE : prot & 0x10 ? S2_MEM_NC : S2_MEM_WB;
	a |= S2_SW(prot >> 55);
	*attr = (uint16_t)a;
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
	struct trace *t = ps->t;

	if (t->events == TRACE_MAX_EVENTS)
		return fail(ps, ps->line, "more than %u operations: record less at once",
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
	struct trace *t = ps->t;

	l = RB_FIND(live_tree, &ps->live, &key);
	if (l)
		return fail(ps, f->at[F_PGT], "this pgt is alive since line %u",
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
	struct trace *t = ps->t;
	struct trace_event *call;

	if (!f->value[F_RET])
		return fail(ps, f->at[F_RET], "%s without an error", k->name);
	call = ps->task->last == NONE ? NULL : &t->event[ps->task->last];
	if (!call || call->op != op || call->addr != f->value[F_ADDR] ||
	    t->vm[call->vm].pgt != f->value[F_PGT])
		return fail(ps, ps->p,
			    "the task's last event is not the call that "
			    "returns here");
	call->op = TRACE_FAILED;
	t->vm[call->vm].maps -= op == TRACE_MAP;
	return true;
}

/* Alignment and sizes of an operation on a VM that is alive. */
static bool check_range(struct parser *ps, const struct fields *f, uint8_t op)
{
	uint64_t size = f->at[F_SIZE] ? f->value[F_SIZE] : KIB4;
	uint64_t align = op == TRACE_MAP ? size : KIB4;

	if (f->at[F_SIZE] && (!size || size % KIB4))
		return fail(ps, f->at[F_SIZE], "the size is not a number of 4 KiB pages");
	if (op == TRACE_MAP && size != KIB4 && size != MIB2 && size != GIB1)
		return fail(ps, f->at[F_SIZE], "a map is of 4 KiB, 2 MiB or 1 GiB");
	if (f->value[F_ADDR] % align)
		return fail(ps, f->at[F_ADDR], "the address is not aligned");
	if (op == TRACE_MAP && f->value[F_PHYS] % size)
		return fail(ps, f->at[F_PHYS], "the physical address is not aligned");
	if (f->value[F_ADDR] + size < size)
		return fail(ps, f->at[F_SIZE], "address and size wrap around");
	return true;
}

static bool parse_op(struct parser *ps, const struct kind *k, const struct fields *f,
		     struct trace_event *ev)
{
	struct live *l, key = { .pgt = f->value[F_PGT] };
	struct trace_vm *vm;

	l = RB_FIND(live_tree, &ps->live, &key);
	if (!l)
		return fail(ps, f->at[F_PGT], "no s2_init for this pgt before");
	ev->vm = l->vm;
	vm = &ps->t->vm[l->vm];
	if (k->op == TRACE_DESTROY) {
		if (f->value[F_IA_BITS] < 32 || f->value[F_IA_BITS] > 52)
			return fail(ps, f->at[F_IA_BITS], "an IPA size is 32 to 52 bits");
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
	ev->column = (uint16_t)column(ps, f->at[F_ADDR]);
	if (k->needed & F(PROT) &&
	    !parse_prot(ps, f, k->op == TRACE_RELAX_PERMS, &ev->attr))
		return false;
	if (k->op == TRACE_AGE)
		ev->attr = !!f->value[F_MKOLD];
	if (k->op == TRACE_MAP || k->op == TRACE_RELAX_PERMS)
		ps->task->last = ps->t->events;
	vm->maps += k->op == TRACE_MAP;
	if (vm->end < ev->addr + ev->size)
		vm->end = ev->addr + ev->size;
	return add_event(ps, *ev);
}

static bool parse_phase(struct parser *ps)
{
	struct trace *t = ps->t;
	struct trace_event ev = { .op = TRACE_PHASE,
				  .column = (uint16_t)ps->name_column };
	size_t len;

	if (strncmp(ps->p, "@phase ", 7))
		return true;
	len = strlen(ps->p + 7) + 1;
	if (!grow(ps, &t->text, t->text_len, &t->text_room, len, 1))
		return false;
	memcpy(t->text + t->text_len, ps->p + 7, len);
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

	for (i = 0; i < ps->t->cpus; i++)
		if (ps->cpu_number[i] == cpu)
			return i;
	if (ps->t->cpus == TRACE_CPUS)
		return cpu % TRACE_CPUS;
	ps->cpu_number[ps->t->cpus] = (unsigned)cpu;
	return ps->t->cpus++;
}

static bool parse_event(struct parser *ps)
{
	struct trace_event ev = { 0 };
	uint64_t pid, cpu, time;
	const char *name, *colon;
	struct fields f;
	size_t i, len;
	bool ok;

	if (!parse_task(ps, &pid, &cpu) || !parse_time(ps, &time))
		return false;
	name = ps->p;
	colon = strstr(name, ": ");
	len = colon ? (size_t)(colon - name) : 0;
	if (!len || memchr(name, ' ', len))
		return fail(ps, name, "no event name and colon here");
	ps->p = colon + 2;
	ps->name_column = column(ps, name);
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
		ps->t->faults++;
		return true;
	}
	if (len < 3 || memcmp(name, "s2_", 3)) {
		ps->t->ignored++;
		return true;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, name, len))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return fail(ps, name, "unknown operation %.*s", (int)len, name);
	ev.op = kinds[i].op;
	ev.column = (uint16_t)ps->name_column;
	if (!parse_fields(ps, kinds[i].needed, &f))
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

	ps->line = line;
	if (nul)
		return fail(ps, nul, "a NUL byte: this is not text");
	while (*line == ' ' || *line == '\t')
		line++;
	return !*line || *line == '#' || parse_event(ps);
}

static void parser_free(struct parser *ps)
{
	struct live *l, *ln;
	struct task *k, *kn;

	RB_FOREACH_SAFE(l, live_tree, &ps->live, ln)
	{
		RB_REMOVE(live_tree, &ps->live, l);
		free(l);
	}
	RB_FOREACH_SAFE(k, task_tree, &ps->tasks, kn)
	{
		RB_REMOVE(task_tree, &ps->tasks, k);
		free(k);
	}
}

bool trace_read(struct trace *t, const char *path)
{
	struct parser ps = { .t = t };
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
			ps.failed = true;
		} else {
			parse_line(&ps, line, len);
		}
		if (ps.failed)
			break;
	}
	if (got < 0) {
		trace_error(t, t->lines + 1, (unsigned)len + 1, "%s", what);
		ps.failed = true;
	} else if (!got && !t->vms) {
		trace_error(t, t->lines + 1, 1, "there is no s2_init in this file");
		ps.failed = true;
	}
	lines_close(in);
	parser_free(&ps);
	if (ps.failed)
		trace_free(t);
	return !ps.failed;
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
