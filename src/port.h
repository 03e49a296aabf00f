/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The porting contract.
 *
 * An embedder supplies one header, "stage2_port.h", on the include path. It may
 * define each function below as "static inline" (barriers, TLBIs and entry
 * accesses should be: on hardware each is an instruction) or leave it to the
 * linker. The declarations here come after it, so the compiler checks every
 * signature. ports/template/stage2_port.h is a start: all the instructions, and
 * the eleven functions that only the embedder can write left external.
 *
 * The first argument of each is s2_config.port, for the embedder's use.
 */
#ifndef STAGE2_SRC_PORT_H
#define STAGE2_SRC_PORT_H

#include <stage2/stage2.h>
#include "stage2_port.h"
#include "profile.h"

/* The port may have defined what is declared here: that is how it is checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"

/*
 * S2_ASSERT(cond) - a macro; an invariant of the engine is broken. May panic,
 * log, or be empty.
 */
#ifndef S2_ASSERT
#error "stage2_port.h must define S2_ASSERT(cond)"
#endif

/* ---- table pages ----------------------------------------------------------
 *
 * A table is one granule of memory (the instance's: 4, 16 or 64 KiB), aligned to
 * its size; below "page" means that. Pages come back from s2_port_table_free()
 * with old content: alloc zeroes, and its zeroes must be visible to the walkers
 * before the page is linked (the engine links with store-release, which is enough
 * for plain stores by the same PE).
 *
 * The functions of the port may look (s2_lookup(), s2_translate()). They make no other
 * call on the instance: an allocator that reclaims memory by an unmap would change the
 * tables between the look of a map and its making. Inside an exclusive call this is
 * asserted.
 *
 * Each table has two 64-bit words of metadata, the engine's, zero after alloc;
 * they need not be in the page (a struct page, an array beside the pool). Each
 * page of a root has its own.
 */
uint64_t *s2_port_table_alloc(void *port, void *cookie);
void s2_port_table_free(void *port, uint64_t *table);
/* pages: 1, 2, 4, 8 or 16, physically contiguous, aligned to all of their size. */
uint64_t *s2_port_root_alloc(void *port, unsigned pages);
void s2_port_root_free(void *port, uint64_t *root, unsigned pages);
uint64_t *s2_port_table_meta(void *port, uint64_t *table);
uint64_t s2_port_table_pa(void *port, uint64_t *table);
uint64_t *s2_port_table_va(void *port, uint64_t pa);

/* ---- entries --------------------------------------------------------------
 *
 * Single-copy atomic 64-bit accesses. store_release orders every earlier store
 * of this PE before it, as seen by a translation table walk: used to link a
 * table. cas is used where hardware or a shared call (S2_SHARED) may write the
 * entry; it returns the value found, and orders as acquire and release. What is
 * read through the address that a load returned must be ordered after that load:
 * on Arm a plain load's address dependency does it.
 */
uint64_t s2_port_load(void *port, const uint64_t *entry);
void s2_port_store(void *port, uint64_t *entry, uint64_t desc);
void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc);
uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old, uint64_t desc);

/* ---- words ----------------------------------------------------------------
 *
 * Metadata words and words of struct s2, in the embedder's ordinary memory. load is
 * relaxed; add and or return the old value, cas the value found; the three order as
 * acquire and release, an add of 0 and an or of 0, too. An embedder whose calls never
 * overlap (no S2_SHARED, and s2_release() under the same lock) may define them without
 * atomics.
 */
uint64_t s2_port_word_load(void *port, const uint64_t *word);
uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n);
uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits);
uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old, uint64_t new_value);

/* ---- barriers and TLBIs ---------------------------------------------------
 *
 * vmid_enter and vmid_leave bracket every invalidation: between them the TLBIs
 * must act on the instance's VMID as it is at that moment (the engine never
 * stores one). Switching needs an ISB before the TLBI (the port's); with VHE
 * HCR_EL2.TGE must be 0 for VMALLE1IS. The thread must not migrate in between.
 *
 * No TLB has translations of a VMID that is given to an instance: s2_destroy() of its
 * last user saw to that, or the port does, by VMALLS12E1IS before the first use (after
 * boot, at a rollover). VMIDs above 255 need S2_FEAT_VMID16: without it a CPU takes bits
 * [7:0] for all of it.
 */
void s2_port_vmid_enter(void *port);
void s2_port_vmid_leave(void *port);
void s2_port_dsb_ishst(void *port);
void s2_port_dsb_ish(void *port);
void s2_port_dsb_sy(void *port);
void s2_port_isb(void *port);
void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand);
void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand);
void s2_port_tlbi_vmalle1is(void *port);
void s2_port_tlbi_vmalls12e1is(void *port);
/* The same for this PE alone: s2_relax_perms(). */
void s2_port_dsb_nsh(void *port);
void s2_port_tlbi_ipas2e1(void *port, uint64_t operand);
void s2_port_tlbi_vmalle1(void *port);

/*
 * Other agents that walk the same tables (SMMU, ATS): called after the PEs'
 * invalidation has completed and before memory is cleaned or given back. Must
 * not return 0 before no agent can use a translation of [ipa, ipa + size); size 0
 * means all of the address space.
 *
 * Another value says that it cannot tell (a command queue that does not answer).
 * The call goes on, frees no table that an agent may walk, and ends with S2_E_AGENTS:
 * stage2.h says there what holds then. Without S2_USE_AGENTS it must return 0
 * (asserted).
 *
 * The configuration of an instance is for its agents, too. S2_FEAT_FWB, _XNX, _LPA2
 * and _VMID16: they have the same (SMMU_IDR3.FWB and .XNX, IDR5.DS, IDR0.VMID16).
 * S2_FEAT_HAFDBS and _DBM: they write the same flags (IDR0.HTTU), or else they fault
 * on an old leaf (unless STE.S2AFFD is 1) and on a clean one. FEAT_BBM of theirs
 * (IDR3.BBML) is not used: between a break and the new entry they find nothing, and
 * DMA that does not stall is lost.
 */
int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size);

/* ---- counted leaves -------------------------------------------------------
 *
 * A leaf that s2_config.counted asks for has gone: by an unmap, a replacing map, the
 * flush of a batch or a destroy. Each is reported exactly once, by the call that broke
 * it or that detached a table above it: after no PE and no other agent can use it, and
 * after its memory has been cleaned (unless that call waives it), before the call
 * returns. If s2_port_agents_invalidate() has failed in the operation, it is reported all
 * the same, and an agent may still use it: the port keeps the memory until none can.
 * A block that has been split is reported in its parts, so every byte once. A
 * break that ends with the same leaf (split, a contiguous run that is opened) is not
 * reported. An unmap that finds the leaf broken already, beside the other call or between
 * two of its steps, may return before the report. @cookie is op->cookie of the call,
 * @attr what was mapped, S2_SW included; S2_DBM may be missing.
 *
 * It is a hook, not a list, because a list would need memory for every leaf of the
 * range, or an unmap that stops whenever the list is full. It runs where the engine
 * runs, under the caller's lock or in his read-side section, so it must not sleep if
 * the caller must not. It must not call the engine on the same instance. It may give the
 * memory back, or drop a reference to it.
 *
 * A shared s2_map() may find that the table where it has put a counted leaf was being
 * detached by another call. Then it reports the leaf itself and returns 0, as if the
 * unmap had come after it. So whoever counts takes the reference before the map.
 *
 * Called only with S2_USE_COUNTED.
 */
void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa, uint64_t size,
		       s2_attr_t attr);

/* ---- caches ---------------------------------------------------------------
 *
 * clean: clean and invalidate [pa, pa + size) to the PoC (DC CIVAC by line),
 * without a DSB: the engine issues one DSB SY after the last. The port maps a
 * window if it has to, and leaves memory alone that has no cacheable alias.
 * @attr is the leaf's (its S2_MEM_ field says what it was mapped as), but of a broken
 * leaf S2_X and S2_DBM may be wrong. MTE tags are the port's to handle.
 *
 * One call may be for several leaves: neighbours in memory that agree in everything but
 * the address, the software bits included. The engine does not know RAM from a device
 * that is mapped as Normal memory. If both exist, give their leaves different software
 * bits (S2_SW): then neither a clean nor s2_collapse() joins them, and @attr tells the
 * port which it is.
 *
 * make_executable: make [pa, pa + size) visible to instruction fetch, DSB
 * included where needed (IC IVAU by line, or IC IALLUIS; nothing where
 * CTR_EL0.DIC says so).
 */
void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr);
void s2_port_make_executable(void *port, uint64_t pa, uint64_t size);

#pragma GCC diagnostic pop

#endif /* STAGE2_SRC_PORT_H */
