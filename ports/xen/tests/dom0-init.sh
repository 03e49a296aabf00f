#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dom0's init: starts Xen's daemons, then runs the scenarios that /tests names, one a
# line. Each is a function of /dom0.sh, in a shell of its own. Before it
# and after it the pages that no guest has are counted.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/lib/xen /var/log/xen \
	/var/lib/xenstored
/bin/busybox --install -s /bin
export PATH=/bin:/xen LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mkdir -p /run/xen /run/xenstored
ln -s /run /var/run
ln -s /run/lock /var/lock
mkdir -p /run/lock
exec </dev/hvc0 >/dev/hvc0 2>&1
for m in xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc; do
	insmod "/modules/$m.ko"
done
mount -t xenfs xenfs /proc/xen
pages key 2
echo "##ROW boot"
xenstored --pid-file /run/xenstored.pid || echo "no xenstored"
xen-init-dom0
# What guests say is in /var/log/xen/console/guest-NAME.log.
mkdir -p /var/log/xen/console
xenconsoled --log=guest --pid-file=/run/xenconsoled.pid
# Guests do not keep dom0 from running.
xl sched-credit2 -d 0 -w 4096
echo "##UP $(cut -d' ' -f1 /proc/uptime)"

# What a scenario left behind would be taken for a leak of the next one.
sweep()
{
	for d in $(xl list | awk 'NR > 1 && $2 != 0 { print $2 }'); do
		xl destroy "$d"
	done
	sh /dom0.sh left
}

while read -r name; do
	before=$(sweep)
	start=$(date +%s)
	echo "##BEGIN $name"
	timeout -s KILL 1800 sh /dom0.sh "$name"
	code=$?
	[ "$code" != 137 ] || code=timeout
	after=$(sweep)
	echo "##END $name $code $(($(date +%s) - start)) $((before - after))"
done </tests
echo "##DONE"
poweroff -f
