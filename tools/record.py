# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""record.py: ports/linux/record.sh on Debian's own kernels, old to new, and the replays.

Each kernel boots under QEMU with KVM at EL2. A VM runs before the recording begins; two
more run while it lasts. The recording must replay without a violation, with those two VMs
and their teardown, and the first one counted and left out, or replayed with --partial.
Everything is fetched from Debian and unpacked under build/record, not installed.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import debian
import kvm

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = ROOT / "ports/linux"
WORK = ROOT / "build/record"
S2LAB = ROOT / "build/s2lab"
# The release, or the suite, whose cloud kernel for arm64 is tried.
SUITES = ("bookworm", "bookworm-backports", "sid")

INIT = """#!/bin/busybox sh
busybox mkdir -p /proc /sys /dev /tmp
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mount -t debugfs debugfs /sys/kernel/debug
busybox mount -t tracefs tracefs /sys/kernel/tracing
echo "##KERNEL $(busybox uname -r)"
/touch 3600 &
until [ -d "$(echo /sys/kernel/debug/kvm/[0-9]*)" ]; do busybox sleep 1; done
busybox sleep 5
/record.sh /tmp/trace.gz -b 4 -f sh -c '/touch && busybox sleep 2'
echo "##EXIT $?"
echo "##TRACE"
busybox base64 /tmp/trace.gz
echo "##END"
busybox poweroff -f
"""


def kernels(folder):
    return sorted(p for p in folder.rglob("vmlinuz*") if p.is_file())


def fetch(suite):
    """The kernel's image, from Debian's package."""
    folder = WORK / suite
    if kernels(folder):
        return kernels(folder)[-1]
    shutil.rmtree(folder, ignore_errors=True)
    source = debian.Suite(folder, suite)

    def depends(package, pattern):
        found = re.search(rf"Depends: ({pattern}\S+)", source.cache("depends", package))
        return found and found[1]
    name = depends("linux-image-cloud-arm64", "linux-image-")
    # Since 7.x the image is in a package of its own.
    name = depends(name, "linux-binary-") or name
    # The modules are hundreds of MiB, and not used.
    source.unpack(name, folder, "--exclude=*.ko*")
    return kernels(folder)[-1]


def ramdisk():
    program = WORK / "touch"
    subprocess.run(
        ["aarch64-linux-gnu-gcc", "-O2", "-static", "-Wall", "-Werror",
         # Of Linux 6.5, for vm.c; Debian 12's headers are of 6.1.
         "-DKVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE=228",
         "-o", program, PORT / "tests/touch.c", PORT / "tests/vm.c"], check=True)
    files = kvm.shell() | {"init": INIT.encode(), "touch": program.read_bytes(),
                           "record.sh": (PORT / "record.sh").read_bytes()}
    kvm.archive(files, WORK / "ramdisk.cpio")
    return WORK / "ramdisk.cpio"


def record(suite, cpu, initrd):
    """(the kernel's release, what record.sh said, the recording) or an error."""
    log = WORK / f"{suite}-{cpu}.log"
    command = kvm.qemu(fetch(suite), initrd, kvm_cpu(cpu), memory="1G")
    with open(log, "w", encoding="utf-8") as out:
        subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False,
                       stdin=subprocess.DEVNULL, timeout=1800)
    text = log.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    found = re.search(r"##KERNEL (\S+)\n(.*)##EXIT (\d+)\n##TRACE\n(.*?)##END", text, re.S)
    if not found or found[3] != "0":
        raise RuntimeError(f"no recording: {log}")
    trace = WORK / f"{suite}-{cpu}.trace.gz"
    with open(trace, "wb") as out:
        subprocess.run(["base64", "-d", "-i"], input=found[4].encode(), stdout=out,
                       check=True)
    said = [line for line in found[2].splitlines() if line.startswith("record.sh: ")]
    return found[1], said, trace


def kvm_cpu(cpu):
    return "max,pauth-impdef=on,sme=off" if cpu == "max" else cpu


def replay(trace, *args):
    done = subprocess.run([S2LAB, "replay", "--json", "--no-advice", *args, trace],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"replay {trace}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def check(trace):
    """What is wrong with the recording; nothing, it is hoped."""
    got = replay(trace)
    maps = [vm["maps"] for vm in got["by_vm"] if vm["maps"]]
    by = got["stage2"]["by_operation"]
    if len(maps) != 2 or got["vms_not_destroyed"]:
        yield f"{len(maps)} VMs with maps, {got['vms_not_destroyed']} not destroyed"
    if got["vms_earlier"] != 1 or not got["earlier_calls"]:
        yield f"{got['vms_earlier']} VMs that ran before"
    for name in ("map", "unmap", "wrprotect", "relax-perms", "destroy"):
        if not by.get(name, {}).get("calls"):
            yield f"no {name}"
    if not got["guest_faults"]:
        yield "no guest faults"
    partial = replay(trace, "--partial")
    if partial["vms_partial"] != 1:
        yield f"--partial: {partial['vms_partial']} VMs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--cpu", default="max,cortex-a57",
                        help="QEMU's CPU types, with commas between")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    initrd = ramdisk()
    bad = 0
    for suite in args.suites:
        for cpu in args.cpu.split(","):
            try:
                release, said, trace = record(suite, cpu, initrd)
                wrong = list(check(trace))
            except (RuntimeError, subprocess.SubprocessError) as error:
                release, said, wrong = "?", [], [str(error)]
            bad += bool(wrong)
            print(f"{suite:20}{cpu:12}{release:28}{'; '.join(wrong) or 'replays'}", flush=True)
            for line in said:
                print(f"    {line}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
