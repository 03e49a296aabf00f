/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "watch.h"
#include "desc.h"

/* 4 KiB granule, 48 bits. */
#define OA (((UINT64_C(1) << 48) - 1) & ~(PAGE - 1))

static struct watch *watch;

/* Table pages that have been given out and not been linked yet: nobody can reach them. */
static uint8_t fresh[4096];

static uint64_t page_of(uint64_t pa)
{
	return (pa - COUNT_PORT_BASE) / PAGE;
}

/* A table's descriptor, valid or busy, has none of the attributes of a leaf. */
static void now_linked(const struct count_port *port, uint64_t d)
{
	uint64_t pa = d & OA;

	if ((desc_valid(d) || desc_busy(d)) &&
	    !(d & (DESC_MEMATTR | DESC_S2AP_R | DESC_S2AP_W | DESC_SH | DESC_AF)) &&
	    pa >= COUNT_PORT_BASE && pa < COUNT_PORT_BASE + (port->pages << port->shift))
		fresh[(pa - COUNT_PORT_BASE) >> port->shift] = false;
}

static void on_write(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t new)
{
	uint64_t old = *s2_port_table_va(port, at);

	if (fresh[(at - COUNT_PORT_BASE) >> port->shift])
		return;
	now_linked(port, new);
	if (desc_valid(old) && desc_valid(new)) {
		if ((old ^ new) & ~DESC_IN_PLACE)
			fail_msg("valid 0x%" PRIx64 " to valid 0x%" PRIx64, old, new);
	} else if (what == COUNT_CAS && new == desc_make_busy(old | DESC_REMAKE, 0)) {
		/* A shared collapse stops changes in a table that nobody reaches. */
		if (watch->break_pending)
			fail_msg("0x%" PRIx64 " is stopped before the TLBI is complete",
				 old);
	} else if (desc_valid(old)) {
		watch->break_pending = true;
	} else if (desc_busy(old) && watch->break_pending && !desc_busy(new) &&
		   !desc_parked(old)) {
		fail_msg("busy 0x%" PRIx64 " is replaced before the TLBI is complete",
			 old);
	}
	/* A table descriptor has no attributes, a leaf at least the access flag. */
	if (desc_valid(new) && !desc_valid(old) &&
	    !(new & ~(OA | DESC_TABLE | DESC_VALID))) {
		if (what == COUNT_STORE)
			fail_msg("table 0x%" PRIx64 " is linked by a plain store", new);
		watch->links++;
	}
}

static void on_dsb_ish(void)
{
	if (watch->stage1) {
		watch->break_pending = false;
		watch->invalidated = true;
	}
	watch->stage2_done |= watch->stage2;
	watch->stage1 = watch->stage2 = false;
}

static void on_vmid(enum count_event what)
{
	switch (what) {
	case COUNT_VMID_ENTER:
	case COUNT_VMID_LEAVE:
		if (watch->entered == (what == COUNT_VMID_ENTER))
			fail_msg("the VMID is entered or left twice");
		watch->entered = what == COUNT_VMID_ENTER;
		break;
	case COUNT_IPAS2E1IS:
	case COUNT_RIPAS2E1IS:
	case COUNT_VMALLE1IS:
	case COUNT_VMALLS12E1IS:
		if (!watch->entered)
			fail_msg("a TLBI outside vmid_enter and vmid_leave");
		break;
	default:
		break;
	}
}

static void on_event(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	on_vmid(what);
	switch (what) {
	case COUNT_LOAD:
		if (watch->forbidden && watch->forbidden[page_of(at)])
			fail_msg("table 0x%" PRIx64 " is read", at & ~(PAGE - 1));
		break;
	case COUNT_STORE:
	case COUNT_STORE_RELEASE:
	case COUNT_CAS:
		on_write(port, what, at, value);
		break;
	case COUNT_IPAS2E1IS:
	case COUNT_RIPAS2E1IS:
		watch->stage2 = true;
		break;
	case COUNT_VMALLE1IS:
		if (!watch->stage2_done)
			fail_msg("stage 1 is invalidated before stage 2");
		watch->stage1 = true;
		break;
	case COUNT_VMALLS12E1IS:
		watch->stage1 = watch->stage2 = true;
		break;
	case COUNT_DSB_ISH:
		on_dsb_ish();
		break;
	case COUNT_DSB_SY:
		watch->clean_pending = false;
		break;
	case COUNT_DSB_ISHST:
		watch->stage2_done = false;
		break;
	case COUNT_CLEAN:
		if (watch->break_pending && !(watch->parked && watch->parked(at)))
			fail_msg("a clean before the TLBI is complete");
		watch->clean_pending = true;
		break;
	case COUNT_ALLOC:
		assert_true(port->pages <= sizeof(fresh));
		fresh[(at - COUNT_PORT_BASE) >> port->shift] = true;
		break;
	case COUNT_FREE:
		if (watch->break_pending)
			fail_msg("a table is freed before the TLBI is complete");
		/* Its metadata word is no longer the engine's to read. */
		*s2_port_table_meta(port, s2_port_table_va(port, at)) = UINT64_MAX;
		fresh[(at - COUNT_PORT_BASE) >> port->shift] = false;
		break;
	default:
		break;
	}
	if (watch->also)
		watch->also(what, at, value);
}

void watch_start(struct bed *b, struct watch *w)
{
	if (!b->port.record)
		memset(fresh, 0, sizeof(fresh));
	watch = w;
	b->port.record = on_event;
}

void watch_stop(struct bed *b)
{
	b->port.record = NULL;
	free(watch->forbidden);
	watch->forbidden = NULL;
}

void watch_call(struct watch *w)
{
	w->invalidated = false;
}

void watch_return(struct watch *w)
{
	if (w->break_pending)
		fail_msg("a call returns before its TLBI is complete");
	if (w->clean_pending)
		fail_msg("a call returns before its clean is complete");
	if (w->entered)
		fail_msg("a call returns and leaves the VMID entered");
}

static void forbid(struct bed *b, struct watch *w, const uint64_t *table, int level,
		   unsigned entries, uint64_t base, uint64_t ipa, uint64_t end)
{
	bool below = false;

	for (unsigned i = 0; i < entries; i++) {
		uint64_t d = table[i];

		if (!desc_valid_table(d, level))
			continue;
		below = true;
		forbid(b, w, s2_port_table_va(&b->port, desc_oa(&b->s2, d)), level + 1,
		       ENTRIES, base + i * level_size(&b->s2, level), ipa, end);
	}
	if (!below && level > b->s2.start_level && base >= ipa &&
	    base + level_size(&b->s2, level - 1) <= end)
		w->forbidden[page_of(
			s2_port_table_pa(&b->port, (uint64_t *)(uintptr_t)table))] = 1;
}

void watch_forbid(struct bed *b, struct watch *w, uint64_t ipa, uint64_t size)
{
	free(w->forbidden);
	w->forbidden = calloc(b->port.pages, 1);
	assert_non_null(w->forbidden);
	forbid(b, w, b->s2.root, b->s2.start_level, ENTRIES * b->s2.root_pages, 0, ipa,
	       ipa + size);
}
