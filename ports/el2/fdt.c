/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The device tree of the machine, and the one for the guest. At the top of QEMU's tree,
 * addresses and sizes are two cells each.
 */
#include <libfdt.h>

#include "el2.h"

static void check(int err, const char *what)
{
	if (err < 0)
		el2_panic("device tree: %s: %d", what, err);
}

/* Pair @n of (address, size) of a node's reg; false if there is none. */
static bool reg_pair(const void *fdt, int node, int n, uint64_t *addr, uint64_t *size)
{
	int len;
	const fdt64_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || len < (n + 1) * 16)
		return false;
	*addr = fdt64_to_cpu(reg[n * 2]);
	*size = fdt64_to_cpu(reg[n * 2 + 1]);
	return true;
}

static bool type_is(const void *fdt, int node, const char *type)
{
	int len;
	const char *s = fdt_getprop(fdt, node, "device_type", &len);

	return s && len == (int)strlen(type) + 1 && !memcmp(s, type, (size_t)len);
}

void fdt_read(const void *fdt, struct machine *m)
{
	uint64_t addr, size;
	int node, cpu;

	check(fdt_check_header(fdt), "header");
	node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7);
	check(node, "memory");
	if (!reg_pair(fdt, node, 0, &addr, &size))
		el2_panic("device tree: no memory");
	m->ram_end = addr + size;
	node = fdt_path_offset(fdt, "/cpus");
	check(node, "/cpus");
	m->cpus = 0;
	fdt_for_each_subnode(cpu, fdt, node) m->cpus += type_is(fdt, cpu, "cpu");
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
	check(node, "GICv3");
	reg_pair(fdt, node, 0, &m->gicd, &size);
	reg_pair(fdt, node, 1, &m->gicr, &size);
	node = fdt_path_offset(fdt, "/chosen");
	m->args = node < 0 ? NULL : fdt_getprop(fdt, node, "bootargs", NULL);
	if (!m->args)
		m->args = "";
}

/* The top-level nodes that the guest keeps. None of them can do DMA. */
static bool guest_keeps(const char *name)
{
	static const char *const kept[] = { "psci",   "memory@",  "cpus",
					    "timer",  "intc@",	  "pl011@",
					    "chosen", "apb-pclk", "aliases" };

	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (!strncmp(name, kept[i], strlen(kept[i])))
			return true;
	return false;
}

static void keep_devices(void *fdt)
{
	int node = fdt_first_subnode(fdt, 0);

	while (node >= 0) {
		const char *name = fdt_get_name(fdt, node, NULL);
		uint64_t addr, size;

		if (!guest_keeps(name)) {
			check(fdt_del_node(fdt, node), "delete");
			/* The offsets have changed: start again. */
			node = fdt_first_subnode(fdt, 0);
			continue;
		}
		if (strncmp(name, "memory@", 7))
			for (int n = 0; reg_pair(fdt, node, n, &addr, &size); n++)
				vm_map_device(addr, size);
		node = fdt_next_subnode(fdt, node);
	}
}

/* Removes the CPUs from @vcpus on, and the map of all CPUs. */
static void keep_cpus(void *fdt, unsigned vcpus)
{
	const int parent = fdt_path_offset(fdt, "/cpus");
	int node = fdt_first_subnode(fdt, parent);

	while (node >= 0) {
		const fdt32_t *reg = fdt_getprop(fdt, node, "reg", NULL);

		if (reg && fdt32_to_cpu(*reg) < vcpus) {
			node = fdt_next_subnode(fdt, node);
		} else {
			check(fdt_del_node(fdt, node), "delete a CPU");
			node = fdt_first_subnode(fdt, parent);
		}
	}
}

void fdt_for_guest(const void *fdt, void *out, int size, const char *bootargs,
		   uint64_t ram_size, uint64_t initrd, uint64_t initrd_end)
{
	int node;

	check(fdt_open_into(fdt, out, size), "copy");
	keep_devices(out);
	keep_cpus(out, vm.vcpus);
	node = fdt_node_offset_by_prop_value(out, -1, "device_type", "memory", 7);
	check(node, "memory");
	check(fdt_setprop_u64(out, node, "reg", RAM_IPA), "memory");
	check(fdt_appendprop_u64(out, node, "reg", ram_size), "memory");
	node = fdt_path_offset(out, "/chosen");
	check(node, "/chosen");
	check(fdt_setprop_string(out, node, "bootargs", bootargs), "bootargs");
	check(fdt_setprop_u64(out, node, "linux,initrd-start", initrd), "initrd");
	check(fdt_setprop_u64(out, node, "linux,initrd-end", initrd_end), "initrd");
	check(fdt_pack(out), "pack");
	if (fdt_totalsize(out) > KIB(64))
		el2_panic("device tree: %u bytes", fdt_totalsize(out));
}

/* NAME=123 in the arguments. */
uint64_t arg_number(const char *args, const char *name, uint64_t otherwise)
{
	const size_t n = strlen(name);
	uint64_t value = 0;

	for (; *args; args++)
		if (!strncmp(args, name, n) && args[n] == '=')
			break;
	if (!*args)
		return otherwise;
	for (args += n + 1; *args >= '0' && *args <= '9'; args++)
		value = value * 10 + (uint64_t)(*args - '0');
	return value;
}
