#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The EL2 port under QEMU: a Debian guest, the on-target tests, the costs.

guest.py boot    Debian's arm64 cloud kernel on the monitor, with a storm beside it
guest.py target  the engine's operations as the emulated MMU sees them (TAP)
guest.py planted what the on-target tests make of planted mistakes (TAP)
guest.py bench   instructions at EL2 for unmap and map, by three ways of unmapping

What runs in the guest is fetched from Debian, as packages that are unpacked under
build/guest and not installed: its cloud kernel, busybox-static, and libfdt for the
monitor. Apt keeps its state for that in the same folder.
"""

import argparse
import contextlib
import gzip
import os
import re
import selectors
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "guest")
DEBIAN = os.path.join(WORK, "debian")
PACKAGES = ["linux-image-cloud-arm64", "busybox-static", "libfdt-dev"]

CPUS = {
    # Pointer authentication by a cheap algorithm. The monitor does not handle SVE.
    "max": "max,pauth-impdef=on,sve=off,sme=off",
}
MACHINE = "virt,virtualization=on,gic-version=3,highmem=off,its=off"
# The addresses at which the monitor expects them (ports/el2/main.c).
IMAGE, INITRD = 0x44000000, 0x48000000

# What a guest prints when it has failed.
LOST = re.compile(
    r"Kernel panic|Internal error|Oops|\bBUG\b|Unable to handle|MISMATCH"
    r"|segfault|Segmentation fault|Illegal instruction|bad page|list_(add|del) corruption"
)
# Exit statuses of the monitor (ports/el2/el2.h).
STATUS = {1: "a mismatch", 2: "the monitor panicked", 3: "a hang", 4: "too little done"}


def run(*argv, **kwargs):
    return subprocess.run(argv, check=True, **kwargs)


# ---- what is needed ---------------------------------------------------------------


def apt_options():
    state = os.path.join(WORK, "apt")
    for folder in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(state, folder), exist_ok=True)
    return [
        "-q",
        "-o", "APT::Architecture=arm64",
        "-o", "APT::Architectures=arm64",
        "-o", "APT::Sandbox::User=",
        "-o", f"Dir::State={state}",
        "-o", f"Dir::Cache={state}/cache",
        "-o", "Dir::State::status=/dev/null",
    ]  # fmt: skip


def fetch():
    """Debian's packages for the guest, once."""
    done = os.path.join(DEBIAN, "complete")
    if os.path.exists(done):
        return
    print("Fetching for the guest:", ", ".join(PACKAGES), flush=True)
    shutil.rmtree(DEBIAN, ignore_errors=True)
    os.makedirs(DEBIAN)
    options = apt_options()
    quiet = {"stdout": subprocess.DEVNULL, "cwd": DEBIAN}
    run("apt-get", *options, "update", **quiet)
    depends = run(
        "apt-cache", *options, "depends", PACKAGES[0], capture_output=True, text=True
    ).stdout
    kernel = re.search(r"Depends: (linux-image-\S+)", depends)[1]
    run("apt-get", *options, "download", kernel, *PACKAGES[1:], **quiet)
    for name in sorted(os.listdir(DEBIAN)):
        if name.endswith(".deb"):
            run("dpkg-deb", "-x", name, ".", cwd=DEBIAN)
            os.remove(os.path.join(DEBIAN, name))
    # Hundreds of MiB of modules, which this guest does not use.
    for modules in ("lib", "usr/lib/modules"):
        shutil.rmtree(os.path.join(DEBIAN, modules), ignore_errors=True)
    open(done, "w", encoding="ascii").close()


def busybox():
    """The program. Since Debian 13 /bin is no folder of its own."""
    folders = [os.path.join(DEBIAN, folder, "busybox") for folder in ("usr/bin", "bin")]
    with open(next(filter(os.path.exists, folders)), "rb") as f:
        return f.read()


def kernel_image():
    boot = os.path.join(DEBIAN, "boot")
    names = sorted(n for n in os.listdir(boot) if n.startswith("vmlinuz-"))
    return os.path.join(boot, names[-1])


def cpio(entries):
    """A newc archive of (name, mode, data, (major, minor))."""
    out = bytearray()
    entries = entries + [("TRAILER!!!", 0, b"", (0, 0))]
    for inode, (name, mode, data, device) in enumerate(entries):
        path = name.encode() + b"\0"
        fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + path
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs():
    here = os.path.join(ROOT, "tests", "guest")
    checker = os.path.join(WORK, "checker")
    run(
        "aarch64-linux-gnu-gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror",
        "-static", "-o", checker, os.path.join(here, "checker.c"),
    )  # fmt: skip

    def content(path):
        with open(path, "rb") as f:
            return f.read()

    archive = cpio(
        [
            ("dev", 0o040755, b"", (0, 0)),
            ("dev/console", 0o020600, b"", (5, 1)),
            ("bin", 0o040755, b"", (0, 0)),
            ("bin/busybox", 0o100755, busybox(), (0, 0)),
            ("checker", 0o100755, content(checker), (0, 0)),
            ("init", 0o100755, content(os.path.join(here, "init.sh")), (0, 0)),
        ]
    )
    path = os.path.join(WORK, "initramfs.gz")
    with open(path, "wb") as f:
        f.write(gzip.compress(archive, 6, mtime=0))
    return path


def program(name, plant):
    out = os.path.join(ROOT, "build", "el2")
    run(
        "make", "-s", "-C", os.path.join(ROOT, "ports", "el2"), f"O={out}",
        f"PLANT={plant}", name,
    )  # fmt: skip
    return os.path.join(out, plant, name)


def plants():
    """The number of each plant."""
    path = os.path.join(ROOT, "ports", "el2", "plant.h")
    with open(path, encoding="ascii") as f:
        found = re.findall(r"^#define PLANT_(\w+) (\d+)", f.read(), re.M)
    return {name.lower().replace("_", "-"): int(number) for name, number in found}


# ---- running QEMU -----------------------------------------------------------------


def qemu(options, elf, cpus, memory, *more):
    """The command, without the monitor's channel."""
    return [
        "qemu-system-aarch64", "-M", MACHINE, "-cpu", CPUS.get(options.cpu, options.cpu),
        "-smp", str(cpus), "-m", f"{memory}M", "-nic", "none", "-display", "none",
        "-nodefaults", "-no-reboot", "-kernel", elf, *more,
    ]  # fmt: skip


class Machine:
    """QEMU, the lines of its console and of the monitor, and a time limit."""

    def __init__(self, command, limit, argument):
        self.end = time.monotonic() + limit
        console, console_in = os.pipe()
        monitor, monitor_in = os.pipe()
        command = command + [
            "-chardev", f"file,id=console,path=/dev/fd/{console_in}",
            "-serial", "chardev:console",
            "-chardev", f"file,id=monitor,path=/dev/fd/{monitor_in}",
            "-semihosting-config",
            f"enable=on,target=native,chardev=monitor,arg={argument}",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=(console_in, monitor_in)
        )
        os.close(console_in)
        os.close(monitor_in)
        self.selector = selectors.DefaultSelector()
        self.selector.register(console, selectors.EVENT_READ, ["console", b""])
        self.selector.register(monitor, selectors.EVENT_READ, ["monitor", b""])
        self.timed_out = False

    def lines(self):
        """(channel, line), until QEMU has closed both or the time is over."""
        while self.selector.get_map():
            left = self.end - time.monotonic()
            if left <= 0:
                self.timed_out = True
                return
            for key, _ in self.selector.select(min(left, 1)):
                data = os.read(key.fd, 65536)
                state = key.data
                *whole, state[1] = (state[1] + data).split(b"\n")
                if not data:
                    self.selector.unregister(key.fd)
                    os.close(key.fd)
                    whole = [state[1]] if state[1] else []
                for line in whole:
                    yield state[0], line.decode("utf-8", "replace").rstrip("\r")

    def status(self):
        """QEMU's exit status; ends QEMU if it still runs."""
        try:
            return self.process.wait(0 if self.timed_out else 5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


# ---- the three things to run ------------------------------------------------------


def boot(options):
    fetch()
    elf = program("monitor.elf", options.plant)
    initrd = initramfs()
    memory = options.mem * 2 + 512
    arguments = {
        "el2.mem": options.mem,
        "el2.initrd": os.path.getsize(initrd),
        "el2.seed": options.seed,
        "el2.pages": options.pages,
        "el2.hang": options.hang,
    }
    kernel = "console=ttyAMA0 earlycon=pl011,0x9000000 panic=-1 oops=panic"
    if options.resets:
        kernel += " s2.reset"
    append = " ".join(f"{k}={v}" for k, v in arguments.items()) + " -- " + kernel
    command = qemu(
        options, elf, options.vcpus + 1, memory, "-accel", "tcg,thread=multi",
        "-device", f"loader,file={kernel_image()},addr={IMAGE:#x},force-raw=on",
        "-device", f"loader,file={initrd},addr={INITRD:#x},force-raw=on",
        "-append", append,
    )  # fmt: skip
    if options.resets:
        command.remove("-no-reboot")
    begin = time.monotonic()
    machine = Machine(command, options.limit, options.seed)
    lost, resets, ended = [], 0, False
    for channel, line in machine.lines():
        progress = line.startswith("el2: storm:")
        if not options.quiet or (channel == "monitor" and not progress):
            print(line if channel == "monitor" else f"| {line}", flush=True)
        if LOST.search(line):
            lost.append(line)
            # The following lines may say more, but such a guest may never end.
            machine.end = min(machine.end, time.monotonic() + 3)
        ended |= channel == "monitor" and line.startswith("el2: end:")
        if channel == "monitor" and line.startswith("el2: SYSTEM_RESET:"):
            resets += 1
            if resets == options.resets:
                break
    return judge(options, machine, lost, resets, ended, time.monotonic() - begin)


def judge(options, machine, lost, resets, ended, seconds):
    """Print the result; returns the exit status."""
    if options.resets and resets == options.resets:
        machine.process.kill()
        machine.process.wait()
        print(f"guest: {resets} resets, {seconds:.0f} s: good")
        return 0
    status = machine.status()
    if lost:
        verdict = lost[0]
    elif machine.timed_out:
        verdict = f"a hang: not finished within {options.limit} s"
    elif resets:
        verdict = "the guest reset itself, as after a panic"
    elif status:
        verdict = STATUS.get(status, f"QEMU ended with {status}")
    elif not ended:
        verdict = "QEMU ended, and the monitor did not say so"
    else:
        print(f"guest: {options.cpu}, {options.vcpus} vCPUs, {seconds:.0f} s: good")
        return 0
    print(f"guest: {options.cpu}, {options.vcpus} vCPUs, {seconds:.0f} s: BAD: {verdict}")
    return 1


def target_lines(options, plant, argument):
    elf = program("target.elf", plant)
    # One host thread, because the two CPUs wait for each other at every access.
    command = qemu(options, elf, 2, 1024, "-accel", "tcg,thread=single")
    machine = Machine(command, options.limit, argument)
    try:
        for _, line in machine.lines():
            yield line
        status = machine.status()
    finally:
        # The caller may have seen enough.
        machine.process.kill()
        machine.process.wait()
    if machine.timed_out or status not in (0, 1):
        yield f"Bail out! QEMU ended with {status}, or not within {options.limit} s"


def target(options):
    failed = False
    for line in target_lines(options, options.plant, options.seed):
        print(line, flush=True)
        failed |= line.startswith(("not ok", "Bail out!"))
    return int(failed)


def planted(options):
    """The on-target tests must convict each mistake that QEMU can show."""
    faults = ["no-tlbi", "no-vmalle1", "no-ipas2", "local", "first-page"]
    number = plants()
    print(f"1..{len(faults)}")
    missed = 0
    for n, plant in enumerate(faults, 1):
        bad = good = 0
        bailed = False
        # One program for all of them.
        argument = f"{options.seed} {number[plant]}"
        with contextlib.closing(target_lines(options, "any", argument)) as lines:
            for line in lines:
                bad += line.startswith("not ok")
                good += line.startswith("ok")
                bailed |= line.startswith("Bail out!")
                if bad and good:
                    break
        # Some things work all the same: not everything is broken, or did not run.
        found = bad and good and not bailed
        missed += not found
        print(f"{'ok' if found else 'not ok'} {n} - {plant}: after {bad + good} "
              f"points, {bad} failed", flush=True)  # fmt: skip
    return int(missed > 0)


def bench_once(options, elf):
    # One instruction is one nanosecond, and there are no external events.
    command = qemu(
        options, elf, 1, 1024, "-icount", "shift=0,sleep=off", "-seed", "1",
        "-rtc", "base=2023-02-10,clock=vm",
    )  # fmt: skip
    machine = Machine(command, options.limit, options.seed)
    rows = [line.split(" | ") for _, line in machine.lines()]
    if machine.status() or machine.timed_out or len(rows) < 2:
        sys.exit(f"guest.py: the bench did not finish: {rows}")
    return rows


def bench(options):
    """Run it twice, because the counts must repeat."""
    elf = program("bench.elf", options.plant)
    rows, again = bench_once(options, elf), bench_once(options, elf)
    if options.markdown:
        for n, row in enumerate(rows):
            print("| " + " | ".join(row) + " |")
            if n == 0:
                print("|---|---|---" + "|--:" * (len(row) - 3) + "|")
    else:
        width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            cells = [c.ljust(w) if i < 3 else c.rjust(w)
                     for i, (c, w) in enumerate(zip(row, width))]  # fmt: skip
            print("  ".join(cells).replace("`", "").rstrip())
    if rows != again:
        for one, other in zip(rows, again):
            if one != other:
                print("differs the second time:", one, other)
        return 1
    print(f"guest: {options.cpu}: two runs agree to the instruction")
    return 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = {"boot": boot, "target": target, "planted": planted, "bench": bench}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--cpu", default="max", help="max, neoverse-n1, cortex-a57, ...")
    parser.add_argument("--vcpus", type=int, default=2)
    parser.add_argument("--pages", type=int, default=300000, help="to move and touch")
    parser.add_argument("--mem", type=int, default=1280, help="the guest's MiB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", default="none", choices=sorted(plants().keys() - {"any"}),
                        help="a fault")  # fmt: skip
    parser.add_argument("--limit", type=int, help="seconds; 600 if not more pages")
    parser.add_argument("--hang", type=int, default=30, help="seconds without progress")
    parser.add_argument("--resets", type=int, default=0, help="boots that end in a reset")
    parser.add_argument("--quiet", action="store_true", help="not the guest's console")
    parser.add_argument("--markdown", action="store_true", help="bench: for docs/el2.md")
    options = parser.parse_args()
    if options.seed < 1:
        parser.error("seeds begin at 1")
    if options.limit is None:
        options.limit = 600 + max(0, options.pages - 300000) // 400
    try:
        return commands[options.command](options)
    except subprocess.CalledProcessError as e:
        print(f"guest.py: {' '.join(e.cmd)}: exit status {e.returncode}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
