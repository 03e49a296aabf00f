#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The engine under the compiler options of other projects. flags.py SOURCE_ROOT; TAP.

Each file compiles without a warning with the warnings of Linux and of Xen, beside
macros that their headers define; so does the template. By gcc for AArch64, and by clang,
if it is installed, which also compiles and links the named profiles.
"""

import functools
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checks  # noqa: E402
from checks import Wrong  # noqa: E402

CROSS = "aarch64-linux-gnu-"
COMPILERS = {"gcc": [CROSS + "gcc"], "clang": ["clang", "--target=aarch64-linux-gnu"]}
BARE = ["-ffreestanding", "-fno-common", "-fno-strict-aliasing", "-mgeneral-regs-only"]

# Makefile and scripts/Makefile.extrawarn of Linux 6.12 with W=1, but for options that
# only GCC or only newer compilers have.
LINUX = """-std=gnu11 -Wall -Wextra -Wundef -Werror=implicit-function-declaration
    -Werror=implicit-int -Werror=return-type -Wstrict-prototypes -Wno-trigraphs
    -Wvla -Wno-pointer-sign -Wcast-function-type -Wdate-time -Wmissing-prototypes
    -Wmissing-declarations -Wold-style-definition -Wredundant-decls -Wshadow
    -Wmissing-include-dirs -Wunused -Wunused-const-variable -Wunused-macros
    -Wenum-conversion -Wwrite-strings -Wcast-align -Wframe-larger-than=2048"""
# Config.mk and xen/Rules.mk of Xen 4.17 to 4.20.
XEN = """-std=gnu99 -Wall -Wstrict-prototypes -Wno-unused-but-set-variable
    -Wno-unused-local-typedefs -Wdeclaration-after-statement -Wredundant-decls
    -Wwrite-strings -Wnested-externs -Wno-pointer-arith -Wvla -Wundef -Wfloat-equal"""
WARNINGS = {"Linux": LINUX.split(), "Xen": XEN.split()}
# GCC takes comments for the fall through of a case; Linux allows the attribute only.
FALLTHROUGH = {"gcc": "-Wimplicit-fallthrough=5", "clang": "-Wimplicit-fallthrough"}

# Macros of their headers with names that code of others may use.
MACROS = """
#define __always_inline inline __attribute__((__always_inline__))
#define always_inline __inline__ __attribute__((__always_inline__))
#define noinline __attribute__((__noinline__))
#define fallthrough __attribute__((__fallthrough__))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define unused __attribute__((__unused__))
#define packed __attribute__((__packed__))
#define aligned(x) __attribute__((__aligned__(x)))
#define noreturn __attribute__((__noreturn__))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define swap(a, b) do { } while (0)
#define BIT(n) (1ul << (n))
#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define current (*(int *)0)
#define xchg(p, v) ((void)0)
#define cmpxchg(p, o, n) ((void)0)
#define isb() ((void)0)
#define dsb(what) ((void)0)
#define barrier() ((void)0)
"""

# What has to be found.
BAD = {
    "a comment for a fall through":
        "int bad(int a);\nint bad(int a)\n{\n\tswitch (a) {\n\tcase 1:\n\t\ta++;\n"
        "\t\t/* fall through */\n\tcase 2:\n\t\ta++;\n\t}\n\treturn a;\n}\n",
    "an attribute that is a macro":
        "int bad(void);\n__attribute__((noinline)) int bad(void)\n{\n\treturn 1;\n}\n",
    "a second declaration": "int bad(void);\nint bad(void);\n",
}  # fmt: skip


def run(words):
    return checks.run(words).stdout


def engine(root):
    for room in ("src", "extra"):
        with open(os.path.join(root, room, "sources.list"), encoding="utf-8") as f:
            yield from (os.path.join(root, room, name) for name in f.read().split())


def includes(root):
    return ["-I" + os.path.join(root, d) for d in ("include", "src", "ports/template")]


def options(root, name, project, macros):
    words = [*COMPILERS[name], *BARE, *WARNINGS[project], FALLTHROUGH[name], "-Werror"]
    # GCC looks at the cases of a switch only when it compiles them.
    words += ["-S", "-o", os.devnull] if name == "gcc" else ["-fsyntax-only"]
    return [*words, "-include", macros, *includes(root)]


def check_warnings(root, name, project, out):
    macros = os.path.join(out, "macros.h")
    with open(macros, "w", encoding="utf-8") as f:
        f.write(MACROS)
    for path in engine(root):
        run([*options(root, name, project, macros), path])


def check_finds(root, name, project, out):
    macros, bad = os.path.join(out, "macros.h"), os.path.join(out, "bad.c")
    for what, text in BAD.items():
        if name == "clang" and "second" in what:
            continue  # it has the option, and does nothing
        with open(bad, "w", encoding="utf-8") as f:
            f.write(text)
        try:
            run([*options(root, name, project, macros), bad])
        except Wrong:
            continue
        raise Wrong(f"{what} is not found")


def check_links(root, name, profile, level, out):
    objects = []
    for path in engine(root):
        objects.append(os.path.join(out, os.path.basename(path) + ".o"))
        words = [*COMPILERS[name], "-std=c11", *BARE, level, f"-DS2_PROFILE={profile}"]
        words += ["-Wall", "-Wextra", "-Werror", *includes(root)]
        run([*words, "-c", path, "-o", objects[-1]])
    linked = os.path.join(out, "engine")
    run([CROSS + "ld", "-r", "-o", linked, *objects])
    needs = set(run([CROSS + "nm", "-u", linked]).split()) - {"U"}
    more = {n for n in needs if not n.startswith("s2_port_")} - {"memset", "memcpy"}
    if more:
        raise Wrong(f"it needs {sorted(more)}")


def todo():
    for name in COMPILERS:
        for project in WARNINGS:
            yield f"{name}, the warnings of {project}", name, check_warnings, project
            yield f"{name}, what {project} has to find", name, check_finds, project
    for profile, what, level in (0, "core", "-Os"), (1, "hypervisor", "-Os"), (2, "all", "-O2"):
        yield f"clang {level}, profile {what}", "clang", check_links, profile, level


def main():
    root = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory() as out:
        return checks.points([
            (title, COMPILERS[name][0], name,
             functools.partial(check, root, name, *more, out))
            for title, name, check, *more in todo()
        ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
