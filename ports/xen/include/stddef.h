/* SPDX-License-Identifier: GPL-2.0-only */
#include <xen/types.h>
#include <xen/compiler.h>
