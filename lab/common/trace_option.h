/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_LAB_TRACE_OPTION_H
#define STAGE2_LAB_TRACE_OPTION_H

#include "trace_out.h"

/* The options --trace-out FILE and --trace-for FORMAT of a command. */
struct trace_option {
	const char *path; /* NULL: no trace */
	enum trace_out_format format;
};
/* NULL after a message, or if there is no path (*failed is false then). */
struct trace_out *trace_option_open(const struct trace_option *o, bool *failed);
/* False after a message. */
bool trace_option_close(const struct trace_option *o, struct trace_out *t);

#endif /* STAGE2_LAB_TRACE_OPTION_H */
