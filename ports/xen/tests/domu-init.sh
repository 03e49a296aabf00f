#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The init of a Linux guest. What it does is in the kernel's command line: do=NAME.
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/hvc0 >/dev/hvc0 2>&1
echo "##GUEST up"
while :; do
	sleep 1000
done
