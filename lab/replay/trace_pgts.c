/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "trace_parts.h"

static int pgt_cmp(struct pgt *a, struct pgt *b)
{
	return a->pgt < b->pgt ? -1 : a->pgt > b->pgt;
}

RB_PROTOTYPE(pgt_tree, pgt, node, pgt_cmp)
RB_GENERATE(pgt_tree, pgt, node, pgt_cmp)

struct pgt *pgt_find(struct pgt_tree *tree, uint64_t pgt)
{
	struct pgt key = { .pgt = pgt };

	return RB_FIND(pgt_tree, tree, &key);
}

struct pgt *pgt_add(struct pgt_tree *tree, uint64_t pgt, enum pgt_state state)
{
	struct pgt *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct pgt){ .pgt = pgt, .state = state };
	RB_INSERT(pgt_tree, tree, p);
	return p;
}

void pgts_free(struct pgt_tree *tree)
{
	struct pgt *p, *next;

	RB_FOREACH_SAFE(p, pgt_tree, tree, next) {
		RB_REMOVE(pgt_tree, tree, p);
		free(p);
	}
}
