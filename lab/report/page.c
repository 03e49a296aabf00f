/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "common/report.h"
#include "page.h"

bool page_write(FILE *f, struct cJSON *data)
{
	char *text = cJSON_PrintUnformatted(data);

	if (!text)
		return false;
	lab_utf8(text);
	fwrite(page_before, 1, page_before_len, f);
	/*
	 * In JSON "<" is in strings only. Escaped, no name in a recording can end the
	 * element that the data is in.
	 */
	for (const char *p = text; *p; p++) {
		if (*p == '<')
			fputs("\\u003c", f);
		else
			putc(*p, f);
	}
	fwrite(page_after, 1, page_after_len, f);
	cJSON_free(text);
	return true;
}
