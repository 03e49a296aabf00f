#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Record what KVM/arm64 does to its stage-2 tables, for "s2lab replay". It is meant for a
# production host: it uses kprobe events on the functions of the stock kernel, and a
# trace instance of its own. Both are removed afterwards. docs/record.md.
set -eu

usage() {
	echo "usage: record.sh OUTPUT [-b MIB_PER_CPU] [COMMAND [ARGUMENT...]]" >&2
	echo "Records while COMMAND runs; without one, until Enter is pressed." >&2
	exit 2
}

# The events that s2lab replay reads. Tests take them from here too.
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
p:stage2/s2_flush kvm_pgtable_stage2_flush pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64
p:stage2/s2_split kvm_pgtable_stage2_split pgt=$arg1:x64 addr=$arg2:x64 size=$arg3:x64 \
    mc=$arg4:x64
p:stage2/s2_destroy kvm_pgtable_stage2_destroy pgt=$arg1:x64 ia_bits=+0($arg1):u32 \
    start_level=+4($arg1):s8
PROBES
}

[ $# -ge 1 ] || usage
output=$1
shift
mib=64
if [ "${1-}" = -b ]; then
	[ $# -ge 2 ] || usage
	mib=$2
	shift 2
fi

tracing=/sys/kernel/tracing
[ -d "$tracing/instances" ] || tracing=/sys/kernel/debug/tracing
if ! [ -w "$tracing/kprobe_events" ]; then
	echo "record.sh: no kprobe events here: be root, mount tracefs;" \
		"the kernel needs CONFIG_KPROBE_EVENTS" >&2
	exit 1
fi
here=$tracing/instances/stage2

clean() {
	[ -d "$here" ] || return 0
	echo 0 >"$here/tracing_on"
	echo 0 >"$here/events/stage2/enable" 2>/dev/null || :
	rmdir "$here"
	for event in $(probes | sed -n 's,^.:\(stage2/[a-z0-9_]*\).*,\1,p'); do
		echo "-:$event" >>"$tracing/kprobe_events" 2>/dev/null || :
	done
}
clean
trap clean EXIT
trap 'exit 1' INT TERM HUP

# One line at a time, so that the error names the line that this kernel does not take.
probes | while read -r line; do
	echo "$line" >>"$tracing/kprobe_events" || {
		echo "record.sh: the kernel refuses: $line" >&2
		exit 1
	}
done
mkdir "$here"
echo 0 >"$here/tracing_on"
echo $((mib * 1024)) >"$here/buffer_size_kb"
echo 0 >"$here/options/irq-info"
# Only failures are recorded: a map without a failure has been done.
for event in s2_map_ret s2_relax_perms_ret; do
	echo 'ret != 0' >"$here/events/stage2/$event/filter"
done
echo 1 >"$here/events/stage2/enable"
echo 1 >"$here/tracing_on"

status=0
if [ $# -gt 0 ]; then
	"$@" || status=$?
else
	echo "Recording. Start the VM now: what runs already cannot be replayed." >&2
	echo "Enter ends it." >&2
	read -r _ || :
fi

echo 0 >"$here/tracing_on"
lost=$(cat "$here"/per_cpu/cpu*/stats |
	awk '/^(overrun|commit overrun|dropped events):/ { n += $NF }
		END { print n + 0 }')
cat "$here/trace" >"$output"
echo "$(grep -c ': s2_' "$output" || :) events in $output" >&2
if [ "$lost" != 0 ]; then
	echo "record.sh: $lost events were lost: give it more memory (-b)" >&2
	exit 1
fi
exit "$status"
