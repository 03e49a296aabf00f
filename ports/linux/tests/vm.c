// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "vm.h"

__asm__(".pushsection .rodata\n"
	".globl	vm_writer, vm_writer_end\n"
	"vm_writer:\n"
	"1:	mov	x5, x0\n"
	"2:	str	x4, [x5]\n"
	"	add	x5, x5, x2\n"
	"	cmp	x5, x1\n"
	"	b.lo	2b\n"
	"	add	x4, x4, #1\n"
	"	str	x4, [x3]\n"
	"	b	1b\n"
	"vm_writer_end:\n"
	".popsection\n");

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned long vm_page(void)
{
	return (unsigned long)sysconf(_SC_PAGESIZE);
}

unsigned long vm_block(void)
{
	return vm_page() / 8 * vm_page();
}

void die(const char *what)
{
	perror(what);
	exit(2);
}

char *vm_memory(uint64_t size, int advice, int flags)
{
	const uint64_t block = vm_block();
	char *map = mmap(NULL, size + block, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	char *data = (char *)(((uintptr_t)map + block - 1) & ~(block - 1));

	if (map == MAP_FAILED)
		die("memory");
	if (data != map)
		munmap(map, (size_t)(data - map));
	munmap(data + size, (size_t)(map + block - data));
	/* A kernel without huge pages (PREEMPT_RT) does not know advice against them. */
	if (!(flags & MAP_HUGETLB) && madvise(data, size, advice) &&
	    advice != MADV_NOHUGEPAGE)
		die("madvise");
	return data;
}

static int control(int fd, unsigned long request, void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

void vm_slot(struct vm *vm, uint32_t slot, uint64_t ipa, void *memory, uint64_t size,
	     uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = ipa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	control(vm->fd, KVM_SET_USER_MEMORY_REGION, &region, "memory slot");
}

void vm_open(struct vm *vm, const void *code, size_t size, uint64_t chunk)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE,
		.args = { chunk },
	};

	vm->kvm = open("/dev/kvm", O_RDWR);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = control(vm->kvm, KVM_CREATE_VM, NULL, "create VM");
	if (chunk)
		control(vm->fd, KVM_ENABLE_CAP, &cap, "eager split");
	vm->code = mmap(NULL, vm_page(), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->code == MAP_FAILED || size > vm_page())
		die("code page");
	memcpy(vm->code, code, size);
	__builtin___clear_cache((char *)vm->code, (char *)vm->code + size);
	vm_slot(vm, 0, VM_CODE_IPA, vm->code, vm_page(), 0);
}

void vm_close(struct vm *vm)
{
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->code, vm_page());
}

static void set_reg(struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	control(vcpu->fd, KVM_SET_ONE_REG, &reg, "register");
}

#define CORE(field)                                            \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(field))

void vcpu_reg(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	set_reg(vcpu, CORE(regs.regs[0]) + 2 * n, value);
}

uint64_t vcpu_read(struct vcpu *vcpu, unsigned n)
{
	uint64_t value;
	struct kvm_one_reg reg = { .id = CORE(regs.regs[0]) + 2 * n,
				   .addr = (uintptr_t)&value };

	control(vcpu->fd, KVM_GET_ONE_REG, &reg, "register");
	return value;
}

static size_t run_size(const struct vm *vm)
{
	return (size_t)control(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "run size");
}

void vcpu_open(struct vm *vm, struct vcpu *vcpu, unsigned id, uint64_t offset)
{
	struct kvm_vcpu_init init = { 0 };

	vcpu->fd = control(vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)id, "create vCPU");
	control(vm->fd, KVM_ARM_PREFERRED_TARGET, &init, "target");
	control(vcpu->fd, KVM_ARM_VCPU_INIT, &init, "init vCPU");
	vcpu->run =
		mmap(NULL, run_size(vm), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("run page");
	set_reg(vcpu, CORE(regs.pc), VM_CODE_IPA + offset);
}

void vcpu_close(struct vm *vm, struct vcpu *vcpu)
{
	munmap(vcpu->run, run_size(vm));
	close(vcpu->fd);
}

uint64_t vcpu_run(struct vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, NULL)) {
		if (errno == EINTR)
			return 0;
		die("run");
	}
	if (vcpu->run->exit_reason != KVM_EXIT_MMIO) {
		fprintf(stderr, "vCPU left with reason %u\n", vcpu->run->exit_reason);
		exit(2);
	}
	return vcpu->run->mmio.phys_addr;
}

void make_idle(char *data, uint64_t from, uint64_t to, uint64_t stride)
{
	int pages = open("/proc/self/pagemap", O_RDONLY);
	int idle = open("/sys/kernel/mm/page_idle/bitmap", O_WRONLY);

	for (; from < to; from += stride) {
		uint64_t at = ((uintptr_t)data + from) / vm_page(), entry, bit;

		if (pread(pages, &entry, 8, (off_t)(at * 8)) != 8)
			die("pagemap");
		entry &= (UINT64_C(1) << 55) - 1;
		bit = UINT64_C(1) << entry % 64;
		if (pwrite(idle, &bit, 8, (off_t)(entry / 64 * 8)) != 8)
			die("page_idle");
	}
	close(pages);
	close(idle);
}

bool by_hardware(void)
{
	FILE *f = fopen("/sys/kernel/debug/stage2/tables", "r");
	char line[128];
	bool is = false;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "pid ", 4))
			is = strstr(line, "hardware dirty log");
	if (f)
		fclose(f);
	return is;
}

FILE *vm_debugfs(const struct vm *vm, const char *name)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd,
		 name);
	f = fopen(path, "r");
	if (!f)
		die(path);
	return f;
}

long table_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	while (f && kb < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "SecPageTables: %ld", &kb) != 1)
			kb = -1;
	if (f)
		fclose(f);
	return kb;
}
