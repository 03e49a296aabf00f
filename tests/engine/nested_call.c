/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One call of the engine: what it is, by chance, and whether its answer is one of it. */
#include "nested.h"
#include "rnd.h"

void dice_seed(uint64_t seed)
{
	rnd_state = seed;
	rnd();
}

uint64_t dice(uint64_t n)
{
	return below(n);
}

/* ---- one call ---------------------------------------------------------------------- */

struct call *new_call(void)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (!world.call[i].used) {
			struct call *c = &world.call[i];

			memset(c, 0, sizeof(*c));
			c->used = true;
			c->id = ++world.ids;
			return c;
		}
	return NULL;
}

static int look_up(struct call *c)
{
	struct view v = { .hard = true };
	struct s2_mapping m;
	int err = s2_lookup(&world.bed.s2, s2_ipa(c->ipa), &m);

	if (err || m.state == S2_BUSY || c->nseen == SEEN) {
		c->inside = 0;
		return err;
	}
	if (m.state == S2_LEAF) {
		v.state = LEAF;
		v.pa = m.pa.pa + (c->ipa - m.ipa.ipa);
		v.bits = leaf_bits(m.desc);
	}
	c->seen[c->nseen++] = v;
	return 0;
}

static int engine(struct call *c)
{
	struct s2 *s2 = &world.bed.s2;
	struct s2_op *op = &c->op;
	s2_ipa_t ipa = s2_ipa(c->ipa);
	struct s2_survey survey;
	bool young = false;

	switch (c->kind) {
	case MAP:
		return s2_map(s2, ipa, s2_pa(c->pa), c->size, c->attr, c->flags, op);
	case UNMAP:
		return s2_unmap(s2, ipa, c->size, c->flags, op);
	case WRPROTECT:
		return s2_wrprotect(s2, ipa, c->size, c->flags, op);
	case RELAX:
		return s2_relax_perms(s2, ipa, c->attr, c->flags);
	case MKYOUNG:
		return s2_mkyoung(s2, ipa, c->flags);
	case AGE:
		return s2_age(s2, ipa, c->size, c->flags, &young, op);
	case SPLIT:
		return s2_split(s2, ipa, c->size, c->flags, op);
	case COLLAPSE:
		return s2_collapse(s2, ipa, c->size, c->flags, op);
	case CLEAN:
		return s2_clean(s2, ipa, c->size, c->flags, op);
	case SURVEY:
		return s2_survey(s2, ipa, c->size, c->flags, &survey, op);
	case FLUSH:
		return (c->last ? s2_batch_end : s2_batch_flush)(s2, &world.batch, op);
	case ANNOTATE:
		return s2_annotate(s2, ipa, c->size, c->attr, c->flags, op);
	default:
		return look_up(c);
	}
}

static bool may_return(const struct call *c, int ret)
{
	bool edges_said = c->flags & (S2_DROP_EDGES | S2_SPLIT_EDGES);

	switch (ret) {
	case 0:
		return true;
	case S2_MORE:
		return c->kind != LOOKUP && c->kind != RELAX && c->kind != MKYOUNG &&
		       (!c->exclusive || c->steps);
	case S2_E_BUSY:
		return c->kind == MAP || c->kind == RELAX || c->kind == MKYOUNG ||
		       c->kind == ANNOTATE;
	case S2_E_EXIST:
		return c->kind == MAP || c->kind == ANNOTATE;
	case S2_E_NOENT:
		return c->kind == RELAX || c->kind == MKYOUNG;
	case S2_E_BATCH:
		return world.bed.s2.batch;
	case S2_E_ATTR: /* execute on Device memory */
		return c->kind == RELAX && c->attr & S2_X;
	case S2_E_BLOCK:
		return !edges_said && (c->kind == UNMAP || c->kind == MAP);
	case S2_E_NOMEM:
		return c->kind == MAP || c->kind == SPLIT || c->kind == ANNOTATE ||
		       (c->kind == UNMAP && c->flags & S2_SPLIT_EDGES);
	default:
		return false;
	}
}

void make_call(struct call *c, bool first)
{
	struct pe *pe = &world.pe[world.depth];

	nested_trace_call(c);
	world.calls_made++;
	world.made[c->kind]++;
	world.nested[world.depth]++;
	if (first)
		ref_begin(c);
	memset(pe, 0, sizeof(*pe));
	pe->call = c;
	world.depth++;
	c->ret = engine(c);
	world.now++;
	tlb_returned(pe);
	world.depth--;
	nested_trace("%*s%" PRIu64 " returns %d\n", 2 * (int)world.depth, "", c->id,
		     c->ret);
	world.answers[c->kind][c->ret == S2_MORE ? 23 : -c->ret]++;
	if (!may_return(c, c->ret))
		nested_fail("wrong-answer", "call %" PRIu64 " returns %d", c->id, c->ret);
	if (c->op.max_entries && c->op.visited > c->op.max_entries)
		nested_fail("budget", "call %" PRIu64 " visits %" PRIu64, c->id,
			    c->op.visited);
	if (c->op.max_bytes && c->op.cleaned > c->op.max_bytes)
		nested_fail("budget", "call %" PRIu64 " cleans 0x%" PRIx64, c->id,
			    c->op.cleaned);
	/* The op is where it was. */
	if (c->ret == S2_E_BATCH && !first)
		c->ret = S2_MORE;
	if (c->ret != S2_MORE && !(c->batched && !c->ret))
		ref_returned(c);
}

/* ---- which call -------------------------------------------------------------------- */

static void pick_range(struct call *c, uint64_t most)
{
	const struct call *under = call_now();

	for (int tries = 0;; tries++) {
		unsigned lo = (unsigned)dice(world.edges - 1), n = 1;

		if (!dice(3))
			n += (unsigned)dice(world.edges - 1 - lo);
		c->ipa = world.edge[lo];
		c->size = world.edge[lo + n] - world.edge[lo];
		if (c->size > most && tries < 20)
			continue;
		/* Mostly where the call below is at work. */
		if (under && tries < 12 &&
		    (c->ipa >= under->ipa + under->size ||
		     under->ipa >= c->ipa + c->size))
			continue;
		break;
	}
	if (c->size > most)
		c->size = most;
}

static void pick_place(struct call *c)
{
	const struct call *under = call_now();

	for (int tries = 0; tries < 12; tries++) {
		c->ipa = world.probe[dice(world.probes)].ipa;
		if (!under || (c->ipa >= under->ipa && c->ipa < under->ipa + under->size))
			break;
	}
	c->size = world.page;
}

static void pick_map(struct call *c)
{
	static const s2_attr_t perms[] = { RW, RW, RW, S2_R, RWX, S2_R | S2_X, 0 };
	uint64_t i;

	c->attr = perms[dice(7)];
	if (!dice(4))
		c->attr |= S2_MEM_NC;
	else if (!dice(12) && !(c->attr & S2_X))
		c->attr |= S2_MEM_DEV_nGnRE;
	if (dice(3))
		c->flags |= S2_MAP_PAGES;
	if (dice(2)) {
		c->flags |= S2_MAP_REPLACE;
		i = dice(4);
		c->flags |= i < 2 ? S2_SPLIT_EDGES : i < 3 ? S2_DROP_EDGES : 0;
	} else if (!dice(3)) {
		c->flags |= S2_SPLIT_EDGES;
	}
	if (!dice(4))
		c->flags |= S2_MAP_NEW;
	i = dice(8);
	i = i < 4 ? 0 : i < 6 ? 1 : i < 7 ? 2 : 3;
	pick_range(c, c->flags & S2_MAP_PAGES || i == 3 ? 2 * world.block + world.page :
							  2 * world.top);
	if (!dice(2) && c->size > 2 * world.page && c->flags & S2_MAP_PAGES)
		c->size = world.page;
	c->pa = c->ipa + world.delta[i];
	if (world.alias && i == 3)
		c->pa = c->ipa + world.delta[0];
	else if (world.alias)
		c->pa = world.delta[1] + (c->ipa & ((i == 1 ? world.top :
						     i == 2 ? world.block :
							      world.page) -
						    1));
}

static void pick_kind(struct call *c)
{
	static const struct {
		enum kind kind;
		unsigned weight;
	} list[] = {
		{ MAP, 32 },	{ UNMAP, 24 }, { WRPROTECT, 7 }, { RELAX, 6 },
		{ MKYOUNG, 2 }, { AGE, 3 },    { SPLIT, 9 },	 { COLLAPSE, 9 },
		{ CLEAN, 3 },	{ SURVEY, 1 }, { LOOKUP, 6 },
	};
	uint64_t n = dice(102);
	unsigned i = 0;

	while (n >= list[i].weight)
		n -= list[i++].weight;
	c->kind = list[i].kind;
}

/* An annotation waives only what it takes away. */
static void pick_waive(struct call *c)
{
	bool takes = c->kind == MAP || c->kind == UNMAP ||
		     (c->kind == ANNOTATE && c->flags & S2_MAP_REPLACE);

	if (takes && (world.waive || !dice(5)))
		c->flags |= S2_NO_CLEAN;
}

void pick_note(struct call *c)
{
	c->kind = ANNOTATE;
	c->flags = 0;
	c->attr = (s2_attr_t)(dice(3) ? 1 + dice(2) : 0);
	if (c->attr && dice(2))
		c->flags = S2_MAP_REPLACE | (dice(2) ? S2_SPLIT_EDGES : S2_DROP_EDGES);
	pick_range(c, 2 * world.block + world.page);
	pick_waive(c);
}

void pick_call(struct call *c)
{
	uint64_t i;

	c->flags = 0;
	pick_kind(c);
	switch (c->kind) {
	case MAP:
		pick_map(c);
		break;
	case UNMAP:
		pick_range(c, UINT64_MAX);
		i = dice(4);
		c->flags |= i < 2 ? S2_SPLIT_EDGES : i < 3 ? S2_DROP_EDGES : 0;
		break;
	case RELAX:
		c->attr = (s2_attr_t[]){ S2_W, S2_R, S2_X, RW }[dice(4)];
		pick_place(c);
		break;
	case MKYOUNG:
	case LOOKUP:
		pick_place(c);
		break;
	case SPLIT:
		pick_range(c, 2 * world.block);
		break;
	case AGE:
		c->flags |= dice(2) ? S2_CLEAR : 0;
		pick_range(c, UINT64_MAX);
		break;
	case COLLAPSE:
		pick_range(c, UINT64_MAX);
		if (dice(2) && c->ipa - world.base < 2 * world.top) {
			c->ipa = world.base +
				 (c->ipa - world.base) / world.block * world.block;
			c->size = dice(4) ? world.block : 2 * world.block;
		}
		break;
	default:
		pick_range(c, UINT64_MAX);
		break;
	}
	pick_waive(c);
}
