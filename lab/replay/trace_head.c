/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The head of a line: task, CPU, time and name of the event, as these programs print it.
 *
 * ftrace and bpftrace	COMM-PID [CPU] 1.000001: NAME: ...
 *			COMM-PID (TGID) [CPU] d..1. 1.000001: NAME: ...
 * trace-cmd report	the same with the name padded, and a line cpus=N before
 * perf script		COMM PID [CPU] 1.000001: GROUP:NAME: ...
 *			COMM PID/TID [CPU] 1.000001: GROUP:NAME: ...
 */
#include <string.h>

#include "trace_line.h"

bool trace_is_note(const char *line)
{
	static const char *const notes[] = { "cpus=", "version =", "Attaching ",
					     "Processed " };

	while (*line == ' ' || *line == '\t')
		line++;
	if (!*line || *line == '#')
		return true;
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (!strncmp(line, notes[i], strlen(notes[i])))
			return !strchr(line, '[') && !strstr(line, "lost");
	return !strncmp(line, "CPU ", 4) && strstr(line, " is empty");
}

const char *trace_says(const char *line, enum trace_says what)
{
	/* By ports/linux/record.sh, and by perf script --header. */
	static const char *const says[][2] = {
		[TRACE_SAYS_KERNEL] = { "# kernel: ", "# os release : " },
		[TRACE_SAYS_ABSENT] = { "# no probe: ", NULL },
	};

	for (size_t i = 0; i < 2 && says[what][i]; i++)
		if (!strncmp(line, says[what][i], strlen(says[what][i])))
			return line + strlen(says[what][i]);
	return NULL;
}

static const char *blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* The end of the text before @p, without the blanks between. */
static const char *before_blanks(const char *p, const char *start)
{
	while (p > start && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p;
}

/* The digits that end at @p begin here. */
static const char *before_digits(const char *p, const char *start)
{
	while (p > start && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return p;
}

/* What is between @start and the bracket at @p: "COMM-PID (TGID) " or "COMM PID/TID ". */
static bool comm_and_pid(struct trace_head *h, const char *start, const char *p)
{
	const char *digits, *at;

	p = before_blanks(p, start);
	if (p > start && p[-1] == ')') {
		at = before_digits(p - 1, start);
		while (at > start && (at[-1] == ' ' || at[-1] == '-'))
			at--;
		if (at == start || at[-1] != '(')
			return false;
		p = before_blanks(at - 1, start);
	}
	digits = before_digits(p, start);
	if (digits > start && digits[-1] == '/') /* the second number is the thread's */
		at = before_digits(digits - 1, start);
	else
		at = digits;
	if (digits == p || at == start || (at[-1] != '-' && at[-1] != ' '))
		return false;
	if (!trace_digits(&digits, &h->pid))
		return false;
	h->comm = start;
	h->comm_len =
		(size_t)((at[-1] == '-' ? at - 1 : before_blanks(at, start)) - start);
	return h->comm_len > 0;
}

/*
 * COMM may contain blanks, minus signs and brackets, so this takes the first "[CPU] " that
 * has a task before it.
 */
static bool task_and_cpu(struct trace_line *l, struct trace_head *h)
{
	const char *start = blanks(l->line), *bracket, *p;

	for (bracket = start; (bracket = strchr(bracket, '[')); bracket++) {
		p = bracket + 1;
		if (!trace_digits(&p, &h->cpu) || p[0] != ']' || p[1] != ' ')
			continue;
		if (!comm_and_pid(h, start, bracket))
			continue;
		l->p = p + 1;
		return true;
	}
	if ((!strncmp(start, "CPU:", 4) &&
	     (strstr(start, "LOST") || strstr(start, "DROPPED"))) ||
	    !strncmp(start, "Lost ", 5))
		return trace_fail(l, start,
				  "events were lost here: the recording cannot be "
				  "replayed");
	if (strstr(start, " <-"))
		return trace_fail(
			l, start,
			"a line of the function tracer, which has no arguments: "
			"record with ports/linux/record.sh (docs/record.md)");
	return trace_fail(l, start, "not a line of ftrace: no \"TASK-PID [CPU] \"%s",
			  strstr(start, ": s2_") ?
				  " (its latency format is not read: trace-cmd report "
				  "without -l)" :
				  "");
}

/* "[irq-info] SECONDS.FRACTION: ", the fraction in micro- or nanoseconds. */
static bool time_of(struct trace_line *l, uint64_t *time)
{
	static const char none[] = "no time stamp SECONDS.MICROSECONDS: here";
	uint64_t seconds, fraction;
	const char *p, *at, *dot;
	size_t n;

	l->p = blanks(l->p);
	n = strcspn(l->p, " ");
	if (n && l->p[n - 1] != ':')
		l->p = blanks(l->p + n);
	p = at = l->p;
	if (!trace_digits(&p, &seconds) || *p != '.')
		return trace_fail(l, at, "%s", none);
	dot = ++p;
	if (!trace_digits(&p, &fraction) || p - dot > 9 || p[0] != ':' || p[1] != ' ' ||
	    seconds > UINT64_MAX / 1000000000 - 1)
		return trace_fail(l, at, "%s", none);
	for (n = (size_t)(p - dot); n < 9; n++)
		fraction *= 10;
	*time = seconds * 1000000000 + fraction;
	if (*time < l->last_time)
		return trace_fail(
			l, at,
			"the time goes back: lines are not in order (sort them: "
			"docs/record.md)");
	l->last_time = *time;
	l->p = blanks(p + 2);
	return true;
}

bool trace_head(struct trace_line *l, struct trace_head *h)
{
	const char *colon, *group;

	if (!task_and_cpu(l, h) || !time_of(l, &h->time))
		return false;
	h->name = l->p;
	colon = strstr(h->name, ": ");
	h->name_len = colon ? (size_t)(colon - h->name) : 0;
	if (!h->name_len || memchr(h->name, ' ', h->name_len)) {
		if (strstr(l->p, "PERF_RECORD_LOST"))
			return trace_fail(
				l, l->p,
				"events were lost here: the recording cannot be "
				"replayed");
		return trace_fail(l, h->name, "no event name and colon here");
	}
	group = memchr(h->name, ':', h->name_len);
	if (group) {
		h->name_len -= (size_t)(group + 1 - h->name);
		h->name = group + 1;
	}
	l->p = blanks(colon + 2);
	return true;
}
