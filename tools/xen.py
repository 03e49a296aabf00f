# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The engine inside Xen: build Xen on it and the stock one, boot both, compare."""

import argparse
import concurrent.futures
import re
import subprocess
import sys
import time

import console
import xen_source
from console import say
from xen_source import BARE, BUILD, DEBIAN, PORT, PROGRAMS, ROOT, dom0_kernel

CPUS = {
    # Pointer authentication by a cheap algorithm.
    "max": "max,pauth-impdef=on,sve=off,sme=off",
    "cortex-a57": "cortex-a57",
    "cortex-a53": "cortex-a53",
}

# What dom0 needs of the packages.
XEN_PROGRAMS = """xl xenstored xenconsoled xenconsole xen-init-dom0 test-resource
test-paging-mempool xen-access""".split()
STORE_PROGRAMS = "xenstore-read xenstore-write xenstore-ls".split()
LIBRARIES = """ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0
librt.so.1 libutil.so.1 libgcc_s.so.1 libz.so.1 libbz2.so.1.0 liblzma.so.5 liblzo2.so.2
libfdt.so.1 liblz4.so.1 libuuid.so.1 libxencall.so.1 libxenctrl.so.4.17
libxendevicemodel.so.1 libxenevtchn.so.1 libxenforeignmemory.so.1 libxengnttab.so.1
libxenguest.so.4.17 libxenhypfs.so.1 libxenlight.so.4.17 libxenstat.so.4.17
libxenstore.so.4 libxentoolcore.so.1 libxentoollog.so.1 libxlutil.so.4.17 libyajl.so.2
libzstd.so.1""".split()
MODULES = """xen-privcmd xenfs/xenfs xen-evtchn xen-gntdev xen-gntalloc""".split()

# Emulation is slow: no watchdogs.
PATIENT = "quiet nowatchdog rcupdate.rcu_cpu_stall_suppress=1"


# A machine is given up when it has said nothing for so many seconds of its CPU time, or
# after so many seconds in all.
SILENCE = 600
HOURS = 4 * 3600


# ---- a test machine -----------------------------------------------------------------


def find(name):
    """A library by its soname, wherever the packages have it."""
    for folder in ("lib", "usr/lib"):
        path = DEBIAN / folder / "aarch64-linux-gnu" / name
        if path.exists():
            return path.read_bytes()
    sys.exit(f"{name} is not in the packages")


def busybox():
    return (DEBIAN / "bin/busybox").read_bytes()


def dom0_files():
    tests = PORT / "tests"
    domu = PROGRAMS / "domu.cpio"
    console.archive({"init": (tests / "domu-init.sh").read_bytes(),
                     "bin/busybox": busybox(),
                     "churn": (PROGRAMS / "churn").read_bytes()}, domu)
    files = {"init": (tests / "dom0-init.sh").read_bytes(),
             "dom0.sh": (tests / "dom0.sh").read_bytes(),
             "bin/busybox": busybox(),
             "bin/pages": (PROGRAMS / "pages").read_bytes(),
             "bin/hammering": (PROGRAMS / "hammering").read_bytes(),
             **{f"{n}.img": (PROGRAMS / f"{n}.img").read_bytes() for n in BARE},
             "vmlinuz": dom0_kernel().read_bytes(),
             "domu.cpio": domu.read_bytes(),
             "etc/xen/xl.conf": b'autoballoon="off"\n'}
    for name in XEN_PROGRAMS:
        files[f"xen/{name}"] = (DEBIAN / "usr/lib/xen-4.17/bin" / name).read_bytes()
    # xl looks for the program of its console there.
    files["usr/lib/xen-4.17/bin/xenconsole"] = files.pop("xen/xenconsole")
    for name in STORE_PROGRAMS:
        files[f"xen/{name}"] = (DEBIAN / "usr/bin" / name).read_bytes()
    for name in LIBRARIES:
        files[f"lib/{name}"] = find(name)
    for name in MODULES:
        path = next(DEBIAN.glob(f"lib/modules/*/kernel/drivers/xen/{name}.ko"))
        files[f"modules/{path.name}"] = path.read_bytes()
    return files


def qemu(image, initrd, cpu, append="", counted=False):
    """
    Xen, and if there is an initrd dom0. Time is what the machine executes, so that a busy
    host makes a run longer and changes nothing in it: 8 nanoseconds an instruction;
    counted, one.
    """
    command = ["qemu-system-aarch64", "-M", "virt,virtualization=on,gic-version=3", "-cpu",
               CPUS[cpu], "-smp", "1" if counted else "2", "-m", "4G", "-accel",
               "tcg,thread=single", "-icount", f"shift={0 if counted else 3},sleep=off",
               "-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot",
               "-kernel", str(image), "-append",
               "console=dtuart dtuart=/pl011@9000000 dom0_mem=512M dom0_max_vcpus=1 "
               "dom0_vcpus_pin bootscrub=0 loglvl=all guest_loglvl=all sync_console "
               f"{append}"]
    if initrd:
        kernel = ("console=hvc0 earlycon=xenboot rdinit=/init clk_ignore_unused "
                  f"panic=-1 {PATIENT}")
        command += ["-device", f"guest-loader,addr=0x60000000,kernel={dom0_kernel()},"
                               f"bootargs={kernel}",
                    "-device", f"guest-loader,addr=0x68000000,initrd={initrd}"]
    return command


TROUBLE = re.compile(r"Assertion|ASSERT|Xen WARN|Xen BUG|Xen call trace|Panic on CPU|"
                     r"mm locking|Kernel panic|Oops|BUG:|WARNING: CPU|Internal error|"
                     r"Bad page|an IOMMU keeps")


def boot(label, command, ended):
    log = BUILD / f"{label}.log"
    lines, seconds = console.boot(label, command, log, HOURS, ended, SILENCE)
    say(f"  {label}: {seconds:.0f} s, {log.relative_to(ROOT)}")
    return lines


def results(lines):
    """{test: its result}, and the complaints of the hypervisor and of dom0."""
    ended, trouble = {}, []
    for line in lines:
        if line.startswith("##END "):
            _, name, code, _, lost = line.split()
            ended[name] = {"0": "pass", "timeout": code}.get(code, f"exit {code}")
            if ended[name] == "pass" and lost != "0":
                ended[name] = f"leak {lost}"
        elif TROUBLE.search(line):
            trouble.append(line)
    return ended, trouble


# ---- make xen -----------------------------------------------------------------------


def read_list():
    lines = (PORT / "tests/tests.list").read_text().splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return [(name, options) for name, *options in words]


def run_dom0(files, xen, cpu, tests, label="", **options):
    """One boot in which dom0 runs the tests."""
    listed = "".join(f"{name}\n" for name, _ in tests).encode()
    label = "-".join(filter(None, (xen, cpu, label)))
    initrd = BUILD / f"{label}.cpio"
    console.archive(files | {"tests": listed}, initrd)
    return boot(label, qemu(BUILD / xen / "xen", initrd, cpu, **options),
                lambda line: "machine_halt" in line or "halting machine" in line)


def domu_nodes(tree):
    """Three guests in the machine's device tree; returns QEMU's options that load them."""
    def put(*words):
        subprocess.run(["fdtput", *words[:1], tree, *map(str, words[1:])], check=True)

    load = []
    cells = (("#address-cells", 2), ("#size-cells", 2))
    put("-ts", "/pl061@9030000", "status", "disabled")
    for name, value in cells:
        put("-ti", "/chosen", name, value)
    for n in range(3):
        node = f"/chosen/domU{n + 1}"
        put("-cp", node)
        put("-ts", node, "compatible", "xen,domain")
        for name, value in (*cells, ("cpus", 2), ("vpl011", "")):
            put("-ti", node, name, *([value] if value else []))
        put("-tx", node, "memory", 0, f"{128 << 10:x}")
        parts = (("kernel", dom0_kernel(), 0x60000000 + n * 0x3000000),
                 ("ramdisk", PROGRAMS / "domu.cpio", 0x70000000 + n * 0x400000))
        for kind, path, at in parts:
            module = f"{node}/module@{at:x}"
            put("-cp", module)
            put("-ts", module, "compatible", f"multiboot,{kind}", "multiboot,module")
            put("-tx", module, "reg", 0, f"{at:x}", 0, f"{path.stat().st_size:x}")
            if kind == "kernel":
                put("-ts", module, "bootargs",
                    f"console=ttyAMA0 rdinit=/init churn=8 {PATIENT}")
            load += ["-device", f"loader,file={path},addr={at:#x},force-raw=on"]
    return load


def run_dom0less(xen, cpu):
    """Three guests that Xen makes at boot: each verifies its memory three times."""
    tree = BUILD / f"dom0less-{xen}-{cpu}.dtb"
    command = [*qemu(BUILD / xen / "xen", None, cpu, append="dom0less")]
    subprocess.run([*command[:command.index("-kernel")], "-machine", f"dumpdtb={tree}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command += ["-dtb", str(tree), *domu_nodes(tree)]
    done = set()

    def ended(line):
        found = re.search(r"DOM(\d): ##GUEST round 3$", line)
        if found:
            done.add(found[1])
        return len(done) == 3 or "##GUEST BAD" in line

    lines = boot(f"{xen}-{cpu}-dom0less", command, ended)
    bad = any("##GUEST BAD" in line for line in lines)
    return "bad" if bad else "pass" if len(done) == 3 else "timeout", results(lines)[1]


def run_list(files, xen, cpu, tests):
    """All results. "alone": in a boot of its own; the others share one."""
    tests = [t for t in tests if xen == "ours" or "ours" not in t[1]]
    found, trouble = {}, []
    alone = [[t] for t in tests if "alone" in t[1]]
    shared = [t for t in tests if "alone" not in t[1] and t[0] != "dom0less"]
    for boot_of in filter(None, (shared, *alone)):
        label = boot_of[0][0] if boot_of in alone else ""
        ended, more = results(run_dom0(files, xen, cpu, boot_of, label))
        found.update(ended)
        trouble += more
    if any(name == "dom0less" for name, _ in tests):
        found["dom0less"], more = run_dom0less(xen, cpu)
        trouble += more
    return found, trouble


def test(args):
    start = time.monotonic()
    tests = read_list()
    if args.tests:
        tests = [t for t in tests if t[0] in args.tests.split(",")]
    say(f"run {len(tests)} scenarios on {args.cpu}")
    files, result, trouble = dom0_files(), {}, {}
    # An emulated machine takes one CPU: both hypervisors at a time.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = {xen: pool.submit(run_list, files, xen, args.cpu, tests)
                for xen in args.xen.split(",")}
        for xen, run in runs.items():
            result[xen], trouble[xen] = run.result()
    bad = late = 0
    say(f"\n{'scenario':16}{'stock':12}{'ours':12}")
    for name, options in tests:
        before = after = "-"
        if "stock" in result and "ours" not in options:
            before = result["stock"].get(name, "timeout")
        if "ours" in result:
            after = result["ours"].get(name, "timeout")
        # What has not come to its end has not failed, nor passed.
        late += after == "timeout"
        wrong = after not in ("pass", "timeout", "-") and before in ("pass", "-")
        bad += wrong
        say(f"{name:16}{before:12}{after:12}{'<- WRONG' if wrong else ''}".rstrip())
    for line in trouble.get("ours", []):
        say(f"log: {line}")
    bad += len(trouble.get("ours", []))
    say(f"\n{args.cpu}: {len(tests)} scenarios, {bad} wrong, {late} not finished, "
        f"{time.monotonic() - start:.0f} s")
    return 1 if bad or late else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("build", "test"))
    parser.add_argument("--cpu", choices=CPUS, default="max")
    parser.add_argument("--tests", help="only these, comma-separated")
    parser.add_argument("--xen", default="stock,ours", help="only stock or ours")
    args = parser.parse_args()
    xen_source.build()
    sys.exit(test(args) if args.what == "test" else 0)


if __name__ == "__main__":
    main()
