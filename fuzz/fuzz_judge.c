/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entry of the fuzzer into s2lab judge: a trace, with options before it in one byte,
 * unless it begins with a record. A fault is a crash, or an "ok" that has seen no tree.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/lines.h"
#include "judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct judge j;
	const char *text = (const char *)bytes, *end = text + size, *lf;
	struct judge_options opt = { 0 };
	bool more = true;

	if (size && *bytes != '(') {
		opt.locks = *bytes & 1;
		opt.strict = *bytes & 2;
		opt.no_claims = *bytes & 4;
		opt.named = *bytes & 8;
		opt.af = *bytes & 16;
		opt.cleans = *bytes & 32;
		text++;
	}
	if (!judge_begin(&j, &opt, NULL))
		abort();
	for (uint64_t line = 1; more && text < end; line++, text = lf + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		if (!lf)
			lf = end;
		if (lf - text > (ptrdiff_t)LINES_MAX)
			break;
		more = judge_line(&j, line, text, (size_t)(lf - text));
	}
	if (judge_end(&j) == JUDGE_OK && !s2m_trees(j.m))
		abort();
	judge_free(&j);
	return 0;
}
