/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: records of memory that holds tables. */
#include "judge.h"

#define ADDRESS_BITS 52
#define ENTRY 8u
/* What hardware may have changed in an entry: the access flag, dirty state. */
#define BY_HARDWARE (UINT64_C(1) << 10 | UINT64_C(1) << 7)

static uint64_t page_size(const struct judge *j)
{
	return UINT64_C(1) << s2m_granule_shift(j->m);
}

static bool no_room(struct judge *j)
{
	judge_cannot(j, "more than %llu table pages", (unsigned long long)j->max_pages);
	return false;
}

static bool check_range(struct judge *j, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], size = r->has & 1u << F_SIZE ? r->n[F_SIZE] : ENTRY;

	if (a % ENTRY)
		return judge_wrong(j, r, F_ADDRESS, "not a multiple of 8");
	if (size % ENTRY)
		return judge_wrong(j, r, F_SIZE, "not a multiple of 8");
	if (a >> ADDRESS_BITS)
		return judge_wrong(j, r, F_ADDRESS, "beyond 52 bits of address");
	if (size > (UINT64_C(1) << ADDRESS_BITS) - a)
		return judge_wrong(j, r, F_SIZE, "ends beyond 52 bits of address");
	if (j->own && (r->kind == R_MEM_TAKE || r->kind == R_MEM_FREE) &&
	    (!size || (a | size) % page_size(j)))
		return judge_wrong(j, r, F_SIZE, "not so many whole pages");
	return size / page_size(j) > j->max_pages ? no_room(j) : true;
}

/*
 * Every page of the range that is not in use is taken. @zeroed: it is zero; otherwise its
 * content is not known.
 */
static bool place(struct judge *j, unsigned pe, uint64_t from, uint64_t end, bool zeroed)
{
	uint64_t page = page_size(j), at = from & ~(page - 1), n;

	for (; at < end; at += n * page) {
		n = 1;
		if (s2m_table_taken(j->m, at))
			continue;
		while (at + n * page < end && !s2m_table_taken(j->m, at + n * page))
			n++;
		if (!s2m_table_place(j->m, pe, at, n, zeroed))
			return no_room(j);
	}
	return true;
}

/* A store to a page that the trace has not initialised: the rest of it is not known. */
static bool place_unknown(struct judge *j, unsigned pe, uint64_t pa)
{
	if (j->own || s2m_table_known(j->m, pa))
		return true;
	if (j->stranges == JUDGE_STRANGE) {
		judge_cannot(j,
			     "more than %u pages are written that were not initialised",
			     JUDGE_STRANGE);
		return false;
	}
	j->strange[j->stranges++] = pa;
	return place(j, pe, pa, pa + 1, true);
}

/*
 * mem-init. The zeroes of a page that was not in use are there, for every PE: a tracer
 * says so when the page is ready. A page in use is written, and so are all with --strict.
 */
static bool init(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], end = a + r->n[F_SIZE], page = page_size(j), n;

	if (j->opt->strict || j->own) {
		if (!place(j, pe, a, end, true))
			return false;
		s2m_fill(j->m, pe, a, end - a, 0);
		return true;
	}
	for (uint64_t at = a; at < end; at += n) {
		n = page - at % page < end - at ? page - at % page : end - at;
		if (s2m_table_taken(j->m, at))
			s2m_fill(j->m, pe, at, n, 0);
	}
	return place(j, pe, a, end, true);
}

static bool set(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], end = a + r->n[F_SIZE], page = page_size(j);

	if (r->n[F_VALUE] > 0xff)
		return judge_wrong(j, r, F_VALUE, "not a byte");
	if (!j->own && a < end) {
		/* Only its first and its last page can be there in part. */
		if ((a % page && !place_unknown(j, pe, a)) ||
		    (end % page && !place_unknown(j, pe, end - 1)) ||
		    !place(j, pe, a, end, false))
			return false;
	}
	judge_locked(j, pe, a, r);
	s2m_fill(j->m, pe, a, end - a, r->n[F_VALUE] * UINT64_C(0x0101010101010101));
	return true;
}

static void give(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], end = a + r->n[F_SIZE], page = page_size(j);

	if (j->own) {
		if (s2m_table_known(j->m, a) && s2m_table_known(j->m, end - page))
			s2m_table_give(j->m, pe, a, (unsigned)((end - a) / page));
		return;
	}
	for (uint64_t at = a & ~(page - 1); at < end; at += page) {
		if (s2m_table_known(j->m, at))
			s2m_table_give(j->m, pe, at, 1);
	}
}

static bool read(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], want = r->n[F_VALUE], found;

	if (!j->own && !s2m_table_known(j->m, a))
		return true;
	found = s2m_read(j->m, pe, a);
	if (!j->own && s2m_table_taken(j->m, a) && (found ^ want) & ~BY_HARDWARE)
		judge_cannot(
			j,
			"record %llu reads %#llx at %#llx, where the trace has written "
			"%#llx: a store is missing from it",
			(unsigned long long)r->n[F_ID], (unsigned long long)want,
			(unsigned long long)a, (unsigned long long)found);
	return true;
}

static bool write(struct judge *j, unsigned pe, const struct record *r)
{
	uint64_t a = r->n[F_ADDRESS], value = r->n[F_VALUE];

	if (!place_unknown(j, pe, a))
		return false;
	judge_locked(j, pe, a, r);
	if (j->own)
		s2m_waive_map_clean(j->m, pe, r->n[F_NO_CLEAN]);
	j->stores++;
	switch (r->kind) {
	case R_MEM_XCHG:
		s2m_xchg(j->m, pe, a, value);
		return true;
	case R_CAS:
		s2m_cas(j->m, pe, a, r->n[F_OLD], value);
		return true;
	default:
		s2m_write(j->m, pe, a, value,
			  r->word[0] == 'r' ? S2M_RELEASE : S2M_PLAIN);
		return true;
	}
}

bool judge_memory(struct judge *j, unsigned pe, const struct record *r)
{
	if (!check_range(j, r))
		return false;
	switch (r->kind) {
	case R_MEM_INIT:
		return init(j, pe, r);
	case R_MEM_TAKE:
		return place(j, pe, r->n[F_ADDRESS], r->n[F_ADDRESS] + r->n[F_SIZE],
			     false);
	case R_MEM_FREE:
		give(j, pe, r);
		return true;
	case R_MEM_SET:
		return set(j, pe, r);
	case R_MEM_READ:
		return read(j, pe, r);
	default:
		return write(j, pe, r);
	}
}
