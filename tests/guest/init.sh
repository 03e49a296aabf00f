#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The init of the guest. It runs the checker on every CPU, and ordinary work beside it,
# until the monitor has seen enough. Then it powers off.
/bin/busybox mkdir -p /proc /sys /dev /tmp /bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
# The kernel may have no other device there than the console.
[ -e /dev/mem ] || mknod /dev/mem c 1 1
mount -t tmpfs -o size=64m tmp /tmp
case " $(cat /proc/cmdline) " in
*" s2.reset "*)
	echo "guest: resetting"
	reboot -f
	;;
esac
/checker shell
echo "guest: a shell on $(uname -sr), $(nproc) CPUs, $(free -m | awk '/Mem/{print $2}') MiB"

/checker run 70 &
checker=$!

# Compress, hash and compare data that goes through the page cache and pipes.
cat /bin/busybox /checker >/tmp/data
want=$(sha256sum </tmp/data)
rounds=0
while ! /checker done; do
	got=$(gzip -1 </tmp/data | gunzip | sha256sum)
	if [ "$got" != "$want" ]; then
		echo "guest: MISMATCH in ordinary work: $got, not $want"
		/checker bad 1
	fi
	cp /tmp/data /tmp/copy
	cmp /tmp/data /tmp/copy || /checker bad 1
	rm /tmp/copy
	rounds=$((rounds + 1))
	/checker round
done
wait $checker || echo "guest: checker failed"
echo "guest: $rounds rounds of work, powering off"
poweroff -f
