// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU (TCG). It counts what certain kernel functions execute, from outside,
 * so that the kernel that is measured is the kernel that runs.
 *
 *         -plugin count.so,out=FILE,fn=NAME:ADDRESS,...,not=NAME:ADDRESS,vectors=ADDRESS
 *
 * It counts the calls of each fn. For all calls together, and for the longest one, it
 * counts the instructions, TLBIs, DSBs and so on between entry and return, callees
 * included, interrupts and each "not" excluded. It also counts what the kernel executes
 * in all. The programs of the guest mark phases by two instructions without effect: HINT
 * #120 forgets what was counted, HINT #121 writes a line of JSON.
 *
 * It counts by translation blocks: counted code takes an exception only at the end of a
 * block. Each CPU is counted for itself. No other program may run on a CPU in the middle
 * of a counted function, because an exception that is entered in one program and left in
 * another one would not be seen as one interrupt. (With -icount QEMU runs the CPUs in
 * turns, in one thread.) The functions of the plugin interface are declared below,
 * because Debian has no package with its header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t {
	const char *target;
	struct {
		int min, cur;
	} version;
	bool system_emulation;
	struct {
		int vcpus, max_vcpus;
	} system;
} qemu_info_t;
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int vcpu, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb,
					  int flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { INSNS, CLEAN_LOOP, CLEANS, DSB, ISB, IPAS2, RIPAS2, S1, VMALLS12, LOCAL, KINDS };
static const char *const kind_name[KINDS] = {
	"instructions", "clean_loop", "dc_civac",  "dsb",	   "isb",
	"ipas2e1is",	"ripas2e1is", "vmalle1is", "vmalls12e1is", "local",
};

struct block {
	uint64_t pc, last_pc;
	uint32_t n[KINDS];
	int fn; /* that begins here, -1: none */
	bool call, eret, vector, reset, report;
};

struct function {
	char name[64];
	uint64_t pc;
	bool excluded;
	/* the finished calls */
	uint64_t calls, sum[KINDS], longest[KINDS];
};

#define MAX_FNS 32
#define MAX_CPUS 2

static struct function fns[MAX_FNS];
static int n_fns;

/* The calls that a CPU is in. */
static struct cpu {
	struct call {
		bool active;
		uint64_t ret, now[KINDS];
	} calls[MAX_FNS];
	int active;
	const struct block *last;
	unsigned interrupted;
	uint64_t resume; /* where an excluded function returns to; 0: in none */
} cpus[MAX_CPUS];

static uint64_t vectors, total;
static FILE *out;

static void sort_instruction(struct block *b, uint32_t w, uint64_t pc)
{
	b->n[INSNS]++;
	b->last_pc = pc;
	b->call = (w & 0xfc000000) == 0x94000000 || (w & 0xfffffc1f) == 0xd63f0000;
	b->eret = w == 0xd69f03e0;
	b->reset |= w == (0xd503201f | 120u << 5);
	b->report |= w == (0xd503201f | 121u << 5);
	if ((w & 0xfffff0ff) == 0xd503309f) {
		b->n[DSB]++;
	} else if ((w & 0xfffff0ff) == 0xd50330df) {
		b->n[ISB]++;
	} else if ((w & 0xfff80000) == 0xd5080000) {
		/* SYS: op1, CRn, CRm, op2 as four digits */
		unsigned sys = (w >> 16 & 7) << 12 | (w >> 12 & 15) << 8 |
			       (w >> 8 & 15) << 4 | (w >> 5 & 7);

		switch (sys) {
		case 0x37e1:
			b->n[CLEANS]++;
			break;
		case 0x4801:
			b->n[IPAS2]++;
			break;
		case 0x4802:
			b->n[RIPAS2]++;
			break;
		case 0x0830:
			b->n[S1]++;
			break;
		case 0x4836:
			b->n[VMALLS12]++;
			break;
		case 0x4841:
		case 0x0870:
			b->n[LOCAL]++;
			break;
		}
	}
}

static void finish(struct cpu *cpu, struct function *f)
{
	struct call *call = &cpu->calls[f - fns];

	call->active = false;
	cpu->active--;
	f->calls++;
	for (int k = 0; k < KINDS; k++)
		f->sum[k] += call->now[k];
	if (call->now[INSNS] > f->longest[INSNS])
		memcpy(f->longest, call->now, sizeof(f->longest));
}

static void print_counts(const char *name, const uint64_t *n)
{
	fprintf(out, "\"%s\": {", name);
	for (int k = 0; k < KINDS; k++)
		fprintf(out, "%s\"%s\": %" PRIu64, k ? ", " : "", kind_name[k], n[k]);
	fprintf(out, "}");
}

static void report(void)
{
	fprintf(out, "{\"total\": %" PRIu64, total);
	for (int i = 0; i < n_fns; i++) {
		fprintf(out, ", \"%s\": {\"calls\": %" PRIu64 ", ", fns[i].name,
			fns[i].calls);
		print_counts("sum", fns[i].sum);
		fprintf(out, ", ");
		print_counts("longest", fns[i].longest);
		fprintf(out, "}");
	}
	fprintf(out, "}\n");
	fflush(out);
}

static void executed(unsigned int vcpu, void *userdata)
{
	const struct block *b = userdata;
	struct cpu *cpu = &cpus[vcpu];
	struct function *f;
	struct call *call;

	/* What a CPU was in the middle of has been left for another program. */
	if (b->reset) {
		memset(cpus, 0, sizeof(cpus));
		total = 0;
		for (f = fns; f < fns + n_fns; f++) {
			f->calls = 0;
			memset(f->sum, 0, sizeof(f->sum));
			memset(f->longest, 0, sizeof(f->longest));
		}
	}
	if (b->report)
		report();
	total += b->n[INSNS];
	if (b->vector && cpu->active)
		cpu->interrupted++;
	if (cpu->interrupted) {
		cpu->interrupted -= b->eret;
		return;
	}
	if (cpu->resume && cpu->resume != b->pc)
		return;
	cpu->resume = 0;
	for (f = fns; cpu->active && f < fns + n_fns; f++)
		if (cpu->calls[f - fns].active && cpu->calls[f - fns].ret == b->pc)
			finish(cpu, f);
	if (b->fn >= 0 && cpu->last && cpu->last->call && !cpu->calls[b->fn].active &&
	    (cpu->active || !fns[b->fn].excluded)) {
		if (fns[b->fn].excluded) {
			cpu->resume = cpu->last->last_pc + 4;
			return;
		}
		call = &cpu->calls[b->fn];
		memset(call, 0, sizeof(*call));
		call->active = true;
		call->ret = cpu->last->last_pc + 4;
		cpu->active++;
	}
	cpu->last = b;
	for (call = cpu->calls; cpu->active && call < cpu->calls + n_fns; call++)
		for (int k = 0; call->active && k < KINDS; k++)
			call->now[k] += b->n[k];
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	b->pc = qemu_plugin_tb_vaddr(tb);
	for (size_t i = 0; i < n; i++) {
		uint32_t w;

		memcpy(&w, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
		sort_instruction(b, w, b->pc + 4 * i);
	}
	if (b->n[CLEANS])
		b->n[CLEAN_LOOP] = b->n[INSNS];
	/* Where an exception is entered, and not the rest of that code. */
	b->vector = vectors && b->pc - vectors < 0x800 && !((b->pc - vectors) % 0x80);
	b->fn = -1;
	for (int i = 0; i < n_fns; i++)
		if (fns[i].pc == b->pc)
			b->fn = i;
	/* The code of the guest and of the programs is of no interest. */
	if (b->pc >> 47 || b->reset || b->report)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, b);
	else
		free(b);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			       char **argv)
{
	if (info->system.max_vcpus > MAX_CPUS)
		return -1;
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '='), *colon;

		if (!value++)
			return -1;
		colon = strchr(value, ':');
		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(value, "w");
		} else if (!strncmp(argv[i], "vectors=", 8)) {
			vectors = strtoull(value, NULL, 16);
		} else if ((!strncmp(argv[i], "fn=", 3) ||
			    !strncmp(argv[i], "not=", 4)) &&
			   colon && n_fns < MAX_FNS) {
			struct function *f = &fns[n_fns++];

			snprintf(f->name, sizeof(f->name), "%.*s", (int)(colon - value),
				 value);
			f->pc = strtoull(colon + 1, NULL, 16);
			f->excluded = *argv[i] == 'n';
		} else {
			return -1;
		}
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
