/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Recordings of KVM's kvm_pgtable_stage2_*() calls as text. docs/replay.md has the probes
 * and the formats. A recording is read completely before it is replayed, because the IPA
 * size of a VM is in the event that destroys it, and the failure of a map is in a later
 * line than the map. Operations are stored; other events are only counted, so
 * TRACE_MAX_EVENTS limits the memory.
 */
#ifndef STAGE2_LAB_TRACE_H
#define STAGE2_LAB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 56 bytes each: at most 3.5 GiB, or 256 GiB of memory mapped page by page. */
#define TRACE_MAX_EVENTS (UINT32_C(1) << 26)
/* Further CPUs get the number of an earlier one. */
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

/* The names in the output: "map", "unmap", ... */
extern const char *const trace_op_names[TRACE_OPS];

struct trace_event {
	uint64_t addr, size, phys;
	uint64_t time; /* ns since the first event of the recording */
	uint32_t line;
	uint32_t task;	 /* index in trace.task */
	uint32_t vm;	 /* index in trace.vm; not for TRACE_PHASE */
	uint16_t column; /* where the address is, or the event's name */
	uint16_t attr;	 /* s2_attr_t of map and relax_perms; age: clear it */
	uint8_t op;
	uint8_t cpu; /* 0 to TRACE_CPUS - 1, in the order in which they appear */
};

struct trace_vm {
	uint64_t pgt;
	uint64_t end; /* the end of the highest range of an operation */
	uint32_t init_line;
	uint32_t maps;	 /* number of maps that did not fail */
	uint8_t ia_bits; /* the IPA size; 0: the recording does not say */
	bool destroyed;	 /* by an event of the recording */
	bool partial;	 /* it ran before the recording began */
};

/* A thread under one of its names. */
struct trace_task {
	uint64_t pid;
	uint32_t name; /* index in trace.task_name */
};

/* How many events there were in each of equal stretches of time. */
#define TRACE_BINS 256u
struct trace_bins {
	uint64_t width; /* ns */
	uint64_t n[TRACE_BINS];
};

struct trace {
	const char *name; /* the file's, for messages */
	struct trace_event *event;
	size_t events, room;
	struct trace_vm *vm;
	size_t vms, vm_room;
	char *text; /* phase names, each with its NUL */
	size_t text_len, text_room;
	struct trace_task *task;
	size_t tasks, task_room;
	char **task_name; /* each once */
	size_t task_names, task_name_room;
	unsigned cpus; /* different ones seen, at most TRACE_CPUS */
	uint32_t lines;
	uint64_t start, end;	 /* of the first and the last event, in ns */
	uint64_t faults;	 /* kvm_guest_fault */
	struct trace_bins bins;	 /* of the guest faults; none is later than the last */
	uint64_t ignored;	 /* other events that are no page-table operation */
	uint64_t earlier_vms;	 /* VMs that ran before the recording began, left out */
	uint64_t earlier_calls;	 /* what they did */
	char absent[128];	 /* events for which the kernel had no probe */
	uint64_t left_out_calls; /* of the VMs that trace_wanted.vm does not name */
};

/* What is asked for. */
struct trace_wanted {
	bool partial; /* replay VMs that ran before the recording began, too */
	bool one_vm;
	uint64_t vm;	    /* the only VM to replay: its number, or its pgt */
	const char *kernel; /* the release of the kernel that was recorded; or NULL */
};

/*
 * Reads @path (text, or compressed; "-" is standard input). Return: false after
 * "FILE:LINE:COLUMN: message" on stderr; then there is nothing to free.
 */
bool trace_read(struct trace *t, const char *path, const struct trace_wanted *wanted);
void trace_free(struct trace *t);

/* "FILE:LINE:COLUMN: " and the message, on stderr. */
void trace_error(const struct trace *t, uint32_t line, unsigned column, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

#endif /* STAGE2_LAB_TRACE_H */
