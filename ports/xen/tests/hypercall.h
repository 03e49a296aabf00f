/* SPDX-License-Identifier: GPL-2.0-only */
/* Hypercalls of a program in dom0, by /dev/xen/privcmd. For programs of one file. */
#ifndef STAGE2_XEN_TESTS_HYPERCALL_H
#define STAGE2_XEN_TESTS_HYPERCALL_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

/* Extents in one call. */
#define CHUNK 512

/* linux/xen/privcmd.h is not among the headers of a C library. */
struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

struct privcmd_mmapbatch {
	unsigned int num;
	domid_t dom;
	uint64_t addr;
	const xen_pfn_t *frames;
	int *err;
};
#define PRIVCMD_MMAPBATCH _IOC(_IOC_NONE, 'P', 4, sizeof(struct privcmd_mmapbatch))

static int privcmd;

static inline void open_privcmd(void)
{
	privcmd = open("/dev/xen/privcmd", O_RDWR);
	if (privcmd < 0) {
		perror("/dev/xen/privcmd");
		exit(2);
	}
}

static inline long hypercall(uint64_t op, uint64_t a, uint64_t b)
{
	struct privcmd_hypercall call = { .op = op, .arg = { a, b } };
	int ret = ioctl(privcmd, PRIVCMD_HYPERCALL, &call);

	return ret < 0 ? -errno : ret;
}

/* Memory that the hypervisor may access: present and locked. */
static inline void *buffer(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	memset(p, 0, size);
	return p;
}

/* @count extents of 1 << @order pages, @stride pages apart, in calls of CHUNK. */
static inline int reserve(uint64_t op, unsigned domain, uint64_t first, uint64_t count,
			  uint64_t stride, unsigned order)
{
	static struct xen_memory_reservation *call;
	static xen_pfn_t *list;

	if (!call) {
		call = buffer(sizeof(*call));
		list = buffer(CHUNK * sizeof(*list));
	}
	for (uint64_t done = 0; done < count; done += CHUNK) {
		uint64_t n = count - done < CHUNK ? count - done : CHUNK;
		long ret;

		for (uint64_t i = 0; i < n; i++)
			list[i] = first + (done + i) * stride;
		memset(call, 0, sizeof(*call));
		set_xen_guest_handle(call->extent_start, list);
		call->nr_extents = n;
		call->extent_order = order;
		call->domid = domain;
		ret = hypercall(__HYPERVISOR_memory_op, op, (uintptr_t)call);
		if (ret != (long)n) {
			fprintf(stderr, "%ld of %lu at %#lx\n", ret, (unsigned long)n,
				(unsigned long)(first + done * stride));
			return -EIO;
		}
	}
	return 0;
}

static inline xen_sysctl_t *sysctl_call(uint32_t command)
{
	xen_sysctl_t *call = buffer(sizeof(*call));

	call->cmd = command;
	call->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return call;
}

static inline int debug_key(const char *keys)
{
	xen_sysctl_t *call = sysctl_call(XEN_SYSCTL_debug_keys);
	char *text = buffer(4096);

	strncpy(text, keys, 4095);
	set_xen_guest_handle(call->u.debug_keys.keys, text);
	call->u.debug_keys.nr_keys = strlen(text);
	return hypercall(__HYPERVISOR_sysctl, (uintptr_t)call, 0);
}

/* A page of another domain, mapped here. */
static inline void *map_page(unsigned domain, uint64_t gfn)
{
	xen_pfn_t frame = gfn;
	int err = 0;
	struct privcmd_mmapbatch call = {
		.num = 1, .dom = domain, .frames = &frame, .err = &err
	};
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, privcmd, 0);

	call.addr = (uintptr_t)p;
	if (p == MAP_FAILED || ioctl(privcmd, PRIVCMD_MMAPBATCH, &call) || err) {
		perror("map_page");
		exit(2);
	}
	return p;
}

#endif /* STAGE2_XEN_TESTS_HYPERCALL_H */
