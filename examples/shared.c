/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls beside each other without a lock: three vCPUs map the pages they fault on, and
 * look them up, while another thread takes the memory away. ports/qsbr says when the
 * tables that an unmap has detached may be freed.
 *
 *	cc -pthread -Iinclude -Isrc -Iexamples/host -Iports/qsbr -o shared \
 *		examples/shared.c src/[a-z]*.c extra/[a-z]*.c
 */
#include <pthread.h>
#include <stdio.h>
#include "s2_qsbr.h"
#include "stage2_port.h"

#define PAGES 4096u
#define PAGE UINT64_C(4096)
#define RAM (UINT64_C(1) << 30)
#define FRAMES (UINT64_C(2) << 30)
#define VCPUS 3
#define FAULTS 20000u
#define UNMAPS 500u

static struct host_port port;
static struct s2 s2;
static struct s2_qsbr qsbr;
static struct s2_qsbr_reader readers[VCPUS + 1];
static struct s2_qsbr_limbo limbos[VCPUS + 1];

static void *vcpu(void *reader)
{
	const size_t me = (size_t)((struct s2_qsbr_reader *)reader - readers);
	uint32_t random = 12345 + (uint32_t)me;
	struct s2_leaf leaf;

	s2_qsbr_online(&qsbr, &readers[me]);
	for (unsigned i = 0; i < FAULTS; i++) {
		/* A new op for each call: a shared call keeps nothing in it. */
		struct s2_op op = { .limbo = &limbos[me].filling };
		uint64_t at;
		int err;

		random = random * 1664525 + 1013904223;
		at = (random >> 8) % PAGES * PAGE;
		err = s2_map(&s2, s2_ipa(RAM + at), s2_pa(FRAMES + at), PAGE, S2_R | S2_W,
			     S2_SHARED | S2_MAP_NEW, &op);
		/* Another vCPU was first, or an unmap is under way: try again. */
		if (err && err != S2_E_EXIST && err != S2_E_BUSY && err != S2_MORE)
			return (void *)s2_strerror(err);
		if (!s2_translate(&s2, s2_ipa(RAM + at), &leaf) &&
		    leaf.pa.pa != FRAMES + at)
			return "another guest's memory";
		/* No pointer into the tables is held here. */
		s2_qsbr_quiescent(&qsbr, &readers[me]);
		s2_qsbr_reclaim(&qsbr, &limbos[me], &s2, NULL);
	}
	s2_qsbr_offline(&readers[me]);
	return NULL;
}

/* Takes away 2 MiB at a time. After 0 the memory is nobody's. */
static const char *reclaim(void)
{
	const uint64_t size = 512 * PAGE;
	int err;

	s2_qsbr_online(&qsbr, &readers[VCPUS]);
	for (unsigned i = 0; i < UNMAPS; i++) {
		do {
			struct s2_op op = { .limbo = &limbos[VCPUS].filling };

			err = s2_unmap(&s2, s2_ipa(RAM + i % (PAGES / 512) * size), size,
				       S2_SHARED, &op);
			s2_qsbr_quiescent(&qsbr, &readers[VCPUS]);
			s2_qsbr_reclaim(&qsbr, &limbos[VCPUS], &s2, NULL);
		} while (err == S2_MORE);
		if (err)
			return s2_strerror(err);
	}
	s2_qsbr_offline(&readers[VCPUS]);
	return NULL;
}

int main(void)
{
	struct s2_config cfg = { .ipa_bits = 40, .pa_bits = 48, .port = &port };
	const char *wrong;
	pthread_t thread[VCPUS];

	s2_qsbr_init(&qsbr, readers, VCPUS + 1);
	if (s2_init(&s2, &cfg))
		return 1;
	for (int i = 0; i < VCPUS; i++)
		if (pthread_create(&thread[i], NULL, vcpu, &readers[i]))
			return 1;
	wrong = reclaim();
	for (int i = 0; i < VCPUS; i++) {
		void *said;

		pthread_join(thread[i], &said);
		wrong = wrong ? wrong : said;
	}
	/* All are off line now, so each limbo can be emptied. */
	for (int i = 0; i <= VCPUS; i++)
		while (!s2_qsbr_reclaim(&qsbr, &limbos[i], &s2, NULL))
			;
	if (wrong || s2_destroy(&s2, 0, NULL) || port.tables) {
		printf("%s, %llu tables are left\n", wrong ? wrong : "destroy",
		       (unsigned long long)port.tables);
		return 1;
	}
	printf("%u faults and %u unmaps beside each other; no table is left\n",
	       VCPUS * FAULTS, UNMAPS);
	return 0;
}
