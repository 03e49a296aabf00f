/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab judge: locks. A thread that takes a lock learns what the one knew that released
 * it. With --locks, each store to a live table needs the lock of its tree.
 */
#include <stdlib.h>

#include "judge.h"

static struct judge_lock *find(struct judge *j, uint64_t address)
{
	for (size_t i = 0; i < j->locks; i++) {
		if (j->lock[i].address == address)
			return &j->lock[i];
	}
	if (j->locks == JUDGE_LOCKS) {
		judge_cannot(j, "more than %u locks", JUDGE_LOCKS);
		return NULL;
	}
	j->lock[j->locks] = (struct judge_lock){ .address = address };
	return &j->lock[j->locks++];
}

bool judge_lock(struct judge *j, unsigned pe, const struct record *r)
{
	struct judge_lock *l = find(j, r->n[F_ADDRESS]);

	if (!l)
		return false;
	if (l->depth && l->holder == pe) {
		l->depth++; /* Casemate's locks are recursive */
		return true;
	}
	if (l->depth && j->opt->locks)
		judge_found(j, "lock-held-elsewhere", r,
			    "thread %llu takes the lock %#llx, which thread %llu holds",
			    (unsigned long long)r->n[F_TID],
			    (unsigned long long)l->address,
			    (unsigned long long)j->thread[l->holder].tid);
	l->depth = 1;
	l->holder = pe;
	if (l->released)
		s2m_acquire(j->m, pe, &l->release);
	return true;
}

bool judge_unlock(struct judge *j, unsigned pe, const struct record *r)
{
	struct judge_lock *l = find(j, r->n[F_ADDRESS]);

	if (!l)
		return false;
	if (!l->depth || l->holder != pe) {
		if (j->opt->locks)
			judge_found(j, "unlock-not-held", r,
				    "thread %llu releases the lock %#llx, which it does "
				    "not hold",
				    (unsigned long long)r->n[F_TID],
				    (unsigned long long)l->address);
		return true;
	}
	if (--l->depth)
		return true;
	l->released = true;
	s2m_release(j->m, pe, &l->release);
	return true;
}

bool judge_root_lock(struct judge *j, const struct record *r)
{
	const struct judge_root root = { r->n[F_LOCATION], r->n[F_VALUE] };
	struct judge_root *more;

	for (size_t i = 0; i < j->roots; i++) {
		if (j->root[i].root == root.root) {
			j->root[i] = root;
			return true;
		}
	}
	more = realloc(j->root, (j->roots + 1) * sizeof(*more));
	if (!more) {
		judge_cannot(j, "out of memory");
		return false;
	}
	j->root = more;
	j->root[j->roots++] = root;
	return true;
}

void judge_owner(struct judge *j, const struct record *r)
{
	if (j->owners < JUDGE_OWNERS)
		j->owner[j->owners++] =
			(struct judge_owned){ r->n[F_LOCATION], r->n[F_VALUE] };
	else
		judge_cannot(j, "more than %u entries that a thread owns", JUDGE_OWNERS);
}

/* set_pte_thread_owner: the thread needs no lock for the entry; the last one counts. */
static bool owned(const struct judge *j, uint64_t pa, uint64_t tid)
{
	for (size_t i = j->owners; i--;) {
		if (j->owner[i].entry == pa)
			return j->owner[i].tid == tid;
	}
	return false;
}

void judge_locked(struct judge *j, unsigned pe, uint64_t pa, const struct record *r)
{
	uint64_t root;
	size_t i = 0;

	if (!j->opt->locks || !s2m_table_root(j->m, pa, &root) ||
	    owned(j, pa, r->n[F_TID]))
		return;
	while (i < j->roots && j->root[i].root != root)
		i++;
	if (i == j->roots) {
		judge_found(
			j, "lock-unknown", r,
			"thread %llu writes %#llx, in the tree at %#llx, which has no "
			"lock (set_root_lock)",
			(unsigned long long)r->n[F_TID], (unsigned long long)pa,
			(unsigned long long)root);
		return;
	}
	for (size_t l = 0; l < j->locks; l++) {
		if (j->lock[l].address == j->root[i].lock && j->lock[l].depth &&
		    j->lock[l].holder == pe)
			return;
	}
	judge_found(
		j, "lock-not-held", r,
		"thread %llu writes %#llx, in the tree at %#llx, without the lock %#llx",
		(unsigned long long)r->n[F_TID], (unsigned long long)pa,
		(unsigned long long)root, (unsigned long long)j->root[i].lock);
}
