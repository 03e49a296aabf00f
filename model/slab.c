/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory that lives as long as the machine. */
#include <stdlib.h>

#include "internal.h"

void *slab_new(struct machine *m, size_t size)
{
	void **slabs = realloc(m->slabs, (m->slabs_n + 1) * sizeof(*slabs));
	void *slab = calloc(1, size);

	/* Without the memory no verdict would be right. */
	if (!slabs || !slab)
		abort();
	m->slabs = slabs;
	m->slabs[m->slabs_n++] = slab;
	return slab;
}

void slabs_free(struct machine *m)
{
	while (m->slabs_n)
		free(m->slabs[--m->slabs_n]);
	free(m->slabs);
}
