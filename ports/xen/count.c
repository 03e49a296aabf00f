// SPDX-License-Identifier: GPL-2.0-only
/* The debug key 2: prints and clears the counts of count.h. */
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
		*c = (struct stage2_counts){};
	}
	printk("##COUNT visits %lu writes %lu dsb %lu ipa %lu range %lu vmalle1 %lu "
	       "vmid %lu all %lu\n",
	       sum.visits, sum.writes, sum.dsb, sum.ipa, sum.range, sum.vmalle1, sum.vmid,
	       sum.all);
}

static int __init count_init(void)
{
	register_keyhandler('2', print_counts, "stage-2 counts, then 0", 0);
	return 0;
}
__initcall(count_init);
