/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sequences of calls beside other calls: beside.c. */
#ifndef TESTS_PLANTED_BESIDE_H
#define TESTS_PLANTED_BESIDE_H

/* Another call wins the place of an entry or of a table. */
void lost_race(void);
/* Another call changes what this one has broken and not invalidated. */
void foreign(void);
/* Another call detaches the table that this one has gone down into. */
void taken_along(void);
/* Another call puts a block across the edge of the range. */
void crossing(void);
/* Another call changes what is to be split or collapsed. */
void reshape_beside(void);

#endif /* TESTS_PLANTED_BESIDE_H */
