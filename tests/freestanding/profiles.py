#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Builds that leave parts of the engine out (src/profile.h).

profiles.py SOURCE_ROOT compile | run | size

compile  Every file compiles without a warning, for the host and for AArch64, in each
         profile, in ALL without each S2_USE_ constant alone, in CORE with each alone,
         and with the granule fixed and not. CORE and HYPERVISOR link without extra/.
run      profile.c, linked with the counting port, in the same builds for the host: what
         a build has works, and what it leaves out returns S2_E_UNSUPPORTED and changes
         nothing.
size     The text for AArch64 by gcc -Os, without unwind tables, against LIMITS.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

CROSS = "aarch64-linux-gnu-"
WARN = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
JOBS = 2

# KiB of text. Nothing else has these numbers.
LIMITS = {"core": 12, "kvm": 26, "all": 40}

SMALL = [
    "-Os", "-ffunction-sections", "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables", "-ffreestanding", "-fno-stack-protector",
    "-mgeneral-regs-only",
]
CORE_ROOTS = "s2_init s2_vtcr s2_vttbr s2_map s2_unmap s2_lookup s2_destroy".split()
CORE, HYPERVISOR, ALL = range(3)


class Wrong(Exception):
    pass


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def sources(root, *rooms):
    return [
        os.path.join(root, room, name)
        for room in rooms
        for name in read(root, f"{room}/sources.list").split()
    ]


def constants(root):
    """The S2_USE_ constants that a port may define."""
    found = re.findall(r"^#ifndef (S2_USE_\w+)$", read(root, "src/profile.h"), re.M)
    if len(found) < 9:
        raise Wrong("found no S2_USE_ constants in src/profile.h")
    return found


def builds(root):
    """A name and the definitions of each build."""
    named = {"CORE": CORE, "HYPERVISOR": HYPERVISOR, "ALL": ALL}
    for name, number in named.items():
        yield name, [f"-DS2_PROFILE={number}"]
        for shift in (12, 14, 16):
            yield (
                f"{name} granule {shift}",
                [f"-DS2_PROFILE={number}", f"-DS2_GRANULE_SHIFT={shift}"],
            )
    for use in constants(root):
        yield f"ALL without {use}", [f"-D{use}=0"]
        yield f"CORE with {use}", [f"-DS2_PROFILE={CORE}", f"-D{use}=1"]


def command(words, what):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{what}: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def compile_all(root, compiler, flags, files, port, out, what):
    objects = []
    for path in files:
        objects.append(os.path.join(out, os.path.basename(path)[:-2] + ".o"))
        words = [compiler, *WARN, *flags, "-c", path, "-o", objects[-1]]
        for folder in ("include", "src", port):
            words.append("-I" + os.path.join(root, folder))
        command(words, what)
    return objects


def for_each(work, things):
    """In parallel; the first failure is raised."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(lambda thing: work(*thing), things))


def compile_build(root, name, flags):
    files = sources(root, "src", "extra")
    with tempfile.TemporaryDirectory() as out:
        # The optimiser's warnings come with -O2.
        compile_all(root, "gcc", ["-O2", *flags], files, "bench", out, name)
    with tempfile.TemporaryDirectory() as out:
        bare = ["-Os", "-ffreestanding", "-mgeneral-regs-only", *flags]
        compile_all(root, CROSS + "gcc", bare, files, "ports/template", out, name)


def link_without_extra(root, name, number):
    """Nothing in src/ needs a file of extra/, which this profile does not use."""
    with tempfile.TemporaryDirectory() as out:
        for level in ("-O2", "-Os"):
            flags = [level, "-ffreestanding", f"-DS2_PROFILE={number}"]
            objects = compile_all(
                root, CROSS + "gcc", flags, sources(root, "src"), "ports/template", out,
                name,
            )
            linked = os.path.join(out, "engine.o")
            command([CROSS + "ld", "-r", "-o", linked, *objects], name)
            needs = set(command([CROSS + "nm", "-u", linked], name).split()) - {"U"}
            allowed = re.compile(r"s2_port_\w+|memset|memcpy")
            missing = sorted(n for n in needs if not allowed.fullmatch(n))
            if missing:
                raise Wrong(f"{name} {level} without extra/ needs {' '.join(missing)}")


def check_compile(root):
    for_each(lambda name, flags: compile_build(root, name, flags), list(builds(root)))
    link_without_extra(root, "CORE", CORE)
    link_without_extra(root, "HYPERVISOR", HYPERVISOR)
    print(f"{len(list(builds(root)))} builds, for two machines")


def run_build(root, name, flags):
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "profile.c")
    with tempfile.TemporaryDirectory() as out:
        for level in ("-O1", "-Os"):
            objects = compile_all(
                root, "gcc", [level, "-g", *flags],
                [program, *sources(root, "src", "extra")], "bench", out, name,
            )
            exe = os.path.join(out, "profile")
            command(["gcc", *objects, "-o", exe], name)
            told = command([exe], f"{name} {level}").strip()
    return f"{name}: {told}"


def check_run(root):
    for line in for_each(
        lambda name, flags: run_build(root, name, flags), list(builds(root))
    ):
        print(line)


# ---- size -------------------------------------------------------------------


def text_of(path):
    listed = command([CROSS + "size", "-A", path], path)
    sizes = re.findall(r"^\.text\S*\s+(\d+)", listed, re.M)
    return sum(int(n) for n in sizes)


def linked_text(root, flags, roots, rooms, what):
    with tempfile.TemporaryDirectory() as out:
        objects = compile_all(
            root, CROSS + "gcc", SMALL + flags, sources(root, *rooms), "ports/template",
            out, what,
        )
        linked = os.path.join(out, "engine")
        words = [CROSS + "gcc", "-nostdlib", "-static", "-Wl,--gc-sections"]
        words += ["-Wl,--unresolved-symbols=ignore-all", "-Wl,-e," + roots[0]]
        words += ["-Wl,-u," + name for name in roots]
        command([*words, "-o", linked, *objects], what)
        have = command([CROSS + "nm", linked], what)
        for name in roots:
            if not re.search(rf" T {name}$", have, re.M):
                raise Wrong(f"{what}: {name} is not in what was linked")
        return text_of(linked)


def kvm_roots(root):
    """The engine's functions that ports/linux calls."""
    public = set()
    for header in glob.glob(os.path.join(root, "include/stage2/*.h")):
        public |= set(re.findall(r"^(?:int|bool|void|uint64_t|const char \*) ?\*?(s2_\w+)\(",
                                 read(root, header), re.M))
    called = set()
    for path in glob.glob(os.path.join(root, "ports/linux/*.c")):
        called |= set(re.findall(r"\b(s2_\w+)\(", read(root, path)))
    roots = sorted(public & called)
    if "s2_unmap" not in roots or len(roots) < 10:
        raise Wrong(f"ports/linux calls only {roots}")
    return roots


def check_size(root):
    fixed = "-DS2_GRANULE_SHIFT=12"
    text = {
        "core": linked_text(
            root, [f"-DS2_PROFILE={CORE}", fixed], CORE_ROOTS, ["src"], "core"
        ),
        "kvm": linked_text(
            root, [f"-DS2_PROFILE={HYPERVISOR}", "-DS2_USE_52BIT=1", fixed],
            kvm_roots(root), ["src", "extra"], "kvm",
        ),
    }
    with tempfile.TemporaryDirectory() as out:
        objects = compile_all(
            root, CROSS + "gcc", SMALL, sources(root, "src", "extra"), "ports/template",
            out, "all",
        )
        text["all"] = sum(text_of(path) for path in objects)
    too_large = []
    for name, limit in LIMITS.items():
        print(f"{name:5} {text[name]:6} bytes of text, at most {limit * 1024}")
        if text[name] > limit * 1024:
            too_large.append(name)
    if too_large:
        raise Wrong("too large: " + ", ".join(too_large))


def main():
    checks = {"compile": check_compile, "run": check_run, "size": check_size}
    if len(sys.argv) != 3 or sys.argv[2] not in checks:
        sys.exit(__doc__)
    checks[sys.argv[2]](sys.argv[1])


if __name__ == "__main__":
    try:
        main()
    except Wrong as e:
        sys.exit(f"profiles: {e}")
