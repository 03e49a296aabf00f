/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mistakes that a build can plant, one at a time (make guest PLANT=no-tlbi), to see
 * whether this machine convicts them. docs/el2.md has the results.
 */
#ifndef STAGE2_EL2_PLANT_H
#define STAGE2_EL2_PLANT_H

#define PLANT_NONE 0
#define PLANT_NO_TLBI 1		/* no TLBI at all */
#define PLANT_NO_VMALLE1 2	/* IPA invalidation alone */
#define PLANT_NO_IPAS2 3	/* VMALLE1IS alone */
#define PLANT_LOCAL 4		/* TLBIs not broadcast */
#define PLANT_FIRST_PAGE 5	/* of a range, only the first page */
#define PLANT_RANGE_BASE 6	/* range TLBIs 512 granules too far */
#define PLANT_WRONG_VMID 7	/* invalidate another VMID */
#define PLANT_NO_DSB 8		/* no DSB */
#define PLANT_NO_CLEAN 9	/* no DC CIVAC */
#define PLANT_VALID_TO_VALID 10 /* a page moved by one store over its valid entry */
#define PLANT_EARLY_COPY 11	/* a page copied before its entry is broken */
#define PLANT_LATE_TLBI 12	/* a page copied between the break and the TLBI */
#define PLANT_ANY 255		/* one of the first five: el2_plant has its number */

#ifndef PLANT
#define PLANT PLANT_NONE
#endif

#if PLANT == PLANT_ANY
extern unsigned el2_plant;
#define PLANTED(fault) (PLANT_##fault <= PLANT_FIRST_PAGE && el2_plant == PLANT_##fault)
#else
#define PLANTED(fault) (PLANT == PLANT_##fault)
#endif

#endif /* STAGE2_EL2_PLANT_H */
