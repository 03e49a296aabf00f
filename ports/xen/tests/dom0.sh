#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios that run in dom0: dom0.sh NAME. A function fails by its exit status.
set -eu

# Emulation is slow: the times below are multiplied by this.
patience=5

fail()
{
	echo "FAIL: $*"
	exit 1
}

# guest NAME MIB VCPUS [WORD...]: a Linux guest, paused; words for its command line.
guest()
{
	name=$1 memory=$2 vcpus=$3
	shift 3
	cat >"/tmp/$name.cfg" <<-END
		name = '$name'
		memory = $memory
		vcpus = $vcpus
		cpus = '${cpus:-1}'
		kernel = '/vmlinuz'
		ramdisk = '/domu.cpio'
		extra = 'console=hvc0 rdinit=/init quiet nowatchdog $*'
	END
	rm -f "/var/log/xen/console/guest-$name.log"
	ln -sf "/var/log/xen/console/guest-$name.log" "/tmp/$name.console"
	xl create -q -p "/tmp/$name.cfg"
}

# bare NAME IMAGE MIB VCPUS: a guest without a kernel, paused.
bare()
{
	cat >"/tmp/$1.cfg" <<-END
		name = '$1'
		kernel = '/$2.img'
		memory = $3
		vcpus = $4
		cpus = '${cpus:-1}'
	END
	xl create -q -p "/tmp/$1.cfg"
}

# verified NAME: sets n to how often the slower vCPU of fill.S has verified its memory.
verified()
{
	# shellcheck disable=SC2046 # three words
	set -- $(pages words "$(id_of "$1")" 0x40000000 3)
	[ "$3" = 0 ] || fail "a word has changed"
	n=$(($1 < $2 ? $1 : $2))
}

# until_verified NAME N
until_verified()
{
	i=0
	while verified "$1" && [ "$n" -lt "$2" ]; do
		i=$((i + 1))
		[ $i -lt $((patience * 60)) ] || fail "$1 does not come to round $2"
		sleep 1
	done
}

id_of()
{
	xl domid "$1"
}

# until_said NAME TEXT SECONDS
until_said()
{
	i=0
	while ! grep -q "$2" "/tmp/$1.console" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt $((patience * $3)) ] || fail "$1 has not said $2: $(tail -n 3 "/tmp/$1.console")"
		sleep 1
	done
}

round_of()
{
	sed -n 's/.*##GUEST round \([0-9]*\).*/\1/p' "/tmp/$1.console" | tail -n 1
}

# goes_on NAME: it verifies its memory once more.
goes_on()
{
	last=$(round_of "$1")
	until_said "$1" "##GUEST round $((${last:-0} + 2))" 120
	! grep -q "##GUEST BAD" "/tmp/$1.console" || fail "$(cat "/tmp/$1.console")"
}

# target NAME MIB: ask the guest to balloon.
target()
{
	xenstore-write "/local/domain/$(id_of "$1")/memory/target" $(($2 * 1024))
}

# until_size NAME MIB SECONDS: it has that, or up to 4 MiB more.
until_size()
{
	i=0
	while :; do
		now=$(xl list "$1" | awk 'NR == 2 { print $3 }')
		[ "$now" -lt "$2" ] || [ "$now" -gt $(($2 + 4)) ] || return 0
		i=$((i + 1))
		[ $i -lt $((patience * $3)) ] || fail "$1 has $now MiB, not $2"
		sleep 1
	done
}

# Sets left to the pages that no guest has: free, dom0's, and those that Xen holds for
# what dom0 does (count.h). Not at one moment, so until all are twice the same: a page may
# come to be held between two of these.
count_pages()
{
	found=no before_that=
	until [ "$found" = "$before_that" ]; do
		before_that=$found
		pages key 4
		held=$(xl dmesg | sed -n 's/.*##HELD \([0-9]*\).*/\1/p' | tail -n 1)
		free=$(pages free)
		left=$((free + $(pages of 0) + held))
		found="$left $free $held"
	done
}

# until_left PAGES: what a destroyed domain had may come back after a while.
until_left()
{
	i=0
	while count_pages && [ "$left" != "$1" ]; do
		i=$((i + 1))
		[ $i -lt $((patience * 4)) ] || fail "$1 pages were left, $left are"
		sleep 1
	done
}

# For dom0-init.sh.
left()
{
	count_pages
	echo "$left"
}

# ---- what is tested -------------------------------------------------------------

boot()
{
	xl info >/dev/null
	[ "$(xl list | wc -l)" = 2 ]
}

life()
{
	guest one 256 2
	xl unpause one
	until_said one '##GUEST up' 120
	xl console one </dev/null >/tmp/console.out 2>&1 &
	sleep 1
	kill $!
	xl pause one
	xl unpause one
	xl destroy one
	[ "$(xl list | wc -l)" = 2 ] || fail "a domain is left: $(xl list)"
}

# Two guests of two vCPUs side by side, twelve times; each fills its memory and verifies
# it. After each round all memory is back.
rounds()
{
	cpus=all
	for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
		count_pages
		before=$left
		bare one fill 96 2
		bare two fill 96 2
		for name in one two; do
			pages zero "$(id_of $name)" 0x40000
			xl unpause $name
		done
		until_verified one 2
		until_verified two 2
		xl destroy one
		until_verified two $((n + 2))
		xl destroy two
		until_left "$before"
		echo "round $round: $left pages, $free of them free, $held held"
	done
}

balloon()
{
	guest one 256 1 churn=16
	xl unpause one
	until_said one '##GUEST round 1' 120
	target one 160
	until_size one 160 60
	goes_on one
	target one 256
	until_size one 256 60
	goes_on one
	xl destroy one
}

# A guest that verifies its memory while dom0 balloons it and destroys its neighbours.
storm()
{
	guest one 192 2 churn=16
	xl unpause one
	until_said one '##GUEST round 1' 120
	for round in 1 2 3; do
		bare two fill 96 2
		pages zero "$(id_of two)" 0x40000
		xl unpause two
		target one 144
		until_verified two 1
		xl destroy two
		until_size one 144 60
		target one 192
		goes_on one
	done
	xl destroy one
}

# dom0 takes memory from a paused guest by several patterns and gives it back.
patterns()
{
	guest one 256 1
	id=$(id_of one)
	free=$(pages free)
	pages out "$id" 0x44000 8192 1 0
	pages in "$id" 0x44000 8192 1 0
	pages out "$id" 0x44000 4096 2 0
	pages in "$id" 0x44000 4096 2 0
	pages out "$id" 0x44000 8 512 9
	pages in "$id" 0x44000 8 512 9
	pages out "$id" 0x44001 1 1 0
	pages in "$id" 0x44001 1 1 0
	[ "$free" -ge "$(pages free)" ] || fail "pages too many"
	xl destroy one
}

# The pool of table pages, to the page. At 2 GiB a page needs two tables.
pool()
{
	guest one 64 1
	id=$(id_of one)
	pages out "$id" 0x41000 2 1 0
	pages pool "$id" 0 && fail "its tables are gone"
	used=$(pages pool "$id")
	pages in "$id" 0x80000 1 1 0 && fail "mapped without tables"
	pages pool "$id" $((used + 1))
	pages in "$id" 0x80000 1 1 0 && fail "mapped with one table"
	# That has changed nothing: the one page is still there.
	pages pool "$id" "$used" || fail "a table was lost"
	pages pool "$id" $((used + 2))
	pages in "$id" 0x80000 1 1 0 || fail "not mapped with two tables"
	pages pool "$id" $((used + 1)) && fail "a table was not needed"
	pages out "$id" 0x80000 1 1 0
	pages pool "$id" "$used" || fail "a table did not come back"
	xl destroy one
}

resource()
{
	test-resource
}

mempool()
{
	test-paging-mempool
}

# mem_access: each page of a guest that runs may be written only after xen-access has
# heard of it.
access()
{
	guest one 64 1 churn=1
	xl unpause one
	until_said one '##GUEST round 1' 120
	xen-access "$(id_of one)" write >/tmp/access.log 2>&1 &
	watcher=$!
	sleep 10
	kill -INT $watcher
	wait $watcher || true
	grep -q "PAGE ACCESS: -w-" /tmp/access.log || fail "$(tail -n 5 /tmp/access.log)"
	goes_on one
	xl destroy one
}

# ---- a guest that uses pages which go --------------------------------------------

stale()
{
	hammer || fail "a stale translation, or no test"
}

# With invalidation switched off the same must fail.
planted()
{
	code=0
	hammer planted || code=$?
	[ $code = 1 ] || fail "no stale translation was seen: $code"
}

hammer()
{
	bare one hammer 64 1
	bare two hammer 64 1
	pages zero "$(id_of one)" 0x40000
	xl unpause one
	ok=0
	hammering "$(id_of one)" "$(id_of two)" "$@" || ok=$?
	xl destroy one
	xl destroy two
	return $ok
}

# ---- what it costs -----------------------------------------------------------------
#
# Each row has what was counted since the row before.

row()
{
	pages key 2
	echo "##ROW $1"
}

bench()
{
	cpus=0
	# dom0 takes pages out of its own blocks the first times.
	for i in 1 2 3; do
		bare small hammer 64 1
		bare large hammer 1088 1
		guest one 256 1
		xl destroy small
		xl destroy large
		xl destroy one
		sleep 2
	done
	row -
	bare small hammer 64 1
	row "xl create, 64 MiB"
	bare large hammer 1088 1
	row "xl create, 1088 MiB"
	id=$(id_of large)
	pages out "$id" 0x44000 262144 1 0
	row "take 1 GiB of blocks"
	pages in "$id" 0x44000 262144 1 0
	row "give 1 GiB, 4 KiB pages"
	pages out "$id" 0x44000 8192 1 0
	row "take 8192 pages"
	pages in "$id" 0x44000 8192 1 0
	row "give 8192 pages"
	pages out "$id" 0x48000 4096 2 0
	row "take every second page of 32 MiB"
	pages in "$id" 0x48000 4096 2 0
	row -
	pages out "$id" 0x50000 16 512 9
	row "take 16 extents of 2 MiB"
	pages in "$id" 0x50000 8192 1 0
	row -
	xl destroy large
	sleep 3
	row "destroy 1 GiB, 4 KiB pages"
	xl destroy small
	sleep 1
	row "destroy 64 MiB"
	guest one 256 1
	row "xl create of Linux"
	xl unpause one
	until_said one '##GUEST up' 120
	sleep 2
	row "Linux boots"
	target one 160
	until_size one 160 120
	row "Linux balloons down 96 MiB"
	target one 256
	until_size one 256 120
	row "Linux balloons up 96 MiB"
	xl destroy one
}

"$@"
