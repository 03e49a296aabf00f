/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_LAB_ACCOUNT_TEXT_H
#define STAGE2_LAB_ACCOUNT_TEXT_H

#include "account.h"

/* What each call cost, for people: tables on stdout. */
void account_print(const struct account *a);

#endif /* STAGE2_LAB_ACCOUNT_TEXT_H */
