/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interfaces of the monitor, one section for each file. */
#ifndef STAGE2_EL2_H
#define STAGE2_EL2_H

#include <stage2/stage2.h>

#include "cpu.h"
#include "plant.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define PAGE KIB(4)
#define BLOCK_SIZE MIB(2)
#define BLOCK_PAGES 512u

/* ---- libc.c: what of libc there is ------------------------------------------- */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
int strncmp(const char *a, const char *b, size_t n);

/* ---- console.c --------------------------------------------------------------- */
enum { EXIT_GOOD = 0, EXIT_MISMATCH = 1, EXIT_PANIC = 2, EXIT_HANG = 3, EXIT_SHORT = 4 };
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void el2_exit(unsigned status) __attribute__((noreturn));

/* ---- cpu.c, entry.S ---------------------------------------------------------- */
void el2_main(void) __attribute__((noreturn));
void el2_main_secondary(unsigned id) __attribute__((noreturn));
void el2_unexpected(unsigned vector) __attribute__((noreturn));

/* ---- port.c: table pages; s2_config.port points at one of these -------------- */
struct pool {
	uint64_t base;	/* of the pages, aligned to the largest root */
	uint32_t shift; /* of a page: the granule */
	uint32_t pages; /* in all; the first 16 are the root's */
	uint32_t nfree;
	uint32_t *free;	  /* a stack of page numbers */
	uint64_t *meta;	  /* metadata words */
	uint64_t vttbr;	  /* of the instance, VMID included */
	struct lock lock; /* faults and s2_release() may run at the same time */
};
/* Make a pool of [base, base + size): table pages, stack and words. */
void pool_init(struct pool *p, uint64_t base, uint64_t size, unsigned granule_shift);

/* ---- frames.c: memory behind the guest, 4 KiB and 2 MiB frames --------------- */
void frames_init(uint64_t start, uint64_t end, uint64_t for_pages);
uint64_t frame_alloc(void);	  /* 0: none left */
uint64_t frame_alloc_block(void); /* 0: none left */
/* Poisons the frame. The next owner checks that the poison is intact. */
void frame_free(uint64_t pa);
void frame_copy(uint64_t to, uint64_t from);
uint64_t frame_sum(uint64_t pa);

/* ---- vm.c: the guest's memory ------------------------------------------------ */
#define RAM_IPA 0x40000000ull
#define MAILBOX_IPA 0x0b000000ull

/* A page of the guest's RAM. */
struct page {
	uint32_t frame; /* PA >> 12; 0: never accessed */
	uint8_t moved;	/* by the storm, and not accessed since */
	uint8_t writer; /* the vCPU, plus 1, whose write faulted last; 0: none */
	uint8_t before; /* the writer before it was moved */
	uint8_t moving; /* has a new frame and is not copied yet */
};

/* So many pages are remembered, so that the storm finds vCPUs at work. */
#define RECENT 256u

struct vm {
	struct s2 s2;
	struct pool pool;
	struct rwlock lock;    /* for writing: the storm, while it moves pages */
	struct lock page_lock; /* protects page[], region[], the frames, the counters */
	uint64_t hcr;
	struct page *page;
	uint64_t *region; /* for each 2 MiB: PA of the block behind it, or 0: pages */
	uint64_t pages;
	unsigned vcpus;
	struct vcpu vcpu[MAX_CPUS];
	/* Pages whose write faulted lately, and those of them that were moved too. */
	uint64_t written[RECENT], writes, hot_page[RECENT], hot;

	/* Counters. */
	uint64_t faults, fresh, blocks, exec_faults, write_faults, flag_faults, retries;
	uint64_t unmapped, moved, returned, collapsed;
	uint64_t bad_poison, bad_frozen;
	/* What the guest reports. */
	uint64_t verified, mismatches, rounds;
	bool at_shell;
	/* Tells the guest that it is enough. */
	bool finish;
};

extern struct vm vm;

void vm_init(uint64_t ram_size, uint64_t memory_end);
/* Lets the guest use memory that exists already: the images. */
void vm_adopt(uint64_t ipa, uint64_t pa, uint64_t size);
/* Maps the registers of a device. */
void vm_map_device(uint64_t ipa, uint64_t size);
void vm_run(struct vcpu *v) __attribute__((noreturn));
void vm_release(struct s2_limbo *limbo);
uint64_t vm_mismatches(void);

/* ---- fdt.c: the machine's device tree in, the guest's out -------------------- */
struct machine {
	uint64_t ram_end;
	unsigned cpus;
	uint64_t gicd, gicr;
	const char *args; /* after -append */
};
void fdt_read(const void *fdt, struct machine *m);
/* Maps the devices that the guest keeps as well. */
void fdt_for_guest(const void *fdt, void *out, int size, const char *bootargs,
		   uint64_t ram_size, uint64_t initrd, uint64_t initrd_end);
uint64_t arg_number(const char *args, const char *name, uint64_t otherwise);

/* ---- psci.c ------------------------------------------------------------------ */
void psci_call(struct vcpu *v);

/* ---- storm.c ----------------------------------------------------------------- */
struct storm {
	uint64_t seed, want; /* pages to be moved and accessed again */
	uint64_t hang;	     /* seconds without a verification */
	unsigned cpu;
	uint64_t gicd, gicr;
};
extern struct storm storm;
void storm_run(void) __attribute__((noreturn));
void storm_report(const char *when);
void storm_end(void) __attribute__((noreturn));

/* ---- tests/guest/plant.c: mistakes in the storm's own part --------------- */
void plant_over_valid(uint64_t ipa, uint64_t pa);
void plant_before_tlbi(void);

#endif /* STAGE2_EL2_H */
