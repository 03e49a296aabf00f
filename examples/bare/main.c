/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A hypervisor without a guest: it turns on stage 2 by the ID registers, maps memory,
 * unmaps it, and asks the MMU (AT S12E1R) each time what a guest at EL1 would find.
 * For QEMU's machine "virt", with the MMU of EL2 off, therefore compiled with
 * -mstrict-align; a real machine needs it on (see the template).
 * tests/examples/bare.py compiles and runs it.
 */
#include "port.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x48000000)
#define SIZE (UINT64_C(4) << 20)
#define READ(reg)                                                 \
	__extension__({                                           \
		uint64_t value_;                                  \
		__asm__ volatile("mrs %0, " #reg : "=r"(value_)); \
		value_;                                           \
	})
#define WRITE(reg, value) \
	__asm__ volatile("msr " #reg ", %0" ::"r"((uint64_t)(value)) : "memory")

static struct s2 s2;

static void say(const char *text)
{
	while (*text)
		*(volatile uint32_t *)0x09000000 = (unsigned char)*text++; /* PL011 */
}

/* PAR_EL1 for a read of EL1: bit 0 is set if it faults. */
static uint64_t guest_reads(uint64_t ipa)
{
	__asm__ volatile("at s12e1r, %0\n\tisb" ::"r"(ipa) : "memory");
	return READ(par_el1);
}

static bool check(const char *what, bool good)
{
	say(what);
	say(good ? ": yes\n" : ": NO\n");
	return good;
}

static int run(void)
{
	const struct s2_id_regs id = {
		.isar0 = READ(id_aa64isar0_el1),
		.mmfr0 = READ(id_aa64mmfr0_el1),
		.mmfr1 = READ(id_aa64mmfr1_el1),
		.mmfr2 = READ(s3_0_c0_c7_2),
	};
	struct s2_config cfg = {
		.ipa_bits = 36,
		/* What this program turns on. s2_config_cpu() keeps what there is. */
		.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL,
	};
	const uint64_t page = IPA + 0x5000;

	if (s2_config_cpu(&cfg, &id) || s2_init(&s2, &cfg))
		return 1;
	WRITE(vtcr_el2, s2_vtcr(&s2));
	WRITE(vttbr_el2, s2_vttbr(&s2) | UINT64_C(1) << 48);
	/* RW, VM, and FWB if the CPU has it; stage 1 of the guest is off. */
	WRITE(hcr_el2, UINT64_C(1) << 31 | 1 |
			       (cfg.features & S2_FEAT_FWB ? UINT64_C(1) << 46 : 0));
	WRITE(sctlr_el1, 0);
	__asm__ volatile("isb");
	s2_port_tlbi_vmalls12e1is(NULL); /* the VMID has not been used before */
	s2_port_dsb_ish(NULL);
	s2_port_isb(NULL);

	if (!check("nothing is mapped", guest_reads(page) & 1) ||
	    s2_map(&s2, s2_ipa(IPA), s2_pa(PA), SIZE, S2_R | S2_W | S2_X, 0, NULL) ||
	    !check("the guest reads its memory",
		   (guest_reads(page) & 0xfffffffff001) == PA + 0x5000) ||
	    s2_unmap(&s2, s2_ipa(page), 4096, S2_SPLIT_EDGES, NULL) ||
	    !check("a page is taken away", guest_reads(page) & 1) ||
	    !check("and no other", !(guest_reads(page + 4096) & 1)))
		return 1;
	return s2_destroy(&s2, 0, NULL);
}

/* The engine needs these two. */
void *memset(void *to, int c, size_t n)
{
	for (volatile unsigned char *d = to; n--;)
		*d++ = (unsigned char)c;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	const unsigned char *s = from;

	for (volatile unsigned char *d = to; n--;)
		*d++ = *s++;
	return to;
}

int main(void)
{
	say(run() ? "FAILED\n" : "done\n");
	return 0;
}
