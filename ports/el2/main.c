/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The monitor: from the memory and the device tree of the machine to a guest at its first
 * instruction, with the storm beside it.
 */
#include "el2.h"

/* Where the loader of QEMU puts things (tools/guest.py). */
#define MACHINE_FDT ((const void *)0x40000000)
#define IMAGE_PA 0x44000000ull
#define INITRD_PA 0x48000000ull
/* The device tree of the guest is made here. QEMU pads its own to 1 MiB. */
#define FDT_PA 0x43c00000ull
#define FDT_SIZE MIB(2)
/* Where the guest finds them. */
#define IMAGE_IPA (RAM_IPA + MIB(2))
#define INITRD_IPA (RAM_IPA + MIB(64))
#define FDT_IPA (RAM_IPA + MIB(128))

#define SPSR_EL1H_MASKED 0x3c5

/* The header of a Linux Image (Documentation/arm64/booting.rst). */
struct image {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint32_t magic, pe;
};
#define IMAGE_MAGIC 0x644d5241

static const char *guest_args(const char *args)
{
	for (; *args; args++)
		if (!strncmp(args, "-- ", 3))
			return args + 3;
	return args;
}

void el2_main(void)
{
	const struct image *image = (const struct image *)IMAGE_PA;
	struct vcpu *v = &vm.vcpu[0];
	struct machine m;
	uint64_t ram_size, initrd_size;

	fdt_read(MACHINE_FDT, &m);
	ram_size = MIB(arg_number(m.args, "el2.mem", 512));
	initrd_size = arg_number(m.args, "el2.initrd", 0);
	vm_init(ram_size, m.ram_end);
	vm.vcpus = m.cpus - 1;
	storm = (struct storm){
		.seed = arg_number(m.args, "el2.seed", 1),
		.want = arg_number(m.args, "el2.pages", 20000),
		.hang = arg_number(m.args, "el2.hang", 30),
		.cpu = m.cpus - 1,
		.gicd = m.gicd,
		.gicr = m.gicr,
	};
	if (!vm.vcpus || image->magic != IMAGE_MAGIC)
		el2_panic("%u CPUs, Image's magic %x", m.cpus, image->magic);
	say("el2: MIDR_EL1 %lx, PA %u bits, features 0x%x; %u vCPUs, %lu MiB, storm on CPU %u, seed %lu",
	    read_sysreg(midr_el1), vm.s2.pa_bits, vm.s2.features, vm.vcpus,
	    ram_size >> 20, storm.cpu, storm.seed);

	vm_adopt(IMAGE_IPA + image->text_offset, IMAGE_PA, image->image_size);
	vm_adopt(INITRD_IPA, INITRD_PA, (initrd_size + PAGE - 1) & ~(PAGE - 1));
	fdt_for_guest(MACHINE_FDT, (void *)FDT_PA, FDT_SIZE, guest_args(m.args), ram_size,
		      INITRD_IPA, INITRD_IPA + initrd_size);
	vm_adopt(FDT_IPA, FDT_PA, KIB(64));

	v->x[0] = FDT_IPA;
	v->elr = IMAGE_IPA + image->text_offset;
	v->spsr = SPSR_EL1H_MASKED;
	if (cpu_start(storm.cpu, storm.cpu))
		el2_panic("CPU %u does not start", storm.cpu);
	vm_run(v);
}

void el2_main_secondary(unsigned id)
{
	if (id == storm.cpu)
		storm_run();
	vm_run(&vm.vcpu[id]);
}
