/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: one trace, from its first line to the verdict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lines.h"
#include "judge.h"

bool judge_begin(struct judge *j, const struct judge_options *opt, FILE *log)
{
	memset(j, 0, sizeof(*j));
	j->opt = opt;
	j->log = log;
	j->lock = calloc(JUDGE_LOCKS, sizeof(*j->lock));
	j->owner = calloc(JUDGE_OWNERS, sizeof(*j->owner));
	j->finding = calloc(JUDGE_FINDINGS, sizeof(*j->finding));
	j->strange = calloc(JUDGE_STRANGE, sizeof(*j->strange));
	return j->lock && j->owner && j->strange && j->finding;
}

void judge_free(struct judge *j)
{
	machine_free(j->m);
	free(j->lock);
	free(j->owner);
	free(j->strange);
	free(j->root);
	free(j->origin);
	free(j->finding);
	memset(j, 0, sizeof(*j));
}

bool judge_line(struct judge *j, uint64_t line, const char *text, size_t len)
{
	switch (reader_line(&j->rd, line, text, len, &j->error)) {
	case READER_RECORD:
		return judge_step(j, &j->rd.last);
	case READER_ERROR:
		j->malformed = true;
		return false;
	default:
		return true;
	}
}

/* What would make "ok" say nothing. */
static void judge_vacuous(struct judge *j)
{
	uint64_t pa, stored;

	if (!j->records) {
		judge_cannot(j, "there is no record in it%s",
			     j->rd.prose ? ", only other text" : "");
		return;
	}
	if (!s2m_trees(j->m) && j->el2_tree)
		judge_cannot(j, "the only tables are of EL2's own stage 1, which is not "
				"judged");
	if (j->switched && !j->on)
		judge_cannot(j, "stage 2 is never on: no HCR_EL2 has VM = 1");
	if (!s2m_trees(j->m))
		judge_cannot(j, "no VTTBR_EL2 points to a tree");
	stored = s2m_tables_stored(j->m, &j->apart);
	if (j->apart && j->apart == stored && !s2m_live_stores(j->m) && !j->own)
		judge_cannot(j, "no page that is written is in a tree: its VTTBR_EL2 is "
				"missing, or another one is loaded");
	for (size_t i = 0; i < j->stranges; i++) {
		if (!s2m_table_reached(j->m, j->strange[i]))
			continue;
		judge_cannot(
			j,
			"%#llx is written, and the trace has not initialised its page: "
			"what else is in it is not known",
			(unsigned long long)j->strange[i]);
	}
	if (s2m_table_strange(j->m, &pa))
		judge_cannot(
			j,
			"a table is linked at %#llx, and the trace has not initialised "
			"the page: what is in it is not known",
			(unsigned long long)pa);
}

enum judge_verdict judge_end(struct judge *j)
{
	if (!j->malformed && !j->reason[0] &&
	    reader_end(&j->rd, &j->error) == READER_ERROR)
		j->malformed = true;
	if (j->malformed)
		return JUDGE_MALFORMED;
	if (j->m && !j->own)
		judge_runs(j, JUDGE_PES, false);
	if (j->m) {
		judge_take_over(j);
		/* Traces of s2lab have promises of their own. */
		if (!j->own && !j->opt->no_claims && !j->reason[0]) {
			s2m_claim_settled(j->m, 0);
			judge_take_over_settled(j);
		}
	}
	if (j->found)
		return JUDGE_BAD;
	judge_vacuous(j);
	return j->reason[0] ? JUDGE_UNJUDGED : JUDGE_OK;
}

/* Findings at the end name a record from before. Its source is in the file. */
static void find_sources(struct judge *j, const char *path)
{
	struct reader *rd = calloc(1, sizeof(*rd));
	struct lines *in = NULL;
	struct reader_error err;
	const char *text, *what;
	uint64_t line = 0;
	size_t len, left = 0;

	for (size_t i = 0; i < j->findings; i++)
		left += !j->finding[i].src[0];
	if (rd && left)
		in = lines_open(path, false);
	while (in && left && lines_next(in, &text, &len, &what) > 0) {
		if (reader_line(rd, ++line, text, len, &err) != READER_RECORD)
			continue;
		for (size_t i = 0; i < j->findings; i++) {
			struct judge_finding *f = &j->finding[i];

			if (f->src[0] || f->line != rd->line)
				continue;
			memcpy(f->src, rd->last.src, sizeof(f->src));
			left--;
		}
	}
	if (in)
		lines_close(in);
	free(rd);
}

enum judge_verdict judge_file(struct judge *j, const struct judge_options *opt,
			      const char *path, FILE *log)
{
	struct lines *in = NULL;
	const char *text, *what;
	uint64_t line = 0;
	enum judge_verdict verdict;
	size_t len;
	int got = 0;

	if (!judge_begin(j, opt, log)) {
		judge_cannot(j, "out of memory");
		return JUDGE_UNJUDGED;
	}
	in = lines_open(path, false);
	if (!in) {
		j->malformed = true;
		snprintf(j->error.what, sizeof(j->error.what), "%s", strerror(errno));
		return JUDGE_MALFORMED;
	}
	do {
		line++;
		got = lines_next(in, &text, &len, &what);
		if (got < 0) {
			j->malformed = true;
			j->error.line = line;
			j->error.column = (unsigned)len + 1;
			snprintf(j->error.what, sizeof(j->error.what), "%s", what);
		}
	} while (got > 0 && judge_line(j, line, text, len));
	lines_close(in);
	verdict = judge_end(j);
	if (strcmp(path, "-"))
		find_sources(j, path);
	return verdict;
}
