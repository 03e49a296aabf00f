# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Xen's source for make xen: what is fetched, what is changed in it, how it is built.

Everything is made under build/xen: Xen's source from Debian's package, one object folder
for each hypervisor, dom0's programs from Debian's arm64 packages. A second run builds
what has changed. Apt keeps its state for that in the same folder; the machine's own is
not touched.
"""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

import console
from console import say, write

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
XEN_PACKAGES = """xen-utils-4.17 xen-utils-common xenstore-utils libxenmisc4.17
libxenstore4 libxencall1 libxendevicemodel1 libxenevtchn1 libxenforeignmemory1
libxengnttab1 libxenhypfs1 libxentoolcore1 libxentoollog1""".split()
PACKAGES = """busybox-static libyajl2 libuuid1 zlib1g libbz2-1.0 liblzma5 libzstd1 libfdt1
libc6 libgcc-s1 liblzo2-2 liblz4-1""".split()
# Bare guests.
BARE = ("hammer", "fill")


def run(what, command, log, **kwargs):
    console.run(what, command, BUILD / log, **kwargs)


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
    p2m.replace("(&p2m->lock);\n", "(&p2m->lock);\n    stage2_clock_stop();\n",
                within="p2m_write_unlock")


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
    flags.text += ("\nCFLAGS += -DSTAGE2_COUNT\n"
                   "ifdef STAGE2\nCFLAGS += -DSTAGE2\nendif\n")
    flags.done()

    header = Source("arch/arm/include/asm/p2m.h")
    header.insert("    /* Keeping track on which CPU this p2m was used",
                  "#ifdef STAGE2\n    struct stage2 *stage2;\n#endif\n\n")
    header.insert("static inline void p2m_write_lock(",
                  "void stage2_clock_start(void);\nvoid stage2_clock_stop(void);\n\n")
    for name in ("p2m_write_lock", "p2m_read_lock", "p2m_read_unlock"):
        end = "start" if name.endswith("_lock") else "stop"
        header.replace("(&p2m->lock);\n", f"(&p2m->lock);\n    stage2_clock_{end}();\n",
                       within=name)
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
    p2m.insert("        if ( pg == NULL )\n", "        atomic_inc(&stage2_held);\n",
               "p2m_alloc_page")
    p2m.replace("        free_domheap_page(pg);\n",
                "    {\n        atomic_dec(&stage2_held);\n"
                "        free_domheap_page(pg);\n    }\n", within="p2m_free_page")
    p2m.insert("#define MAX_VMID_8_BIT ",
               '#include "stage2/count.h"\n#ifdef STAGE2\n#define STAGE2_STATIC\n#else\n'
               "#define STAGE2_STATIC static\n#endif\n\n")
    p2m.insert('    printk("P2M: %d levels with order',
               "#ifdef STAGE2\n    val = stage2_layout(MAX_VMID == MAX_VMID_16_BIT);\n"
               "#endif\n")
    p2m.done()

    # A CPU that waits for another lets QEMU turn to that one at once.
    wait = Source("arch/arm/include/asm/processor.h")
    wait.replace("#define cpu_relax() barrier()",
                 '#define cpu_relax() asm volatile("yield" ::: "memory")')
    wait.done()

    smp = Source("arch/arm/smp.c")
    smp.insert("#include <asm/flushtlb.h>\n",
               '#include "stage2/count.h"\n#include <xen/sched.h>\n')
    smp.insert("    flush_all_guests_tlb();\n",
               "#ifdef STAGE2\n    if ( stage2_no_alloc_flush )\n        return;\n#endif\n"
               "    stage2_count(all, 1);\n    stage2_count(dsb, 2);\n",
               "arch_flush_tlb_mask")
    smp.done()

    small = Source("common/xmalloc_tlsf.c")
    small.insert("#include <asm/time.h>\n", '#include "../arch/arm/stage2/count.h"\n')
    small.insert("    return alloc_xenheap_page();\n", "    atomic_inc(&stage2_held);\n",
                 "xmalloc_pool_get")
    small.insert("    free_xenheap_page(p);\n", "    atomic_dec(&stage2_held);\n",
                 "xmalloc_pool_put")
    small.done()

    memory = Source("common/memory.c")
    guard = "#ifdef STAGE2\n{}#endif\n"
    memory.insert("    for ( i = a->nr_done; i < a->nr_extents; i++ )\n",
                  guard.format("    stage2_batch_begin(a->domain, "
                               "(a->nr_extents - a->nr_done) << a->extent_order);\n"),
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
    grants.insert("#include <asm/flushtlb.h>\n",
                  '#include "../arch/arm/stage2/count.h"\n')
    grants.insert("    clear_page(new_mt);\n",
                  "    if ( is_hardware_domain(current->domain) )\n"
                  "        atomic_inc(&stage2_held);\n", "get_maptrack_handle")
    name = "gnttab_unmap_grant_ref"
    grants.insert("        for ( i = 0; i < c; i++ )\n",
                  guard.format("        stage2_batch_begin(current->domain, c);\n"), name)
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
    for name in ("pages.c", "hammering.c", "churn.c", "hammer.S", "fill.S"):
        source, output = PORT / "tests" / name, PROGRAMS / name.split(".")[0]
        inputs = [source, PORT / "tests/hypercall.h", PORT / "tests/image.S"]
        if output.exists() and all(output.stat().st_mtime > i.stat().st_mtime
                                   for i in inputs):
            continue
        options = ["-O2", "-Wall", "-Wextra", "-Werror", f"-I{include}"]
        if name.endswith(".S"):
            options = ["-nostdlib", "-Wl,-Ttext=0,--build-id=none"]
        run(f"build {name}", [f"{CROSS}gcc", "-static", *options, "-o", output, source],
            f"{output.name}.log")
    for name in BARE:
        subprocess.run([f"{CROSS}objcopy", "-O", "binary", PROGRAMS / name,
                        PROGRAMS / f"{name}.img"], check=True)


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    # Runs on several CPU types may be started beside each other.
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        say("build")
        fetch()
        graft()
        build_xen("stock")
        build_xen("ours", "STAGE2=y")
        build_programs()
