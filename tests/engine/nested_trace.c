/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the nested calls print: the calls of a world, kept until it fails, and the fault.
 */
#include <signal.h>
#include <unistd.h>

#include "nested.h"

static char text[1 << 20];
static size_t length;

const char *const kind_name[KINDS] = {
	"map",	    "unmap", "wrprotect", "relax",  "mkyoung", "age",	   "split",
	"collapse", "clean", "count",	  "lookup", "flush",   "annotate",
};

void trace_clear(void)
{
	length = 0;
}

void nested_trace(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + length, sizeof(text) - length, format, args);
	va_end(args);
	if (world.verbose)
		fputs(text + length, stdout);
	if (n > 0 && length + (size_t)n < sizeof(text) - 512)
		length += (size_t)n;
}

static void print_world(void)
{
	if (!world.verbose)
		fwrite(text, 1, length, stdout);
	printf("# seed %" PRIu64 ", world %" PRIu64 ": nested 0 %" PRIu64 " %" PRIu64
	       "\n",
	       world.seed, world.number, world.seed, world.number);
	fflush(stdout);
}

/* Whether the rule is in the list, of names with commas between. */
static bool is_allowed(const char *rule)
{
	const char *list = getenv("NESTED_ALLOW");
	size_t n = strlen(rule);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, rule, n) && (at[n] == ',' || !at[n]))
			return true;
	}
	return false;
}

void nested_fail(const char *rule, const char *format, ...)
{
	va_list args;

	if (is_allowed(rule))
		return;
	if (world.depth)
		nested_trace("%*s! event %" PRIu64 " of the world, in call %" PRIu64 "\n",
			     2 * (int)world.depth, "", world.events, call_now()->id);
	print_world();
	printf("not ok %s: ", rule);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static void aborted(int number)
{
	(void)number;
	print_world();
	printf("not ok aborted\n");
	fflush(stdout);
	_exit(1);
}

void nested_trace_call(const struct call *c)
{
	static const char *const flag[] = { "pages",   "replace", "drop",   "split",
					    "noclean", "",	  "shared", "clear" };

	nested_trace("%*s%" PRIu64 " %s +0x%" PRIx64 " 0x%" PRIx64, 2 * (int)world.depth,
		     "", c->id, kind_name[c->kind], c->ipa - world.base, c->size);
	if (c->kind == MAP)
		nested_trace(" to 0x%" PRIx64, c->pa);
	if (c->kind == MAP || c->kind == RELAX)
		nested_trace(" attr 0x%x", c->attr);
	for (unsigned i = 0; i < 8; i++)
		if (c->flags >> i & 1)
			nested_trace(" %s", flag[i]);
	if (c->batched)
		nested_trace(" batched");
	if (c->op.max_entries || c->op.max_bytes)
		nested_trace(" entries %u bytes 0x%" PRIx64, c->op.max_entries,
			     c->op.max_bytes);
	nested_trace(" at event %" PRIu64 "\n", world.events);
}

/* NESTED_EVENTS: from which event on each is printed, of a world that runs alone. */
void nested_event(enum count_event what, uint64_t at, uint64_t value)
{
	static const char *const name[] = {
		"load",	   "store",	"release",    "cas",	    "dsb ishst",
		"dsb ish", "dsb sy",	"dsb nsh",    "isb",	    "ipas2e1",
		"vmalle1", "ipas2e1is", "ripas2e1is", "vmalle1is",  "vmalls12e1is",
		"agents",  "clean",	"gone",	      "executable", "alloc",
		"free",	   "root free", "vmid enter", "vmid leave", "word",
	};

	if (!world.verbose || world.events < world.print_from)
		return;
	printf("%*s%" PRIu64 ": %s 0x%" PRIx64 " 0x%" PRIx64 "\n", 2 * (int)world.depth,
	       "", world.events, name[what], at, value);
}

void trace_aborts(void)
{
	signal(SIGABRT, aborted);
}
