// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM for one purpose: it boots Linux with two CPUs and 256 MiB on /dev/kvm and waits
 * until it switches itself off. GIC and timers are KVM's. The console is the data
 * register of a PL011 that takes every character at once.
 *
 *         guest [--nested] IMAGE DTB INITRD
 *
 * --nested: a guest with EL2, whose kernel boots a guest of its own, by this program.
 * While that one runs, the tables of all VMs are printed if they are the engine's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM UINT64_C(0x40000000)
#define RAM_SIZE (UINT64_C(256) << (nested ? 21 : 20))
#define DTB_AT (RAM + (UINT64_C(64) << 20))
#define INITRD_AT UINT64_C(0x46000000)
#define UART UINT64_C(0x09000000)
#define CPUS 2

static int kvm, vm, vcpu[CPUS];
static char *ram;
static bool nested, seen;

static void check(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(2);
}

static void load(const char *path, uint64_t at)
{
	int fd = open(path, O_RDONLY);
	char *to = ram + (at - RAM);
	ssize_t n;

	check(fd >= 0, path);
	while ((n = read(fd, to, 1 << 20)) > 0)
		to += n;
	check(!n, path);
	close(fd);
}

static void set_reg(int fd, uint64_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset,
		.addr = (uintptr_t)&value,
	};

	check(!ioctl(fd, KVM_SET_ONE_REG, &reg), "register");
}

static void gic_address(int gic, uint64_t type, uint64_t address)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_ARM_VGIC_GRP_ADDR,
		.attr = type,
		.addr = (uintptr_t)&address,
	};

	check(!ioctl(gic, KVM_SET_DEVICE_ATTR, &attr), "GIC address");
}

static void make_gic(void)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct kvm_device_attr init = {
		.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
		.attr = KVM_DEV_ARM_VGIC_CTRL_INIT,
	};

	check(!ioctl(vm, KVM_CREATE_DEVICE, &device), "GIC");
	gic_address((int)device.fd, KVM_VGIC_V3_ADDR_TYPE_DIST, 0x08000000);
	gic_address((int)device.fd, KVM_VGIC_V3_ADDR_TYPE_REDIST, 0x080a0000);
	check(!ioctl((int)device.fd, KVM_SET_DEVICE_ATTR, &init), "GIC init");
}

/*
 * The tables of a nested guest shadow its own, which are in the memory of its host. There
 * must be a page or block in them.
 */
static void look_at_tables(void)
{
	FILE *f = fopen("/sys/kernel/debug/stage2/tables", "r");
	bool shadow = false, found = false;
	char line[256];

	if (!f)
		return; /* the stock kernel */
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "pid ", 4))
			shadow = strstr(line, ", nested");
		else if (shadow && strstr(line, "  0x"))
			found = true;
		fputs(line, stdout);
	}
	fclose(f);
	if (found)
		return;
	fprintf(stderr, "no tables of the nested guest\n");
	exit(1);
}

/*
 * Prints one line at a time, marked as the guest's. Notes the line that our init prints.
 */
static void put(char c)
{
	static char line[256];
	static size_t n;

	if (c != '\n' && n < sizeof(line) - 1) {
		if (c != '\r')
			line[n++] = c;
		return;
	}
	line[n] = '\0';
	n = 0;
	printf("guest| %s\n", line);
	if (nested && strstr(line, "guest is up"))
		look_at_tables();
	seen |= !!strstr(line, nested ? "guest has run a guest" : "guest is up");
}

static void mmio(struct kvm_run *run)
{
	if (run->mmio.is_write && run->mmio.phys_addr == UART)
		put((char)run->mmio.data[0]);
	else if (!run->mmio.is_write)
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
}

static void *run_vcpu(void *arg)
{
	int fd = vcpu[(uintptr_t)arg];
	size_t size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	check(run != MAP_FAILED, "run page");
	for (;;) {
		check(!ioctl(fd, KVM_RUN, 0), "run");
		if (run->exit_reason == KVM_EXIT_MMIO) {
			mmio(run);
			continue;
		}
		if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT &&
		    run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN)
			exit(seen ? 0 : 1);
		fprintf(stderr, "vCPU left with reason %u\n", run->exit_reason);
		exit(1);
	}
}

static void make_vcpu(unsigned i)
{
	struct kvm_vcpu_init init = { 0 };

	vcpu[i] = ioctl(vm, KVM_CREATE_VCPU, i);
	check(vcpu[i] >= 0, "vCPU");
	check(!ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), "target");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (nested)
		init.features[0] |= 1u << KVM_ARM_VCPU_HAS_EL2;
	if (i)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	check(!ioctl(vcpu[i], KVM_ARM_VCPU_INIT, &init), "init vCPU");
}

int main(int argc, char **argv)
{
	struct kvm_userspace_memory_region region = { .guest_phys_addr = RAM };
	pthread_t thread;

	if (argc == 5 && !strcmp(argv[1], "--nested")) {
		nested = true;
		argv++;
	} else if (argc != 4) {
		fprintf(stderr, "usage: guest [--nested] IMAGE DTB INITRD\n");
		return 2;
	}
	setlinebuf(stdout);
	kvm = open("/dev/kvm", O_RDWR);
	check(kvm >= 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	check(vm >= 0, "VM");
	ram = mmap((void *)UINT64_C(0x100000000), RAM_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(ram != MAP_FAILED, "memory");
	load(argv[1], RAM);
	load(argv[2], DTB_AT);
	load(argv[3], INITRD_AT);
	region.memory_size = RAM_SIZE;
	region.userspace_addr = (uintptr_t)ram;
	check(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "slot");
	for (unsigned i = 0; i < CPUS; i++)
		make_vcpu(i);
	make_gic();
	set_reg(vcpu[0], KVM_REG_ARM_CORE_REG(regs.regs[0]), DTB_AT);
	set_reg(vcpu[0], KVM_REG_ARM_CORE_REG(regs.pc), RAM);
	for (uintptr_t i = 0; i < CPUS; i++)
		check(!pthread_create(&thread, NULL, run_vcpu, (void *)i), "thread");
	/* The first vCPU that sees the end of the guest ends the program. */
	pthread_join(thread, NULL);
	return 1;
}
