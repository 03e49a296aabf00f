/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L /* strndup */

#include <stdlib.h>
#include <string.h>

#include "trace_parts.h"

struct task_name {
	RB_ENTRY(task_name) node;
	const char *text;
	size_t len;
	uint32_t index; /* in trace.task_name */
};

static int task_cmp(struct task *a, struct task *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int task_name_cmp(struct task_name *a, struct task_name *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->text, b->text, a->len);
}

RB_PROTOTYPE(task_tree, task, node, task_cmp)
RB_GENERATE(task_tree, task, node, task_cmp)
RB_PROTOTYPE(task_name_tree, task_name, node, task_name_cmp)
RB_GENERATE(task_name_tree, task_name, node, task_name_cmp)

bool trace_grow(void *array, size_t n, size_t *room, size_t more, size_t size)
{
	void **a = array, *bigger;
	size_t want = *room ? *room : 1024;

	if (n + more <= *room)
		return true;
	while (want < n + more)
		want *= 2;
	bigger = realloc(*a, want * size);
	if (!bigger)
		return false;
	*a = bigger;
	*room = want;
	return true;
}

static struct task_name *name_of(struct tasks *ts, struct trace *t, const char *text,
				 size_t len)
{
	struct task_name *n, key = { .text = text, .len = len };
	char *copy;

	n = RB_FIND(task_name_tree, &ts->names, &key);
	if (n)
		return n;
	n = malloc(sizeof(*n));
	copy = strndup(text, len);
	if (!n || !copy ||
	    !trace_grow(&t->task_name, t->task_names, &t->task_name_room, 1,
			sizeof(*t->task_name))) {
		free(n);
		free(copy);
		return NULL;
	}
	*n = (struct task_name){ .text = copy,
				 .len = len,
				 .index = (uint32_t)t->task_names };
	t->task_name[t->task_names++] = copy;
	RB_INSERT(task_name_tree, &ts->names, n);
	return n;
}

/* The task gets an entry in trace.task under this name. */
static bool task_rename(struct trace *t, struct task *task, const struct task_name *name)
{
	if (!trace_grow(&t->task, t->tasks, &t->task_room, 1, sizeof(*t->task)))
		return false;
	task->index = (uint32_t)t->tasks;
	t->task[t->tasks++] =
		(struct trace_task){ .pid = task->pid, .name = name->index };
	return true;
}

struct task *task_of(struct tasks *ts, struct trace *t, uint64_t pid, const char *name,
		     size_t len)
{
	struct task *task, key = { .pid = pid };
	const char *old;
	struct task_name *n;

	task = RB_FIND(task_tree, &ts->tree, &key);
	if (task) {
		old = t->task_name[t->task[task->index].name];
		/* "<...>": ftrace has forgotten the name. */
		if ((strlen(old) == len && !memcmp(old, name, len)) ||
		    (len == 5 && !memcmp(name, "<...>", len)))
			return task;
		n = name_of(ts, t, name, len);
		return n && task_rename(t, task, n) ? task : NULL;
	}
	n = name_of(ts, t, name, len);
	task = n ? malloc(sizeof(*task)) : NULL;
	if (!task)
		return NULL;
	*task = (struct task){ .pid = pid, .last = TASK_NEW };
	if (!task_rename(t, task, n)) {
		free(task);
		return NULL;
	}
	RB_INSERT(task_tree, &ts->tree, task);
	return task;
}

void tasks_free(struct tasks *ts)
{
	struct task_name *n, *nn;
	struct task *k, *kn;

	RB_FOREACH_SAFE(k, task_tree, &ts->tree, kn) {
		RB_REMOVE(task_tree, &ts->tree, k);
		free(k);
	}
	RB_FOREACH_SAFE(n, task_name_tree, &ts->names, nn) {
		RB_REMOVE(task_name_tree, &ts->names, n);
		free(n);
	}
}
