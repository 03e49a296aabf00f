# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The engine inside Linux: build KVM on it and the stock one, boot both, compare.

Everything is made under build/kvm: the kernel's source from Debian's package, one
object folder for each kernel, its selftests, our programs, the logs. A second run
builds what has changed.
"""

import argparse
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import console
import debian
import guest
import kvm_graft
from console import archive, say, write

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = ROOT / "ports/linux"
# KERNEL=7.3: the environment, which the kernel's own Makefiles are not to see.
KERNEL = os.environ.pop("KERNEL", "6.12")
VERSION = tuple(map(int, KERNEL.split(".")))
# The kernel of Debian 12 is installed. The suite that others are fetched from.
INSTALLED = "6.12"
SUITE = "trixie-backports"
QEMU_SUITE = "bookworm-backports"
BUILD = ROOT / "build/kvm" / ("" if KERNEL == INSTALLED else KERNEL)
TARBALL = pathlib.Path("/" if KERNEL == INSTALLED else BUILD,
                       f"usr/src/linux-source-{KERNEL}.tar.xz")
SOURCE = BUILD / f"linux-source-{KERNEL}"
SELFTESTS = BUILD / "selftests"
PROGRAMS = BUILD / "programs"
CPUS = ("max", "neoverse-n1", "cortex-a57")
CROSS = "aarch64-linux-gnu-"
# With the files that only tests need.
ENGINE = ("STAGE2_TEST=y",)

# The machines that tests.list selects by an option. The first is the default.
MACHINES = {
    "": {},
    "smp1": {"smp": 1},
    "1g": {"append": "hugepagesz=1G hugepages=1"},
}

# CONFIG: what the kernels are built with beside its fragment, and the size of a page.
CONFIGS = {
    "": ((), "4k"),
    "16k": ((), "16k"),
    "64k": ((), "64k"),
    "rt": ((), "4k"),
    "clang": (("CC=clang" if VERSION < kvm_graft.NEWER else "CC=clang-19",), "4k"),
}

# The option -m of KVM's selftests, a guest's addresses and pages: 40 bits and 4 KiB in
# tests.list, else the size of the host's pages and the most bits that the CPUs have.
GUEST_MODES = {
    "16k": {"max": 1, "neoverse-n1": 7},
    "64k": {"max": 2, "neoverse-n1": 8, "cortex-a57": 8},
}

TROUBLE = re.compile(
    r"WARNING:|BUG:|Kernel panic|Oops|KASAN|cut here|Call trace|possible recursive"
    r"|suspicious RCU|INFO: (?:rcu|task)|Bad page state|Internal error")


def run(what, command, log, **kwargs):
    console.run(what, command, BUILD / log, **kwargs)


# ---- building -----------------------------------------------------------------------


def unpack():
    if (SOURCE / "Makefile").exists():
        return
    if KERNEL == INSTALLED and not TARBALL.exists():
        sys.exit(f"{TARBALL} is missing: the package linux-source-{KERNEL}")
    if not TARBALL.exists():
        say(f"  fetch linux-source-{KERNEL} from {SUITE}")
        source = debian.Suite(BUILD / "apt", SUITE)
        there = re.findall(r"^linux-source-([\d.]+) ",
                           source.cache("search", "--names-only", "^linux-source-"), re.M)
        if KERNEL not in there:
            sys.exit(f"{SUITE} has no linux-source-{KERNEL}, but {' '.join(there)}")
        source.unpack(f"linux-source-{KERNEL}", BUILD, "--wildcards", "*.tar.xz")
    run("unpack the kernel's source", ["tar", "xf", TARBALL, "-C", BUILD], "unpack.log")


def pristine(name):
    """The text of a file of the kernel, before graft() has edited it."""
    kept = BUILD / "pristine" / name
    if not kept.exists():
        write(kept, (SOURCE / name).read_text())
    return kept.read_text()


def graft():
    """Put the engine and its glue into the source: kvm_graft.py."""
    files = kvm_graft.edited(pristine, VERSION) | kvm_graft.added(pristine, VERSION)
    for name, text in files.items():
        write(SOURCE / name, text)
    for path in (SOURCE / kvm_graft.STAGE2).rglob("*"):
        if path.suffix in (".c", ".h") and str(path.relative_to(SOURCE)) not in files:
            path.unlink()


def make(out, *targets):
    return ["nice", "-n", "2", "make", "-s", "-C", SOURCE, f"O={out}", "ARCH=arm64",
            f"CROSS_COMPILE={CROSS}", f"-j{os.cpu_count()}", *targets]


def build_kernel(name, options=(), fragments=(), like=None, target="Image"):
    """One kernel; options are make variables, the same for configuring and building.
    like: a kernel with nearly the same configuration, whose objects it begins with."""
    out = BUILD / name
    if like and not out.exists():
        copy = BUILD / f"{name}.copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(BUILD / like, copy, symlinks=True)
        copy.rename(out)
    out.mkdir(exist_ok=True)
    config = "".join((PORT / f).read_text() for f in ("kvm.config", *fragments))
    if not (out / "fragment").exists() or (out / "fragment").read_text() != config:
        (out / "wanted").write_text(config)
        run(f"configure the {name} kernel", make(out, *options, "allnoconfig"),
            f"{name}-config.log",
            env={**os.environ, "KCONFIG_ALLCONFIG": str(out / "wanted")})
        got = (out / ".config").read_text().splitlines()
        wanted = dict(line.split("=", 1) for line in config.splitlines()
                      if line.startswith("CONFIG_"))
        for option, value in wanted.items():
            if value != "n" and f"{option}={value}" not in got:
                say(f"  note: {option}={value} is not in the {name} kernel")
        (out / "wanted").replace(out / "fragment")
    run(f"build the {name} kernel", make(out, *options, target), f"{name}-build.log")


def build_headers():
    run("kernel headers", make(BUILD / "stock", "headers_install"), "headers.log")


def build_selftests():
    complete = SELFTESTS / "complete"
    source = PORT / "tests/patient.c"
    if complete.exists() and complete.stat().st_mtime > source.stat().st_mtime:
        return
    shutil.rmtree(SELFTESTS, ignore_errors=True)
    SELFTESTS.mkdir()
    build_headers()
    patient = SELFTESTS / "patient.o"
    run("longer alarms", [f"{CROSS}gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-c", "-o",
                          patient, source], "patient.log")
    # Some do not compile for arm64: -k, and the list says which ones are needed.
    start = time.monotonic()
    with open(BUILD / "selftests.log", "w") as out:
        subprocess.run(
            ["nice", "-n", "2", "make", "-s", "-k", f"-j{os.cpu_count()}", "-C",
             SOURCE / "tools/testing/selftests/kvm", "ARCH=arm64",
             f"CROSS_COMPILE={CROSS}", f"OUTPUT={SELFTESTS}",
             f"LDFLAGS=-static -Wl,--wrap=alarm {patient}",
             f"KHDR_INCLUDES=-isystem {BUILD}/stock/usr/include"],
            stdout=out, stderr=subprocess.STDOUT, check=False)
    say(f"  KVM's selftests: {time.monotonic() - start:.0f} s")
    wanted = {c.split()[0] for _, _, c in read_list() if c.startswith("/selftests/")}
    missing = [c for c in sorted(wanted) if not (BUILD / c[1:]).exists()]
    if missing:
        sys.exit(f"not built: {' '.join(missing)}: {BUILD}/selftests.log")
    complete.touch()


def build_programs(names):
    PROGRAMS.mkdir(exist_ok=True)
    for name, sources in names.items():
        inputs = [PORT / "tests" / s for s in sources] + [PORT / "tests/vm.h"]
        output = PROGRAMS / name
        if output.exists() and all(output.stat().st_mtime > i.stat().st_mtime
                                   for i in inputs):
            continue
        run(f"build {name}",
            [f"{CROSS}gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
             "-isystem", BUILD / "stock/usr/include", "-o", output,
             *inputs[:-1]], f"{name}.log")


# ---- a test machine ------------------------------------------------------------------


def newer_qemu():
    """A QEMU with FEAT_NV2, and in which stage 2 with pages of 16 KiB and 52 bits works.
    That of Debian 12 has neither. It is fetched, and run where it is. What it needs of
    libraries the installed one needs too."""
    folder = ROOT / "build/kvm/qemu"
    binary = folder / "usr/bin/qemu-system-aarch64"
    if not binary.exists():
        say(f"  fetch QEMU from {QEMU_SUITE}")
        folder.mkdir(parents=True, exist_ok=True)
        debian.Suite(folder / "apt", QEMU_SUITE, debian.machine()).unpack("qemu-system-arm", folder)
    # The installed one has modules, for screens.
    os.environ["QEMU_MODULE_DIR"] = str(folder)
    return str(binary)


def qemu(image, initrd, cpu, smp=2, memory="4G", append="", extra=(),
         program="qemu-system-aarch64"):
    return [program, "-M", "virt,virtualization=on,gic-version=3", "-cpu",
            cpu, "-smp", str(smp), "-m", memory, "-nic", "none", "-nographic",
            "-no-reboot", "-kernel", str(image), "-initrd", str(initrd), "-append",
            f"console=ttyAMA0 panic=-1 rdinit=/init {append}", *extra]


def boot(label, command, log, limits):
    """
    Boot, return what the console said. limits: seconds of each test. A machine whose
    CPUs hang does not end a test at its limit, but its kernel may complain without end.
    It has two CPUs at most, and QEMU's own thread.
    """
    lines, seconds = console.boot(label, command, log, 60 + sum(limits),
                                  silence=60 + 3 * max(limits),
                                  counts=lambda line: line.startswith("##"))
    say(f"  {label}: {seconds:.0f} s, {log.relative_to(ROOT)}"
        f" ({longest(lines)})")
    if not any(line.startswith("##DONE") for line in lines):
        say(f"  {label}: the machine did not come to its end")
    return lines


def results(lines, logged=None):
    """
    {test: its result}, and the complaints of the kernel. logged: {test: what it has to
    say if it says by what pages were logged}
    """
    ended, trouble, by = {}, [], None
    for line in lines:
        if line.startswith("##BEGIN "):
            by = None
        elif line in ("by hardware", "by faults"):
            by = line
        elif line.startswith("##END "):
            _, name, how, code, _, kb = line.split()
            ended[name] = {
                "exit 0": "pass", "exit 4": "skip"
            }.get(f"{how} {code}", f"{how} {code}" if how != "timeout" else how)
            if ended[name] == "pass" and kb != "0":
                ended[name] = f"leak {kb} kB"
            if ended[name] == "pass" and by and (logged or {}).get(name, by) != by:
                ended[name] = by
        elif TROUBLE.search(line):
            trouble.append(line)
    return ended, trouble


def longest(lines):
    """The five longest tests of a boot."""
    seconds = {w[1]: float(w[4]) for w in map(str.split, lines) if w[:1] == ["##END"]}
    top = sorted(seconds, key=seconds.get, reverse=True)[:5]
    return ", ".join(f"{name} {seconds[name]:.0f} s" for name in top)


def traces(lines):
    """{test: what it has recorded}"""
    found = {}
    for n, line in enumerate(lines):
        if line.startswith("##TRACE ") and line != "##TRACE END":
            found[line.split()[1]] = lines[n + 1:lines.index("##TRACE END", n)]
    return found


# ---- make kvm -------------------------------------------------------------------------


def read_list(short=False, cpu="max", config="", mode=None):
    size = CONFIGS[config][1]
    modes = GUEST_MODES.get(size)
    tests = []
    for line in (PORT / "tests/tests.list").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        name, options, command = line.split(None, 2)
        options = options.split(",")
        older = VERSION < kvm_graft.NEWER
        sizes = {"4k", "16k", "64k"} & set(options)
        if short and "short" not in options or "7.x" in options and older or \
                "max" in options and cpu != "max" or sizes and size not in sizes or \
                "nested" in options and mode != "nested" or \
                "kept" in options and mode in ("nvhe", "protected") or \
                "thp" in options and config == "rt":
            continue
        # The tables are pKVM's.
        if {"ours", "host"} & set(options) and mode == "protected" and not older:
            continue
        if older:
            command = command.replace("arm64/no-vgic", "arm64/no-vgic-v3") \
                .replace("arm64/", "aarch64/")
        if modes:
            command = command.replace(" -m 6", f" -m {modes[cpu]}")
        if not command.startswith("/"):
            command = "/selftests/" + command
        tests.append((name, options, command))
    return tests


def named(kernel, config):
    return "-".join(filter(None, (kernel, config)))


def build_kernels(config=""):
    """Stock and ours. Returns the warnings of the compiler about our files."""
    stock, ours = named("stock", config), named("ours", config)
    options = CONFIGS[config][0]
    fragments = (f"{config}.config",) if (PORT / f"{config}.config").exists() else ()
    BUILD.mkdir(parents=True, exist_ok=True)
    say("build")
    unpack()
    graft()
    build_kernel(stock, options, fragments)
    build_kernel(ours, (*options, *ENGINE), (*fragments, "engine.config"), like=stock)
    return [line for line in (BUILD / f"{ours}-build.log").read_text().splitlines()
            if "warning:" in line and kvm_graft.STAGE2 in line]


def build(config=""):
    warnings = build_kernels(config)
    build_selftests()
    build_programs({"init": ["init.c", "vm.c"], "stale": ["stale.c", "vm.c"],
                    "logging": ["logging.c", "vm.c"],
                    "churn": ["churn.c", "vm.c"], "gmem": ["gmem.c", "vm.c"],
                    "exec": ["exec.c", "vm.c"], "guest": ["guest.c"],
                    "guest-init": ["guest-init.c"],
                    "tries": ["tries.c", "vm.c"], "bounded": ["bounded.c", "vm.c"],
                    "hwdirty": ["hwdirty.c", "vm.c"],
                    "migrate": ["migrate.c", "vm.c"]})
    for name in ("guest", "nested", "inner"):
        run(f"build {name}.dtb", ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o",
                                  PROGRAMS / f"{name}.dtb", PORT / f"tests/{name}.dts"],
            "dtb.log")
    ram_disk(PROGRAMS / "guest.cpio", 4)
    return warnings


def ram_disk(path, mib, files=()):
    """A guest's. guest.dts and nested.dts say where it ends."""
    archive({"init": (PROGRAMS / "guest-init").read_bytes(), **dict(files)}, path)
    with open(path, "ab") as padded:
        padded.truncate(mib << 20)


def nested_disk(kernel):
    """With all that the guest needs to boot a guest. Each runs the kernel of its host."""
    path = BUILD / f"{kernel}-nested.cpio"
    ram_disk(path, 32, {"Image": image(kernel).read_bytes(),
                        **{f"programs/{n}": (PROGRAMS / n).read_bytes()
                           for n in ("guest", "inner.dtb", "guest.cpio")}})
    return path


def image(kernel):
    return BUILD / kernel / "arch/arm64/boot/Image"


def run_list(kernel, cpu, tests, timeout, mode=None):
    """run_once(), and once more for tests that a busy machine may have made fail."""
    ended, trouble = run_once(kernel, cpu, tests, timeout, mode)
    slow = [t for t in tests if ended.get(t[0]) == "timeout"]
    if slow:
        say(f"  again: {' '.join(t[0] for t in slow)}")
        more_ended, more_trouble = run_once(kernel, cpu, slow, 2 * timeout, mode,
                                            "-again")
        ended.update(more_ended)
        trouble += more_trouble
    return ended, trouble


def shell():
    """The programs that record.sh needs: Debian's busybox, under each of their names."""
    guest.fetch()
    names = ("sh", "sed", "awk", "cat", "mkdir", "rmdir", "tr", "gzip")
    return {"bin/busybox": guest.busybox(),
            **{f"bin/{n}": b"#!/bin/busybox\n" for n in names}}


def replay(path, text, ended):
    """A recording is good if the model finds no violation in it."""
    path.write_text("\n".join(text) + "\n")
    if ended != "pass":
        return ended
    with open(path.with_suffix(".replay"), "w") as out:
        # This kernel has no /proc/sys, so the recording does not say what it is.
        status = subprocess.run(
            [ROOT / "build/s2lab", "replay", "--kernel", KERNEL, path], stdout=out,
            stderr=subprocess.STDOUT, check=False).returncode
    return f"replay {status}" if status else "pass"


def limit(options, timeout):
    """Seconds for a test."""
    return 4 * timeout if "slow" in options else timeout


def run_once(kernel, cpu, tests, timeout, mode=None, suffix=""):
    """Results of the tests and complaints of the kernel: one boot for each machine.
    mode: of KVM, in place of the one that it chooses."""
    ended, trouble = {}, []
    for machine, options in MACHINES.items():
        chosen = [t for t in tests if (MACHINES.keys() & t[1] or {""}) == {machine}
                  and not ("ours" in t[1] and kernel.startswith("stock"))]
        if not chosen:
            continue
        files = {"init": (PROGRAMS / "init").read_bytes(), "tests": "".join(
            f"{name}\t{limit(options, timeout)}\t{','.join(options)}\t{command}\n"
            for name, options, command in chosen).encode()}
        for word in {w for _, _, command in chosen for w in command.split()}:
            path = BUILD / word.lstrip("/")
            if word == "/Image":
                path = image(kernel)
            elif word == "/nested.cpio":
                path = nested_disk(kernel)
            if word.startswith("/") and path.exists():
                files[word.lstrip("/")] = path.read_bytes()
        if any("trace" in options for _, options, _ in chosen):
            files |= shell()
            files["record.sh"] = (PORT / "record.sh").read_bytes()
        label = "-".join(filter(None, (kernel, cpu, mode, machine))) + suffix
        program = "qemu-system-aarch64"
        if mode == "nested" or kernel.endswith("-16k"):
            program = newer_qemu()
        initrd = BUILD / f"{label}.cpio"
        archive(files, initrd)
        append = [options.get("append"), mode and f"kvm-arm.mode={mode}"]
        lines = boot(label, qemu(image(kernel), initrd, cpu, program=program,
                                 **options | {"append": " ".join(filter(None, append))}),
                     BUILD / f"{label}.log",
                     [limit(options, timeout) for _, options, _ in chosen])
        logs = "by faults" if cpu == "cortex-a57" or mode == "protected" \
            else "by hardware"
        more_ended, more_trouble = results(lines, {
            name: logs for name, options, _ in chosen if "hwdirty" in options})
        for name, text in traces(lines).items():
            more_ended[name] = replay(BUILD / f"{label}-{name}.trace", text,
                                      more_ended.get(name))
        ended.update(more_ended)
        trouble += more_trouble
    return ended, trouble


# ---- the two in one program ------------------------------------------------------------


def compare(calls=2000, seed=1):
    """ports/linux/tests/diff: the stock functions and ours make the same tables."""
    out, source = BUILD / "diff", PORT / "tests/diff"
    base = ["-std=gnu11", "-O2", "-fno-strict-aliasing", "-w", f"-I{out}", f"-I{source}",
            f"-I{source}/include", f"-I{ROOT}/include", f"-I{ROOT}/src",
            f"-I{ROOT}/bench/linux/shim", f"-I{ROOT}"]
    base += [f"-DLINUX_VERSION_CODE={VERSION[0] << 16 | VERSION[1] << 8}",
             "-DKERNEL_VERSION(a,b,c)=((a) << 16 | (b) << 8 | (c))",
             *(["-include", source / "newer.h"] if VERSION >= kvm_graft.NEWER else [])]
    write(out / "pgtable.c", pristine(f"{kvm_graft.KVM}/hyp/pgtable.c"))
    for name in ("kvm_pgtable.h", "stage2_pgtable.h"):
        write(out / "asm" / name, pristine(f"arch/arm64/include/asm/{name}"))
    engine = [ROOT / room / name for room in ("src", "extra")
              for name in (ROOT / room / "sources.list").read_text().split()
              if f"{room}/{name}" not in {*kvm_graft.LEFT_OUT, "extra/dump.c"}]
    for shift, wide in itertools.product((12, 14, 16), (0, 1)):
        size = [f"-DPAGE_SHIFT={shift}", f"-DSHIM_52BIT={wide}"]
        # Both have functions of the same names: each is one object that shows its own.
        for side, files, names in (
                ("stock", [source / "stock.c"], ("side_stock", "kvm_pgtable_get_leaf",
                                                 "kvm_get_vtcr")),
                ("ours", [source / "ours.c", *engine], ("side_ours",))):
            objects = [f"{side}-{f.stem}.o" for f in files]
            for path, name in zip(files, objects):
                subprocess.run(["gcc", *base, *size, "-c", "-o", name, path], cwd=out,
                               check=True)
            subprocess.run(["ld", "-r", "-o", f"{side}.o", *objects], cwd=out, check=True)
            subprocess.run(["objcopy", *(f"--keep-global-symbol={n}" for n in names),
                            f"{side}.o"], cwd=out, check=True)
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", *size,
                        f"-I{source}", "-o", "diff", source / "diff.c", "stock.o",
                        "ours.o"], cwd=out, check=True)
        if subprocess.run([out / "diff", str(calls), str(seed)], check=False).returncode:
            return 1
    return 0


def diff(args):
    BUILD.mkdir(parents=True, exist_ok=True)
    unpack()
    return compare(args.calls, args.seed)


# ---- test, debug -----------------------------------------------------------------------


def test(args):
    tests = read_list(args.short, args.cpu, args.config, args.mode)
    if args.tests:
        names = set(args.tests.split(","))
        unknown = names - {t[0] for t in tests}
        if unknown:
            sys.exit(f"not in this list of tests: {' '.join(sorted(unknown))}")
        tests = [t for t in tests if t[0] in names]
    warnings = build(args.config)
    if compare():
        return 1
    start = time.monotonic()
    where = ", ".join(filter(None, (f"Linux {KERNEL}", args.cpu, args.config, args.mode)))
    say(f"run {len(tests)} tests on {where}")
    stock, _ = run_list(named("stock", args.config), args.cpu, tests, args.timeout,
                        args.mode)
    ours, trouble = run_list(named("ours", args.config), args.cpu, tests, args.timeout,
                             args.mode)
    bad = skipped = 0
    say(f"\n{'test':24}{'stock':14}{'ours':14}")
    for name, options, _ in tests:
        before = "-" if "ours" in options else stock.get(name, "lost")
        after = ours.get(name, "lost")
        # Stock has to pass, too: else nothing is said of what ours does.
        wrong = (before, after) not in (("pass", "pass"), ("-", "pass"),
                                        ("skip", "skip"))
        bad += wrong
        skipped += after == "skip"
        say(f"{name:24}{before:14}{after:14}{'<- WRONG' if wrong else ''}".rstrip())
    for line in warnings:
        say(line)
    for line in trouble:
        say(f"kernel log: {line}")
    say(f"\n{where}: {len(tests)} tests, {bad} wrong, "
        f"{f'{skipped} skipped, ' if skipped else ''}kernel log "
        f"{'not clean' if trouble else 'clean'}, {time.monotonic() - start:.0f} s")
    return 1 if bad or trouble or warnings else 0


def debug(args):
    """The short list on kernels with debugging checks."""
    build()
    tests = read_list(True, args.cpu)
    bad = 0
    for kernel in args.kernels.split(","):
        build_kernel(kernel, ENGINE, ("engine.config", f"{kernel}.config"))
        say(f"run {len(tests)} tests on the {kernel} kernel, {args.cpu}")
        # Each access is checked, by code that is emulated.
        slower = 4 if kernel == "kasan" else 1
        ended, trouble = run_list(kernel, args.cpu, tests, slower * args.timeout)
        for name, _, _ in tests:
            bad += ended.get(name) != "pass"
            say(f"{name:24}{ended.get(name, 'lost')}")
        for line in trouble:
            say(f"kernel log: {line}")
        bad += len(trouble)
    say("all passed, kernel logs clean" if not bad else f"{bad} wrong")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("test", "debug", "diff"))
    parser.add_argument("--cpu", choices=CPUS, default="max")
    parser.add_argument("--mode", choices=("nvhe", "protected", "nested"),
                        help="test: the mode of KVM, where the CPU has VHE")
    parser.add_argument("--config", choices=CONFIGS, default="",
                        help="test: the configuration of the kernels")
    parser.add_argument("--short", action="store_true", help="the short list of tests")
    parser.add_argument("--tests", help="only these, comma-separated")
    parser.add_argument("--timeout", type=int, default=180,
                        help="seconds for one test (default 180)")
    parser.add_argument("--kernels", default="debug,kasan",
                        help="debug: which kernels (default debug,kasan)")
    parser.add_argument("--calls", type=int, default=2000,
                        help="diff: how many of each kind (2000)")
    parser.add_argument("--seed", type=int, default=1, help="diff: of the calls (1)")
    args = parser.parse_args()
    if args.config == "16k" and args.cpu == "cortex-a57":
        sys.exit("cortex-a57 has no pages of 16 KiB")
    sys.exit({"test": test, "debug": debug, "diff": diff}[args.what](args))


if __name__ == "__main__":
    main()
