/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * posted: the patch as posted. If the range contains a whole entry of the highest level
 * that has blocks, a first walk detaches the table there: it writes a marker, flushes,
 * drops a reference to the page of the entry and takes it again, and passes the table on
 * to be freed. KVM's usual walk follows. Memory below the table is not cleaned.
 *
 * The discussion left two things open, which are options: how references are counted,
 * and when a removed table is freed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm.h"

struct posted {
	struct lab_run *run;
	int level;	  /* the highest level at which KVM has blocks */
	uint64_t removed; /* table to be freed after a grace period; 0: none */
	uint64_t removed_ipa;
};

/* Adds a moment to the story, and a note to the machine's log. */
static void tell(struct lab_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct lab_run *run, const char *fmt, ...)
{
	struct posted_story *story = &run->story;
	struct moment *at = &story->moment[story->moments];
	va_list ap;

	if (story->moments == STORY_MOMENTS)
		return;
	at->step = s2m_step(run->vm->m);
	va_start(ap, fmt);
	vsnprintf(at->text, sizeof(at->text), fmt, ap);
	va_end(ap);
	s2m_note(run->vm->m, at->text);
	story->moments++;
}

/* ---- freeing a removed table ---- */

static void free_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		       void *arg)
{
	(void)arg;
	if (v->desc)
		kvm_drop(k, v->entry);
	if (when == WHEN_POST)
		kvm_table_free(k, desc_addr(k, v->desc));
}

static void free_removed(struct posted *p)
{
	struct lab_run *run = p->run;
	uint64_t table = p->removed;

	if (!table)
		return;
	p->removed = 0;
	kvm_walk_table(run->kvm, table, p->level + 1, p->removed_ipa,
		       p->removed_ipa + entry_size(run->kvm, p->level),
		       WHEN_LEAF | WHEN_POST, free_visit, NULL);
	kvm_table_free(run->kvm, table);
	if (table == run->story.removed) {
		run->story.freed_at = s2m_step(run->vm->m);
		tell(run, "the removed table 0x%llx and what is below it are freed",
		     (unsigned long long)table);
	}
}

/* ---- the walk that detaches ---- */

static unsigned count_seen(struct posted *p, uint64_t entry)
{
	unsigned refs = *kvm_refs(p->run->kvm, entry);

	if (refs < p->run->story.holder_least)
		p->run->story.holder_least = refs;
	return refs;
}

static void detach_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
			 void *arg)
{
	struct posted *p = arg;
	struct lab_run *run = p->run;
	struct posted_story *story = &run->story;
	uint64_t table = desc_addr(k, v->desc);
	unsigned before;

	(void)when;
	if (v->level != p->level)
		return;
	if (!story->removed) {
		story->holder = page_of(k, v->entry);
		story->removed = table;
		story->holder_least = UINT32_MAX;
	}
	kvm_clear(k, v->entry, DESC_LOCKED);
	tell(run, "marker written over the entry of table 0x%llx",
	     (unsigned long long)table);
	kvm_flush_range(k, v->ipa, entry_size(k, p->level));
	before = count_seen(p, v->entry);
	kvm_put(k, v->entry);
	tell(run, "put on the holder 0x%llx: count %u -> %u%s",
	     (unsigned long long)story->holder, before, count_seen(p, v->entry),
	     before == 1 ? ", it is freed" : "");
	++*kvm_refs(k, v->entry);
	tell(run, "get on the holder: count %u -> %u", before - 1, before);
	p->removed = table;
	p->removed_ipa = v->ipa;
	tell(run, "the removed table is handed on to be freed");
	if (run->free != FREE_RCU)
		free_removed(p);
}

static void detach(struct posted *p, uint64_t ipa, uint64_t size)
{
	struct lab_run *run = p->run;
	struct machine *m = run->vm->m;
	unsigned pe = run->kvm->pe;

	/*
	 * The MMU lock disables preemption. With FREE_RCU this makes the walk an RCU read
	 * section: no grace period ends before the walk does.
	 */
	if (run->free == FREE_RCU)
		s2m_walker_enter(m, pe);
	kvm_walk(run->kvm, ipa, ipa + size, WHEN_PRE, detach_visit, p);
	if (run->free == FREE_RCU)
		s2m_walker_leave(m, pe);
	if (run->story.removed && !run->story.walk_until) {
		run->story.walk_until = s2m_step(m);
		tell(run, "the walk, which had gone on below the removed table, ends");
	}
}

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	const uint64_t end = ipa + size;
	/* 1 GiB, 32 MiB, 512 MiB: KVM makes no larger ones with 52 bits either. */
	struct posted p = { .run = run, .level = run->kvm->page_shift == 12 ? 1 : 2 };
	const uint64_t block = entry_size(run->kvm, p.level);
	bool defer = false;

	/* KVM splits a range at these boundaries, with one call for each piece. */
	while (ipa < end) {
		uint64_t next = (ipa & ~(block - 1)) + block;

		if (next > end)
			next = end;
		if (next - ipa == block)
			detach(&p, ipa, block);
		kvm_walk(run->kvm, ipa, next, WHEN_LEAF | WHEN_POST, kvm_unmap_visit,
			 &defer);
		free_removed(&p);
		lab_step_end(run);
		ipa = next;
	}
	return 0;
}

const struct lab_strategy strategy_posted = {
	.name = "posted",
	.says = "the patch as posted: tables the size of a block go first",
	.on_kvm = true,
	.work = { [LAB_UNMAP] = unmap },
};
