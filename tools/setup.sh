#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Install the packages that building and testing need, on Debian and its relatives. If
# all of them are installed, only the package database is read. Arguments: further
# packages that are needed.
#
# The programs inside the guest of `make guest` (Debian's arm64 cloud kernel,
# busybox-static, libfdt) are not installed. tools/guest.py fetches those packages the
# first time, about 23 MB, and unpacks them under build/guest.
set -eu

packages='gcc g++ libc6-dev meson ninja-build pkg-config python3 patch xz-utils zstd
	libcmocka-dev libcjson-dev liblzma-dev zlib1g-dev libzstd-dev libbsd-dev
	libjs-chart.js
	gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev-arm64-cross
	qemu-system-arm qemu-user valgrind'
packages="$packages $*"

if ! command -v dpkg-query >/dev/null; then
	# On another system the build itself reports what is missing.
	exit 0
fi

missing=
for p in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "These packages are needed, and there is no sudo. As root, run:" >&2
		echo "  apt-get install -y --no-install-recommends$missing" >&2
		exit 1
	fi
	sudo=sudo
fi

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null
}

echo "Installing:$missing"
have_lists=
for list in /var/lib/apt/lists/*_Packages*; do
	[ ! -e "$list" ] || have_lists=y
done
[ -n "$have_lists" ] || apt update
# shellcheck disable=SC2086 # a list of words
if ! apt install -y --no-install-recommends $missing; then
	# The lists may be older than the mirror.
	apt update
	# shellcheck disable=SC2086
	apt install -y --no-install-recommends $missing
fi
