#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios that run in dom0: dom0.sh NAME. A function fails by its exit status.
set -eu

fail()
{
	echo "FAIL: $*"
	exit 1
}

# guest NAME MIB VCPUS [LINE...]: a Linux guest, paused.
guest()
{
	{
		echo "name = '$1'"
		echo "memory = $2"
		echo "vcpus = $3"
		echo "kernel = '/vmlinuz'"
		echo "ramdisk = '/domu.cpio'"
		echo "extra = 'console=hvc0 rdinit=/init quiet'"
		echo "on_crash = 'preserve'"
		shift 3
		for line; do
			echo "$line"
		done
	} >"/tmp/domu.cfg"
	xl create -q -p /tmp/domu.cfg
}

# said NAME TEXT SECONDS: the guest's console has TEXT before the time is over.
said()
{
	i=0
	while ! grep -q "$2" "/tmp/$1.console"; do
		i=$((i + 1))
		[ $i -lt "$3" ] || fail "$1 has not said $2: $(tail -n 5 "/tmp/$1.console")"
		sleep 1
	done
}

# listen NAME: record the guest's console.
listen()
{
	xl console "$1" </dev/null >"/tmp/$1.console" 2>&1 &
}

boot()
{
	xl info
	xl list
}

# A guest's whole life.
life()
{
	guest one 256 2
	listen one
	xl unpause one
	said one '##GUEST up' 120
	xl pause one
	xl unpause one
	xl destroy one
	[ "$(xl list | wc -l)" = 2 ] || fail "a domain is left: $(xl list)"
}

"$1"
