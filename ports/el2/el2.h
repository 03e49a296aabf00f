/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The monitor's own interfaces, a section for each file.
 */
#ifndef STAGE2_EL2_H
#define STAGE2_EL2_H

#include <stage2/stage2.h>

#include "cpu.h"
#include "plant.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define PAGE KIB(4)
#define BLOCK_SIZE MIB(2)
#define BLOCK_PAGES 512u

/* ---- libc.c: what of libc there is ---- */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
int strncmp(const char *a, const char *b, size_t n);

/* ---- console.c ---- */
enum { EXIT_GOOD = 0, EXIT_MISMATCH = 1, EXIT_PANIC = 2, EXIT_HANG = 3, EXIT_SHORT = 4 };
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void el2_exit(unsigned status) __attribute__((noreturn));

/* ---- cpu.c, entry.S ---- */
void el2_main(void) __attribute__((noreturn));
void el2_main_secondary(unsigned id) __attribute__((noreturn));
void el2_unexpected(unsigned vector) __attribute__((noreturn));

/* ---- port.c: table pages; s2_config.port points at one of these ---- */
struct pool {
	uint64_t base;	/* of the pages, aligned to the largest root */
	uint32_t shift; /* of a page: the granule */
	uint32_t pages; /* in all; the first 16 are the root's */
	uint32_t nfree;
	uint32_t *free;	  /* a stack of page numbers */
	uint64_t *meta;	  /* the engine's words */
	uint64_t vttbr;	  /* of the instance, VMID included */
	struct lock lock; /* faults and s2_release() may come at once */
};
/* Carve a pool out of [base, base + size); table pages, stack and words. */
void pool_init(struct pool *p, uint64_t base, uint64_t size, unsigned granule_shift);

#endif /* STAGE2_EL2_H */
