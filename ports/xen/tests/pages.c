// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages: hypercalls that xl has no command for, by /dev/xen/privcmd.
 *
 *   pages free                       free pages of the hypervisor
 *   pages key K                      a debug key
 *   pages out DOM GFN COUNT STRIDE ORDER  take memory from a domain, 512 extents a call
 *   pages in DOM GFN COUNT STRIDE ORDER   give it memory there
 */
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

#define CHUNK 512

/* linux/xen/privcmd.h is not among the headers of a C library. */
struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

static int privcmd;

static long hypercall(uint64_t op, uint64_t a, uint64_t b)
{
	struct privcmd_hypercall call = { .op = op, .arg = { a, b } };
	int ret = ioctl(privcmd, PRIVCMD_HYPERCALL, &call);

	return ret < 0 ? -errno : ret;
}

/* Memory that the hypervisor may access: present and locked. */
static void *buffer(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	if (p == MAP_FAILED) {
		perror("pages: mmap");
		exit(1);
	}
	memset(p, 0, size);
	return p;
}

static int free_pages(void)
{
	xen_sysctl_t *call = buffer(sizeof(*call));
	long ret;

	call->cmd = XEN_SYSCTL_physinfo;
	call->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	ret = hypercall(__HYPERVISOR_sysctl, (uintptr_t)call, 0);
	if (ret)
		return ret;
	printf("%llu\n", (unsigned long long)(call->u.physinfo.free_pages));
	return 0;
}

static int debug_key(const char *keys)
{
	xen_sysctl_t *call = buffer(sizeof(*call));
	char *text = buffer(4096);

	strncpy(text, keys, 4095);
	call->cmd = XEN_SYSCTL_debug_keys;
	call->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	set_xen_guest_handle(call->u.debug_keys.keys, text);
	call->u.debug_keys.nr_keys = strlen(text);
	return hypercall(__HYPERVISOR_sysctl, (uintptr_t)call, 0);
}

static int reserve(uint64_t op, char **argv)
{
	const unsigned long domain = strtoul(argv[0], NULL, 0);
	const unsigned long first = strtoul(argv[1], NULL, 0);
	const unsigned long count = strtoul(argv[2], NULL, 0);
	const unsigned long stride = strtoul(argv[3], NULL, 0);
	struct xen_memory_reservation *call = buffer(sizeof(*call));
	xen_pfn_t *list = buffer(CHUNK * sizeof(*list));

	for (unsigned long done = 0; done < count; done += CHUNK) {
		unsigned long n = count - done < CHUNK ? count - done : CHUNK;
		long ret;

		for (unsigned long i = 0; i < n; i++)
			list[i] = first + (done + i) * stride;
		memset(call, 0, sizeof(*call));
		set_xen_guest_handle(call->extent_start, list);
		call->nr_extents = n;
		call->extent_order = strtoul(argv[4], NULL, 0);
		call->domid = domain;
		ret = hypercall(__HYPERVISOR_memory_op, op, (uintptr_t)call);
		if (ret != (long)n) {
			fprintf(stderr, "pages: %ld of %lu at %#lx\n", ret, n,
				first + done * stride);
			return -EIO;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int ret = -EINVAL;

	privcmd = open("/dev/xen/privcmd", O_RDWR);
	if (privcmd < 0)
		perror("pages: /dev/xen/privcmd");
	else if (argc == 2 && !strcmp(argv[1], "free"))
		ret = free_pages();
	else if (argc == 3 && !strcmp(argv[1], "key"))
		ret = debug_key(argv[2]);
	else if (argc == 7 && !strcmp(argv[1], "out"))
		ret = reserve(XENMEM_decrease_reservation, argv + 2);
	else if (argc == 7 && !strcmp(argv[1], "in"))
		ret = reserve(XENMEM_populate_physmap, argv + 2);
	if (ret)
		fprintf(stderr, "pages: %s\n", strerror(-ret));
	return ret ? 1 : 0;
}
