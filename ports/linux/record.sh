#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Record what KVM/arm64 does to its stage-2 tables, for "s2lab replay". It is meant for a
# production host: it uses kprobe events on the functions of the stock kernel, 6.1 or
# newer, and a trace instance of its own. Both are removed afterwards. docs/record.md.
set -eu

usage() {
	echo "usage: record.sh OUTPUT [-b MIB_PER_CPU] [-f] [COMMAND [ARGUMENT...]]" >&2
	echo "       record.sh --define | --remove" >&2
	echo "Records while COMMAND runs; without one, until Enter is pressed. OUTPUT may end" >&2
	echo "in .xz, .gz or .zst. -f: guest faults, too, to count them. --define only makes" >&2
	echo "the probes, for trace-cmd and perf." >&2
	exit 2
}

say() {
	echo "record.sh: $*" >&2
}

# The events that s2lab replay reads. Tests take them from here too. A line may be
# refused: functions and what a probe can say have changed from 6.1 on.
probes() {
	sed -e ':a' -e '/\\$/{N;s/ *\\\n */ /;ta' -e '}' <<'PROBES'
p:stage2/s2_init __kvm_pgtable_stage2_init pgt=$arg1:x64 mmu=$arg2:x64 flags=$arg4:x32
p:stage2/s2_map kvm_pgtable_stage2_map pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64 \
    phys=$arg4:x64 prot=$arg5:x64 mc=$arg6:x64 flags=$arg7:x32
r:stage2/s2_map_ret kvm_pgtable_stage2_map ret=$retval:s32 pgt=$arg1:x64 addr=$arg2:x64
p:stage2/s2_unmap kvm_pgtable_stage2_unmap pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64
p:stage2/s2_wrprotect kvm_pgtable_stage2_wrprotect pgt=$arg1:x64 addr=$arg2:x64 \
    size=$arg3:x64
p:stage2/s2_mkyoung kvm_pgtable_stage2_mkyoung pgt=$arg1:x64 addr=$arg2:x64
p:stage2/s2_relax_perms kvm_pgtable_stage2_relax_perms pgt=$arg1:x64 addr=$arg2:x64 \
    prot=$arg3:x64
r:stage2/s2_relax_perms_ret kvm_pgtable_stage2_relax_perms ret=$retval:s32 \
    pgt=$arg1:x64 addr=$arg2:x64
p:stage2/s2_age kvm_pgtable_stage2_test_clear_young pgt=$arg1:x64 addr=$arg2:x64 \
    size=$arg3:x64 mkold=$arg4:u8
p:stage2/s2_mkold kvm_pgtable_stage2_mkold pgt=$arg1:x64 addr=$arg2:x64
p:stage2/s2_is_young kvm_pgtable_stage2_is_young pgt=$arg1:x64 addr=$arg2:x64
p:stage2/s2_flush kvm_pgtable_stage2_flush pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64
p:stage2/s2_split kvm_pgtable_stage2_split pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64 \
    mc=$arg4:x64
p:stage2/s2_destroy kvm_pgtable_stage2_destroy pgt=$arg1:x64 ia_bits=+0($arg1):u32 \
    start_level=+4($arg1):s8
p:stage2/s2_destroy_range kvm_pgtable_stage2_destroy_range pgt=$arg1:x64 \
    addr=$arg2:x64 size=$arg3:x64 ia_bits=+0($arg1):u32
p:stage2/s2_destroy_pgd kvm_pgtable_stage2_destroy_pgd pgt=$arg1:x64 \
    ia_bits=+0($arg1):u32
PROBES
}

tracing=/sys/kernel/tracing
[ -d "$tracing/instances" ] || tracing=/sys/kernel/debug/tracing
here=$tracing/instances/stage2

# Gives the kernel a line. (busybox's tee cannot write to tracefs.)
take() {
	echo "$1" >>"$tracing/kprobe_events" 2>/dev/null
}

remove() {
	if [ -d "$here" ]; then
		echo 0 >"$here/tracing_on"
		echo 0 >"$here/events/stage2/enable" 2>/dev/null || :
		rmdir "$here"
	fi
	for event in $(probes | sed -n 's,^.:\(stage2/[a-z0-9_]*\).*,\1,p'); do
		take "-:$event" || :
	done
}

# One line at a time: what this kernel does not have is left out. Prints the events that
# are there.
define() {
	probes | while read -r line; do
		event=${line%% *}
		event=${event#*/}
		if take "$line"; then
			echo "$event"
			continue
		fi
		# Before 6.9 a return probe cannot print arguments.
		case $line in
		r:*) take "${line%% pgt=*}" && echo "$event" && continue ;;
		esac
		:
	done
}

has() {
	case " $events " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# Says which events are missing, unless others do for them.
missing() {
	for event in $(probes | sed -n 's,^.:stage2/\([a-z0-9_]*\).*,\1,p'); do
		has "$event" && continue
		case $event in
		s2_age) has s2_mkold && has s2_is_young && continue ;;
		s2_mkold | s2_is_young) has s2_age && continue ;;
		s2_destroy) has s2_destroy_range && continue ;;
		s2_destroy_*) has s2_destroy && continue ;;
		esac
		echo "$event"
	done
}

case ${1-} in
'' | -h | --help) usage ;;
esac
if ! [ -w "$tracing/kprobe_events" ]; then
	say "no kprobe events here: be root, mount tracefs; the kernel needs" \
		"CONFIG_KPROBE_EVENTS"
	exit 1
fi
if command -v getconf >/dev/null && [ "$(getconf PAGESIZE)" != 4096 ]; then
	say "this kernel has pages of $(getconf PAGESIZE) bytes; replay knows hosts with 4 KiB"
	exit 1
fi
remove
if [ "$1" = --remove ]; then
	exit 0
fi
events=$(define | tr '\n' ' ')
absent=$(missing | tr '\n' ' ')
[ -z "$absent" ] || say "this kernel has no ${absent% }: left out"
# Newer kernels call the first for each GiB of addresses, which is four million times for
# a VM with 52 bits. The second says as much.
if has s2_destroy_range && has s2_destroy_pgd; then
	take "-:stage2/s2_destroy_range"
fi
for event in s2_map s2_unmap; do
	if ! has $event; then
		say "without $event there is nothing to replay"
		remove
		exit 1
	fi
done
has s2_init || say "without s2_init every VM is one that ran before: replay it --partial"
if [ "$1" = --define ]; then
	say "the probes are stage2:s2_*; --remove takes them away"
	exit 0
fi

output=$1
shift
mib=64
faults=
while :; do
	case ${1-} in
	-b)
		[ $# -ge 2 ] || usage
		mib=$2
		shift 2
		;;
	-f)
		faults=y
		shift
		;;
	*) break ;;
	esac
done
case $output in
*.xz) pack=xz ;;
*.gz) pack=gzip ;;
*.zst) pack=zstd ;;
*) pack="cat" ;;
esac
if ! command -v $pack >/dev/null; then
	say "there is no $pack"
	remove
	exit 1
fi
trap remove EXIT
trap 'exit 1' INT TERM HUP

mkdir "$here"
echo 0 >"$here/tracing_on"
echo $((mib * 1024)) >"$here/buffer_size_kb"
echo 0 >"$here/options/irq-info"
# Only failures are recorded: a map without a failure has been done.
for event in s2_map_ret s2_relax_perms_ret; do
	! has $event || echo 'ret != 0' >"$here/events/stage2/$event/filter"
done
if [ -n "$faults" ]; then
	echo 1 >"$here/events/kvm/kvm_guest_fault/enable"
fi
echo 1 >"$here/events/stage2/enable"
echo 1 >"$here/tracing_on"

running=0
for vm in /sys/kernel/debug/kvm/[0-9]*; do
	[ ! -d "$vm" ] || running=$((running + 1))
done
[ $running = 0 ] || say "$running VMs run already; replay leaves them out"
status=0
if [ $# -gt 0 ]; then
	"$@" || status=$?
else
	echo "Recording. Start the VM now. Enter ends it." >&2
	read -r _ || :
fi

echo 0 >"$here/tracing_on"
lost=$(cat "$here"/per_cpu/cpu*/stats |
	awk '/^(overrun|commit overrun|dropped events):/ { n += $NF }
		END { print n + 0 }')
{
	echo "# kernel: $(cat /proc/sys/kernel/osrelease)"
	[ -z "$absent" ] || echo "# no probe: ${absent% }"
	cat "$here/trace"
} | awk '/^[^#].*: s2_/ { n++ } { print } END { print n + 0, "events" >"/dev/stderr" }' |
	$pack >"$output"
if [ "$lost" != 0 ]; then
	say "$lost events were lost: give it more memory (-b)"
	exit 1
fi
exit "$status"
