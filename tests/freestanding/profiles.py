#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Builds that leave parts of the engine out (src/profile.h).

profiles.py SOURCE_ROOT builds | size

builds   Each profile, with the granule fixed and not; ALL without each S2_USE_ constant
         alone; CORE with each alone. All compiles without a warning for the host and for
         AArch64, in the profiles file by file. It needs only those files of extra/ that
         src/profile.h names for what it uses. profile.c runs on it with the counting
         port: what the build has works, and what it leaves out returns S2_E_UNSUPPORTED
         and changes nothing.
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
LIMITS = {"core": 12, "kvm": 26, "kvm-debugfs": 28, "all": 40}

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
    """A name, the definitions, and whether the build is one of the named profiles."""
    for name, number in {"CORE": CORE, "HYPERVISOR": HYPERVISOR, "ALL": ALL}.items():
        yield name, [f"-DS2_PROFILE={number}"], True
    for name, number, shift in (
        ("CORE", CORE, 12), ("HYPERVISOR", HYPERVISOR, 12), ("ALL", ALL, 12),
        ("CORE", CORE, 14), ("ALL", ALL, 14), ("ALL", ALL, 16),
    ):
        flags = [f"-DS2_PROFILE={number}", f"-DS2_GRANULE_SHIFT={shift}"]
        yield f"{name}, granule {shift}", flags, False
    for use in constants(root):
        yield f"ALL without {use}", [f"-D{use}=0"], False
        yield f"CORE with {use}", [f"-DS2_PROFILE={CORE}", f"-D{use}=1"], False


def command(words, what):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{what}: {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def compile_one(root, compiler, flags, path, port, out, what):
    obj = os.path.join(out, os.path.basename(path)[:-2] + ".o")
    words = [compiler, *WARN, *flags, "-c", path, "-o", obj]
    for folder in ("include", "src", "extra", port):
        words.append("-I" + os.path.join(root, folder))
    command(words, what)
    return obj


def compile_all(root, compiler, flags, files, port, out, what):
    return [compile_one(root, compiler, flags, path, port, out, what) for path in files]


def compile_as_one(root, compiler, flags, files, port, out, what):
    """All of them as one file, which takes a third of the time."""
    whole = os.path.join(out, what.replace(" ", "-") + ".c")
    with open(whole, "w", encoding="utf-8") as f:
        f.writelines(f'#include "{os.path.abspath(path)}"\n' for path in files)
    return compile_one(root, compiler, flags, whole, port, out, what)


def values(root, flags):
    """The S2_USE_ constants of a build."""
    names = constants(root)
    text = '#include "profile.h"\n' + "".join(f"@ {name}\n" for name in names)
    done = subprocess.run(
        ["gcc", "-E", "-P", *flags, "-I" + os.path.join(root, "src"), "-x", "c", "-"],
        input=text, capture_output=True, text=True, check=True,
    )
    found = re.findall(r"^@ (.*)$", done.stdout, re.M)
    word = re.compile(r"[\d()<>=&!|]+")
    for expression in found:
        if not all(word.fullmatch(part) for part in expression.split()):
            raise Wrong(f"a constant is {expression}")
    plain = [f.replace("&&", " and ").replace("||", " or ") for f in found]
    return {n: bool(eval(re.sub(r"!(?!=)", " not ", v))) for n, v in zip(names, plain)}


def named_files(root):
    """Files of extra/ by the constants that need them."""
    needs, block = {}, ""
    for line in read(root, "src/profile.h").splitlines():
        use = re.match(r"#ifndef (S2_USE_\w+)$", line)
        if use:
            needs[use[1]] = re.findall(r"extra/(\w+)\.c", block)
        if use or line.startswith("#endif"):
            block = ""
        else:
            block += line + "\n"
    if not any(needs.values()):
        raise Wrong("src/profile.h names no file of extra/")
    return needs


def engine_needs(obj, what):
    """What it calls that is not in it, but for what the counting port and the compiler call."""
    libc = {"memset", "memcpy", "abort", "fprintf", "stderr", "fwrite",
            "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
    return set(command(["nm", "-u", obj], what).split()) - {"U"} - libc


def check_build(root, name, flags, named):
    used = values(root, flags)
    wanted = {f for use, files in named_files(root).items() if used[use] for f in files}
    inside, outside = sources(root, "src"), []
    for path in sources(root, "extra"):
        (inside if os.path.basename(path)[:-2] in wanted else outside).append(path)
    bare = ["-ffreestanding", "-mgeneral-regs-only", *flags]
    with tempfile.TemporaryDirectory() as out:
        cross = root, CROSS + "gcc"
        rest = inside + outside, "ports/template", out, name
        # The optimiser has warnings of its own.
        for level in ["-O2", "-Os"] if named else []:
            compile_all(*cross, [level, *bare], *rest)
        if not named:
            compile_as_one(*cross, ["-fsyntax-only", *bare], *rest)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "profile.c")
    with tempfile.TemporaryDirectory() as out:
        host = root, "gcc", ["-O1", *flags]
        objects = [compile_as_one(*host, inside, "bench", out, "used")]
        # Nothing needs a file of extra/ whose constant is 0, nor the dump.
        needs = engine_needs(objects[0], name)
        if needs:
            raise Wrong(f"{name} with {' '.join(sorted(wanted))} needs "
                        f"{' '.join(sorted(needs))}")
        objects.append(compile_as_one(*host, outside, "bench", out, "not used"))
        objects.append(compile_one(*host, program, "bench", out, name))
        exe = os.path.join(out, "profile")
        command(["gcc", *objects, "-o", exe], name)
        told = command([exe], name).strip()
    return f"{name}: {len(wanted)} files of extra/; {told}"


def check_builds(root):
    things = [(root, *build) for build in builds(root)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for line in pool.map(lambda thing: check_build(*thing), things):
            print(line, flush=True)


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


def kvm_roots(root, debugfs):
    """The engine's functions that ports/linux calls, with or without CONFIG_DEBUG_FS."""
    public = set()
    for header in glob.glob(os.path.join(root, "include/stage2/*.h")):
        public |= set(re.findall(r"^(?:int|bool|void|uint64_t|const char \*) ?\*?(s2_\w+)\(",
                                 read(root, header), re.M))
    called = set()
    for path in glob.glob(os.path.join(root, "ports/linux/*.c")):
        if debugfs or os.path.basename(path) != "debugfs.c":
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
    }
    for name in "kvm", "kvm-debugfs":
        text[name] = linked_text(
            root, [
                f"-DS2_PROFILE={HYPERVISOR}", "-DS2_USE_52BIT=1",
                "-DS2_USE_COUNTED=0", fixed,
            ],
            kvm_roots(root, name == "kvm-debugfs"), ["src", "extra"], name,
        )
    with tempfile.TemporaryDirectory() as out:
        objects = compile_all(
            root, CROSS + "gcc", SMALL, sources(root, "src", "extra"), "ports/template",
            out, "all",
        )
        text["all"] = sum(text_of(path) for path in objects)
    too_large = []
    for name, limit in LIMITS.items():
        print(f"{name:11} {text[name]:6} bytes of text, at most {limit * 1024}")
        if text[name] > limit * 1024:
            too_large.append(name)
    if too_large:
        raise Wrong("too large: " + ", ".join(too_large))


def main():
    checks = {"builds": check_builds, "size": check_size}
    if len(sys.argv) != 3 or sys.argv[2] not in checks:
        sys.exit(__doc__)
    checks[sys.argv[2]](sys.argv[1])


if __name__ == "__main__":
    try:
        main()
    except Wrong as e:
        sys.exit(f"profiles: {e}")
