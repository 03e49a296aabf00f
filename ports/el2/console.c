/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Output of the monitor, one line at a time, and its exit. Both use semihosting, because
 * the UART belongs to the guest.
 */
#include <stdarg.h>

#include "el2.h"

enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18 };
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static struct lock console;

struct line {
	char text[256];
	unsigned n;
};

static void put(struct line *l, char c)
{
	if (l->n < sizeof(l->text) - 2)
		l->text[l->n++] = c;
}

static void put_number(struct line *l, uint64_t value, unsigned base)
{
	char digit[24];
	int n = 0;

	do
		digit[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (n)
		put(l, digit[--n]);
}

/* Only %s, %d, %u, %x, %lu, %lx. */
static void format_line(struct line *l, const char *format, va_list ap)
{
	for (; *format; format++) {
		const char *s;
		bool is_long;
		int v;

		if (*format != '%') {
			put(l, *format);
			continue;
		}
		is_long = *++format == 'l';
		format += is_long;
		switch (*format) {
		case 's':
			for (s = va_arg(ap, const char *); *s; s++)
				put(l, *s);
			break;
		case 'd':
			v = va_arg(ap, int);
			if (v < 0)
				put(l, '-');
			put_number(l, (uint64_t)(v < 0 ? -v : v), 10);
			break;
		case 'u':
		case 'x':
			put_number(l,
				   is_long ? va_arg(ap, uint64_t) : va_arg(ap, unsigned),
				   *format == 'x' ? 16 : 10);
			break;
		default:
			put(l, *format);
		}
	}
	l->text[l->n] = '\n';
	l->text[l->n + 1] = 0;
}

void say(const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	va_start(ap, format);
	format_line(&l, format, ap);
	va_end(ap);
	lock(&console);
	semihosting(SYS_WRITE0, l.text);
	unlock(&console);
}

void el2_exit(unsigned status)
{
	const uint64_t block[2] = { ADP_STOPPED_APPLICATION_EXIT, status };

	semihosting(SYS_EXIT, block);
	for (;;)
		cpu_relax();
}

/* No lock: the caller that panics may hold it. */
void el2_panic(const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	semihosting(SYS_WRITE0, "el2: panic: ");
	va_start(ap, format);
	format_line(&l, format, ap);
	va_end(ap);
	semihosting(SYS_WRITE0, l.text);
	el2_exit(EXIT_PANIC);
}
