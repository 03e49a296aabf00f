#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# extract.sh FOLDER: Linux's stage-2 file and the two headers that belong to it, as
# Debian's package linux-source-6.12 has them, and a note of which version it is.
set -eu

tarball=/usr/src/linux-source-6.12.tar.xz
if [ ! -r "$tarball" ]; then
	echo "$tarball is missing: install Debian's package linux-source-6.12" >&2
	exit 1
fi
mkdir -p "$1/asm"
cd "$1"
tar -xJf "$tarball" --strip-components=1 --occurrence=1 \
	linux-source-6.12/Makefile \
	linux-source-6.12/arch/arm64/kvm/hyp/pgtable.c \
	linux-source-6.12/arch/arm64/include/asm/kvm_pgtable.h \
	linux-source-6.12/arch/arm64/include/asm/stage2_pgtable.h
mv arch/arm64/include/asm/*.h asm/
mv arch/arm64/kvm/hyp/pgtable.c pgtable.c
rm -r arch
touch pgtable.c
sed -n 's/^VERSION = \|^PATCHLEVEL = \|^SUBLEVEL = //p' Makefile | paste -sd. >version
rm Makefile
