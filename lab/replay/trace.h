/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Recordings of KVM's kvm_pgtable_stage2_*() calls as ftrace text (docs/replay.md
 * has the probes and the rules of reading). A recording is read whole before it
 * is replayed: the IPA size of a VM stands in its last line, and whether a map
 * failed in a line after it. Kept is a record for each operation; everything
 * else is only counted, so memory is bounded by TRACE_MAX_EVENTS.
 */
#ifndef STAGE2_LAB_TRACE_H
#define STAGE2_LAB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 40 bytes each: 640 MiB at the very most. */
#define TRACE_MAX_EVENTS (UINT32_C(1) << 24)
/* CPUs beyond these share a number with an earlier one. */
#define TRACE_CPUS 8u

enum trace_op {
	TRACE_PHASE, /* "@phase TEXT" in the marker file; addr: offset in text */
	TRACE_INIT,
	TRACE_MAP,
	TRACE_UNMAP,
	TRACE_WRPROTECT,
	TRACE_RELAX_PERMS,
	TRACE_MKYOUNG,
	TRACE_AGE,
	TRACE_FLUSH,
	TRACE_SPLIT,
	TRACE_DESTROY,
	TRACE_FAILED, /* a map or relax_perms that changed nothing */
	TRACE_OPS
};

/* "map", "unmap", ...: as they are printed. */
extern const char *const trace_op_names[TRACE_OPS];

struct trace_event {
	uint64_t addr, size, phys;
	uint32_t line;
	uint32_t vm;	 /* index in trace.vm; not for TRACE_PHASE */
	uint16_t column; /* of the address, or of the event's name */
	uint16_t attr;	 /* s2_attr_t of map and relax_perms; age: clear it */
	uint8_t op;
	uint8_t cpu; /* numbered as they appear, 0..TRACE_CPUS-1 */
};

struct trace_vm {
	uint64_t pgt;
	uint64_t end; /* the highest address an operation names, + 1 */
	uint32_t init_line;
	uint32_t maps;	 /* that did not fail */
	uint8_t ia_bits; /* 0: not destroyed in this recording */
};

struct trace {
	const char *name; /* the file's, for messages */
	struct trace_event *event;
	size_t events, room;
	struct trace_vm *vm;
	size_t vms, vm_room;
	char *text; /* phase names, each with its NUL */
	size_t text_len, text_room;
	unsigned cpus; /* different ones seen, at most TRACE_CPUS */
	uint32_t lines;
	uint64_t faults;  /* kvm_guest_fault */
	uint64_t ignored; /* other events that are no page-table operation */
};

/*
 * Reads @path, "-" being the standard input, as text or xz. Return: false after
 * "FILE:LINE:COLUMN: what" on stderr; then there is nothing to free.
 */
bool trace_read(struct trace *t, const char *path);
void trace_free(struct trace *t);

/* "FILE:LINE:COLUMN: " and the message, on stderr. */
void trace_error(const struct trace *t, uint32_t line, unsigned column, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

#endif /* STAGE2_LAB_TRACE_H */
