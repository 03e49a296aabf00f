// SPDX-License-Identifier: GPL-2.0-only
/* The debug keys 2 to 4, and the clock that starts and stops with the p2m lock. */
#include <xen/cpumask.h>
#include <xen/init.h>
#include <xen/keyhandler.h>
#include <xen/lib.h>

#include "count.h"

DEFINE_PER_CPU(struct stage2_counts, stage2_counts);

static void print_counts(unsigned char key)
{
	struct stage2_counts sum = {};
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		struct stage2_counts *c = &per_cpu(stage2_counts, cpu);

		sum.visits += c->visits;
		sum.writes += c->writes;
		sum.dsb += c->dsb;
		sum.ipa += c->ipa;
		sum.range += c->range;
		sum.vmalle1 += c->vmalle1;
		sum.vmid += c->vmid;
		sum.all += c->all;
		sum.cycles += c->cycles;
		*c = (struct stage2_counts){};
	}
	printk("##COUNT visits %lu writes %lu dsb %lu ipa %lu range %lu vmalle1 %lu "
	       "vmid %lu all %lu cycles %lu\n",
	       sum.visits, sum.writes, sum.dsb, sum.ipa, sum.range, sum.vmalle1, sum.vmid,
	       sum.all, sum.cycles);
}

bool __read_mostly stage2_no_tlbi;

static void switch_tlbi(unsigned char key)
{
	stage2_no_tlbi = !stage2_no_tlbi;
	printk("stage2: invalidation is %s\n", stage2_no_tlbi ? "off" : "on");
}

atomic_t stage2_held;

static void print_held(unsigned char key)
{
	printk("##HELD %d\n", atomic_read(&stage2_held));
}

/* PMCCNTR_EL0, which counts at EL2 when it has been told so. */
static unsigned long cycles(void)
{
	unsigned long n;

	asm volatile("mrs %0, pmccntr_el0" : "=r"(n));
	return n;
}

static DEFINE_PER_CPU(unsigned long, since);

void stage2_clock_start(void)
{
	if (unlikely(!this_cpu(since))) {
		/* NSH; the counter; long, reset, enabled. */
		asm volatile("msr pmccfiltr_el0, %0; msr pmcntenset_el0, %1;"
			     "msr pmcr_el0, %2; isb" ::"r"(1ul << 27),
			     "r"(1ul << 31), "r"(0x45ul));
	}
	this_cpu(since) = cycles();
}

void stage2_clock_stop(void)
{
	stage2_count(cycles, cycles() - this_cpu(since));
}

static int __init count_init(void)
{
	register_keyhandler('2', print_counts, "stage-2 counts, then 0", 0);
	register_keyhandler('3', switch_tlbi, "stage-2 invalidation off, on", 0);
	register_keyhandler('4', print_held, "pages held", 0);
	return 0;
}
__initcall(count_init);
