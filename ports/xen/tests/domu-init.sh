#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The init of a Linux guest. The kernel's command line has churn=MIB.
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
echo "##GUEST up"
# shellcheck disable=SC2154 # the kernel puts it into the environment
[ -z "$churn" ] || /churn "$churn"
while :; do
	sleep 1000
done
