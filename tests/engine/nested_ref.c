/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probes by the tables: every write of an entry that changes what translates one of
 * them is judged by the call that did it, and what a call promises when it returns by
 * what has been true of its probes since it began.
 */
#include "nested.h"

#define PERMS (DESC_S2AP_R | DESC_S2AP_W | DESC_XN)

static const char *const state_name[] = { "nothing", "a leaf", "a marker" };

static struct table *table_of(uint64_t pa)
{
	return &world.table[(pa - COUNT_PORT_BASE) >> world.bed.port.shift];
}

bool ref_needs_clean(uint64_t bits)
{
	return desc_needs_clean(world.bed.s2.features, bits);
}

/* ---- the walk ---------------------------------------------------------------------- */

/* @path: what a walker has cached on the way, and how many that are. */
static struct view walk(const struct probe *p, struct item *path, unsigned *n)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t *table = s2->root, *entry, d, rest;
	struct view v = { .hard = true };
	int level = s2->start_level;

	for (*n = 0;; level++) {
		uint64_t i = p->ipa >> level_shift(s2, level);

		if (level > s2->start_level)
			i &= table_entries(s2) - 1;
		entry = &table[i];
		d = *entry;
		v.level = (int8_t)level;
		v.entry = s2_port_table_pa(s2->port, entry);
		if (!desc_valid(d) && !(desc_busy(d) && d & DESC_REMAKE)) {
			v.state = desc_busy(d) ? BROKEN : NOTHING;
			return v;
		}
		v.hard &= desc_valid(d);
		if (!desc_is_table(d, level))
			break;
		if (v.hard)
			path[(*n)++] = (struct item){ .table = true,
						      .level = (int8_t)level,
						      .pa = desc_oa(s2, d) };
		table = s2_port_table_va(s2->port, desc_oa(s2, d));
	}
	rest = p->ipa & (level_size(s2, level) - 1);
	v.state = LEAF;
	v.pa = desc_oa(s2, d) + rest;
	v.bits = leaf_bits(d);
	if (v.hard)
		path[(*n)++] = (struct item){ .level = (int8_t)level,
					      .pa = v.pa,
					      .bits = v.bits };
	return v;
}

/* ---- what calls may do ------------------------------------------------------------- */

bool ref_wanted(const struct call *c, const struct probe *p, const struct view *v)
{
	uint64_t want = leaf_bits(desc_leaf(&world.bed.s2, 0, c->attr, LAST_LEVEL));
	s2_attr_t has;

	if (v->state != LEAF)
		return false;
	if (c->kind == MAP)
		return v->pa == c->pa + (p->ipa - c->ipa) && v->bits == want;
	has = (s2_attr_t)(v->bits / DESC_S2AP_R & (S2_R | S2_W)) | desc_exec(v->bits);
	return c->kind == RELAX ? !(c->attr & ~has) : true;
}

/* The leaf that maps the probe reaches into the call's range. */
static bool touches(const struct call *c, const struct probe *p, int level)
{
	uint64_t size = level_size(&world.bed.s2, level), base = p->ipa & ~(size - 1);

	return base < c->ipa + c->size && base + size > c->ipa;
}

static bool replaces(const struct call *c)
{
	return (c->kind == MAP || c->kind == ANNOTATE) && c->flags & S2_MAP_REPLACE;
}

static bool may_break(const struct call *c, const struct probe *p, int level, bool in)
{
	if (c->kind != UNMAP && !replaces(c))
		return false;
	return in || (c->flags & S2_DROP_EDGES && touches(c, p, level));
}

static bool may_reshape(const struct call *c, const struct probe *p,
			const struct view *old, const struct view *new, bool in)
{
	if (new->level < old->level)
		return c->kind == COLLAPSE && in;
	if (!touches(c, p, old->level))
		return false;
	return c->kind == SPLIT ||
	       ((c->kind == MAP || c->kind == UNMAP || c->kind == ANNOTATE) &&
		c->flags & S2_SPLIT_EDGES);
}

static bool may_change(const struct call *c, const struct probe *p,
		       const struct view *old, const struct view *new, bool in)
{
	uint64_t taken = old->bits & ~new->bits, given = new->bits & ~old->bits;

	switch (c->kind) {
	case MAP:
		return in && ref_wanted(c, p, new) && !(c->flags & S2_MAP_NEW);
	case WRPROTECT:
		return touches(c, p, old->level) && !given &&
		       !(taken & ~(DESC_S2AP_W | DESC_DBM));
	case RELAX:
		return touches(c, p, old->level) && !((taken | given) & ~PERMS) &&
		       !(taken & ~DESC_XN) &&
		       !(desc_exec(old->bits) & ~desc_exec(new->bits));
	default:
		return false;
	}
}

static void may_release(const struct call *c, const struct probe *p)
{
	if (p->broke != c->id && !c->exclusive)
		nested_fail("marker-of-another",
			    "0x%" PRIx64 ": call %" PRIu64
			    " replaces the marker of %" PRIu64,
			    p->ipa, c->id, p->broke);
	for (unsigned i = 0; i < p->items; i++)
		if (p->item[i].end)
			nested_fail("marker-replaced-early",
				    "0x%" PRIx64 ": a PE may hold %s 0x%" PRIx64, p->ipa,
				    p->item[i].table ? "table" : "leaf", p->item[i].pa);
}

/* New memory, or new to instruction fetch, was made so before. */
static void check_published(const struct call *c, const struct probe *p, unsigned i,
			    const struct view *old, const struct view *new)
{
	bool fresh = old->state != LEAF;
	/* What it has replaced itself could still be written through. */
	bool early = c->early >> i & 1 && p->gone_by == c->id && p->gone_pa == new->pa;
	uint64_t since = c->began;
	bool made;

	/* The hypervisor has had it meanwhile. */
	if (c->exclusive && fresh && p->gone_pa == new->pa && p->gone > since)
		since = p->gone;
	if (c->kind == MAP && c->flags & S2_NO_CLEAN)
		return;
	if (fresh && ref_needs_clean(new->bits) &&
	    (early || c->cleaned[i] <= since || c->barrier <= c->cleaned[i]))
		nested_fail("map-clean-missing", "0x%" PRIx64 " is mapped to 0x%" PRIx64,
			    p->ipa, new->pa);
	made = c->kind == MAP ? c->executable[i] > since :
				new->pa - c->made_pa < c->made_size;
	if (desc_exec(new->bits) & ~(fresh ? 0 : desc_exec(old->bits)) && !made)
		nested_fail("map-executable-missing",
			    "0x%" PRIx64 " is mapped to 0x%" PRIx64, p->ipa, new->pa);
}

static void forget_owed(struct probe *p, uint64_t pa)
{
	for (unsigned k = 0; k < p->oweds;)
		if (p->owed[k].pa == pa)
			p->owed[k] = p->owed[--p->oweds];
		else
			k++;
}

static void owe(struct probe *p, uint64_t pa, uint64_t birth, bool waived)
{
	for (unsigned k = 0; k < p->oweds; k++)
		if (p->owed[k].pa == pa && p->owed[k].by == p->broke &&
		    p->owed[k].birth >= birth)
			return;
	if (p->oweds == OWED)
		nested_fail("too-small", "%u pages to clean", OWED);
	p->owed[p->oweds++] = (struct owed){ .by = p->broke,
					     .pa = pa,
					     .birth = birth,
					     .gone = world.now,
					     .waived = waived };
}

void ref_lost(struct probe *p, const struct item *i)
{
	if (ref_needs_clean(i->bits))
		owe(p, i->pa, world.now, false);
}

/* The call under way has changed what translates the probe: may it, and since when. */
static void change(struct probe *p, unsigned i, const struct view *new)
{
	const struct call *c = call_now();
	const struct view old = p->now;
	bool in = c->inside >> i & 1, ok;

	if (old.state == LEAF && new->state == LEAF) {
		ok = old.pa == new->pa;
		if (old.level != new->level)
			ok &= may_reshape(c, p, &old, new, in);
		if (old.bits != new->bits) {
			ok &= may_change(c, p, &old, new, in);
			check_published(c, p, i, &old, new);
		}
	} else if (old.state == LEAF) {
		ok = new->state == BROKEN &&may_break(c, p, old.level, in);
	} else if (new->state == LEAF) {
		ok = c->kind == MAP && in && ref_wanted(c, p, new);
		if (ok && old.state == BROKEN)
			may_release(c, p);
		if (ok)
			check_published(c, p, i, &old, new);
	} else if (new->state == NOTHING) {
		ok = old.state == BROKEN;
		may_release(c, p);
	} else {
		/* Whoever meets an empty table takes it. */
		ok = c->kind == MAP || c->kind == UNMAP || c->kind == FLUSH ||
		     c->kind == ANNOTATE;
	}
	if (!ok)
		nested_fail(in ? "wrong-change" : "outside-the-range",
			    "0x%" PRIx64 ": call %" PRIu64
			    " makes %s (level %d, 0x%" PRIx64 ", 0x%" PRIx64
			    ") of %s (level %d, 0x%" PRIx64 ", 0x%" PRIx64 ")",
			    p->ipa, c->id, state_name[new->state], new->level, new->pa,
			    new->bits, state_name[old.state], old.level, old.pa,
			    old.bits);
	if (new->state == LEAF) {
		if (old.state != LEAF) {
			p->birth = world.now;
			forget_owed(p, new->pa);
		}
		if (old.state != LEAF || new->level < old.level)
			p->shaped = world.now;
		if (!(new->bits &DESC_S2AP_W))
			p->writable = 0;
		else if (old.state != LEAF || !(old.bits & DESC_S2AP_W))
			p->writable = world.now;
	}
	if (new->state == BROKEN) {
		p->broke = c->id;
		p->since = old.state == BROKEN ? p->since : world.now;
	}
	if (old.state == LEAF && new->state != LEAF) {
		p->gone = world.now;
		p->gone_pa = old.pa;
		p->gone_by = c->id;
		if (ref_needs_clean(old.bits))
			owe(p, old.pa, p->birth, c->flags & S2_NO_CLEAN);
	}
}

/* A call under way that asks for this, or looks there, has it so now. */
static void meet(const struct probe *p, unsigned i, const struct view *v)
{
	for (unsigned k = 0; k < CALLS; k++) {
		struct call *c = &world.call[k];

		if (!c->under_way || !(c->inside >> i & 1))
			continue;
		if (ref_wanted(c, p, v))
			c->met |= 1u << i;
		if (c->kind == LOOKUP && c->nseen < SEEN)
			c->seen[c->nseen++] = *v;
	}
}

static bool same_view(const struct view *a, const struct view *b)
{
	if (a->state != b->state)
		return false;
	if (a->state == BROKEN)
		return a->entry == b->entry;
	return a->state == NOTHING ||
	       (a->level == b->level && a->pa == b->pa && a->bits == b->bits);
}

static void touch(unsigned i)
{
	struct probe *p = &world.probe[i];
	struct item path[S2_LEVELS + 1];
	unsigned n;
	struct view v = walk(p, path, &n);

	if (!same_view(&v, &p->now) && call_now())
		change(p, i, &v);
	p->now = v;
	for (unsigned k = 0; k < n; k++) {
		path[k].begin = world.now;
		path[k].birth = p->birth;
		path[k].writable = path[k].table ? 0 : p->writable;
	}
	tlb_refresh(p, path, n);
	tlb_late(p);
	meet(p, i, &v);
}

/* ---- writes ------------------------------------------------------------------------ */

static void learn(uint64_t d, int level, uint64_t base)
{
	struct table *t;

	if (!(desc_valid(d) || (desc_busy(d) && d & DESC_REMAKE)) ||
	    !desc_is_table(d, level))
		return;
	t = table_of(desc_oa(&world.bed.s2, d));
	*t = (struct table){ .known = true, .level = (int8_t)(level + 1), .base = base };
}

void ref_wrote(struct count_port *port, uint64_t at, uint64_t old, uint64_t desc)
{
	const struct s2 *s2 = &world.bed.s2;
	const struct table *t = table_of(at);
	uint64_t base, size;

	(void)port;
	/* Not reached by anybody yet. */
	if (!t->known)
		return;
	size = level_size(s2, t->level);
	base = t->base + ((at - COUNT_PORT_BASE) & (page_size(s2) - 1)) / 8 * size;
	learn(desc, t->level, base);
	count_wrote(base, t->level, old, desc);
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];
		struct view late = { .level = t->level, .entry = at };

		if ((p->ipa ^ base) & ~(size - 1))
			continue;
		touch(i);
		if (p->now.entry == at)
			continue;
		/* Late, below a table that has been detached: true all the same. */
		late.state = desc_busy(desc) ? BROKEN : NOTHING;
		if (desc_valid_leaf(desc, t->level)) {
			late.state = LEAF;
			late.pa = desc_oa(s2, desc) + (p->ipa & (size - 1));
			late.bits = leaf_bits(desc);
		}
		if (!desc_valid_table(desc, t->level))
			meet(p, i, &late);
	}
}

void ref_freed(uint64_t pa)
{
	const struct call *c = call_now();
	struct table *t = table_of(pa);

	if (!t->known)
		return;
	if (c && !c->exclusive)
		nested_fail("freed-under-walker", "table 0x%" PRIx64, pa);
	for (unsigned i = 0; i < world.probes; i++)
		for (unsigned k = 0; k < world.probe[i].items; k++)
			if (world.probe[i].item[k].table &&
			    world.probe[i].item[k].pa == pa)
				nested_fail("table-freed-early",
					    "0x%" PRIx64
					    ": a PE may walk table 0x%" PRIx64,
					    world.probe[i].ipa, pa);
	t->known = false;
}

/* ---- calls ------------------------------------------------------------------------- */

void ref_begin(struct call *c)
{
	c->began = ++world.now;
	c->inside = c->met = c->early = 0;
	c->nseen = 0;
	c->made_size = 0;
	c->under_way = true;
	memset(c->cleaned, 0, sizeof(c->cleaned));
	memset(c->executable, 0, sizeof(c->executable));
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];

		if (p->ipa < c->ipa || p->ipa >= c->ipa + c->size)
			continue;
		c->inside |= 1u << i;
		if (ref_wanted(c, p, &p->now))
			c->met |= 1u << i;
		if (c->kind == LOOKUP)
			c->seen[c->nseen++] = p->now;
	}
}

static void no_item(const struct call *c, const struct probe *p, bool writable)
{
	for (unsigned k = 0; k < p->items; k++) {
		const struct item *it = &p->item[k];

		if (it->table || it->birth > c->began ||
		    (writable && (!it->writable || it->writable > c->began)))
			continue;
		nested_fail(writable ? "stale-after-wrprotect" : "stale-after-unmap",
			    "0x%" PRIx64 ": call %" PRIu64 " has returned, a PE may hold "
			    "0x%" PRIx64 " of level %d",
			    p->ipa, c->id, it->pa, it->level);
	}
}

static void nothing_owed(const struct call *c, struct probe *p, bool in)
{
	bool waived = c->flags & S2_NO_CLEAN;

	for (unsigned k = 0; k < p->oweds;) {
		struct owed *o = &p->owed[k];
		/* Another's marker that has been there all the time: met, so cleaned. */
		bool met = in && c->kind == UNMAP && !c->ret && o->gone < c->began &&
			   p->now.state == BROKEN && p->since == o->gone;

		if (!waived && (o->by == c->id || met) && (!o->clean || o->barrier))
			nested_fail("not-cleaned",
				    "0x%" PRIx64 ": call %" PRIu64
				    " has returned, memory "
				    "0x%" PRIx64 " is not clean",
				    p->ipa, c->id, o->pa);
		if (o->by == c->id)
			p->owed[k] = p->owed[--p->oweds];
		else
			k++;
	}
}

static void check_lookup(const struct call *c, const struct probe *p)
{
	const struct view *v = c->seen;

	/* The answer is behind those that were seen. */
	for (unsigned k = 0; k + 1 < c->nseen; k++)
		if (v[k].state == v[c->nseen - 1].state &&
		    v[k].pa == v[c->nseen - 1].pa && v[k].bits == v[c->nseen - 1].bits)
			return;
	nested_fail("lookup-stale", "0x%" PRIx64 ": call %" PRIu64 " finds %s 0x%" PRIx64,
		    p->ipa, c->id, state_name[v[c->nseen - 1].state], v[c->nseen - 1].pa);
}

static void check_probe(struct call *c, struct probe *p, unsigned i)
{
	bool leaf = p->now.state == LEAF, old = leaf && p->birth <= c->began;

	switch (c->kind) {
	case ANNOTATE:
		if (!replaces(c))
			break;
		/* fall through */
	case UNMAP:
		if (old)
			nested_fail("left-mapped", "0x%" PRIx64 ": call %" PRIu64, p->ipa,
				    c->id);
		no_item(c, p, false);
		break;
	case MAP:
		if (!(c->met >> i & 1))
			nested_fail("map-lost", "0x%" PRIx64 ": call %" PRIu64, p->ipa,
				    c->id);
		if (!(c->attr & S2_W))
			no_item(c, p, true);
		break;
	case RELAX:
	case MKYOUNG:
		if (!(c->met >> i & 1))
			nested_fail("relax-lost", "0x%" PRIx64 ": call %" PRIu64, p->ipa,
				    c->id);
		break;
	case WRPROTECT:
		if (old && p->now.bits & DESC_S2AP_W && p->writable <= c->began)
			nested_fail("left-writable", "0x%" PRIx64 ": call %" PRIu64,
				    p->ipa, c->id);
		no_item(c, p, true);
		break;
	case SPLIT:
		if (leaf && p->now.level < LAST_LEVEL && p->shaped <= c->began)
			nested_fail("left-block", "0x%" PRIx64 ": call %" PRIu64, p->ipa,
				    c->id);
		break;
	case CLEAN:
		if (old && ref_needs_clean(p->now.bits) && c->cleaned[i] <= c->began)
			nested_fail("not-cleaned", "0x%" PRIx64 ": call %" PRIu64, p->ipa,
				    c->id);
		break;
	case LOOKUP:
		check_lookup(c, p);
		break;
	default:
		break;
	}
}

void ref_returned(struct call *c)
{
	c->under_way = false;
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];
		bool in = c->inside >> i & 1;

		nothing_owed(c, p, in);
		if (in && (!c->ret || (c->kind == UNMAP && c->ret == S2_E_BLOCK &&
				       p->ipa < c->op.done.ipa)))
			check_probe(c, p, i);
	}
}

/* ---- all of it --------------------------------------------------------------------- */

void ref_all(void)
{
	struct s2_mapping m;
	struct s2_iter it;
	bool more = !s2_iter_start(&it, &world.bed.s2, s2_ipa(0),
				   UINT64_C(1) << world.bed.s2.ipa_bits);

	while (more && (more = s2_iter_next(&it, &m))) {
		bool right = world.alias;

		if (m.state != S2_LEAF)
			continue;
		for (unsigned i = 0; i < 4; i++)
			right |= m.pa.pa - m.ipa.ipa == world.delta[i];
		if (!right)
			nested_fail("wrong-address",
				    "0x%" PRIx64 " is mapped to 0x%" PRIx64, m.ipa.ipa,
				    m.pa.pa);
	}
}

void ref_open(void)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t span = level_size(s2, s2->start_level) * table_entries(s2);

	world.table = calloc(world.bed.port.pages, sizeof(*world.table));
	if (!world.table)
		abort();
	for (unsigned i = 0; i < s2->root_pages; i++)
		world.table[i] = (struct table){ .known = true,
						 .level = s2->start_level,
						 .base = i * span };
	for (unsigned i = 0; i < world.probes; i++)
		touch(i);
	world.bed.port.wrote = ref_wrote;
}

void ref_close(void)
{
	free(world.table);
	world.table = NULL;
}
