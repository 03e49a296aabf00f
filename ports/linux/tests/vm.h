/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM in a few lines: memory slots, vCPUs that run a piece of code, stage 1 off. */
#ifndef STAGE2_TESTS_VM_H
#define STAGE2_TESTS_VM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VM_CODE_IPA UINT64_C(0x10000)

/* The page of the host, and the block that one table of pages replaces. */
unsigned long vm_page(void);
unsigned long vm_block(void);

/*
 * Memory that begins with a block. advice: MADV_HUGEPAGE or MADV_NOHUGEPAGE. flags: of
 * mmap(), more.
 */
char *vm_memory(uint64_t size, int advice, int flags);

struct vm {
	int kvm, fd;
	void *code; /* one page at VM_CODE_IPA */
};

struct vcpu {
	int fd;
	struct kvm_run *run;
};

/* Prints what went wrong and ends the program. */
void die(const char *what) __attribute__((noreturn));

/* chunk: how much KVM splits at a time when logging begins; 0: at the first write. */
void vm_open(struct vm *vm, const void *code, size_t size, uint64_t chunk);
void vm_close(struct vm *vm);
/* size 0 deletes the slot. */
void vm_slot(struct vm *vm, uint32_t slot, uint64_t ipa, void *memory, uint64_t size,
	     uint32_t flags);
/* At EL1, interrupts masked, pc at VM_CODE_IPA + offset. */
void vcpu_open(struct vm *vm, struct vcpu *vcpu, unsigned id, uint64_t offset);
void vcpu_close(struct vm *vm, struct vcpu *vcpu);
/* x0 to x30, sp, pc and pstate. */
#define VM_REG_PC 32
#define VM_REG_PSTATE 33
void vcpu_reg(struct vcpu *vcpu, unsigned n, uint64_t value);
uint64_t vcpu_read(struct vcpu *vcpu, unsigned n);
/*
 * Runs until the vCPU stores outside of any slot (returns the address), or until a signal
 * (returns 0). The next run continues after that store.
 */
uint64_t vcpu_run(struct vcpu *vcpu);
/*
 * Code for a vCPU: stores x4 at every x2 bytes from x0 to x1, reports by a store to x3,
 * and repeats with the next number.
 */
extern const char vm_writer[], vm_writer_end[];
/* A page in every stride bytes of the program's memory has not been used from now on. */
void make_idle(char *data, uint64_t from, uint64_t to, uint64_t stride);
/*
 * Whether hardware logs the dirty pages of the VM that was made last. Only some CPUs can.
 * On the others the log must be as exact, by faults.
 */
bool by_hardware(void);
/* A file of the VM in KVM's debugfs. */
FILE *vm_debugfs(const struct vm *vm, const char *name);
/* Memory in page tables of all VMs, but for what a CPU has counted within the second. */
long table_kb(void);

#endif /* STAGE2_TESTS_VM_H */
