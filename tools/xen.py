# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The engine inside Xen: build Xen on it and the stock one, boot both, compare.

Everything is made under build/xen: Xen's source from Debian's package, one object folder
for each hypervisor, dom0's programs from Debian's arm64 packages, the logs. A second run
builds what has changed. Apt keeps its state for that in the same folder; the machine's
own is not touched.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import kvm

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = ROOT / "ports/xen"
BUILD = ROOT / "build/xen"
APT = BUILD / "apt"
SOURCE = BUILD / "source"
DEBIAN = BUILD / "debian"
PROGRAMS = BUILD / "programs"
CROSS = "aarch64-linux-gnu-"
# Source and programs are of one version, and one that the mirror has.
VERSION = "4.17.5+72-g01140da4e8-1"
CPUS = {
    # Pointer authentication by a cheap algorithm.
    "max": "max,pauth-impdef=on,sve=off,sme=off",
    "cortex-a57": "cortex-a57",
    "cortex-a53": "cortex-a53",
}

XEN_PACKAGES = """xen-utils-4.17 xen-utils-common xenstore-utils libxenmisc4.17
libxenstore4 libxencall1 libxendevicemodel1 libxenevtchn1 libxenforeignmemory1
libxengnttab1 libxenhypfs1 libxentoolcore1 libxentoollog1""".split()
PACKAGES = """busybox-static libyajl2 libuuid1 zlib1g libbz2-1.0 liblzma5 libzstd1 libfdt1
libc6 libgcc-s1 liblzo2-2 liblz4-1""".split()

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

say = kvm.say
write = kvm.write


def run(what, command, log, **kwargs):
    """A build step: its output goes to a log, its time to the terminal."""
    kvm.BUILD = BUILD
    kvm.run(what, command, log, **kwargs)


# ---- what is fetched ----------------------------------------------------------------


def apt(program, *argv, **kwargs):
    for folder in ("lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    write(APT / "sources.list", "".join(
        f"{kind} {key} http://deb.debian.org/{where} main\n" for kind in ("deb", "deb-src")
        for where in ("debian bookworm", "debian-security bookworm-security")))
    options = {"APT::Architecture": "arm64", "APT::Architectures": "arm64",
               "APT::Sandbox::User": "", "Dir::State": APT, "Dir::Cache": APT / "cache",
               "Dir::State::status": "/dev/null", "Dir::Etc::sourceparts": "/dev/null",
               "Dir::Etc::sourcelist": APT / "sources.list"}
    return subprocess.run(
        [program, "-q", *(w for k, v in options.items() for w in ("-o", f"{k}={v}")),
         *argv], check=True, capture_output=True, text=True, **kwargs).stdout


def fetch():
    """Xen's source, and what runs in dom0: once."""
    if not (SOURCE / "xen/Makefile").exists():
        say(f"  fetch the source package xen {VERSION}")
        shutil.rmtree(SOURCE, ignore_errors=True)
        apt("apt-get", "update")
        apt("apt-get", "source", "--download-only", f"xen={VERSION}", cwd=BUILD)
        dsc = next(BUILD.glob("xen_*.dsc"))
        run("unpack it", ["dpkg-source", "-x", dsc, SOURCE], "unpack.log")
    if not (DEBIAN / "complete").exists():
        say("  fetch dom0's kernel and programs")
        shutil.rmtree(DEBIAN, ignore_errors=True)
        DEBIAN.mkdir(parents=True)
        if not list((APT / "lists").glob("*_Packages*")):
            apt("apt-get", "update")
        depends = apt("apt-cache", "depends", "linux-image-arm64")
        kernel = re.search(r"Depends: (linux-image-\S+)", depends)[1]
        apt("apt-get", "download", kernel, *PACKAGES,
            *(f"{p}={VERSION}" for p in XEN_PACKAGES), cwd=DEBIAN)
        for name in sorted(DEBIAN.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", name, DEBIAN], check=True)
            name.unlink()
        (DEBIAN / "complete").touch()


def dom0_kernel():
    return sorted((DEBIAN / "boot").glob("vmlinuz-*"))[-1]


# ---- what is changed in Xen's source ------------------------------------------------

# Functions of arch/arm/p2m.c that ports/xen/p2m.c has, or that only those use.
REPLACED = """p2m_write_unlock p2m_dump_info p2m_force_tlb_flush_sync p2m_tlb_flush_sync
p2m_get_root_pointer p2m_is_valid p2m_is_mapping p2m_is_superpage p2m_next_level
p2m_get_entry p2m_set_permission mfn_to_p2m_entry page_to_p2m_table p2m_write_pte
p2m_remove_pte p2m_create_table p2m_put_l3_page p2m_free_entry p2m_split_superpage
__p2m_set_entry p2m_set_entry p2m_invalidate_table p2m_invalidate_root
p2m_resolve_translation_fault p2m_insert_mapping p2m_remove_mapping p2m_alloc_table
p2m_teardown relinquish_p2m_mapping p2m_cache_flush_range""".split()
# Functions and one variable there that the port uses.
SHARED = """generate_vttbr p2m_alloc_page p2m_free_page p2m_mem_access_radix_get
p2m_mem_access_radix_set p2m_allocate_root empty_root_mfn""".split()


class Source:
    """One file of Xen, as the package has it, and edits that must find their place."""

    def __init__(self, name):
        self.name = name
        self.path = SOURCE / "xen" / name
        original = BUILD / "original" / name
        if not original.exists():
            original.parent.mkdir(parents=True, exist_ok=True)
            original.write_text(self.path.read_text())
        self.text = original.read_text()

    def function(self, name):
        """Where the definition of a function begins and ends."""
        head = rf"^\w[^;{{}}()]*\b{name}\([^;{{]*?\)\n\{{\n"
        for found in re.finditer(head, self.text, re.M):
            return found.start(), self.text.index("\n}\n", found.end()) + 3
        sys.exit(f"{self.name} has no function {name}")

    def replace(self, old, new, times=1, within=None):
        start, end = self.function(within) if within else (0, len(self.text))
        part = self.text[start:end]
        if part.count(old) != times:
            sys.exit(f"{self.name}: {part.count(old)} times, not {times}: {old!r}")
        self.text = self.text[:start] + part.replace(old, new) + self.text[end:]

    def insert(self, before, new, within=None):
        self.replace(before, new + before, within=within)

    def set_aside(self, name):
        start, end = self.function(name)
        self.text = (self.text[:start] + "#ifndef STAGE2\n" + self.text[start:end]
                     + "#endif\n" + self.text[end:])

    def share(self, name):
        """Not static in a build with the engine."""
        pattern = rf"^static ((?:[\w ]+[ *])?{name}\b[^;]*?(?:;|\)\n\{{))"
        self.text, n = re.subn(pattern, r"STAGE2_STATIC \1", self.text, count=1, flags=re.M)
        if not n:
            sys.exit(f"{self.name} has no static {name}")

    def done(self):
        write(self.path, self.text)


def count_stock(p2m):
    """Counters in the functions that are set aside: they are in the stock build only."""
    visit = "    stage2_count(visits, 1);\n"
    p2m.insert("    entry = *table + offset;\n", visit, "p2m_next_level")
    p2m.insert("    entry = table[offsets[level]];\n", visit, "p2m_get_entry")
    p2m.insert("    orig_pte = *entry;\n", visit, "__p2m_set_entry")
    p2m.insert("        p2m_free_entry(p2m, *(table + i), level + 1);\n",
               "    {\n" + visit, "p2m_free_entry")
    p2m.replace("level + 1);\n", "level + 1);\n    }\n", within="p2m_free_entry")
    p2m.insert("        if ( !pte.p2m.valid )\n", visit, "p2m_invalidate_table")
    p2m.insert("        entry = table[offsets[level]];\n", visit,
               "p2m_resolve_translation_fault")
    p2m.replace(" write_pte(", " stage2_stock_write(", within="p2m_write_pte")
    p2m.replace(" write_pte(", " stage2_stock_write(", within="p2m_split_superpage")
    p2m.replace("flush_guest_tlb();", "stage2_stock_flush();",
                within="p2m_force_tlb_flush_sync")
    p2m.insert("        flush_page_to_ram(", "        stage2_count(dsb, 1);\n",
               "p2m_cache_flush_range")


def graft():
    """The engine, its glue and the counters in Xen's source, and the edits there."""
    arm = SOURCE / "xen/arch/arm"
    target = arm / "stage2"
    names = set()
    for folder, below in ((ROOT / "include", "include"), (ROOT / "src", ""),
                          (ROOT / "extra", ""), (PORT, "")):
        for path in folder.rglob("*"):
            name = pathlib.Path(below) / path.relative_to(folder)
            if path.is_file() and "tests" not in name.parts \
                    and path.suffix in (".c", ".h") or name.name == "Makefile":
                names.add(name)
                write(target / name, path.read_text())
    for path in target.rglob("*"):
        if path.suffix in (".c", ".h") and path.relative_to(target) not in names:
            path.unlink()

    makefile = Source("arch/arm/Makefile")
    makefile.insert("extra-y += xen.lds\n", "obj-y += stage2/\n\n")
    makefile.done()
    flags = Source("arch/arm/arch.mk")
    flags.text += ("\nCFLAGS += -DSTAGE2_COUNT -DSTAGE2_TEST\n"
                   "ifdef STAGE2\nCFLAGS += -DSTAGE2\nendif\n")
    flags.done()

    header = Source("arch/arm/include/asm/p2m.h")
    header.insert("    /* Keeping track on which CPU this p2m was used",
                  "#ifdef STAGE2\n    struct stage2 *stage2;\n#endif\n\n")
    header.insert("#endif /* _XEN_P2M_H */\n",
                  '#ifdef STAGE2\n#include "../../stage2/stage2_p2m.h"\n#endif\n\n')
    header.done()

    p2m = Source("arch/arm/p2m.c")
    count_stock(p2m)
    for name in REPLACED:
        p2m.set_aside(name)
    declaration = "static int p2m_create_table(struct p2m_domain *p2m, lpae_t *entry);\n"
    p2m.replace(declaration, f"#ifndef STAGE2\n{declaration}#endif\n")
    for name in SHARED:
        p2m.share(name)
    p2m.insert("#define MAX_VMID_8_BIT ",
               '#include "stage2/count.h"\n#ifdef STAGE2\n#define STAGE2_STATIC\n#else\n'
               "#define STAGE2_STATIC static\n#endif\n\n")
    p2m.insert('    printk("P2M: %d levels with order',
               "#ifdef STAGE2\n    val = stage2_layout(MAX_VMID == MAX_VMID_16_BIT);\n"
               "#endif\n")
    p2m.done()

    smp = Source("arch/arm/smp.c")
    smp.insert("#include <asm/flushtlb.h>\n",
               '#include "stage2/count.h"\n#include <xen/sched.h>\n')
    smp.insert("    flush_all_guests_tlb();\n",
               "#ifdef STAGE2\n    if ( stage2_no_alloc_flush )\n        return;\n#endif\n"
               "    stage2_count(all, 1);\n    stage2_count(dsb, 2);\n",
               "arch_flush_tlb_mask")
    smp.done()

    memory = Source("common/memory.c")
    guard = "#ifdef STAGE2\n{}#endif\n"
    memory.insert("    for ( i = a->nr_done; i < a->nr_extents; i++ )\n",
                  guard.format("    stage2_batch_begin(a->domain);\n"),
                  "decrease_reservation")
    memory.insert("    a->nr_done = i;\n",
                  guard.format("    stage2_batch_end(a->domain);\n"),
                  "decrease_reservation")
    memory.insert("    if ( !rc && !is_domain_direct_mapped(d) )\n        put_page_alloc_ref",
                  guard.format("    if ( !rc && stage2_batch_wait(d, page, "
                               "!is_domain_direct_mapped(d)) )\n        return 0;\n"),
                  "guest_remove_page")
    memory.done()

    grants = Source("common/grant_table.c")
    name = "gnttab_unmap_grant_ref"
    grants.insert("        for ( i = 0; i < c; i++ )\n",
                  guard.format("        stage2_batch_begin(current->domain);\n"), name)
    grants.replace("gnttab_flush_tlb(current->domain);\n",
                   "gnttab_flush_tlb(current->domain);\n"
                   + guard.format("    stage2_batch_end(current->domain);\n"), 2, name)
    grants.done()


# ---- building -----------------------------------------------------------------------


def make(out, *targets):
    return ["nice", "-n", "5", "make", "-s", "-C", SOURCE / "xen", f"O={out}",
            "XEN_TARGET_ARCH=arm64", f"CROSS_COMPILE={CROSS}", f"-j{os.cpu_count()}",
            *targets]


def build_xen(name, *options):
    out = BUILD / name
    out.mkdir(exist_ok=True)
    config = (PORT / "xen.config").read_text()
    if not (out / "fragment").exists() or (out / "fragment").read_text() != config:
        run(f"configure {name}", make(out, *options, "defconfig"), f"{name}-config.log")
        with open(out / ".config", "a", encoding="ascii") as f:
            f.write(config)
        run(f"complete it", make(out, *options, "olddefconfig"), f"{name}-config.log")
        got = (out / ".config").read_text().splitlines()
        for line in config.splitlines():
            if line.startswith("CONFIG_") and line.endswith("=y") and line not in got:
                sys.exit(f"{line} is not in the {name} configuration")
        (out / "fragment").write_text(config)
    run(f"build {name}", make(out, *options), f"{name}-build.log")


def build_programs():
    PROGRAMS.mkdir(exist_ok=True)
    include = PROGRAMS / "include"
    include.mkdir(exist_ok=True)
    if not (include / "xen").exists():
        (include / "xen").symlink_to(SOURCE / "xen/include/public")
    for name in ("pages.c", "hammering.c", "churn.c", "hammer.S"):
        source, output = PORT / "tests" / name, PROGRAMS / name.split(".")[0]
        inputs = [source, PORT / "tests/hypercall.h"]
        if output.exists() and all(output.stat().st_mtime > i.stat().st_mtime
                                   for i in inputs):
            continue
        options = ["-O2", "-Wall", "-Wextra", "-Werror", f"-I{include}"]
        if name == "hammer.S":
            options = ["-nostdlib", "-Wl,-Ttext=0,--build-id=none"]
        run(f"build {name}", [f"{CROSS}gcc", "-static", *options, "-o", output, source],
            f"{output.name}.log")
    subprocess.run([f"{CROSS}objcopy", "-O", "binary", PROGRAMS / "hammer",
                    PROGRAMS / "hammer.img"], check=True)


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
    kvm.archive({"init": (tests / "domu-init.sh").read_bytes(), "bin/busybox": busybox(),
                 "churn": (PROGRAMS / "churn").read_bytes()}, domu)
    files = {"init": (tests / "dom0-init.sh").read_bytes(),
             "dom0.sh": (tests / "dom0.sh").read_bytes(),
             "bin/busybox": busybox(),
             "bin/pages": (PROGRAMS / "pages").read_bytes(),
             "bin/hammering": (PROGRAMS / "hammering").read_bytes(),
             "hammer.img": (PROGRAMS / "hammer.img").read_bytes(),
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


def qemu(image, initrd, cpu, append=""):
    """Xen, and if there is an initrd dom0."""
    command = ["qemu-system-aarch64", "-M", "virt,virtualization=on,gic-version=3", "-cpu",
               CPUS[cpu], "-smp", "2", "-m", "4G", "-accel", "tcg,thread=single",
               "-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot",
               "-kernel", str(image), "-append",
               "console=dtuart dtuart=/pl011@9000000 dom0_mem=512M dom0_max_vcpus=1 "
               "dom0_vcpus_pin bootscrub=0 loglvl=all guest_loglvl=all sync_console "
               f"{append}"]
    if initrd:
        # Emulation on a busy host is slow: no watchdogs.
        kernel = ("console=hvc0 earlycon=xenboot rdinit=/init quiet clk_ignore_unused "
                  "panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1")
        command += ["-device", f"guest-loader,addr=0x60000000,kernel={dom0_kernel()},"
                               f"bootargs={kernel}",
                    "-device", f"guest-loader,addr=0x68000000,initrd={initrd}"]
    return command


TROUBLE = re.compile(r"Assertion|ASSERT|Xen WARN|Xen BUG|Xen call trace|Panic on CPU|"
                     r"mm locking|Kernel panic|Oops|BUG:|WARNING: CPU|Internal error|"
                     r"Bad page|an IOMMU keeps")


def boot(label, command, timeout, ended=lambda line: False):
    """Run QEMU until it ends, or a line says so; returns what the console said."""
    lines, log = [], BUILD / f"{label}.log"
    tty = sys.stdout.isatty()
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as out, \
            subprocess.Popen(["nice", "-n", "5", *command], stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                             text=True, errors="replace") as machine:
        watchdog = threading.Timer(timeout, machine.kill)
        watchdog.start()
        for line in machine.stdout:
            line = line.rstrip("\r\n")
            if not line:
                continue
            lines.append(line)
            print(line, file=out, flush=True)
            if line.startswith("##BEGIN ") and tty:
                print(f"\r  {label}: {line.split()[1]:30}", end="", flush=True)
            if ended(line):
                break
        machine.kill()
        watchdog.cancel()
    if tty:
        print("\r" + " " * 78 + "\r", end="")
    say(f"  {label}: {time.monotonic() - start:.0f} s, {log.relative_to(ROOT)}")
    return lines


def results(lines):
    """{test: its result}, and the complaints of the hypervisor and of dom0."""
    ended, trouble = {}, []
    for line in lines:
        if line.startswith("##END "):
            _, name, code, _, _ = line.split()
            ended[name] = {"0": "pass", "timeout": code}.get(code, f"exit {code}")
        elif TROUBLE.search(line):
            trouble.append(line)
    return ended, trouble


# ---- make xen -----------------------------------------------------------------------


def read_list():
    lines = (PORT / "tests/tests.list").read_text().splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return [(name, int(seconds), options.split(",")) for name, seconds, options in words]


def build(args):
    # Runs on several CPU types may be started beside each other.
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        say("build")
        fetch()
        graft()
        build_xen("stock")
        build_xen("ours", "STAGE2=y")
        build_programs()


def run_dom0(xen, cpu, tests, label="", append=""):
    """One boot in which dom0 runs the tests."""
    files = dom0_files()
    files["tests"] = "".join(f"{n} {seconds}\n" for n, seconds, _ in tests).encode()
    label = "-".join(filter(None, (xen, cpu, label)))
    initrd = BUILD / f"{label}.cpio"
    kvm.archive(files, initrd)
    return boot(label, qemu(BUILD / xen / "xen", initrd, cpu, append=append),
                180 + sum(seconds for _, seconds, _ in tests),
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
                    "console=ttyAMA0 rdinit=/init quiet churn=8")
            load += ["-device", f"loader,file={path},addr={at:#x},force-raw=on"]
    return load


def run_dom0less(xen, cpu):
    """Three guests that Xen makes at boot: each verifies its memory three times."""
    dom0_files()
    tree = BUILD / f"dom0less-{cpu}.dtb"
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

    lines = boot(f"{xen}-{cpu}-dom0less", command, 1200, ended)
    return "pass" if len(done) == 3 else f"{len(done)} guests", results(lines)[1]


def test(args):
    build(args)
    start = time.monotonic()
    tests = [t for t in read_list() if not args.short or "short" in t[2]]
    if args.tests:
        tests = [t for t in tests if t[0] in args.tests.split(",")]
    say(f"run {len(tests)} tests on {args.cpu}")
    result, trouble = {}, {}
    for xen in args.xen.split(","):
        chosen = [t for t in tests if xen == "ours" or "ours" not in t[2]]
        inside = [t for t in chosen if t[0] != "dom0less"]
        result[xen], trouble[xen] = \
            results(run_dom0(xen, args.cpu, inside)) if inside else ({}, [])
        if len(inside) < len(chosen):
            result[xen]["dom0less"], more = run_dom0less(xen, args.cpu)
            trouble[xen] += more
    bad = 0
    say(f"\n{'test':16}{'stock':12}{'ours':12}")
    for name, _, options in tests:
        before = "-"
        if "stock" in result and "ours" not in options:
            before = result["stock"].get(name, "lost")
        after = result["ours"].get(name, "lost") if "ours" in result else "-"
        wrong = "ours" in result and after != "pass" and before in ("pass", "-")
        bad += wrong
        say(f"{name:16}{before:12}{after:12}{'<- WRONG' if wrong else ''}".rstrip())
    for line in trouble.get("ours", []):
        say(f"log: {line}")
    bad += len(trouble.get("ours", []))
    say(f"\n{args.cpu}: {len(tests)} tests, {bad} wrong, {time.monotonic() - start:.0f} s")
    return 1 if bad else 0


# ---- make xen-bench -----------------------------------------------------------------


def rows_of(lines):
    """[(row, {what: count})], of what the debug key printed before each row's name."""
    found, counts = [], None
    for line in lines:
        if "##COUNT " in line:
            words = line.split("##COUNT ")[1].split()
            counts = dict(zip(words[::2], map(int, words[1::2])))
        elif line.startswith("##ROW ") and counts:
            name = line[6:]
            if name != "-":
                found.append((name, counts))
            counts = None
    return found


def bench(args):
    build(args)
    say(f"measure on {args.cpu}")
    found = {}
    tests = [("bench", 3600, [])]
    for label, xen, append in (("stock", "stock", ""), ("ours", "ours", ""),
                               ("ours, no ALLE1IS", "ours", "stage2-no-alloc-flush")):
        lines = run_dom0(xen, args.cpu, tests, f"bench{'-quiet' if append else ''}",
                         append)
        found[label] = dict(rows_of(lines))
        if results(lines)[0].get("bench") != "pass":
            sys.exit(f"{label}: the bench did not come to its end")
    table = [(row, {label: found[label][row] for label in found}) for row in found["stock"]]
    write_bench(table, args)
    worse = 0
    for row, counts in table:
        stock, ours = counts["stock"], counts["ours"]
        for what in ("visits", "invalidations", "dsb"):
            if tally(ours)[what] > tally(stock)[what]:
                say(f"{row}: {what} {tally(ours)[what]:,}, stock {tally(stock)[what]:,}")
                worse += 1
    return 1 if worse else 0


def tally(counts):
    """What the table shows."""
    return {"visits": counts["visits"], "writes": counts["writes"],
            # One by address is a TLBI for each piece, a DSB, and one VMALLE1IS.
            "invalidations": counts["vmalle1"] + counts["vmid"],
            "tlbi": sum(counts[k] for k in ("ipa", "range", "vmalle1", "vmid")),
            "dsb": counts["dsb"] - 2 * counts["all"], "alle1is": counts["all"]}


def write_bench(table, args):
    columns = ("visits", "writes", "invalidations", "tlbi", "dsb", "alle1is")
    lines = [f"| what | | {' | '.join(columns)} |", "|---|---|" + "--:|" * len(columns)]
    for row, counts in table:
        for label, c in counts.items():
            lines.append(f"| {row} | {label} | "
                         + " | ".join(f"{tally(c)[k]:,}" for k in columns) + " |")
    say("\n".join(lines))
    name = f"bench-{args.cpu}"
    (BUILD / f"{name}.md").write_text("\n".join(lines) + "\n")
    (BUILD / f"{name}.json").write_text(json.dumps(
        [{"what": row, **counts} for row, counts in table], indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("build", "test", "bench"))
    parser.add_argument("--cpu", choices=CPUS, default="max")
    parser.add_argument("--short", action="store_true", help="the short list of tests")
    parser.add_argument("--tests", help="only these, comma-separated")
    parser.add_argument("--xen", default="stock,ours", help="only stock or ours")
    args = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    sys.exit({"build": build, "test": test, "bench": bench}[args.what](args))


if __name__ == "__main__":
    main()
