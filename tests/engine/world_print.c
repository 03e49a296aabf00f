/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call of the differential run as a line of C. */
#include "world.h"

#include <inttypes.h>

const char *world_result(int ret)
{
	static const char *const name[] = {
		"S2_MORE", "0",	     "CONFIG", "IPA_BITS",  "PA_BITS",	"UNSUPPORTED",
		"ALIGN",   "SIZE",   "WRAP",   "IPA_RANGE", "PA_RANGE", "ATTR",
		"FLAGS",   "BUDGET", "RESUME", "EXIST",	    "NOENT",	"BUSY",
		"NOMEM",   "BLOCK",  "BATCH"
	};
	unsigned i = (unsigned)(1 - ret);

	return i < sizeof(name) / sizeof(*name) ? name[i] : "?";
}

static void print_flags(FILE *f, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} all[] = {
		{ S2_MAP_PAGES, "S2_MAP_PAGES" },   { S2_MAP_REPLACE, "S2_MAP_REPLACE" },
		{ S2_DROP_EDGES, "S2_DROP_EDGES" }, { S2_SPLIT_EDGES, "S2_SPLIT_EDGES" },
		{ S2_NO_CLEAN, "S2_NO_CLEAN" },	    { S2_CLEAR, "S2_CLEAR" },
		{ S2_SHARED, "S2_SHARED" },	    { S2_KEEP_NOTES, "S2_KEEP_NOTES" },
		{ S2_MAP_CONT, "S2_MAP_CONT" },	    { S2_MAP_NEW, "S2_MAP_NEW" }
	};
	const char *sep = ", ";

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (flags & all[i].flag) {
			fprintf(f, "%s%s", sep, all[i].name);
			sep = " | ";
		}
}

void world_print_call(struct world *w, const struct call *c, int ret)
{
	FILE *f = w->print;

	if (!f)
		return;
	/* Of the steps of one record the first and the last. */
	if (w->printed == w->record + 1 && ret == S2_MORE)
		return;
	w->printed = w->record + 1;
	fprintf(f, "s2_%s(s2, 0x%" PRIx64, c->kind->name, c->ipa);
	if (c->kind->note == NOTE_MAPS)
		fprintf(f, ", 0x%" PRIx64, c->pa);
	if (!c->kind->point)
		fprintf(f, ", 0x%" PRIx64, c->size);
	fprintf(f, ", attr 0x%x", c->attr);
	fprintf(f, ", note %u", c->note);
	print_flags(f, c->flags);
	if (c->log)
		fprintf(f, ", log 0x%" PRIx64 " 0x%" PRIx64, c->log->dirty.ipa.ipa,
			c->log->dirty.size);
	if (c->with_op)
		fprintf(f, ", op[%u]", c->slot);
	fprintf(f, "); /* %u: PE%u", w->record, w->pe);
	if (c->op.max_entries)
		fprintf(f, ", entries %u", c->op.max_entries);
	if (c->op.max_bytes)
		fprintf(f, ", bytes 0x%" PRIx64, c->op.max_bytes);
	if (c->op.batch)
		fprintf(f, ", batched");
	if (c->limbo >= 0)
		fprintf(f, ", limbo %d", c->limbo);
	if (c->fail_after >= 0)
		fprintf(f, ", allocation %ld fails", c->fail_after);
	fprintf(f, ": %s */\n", world_result(ret));
}
