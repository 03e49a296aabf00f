#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""aarch64.py SOURCE_ROOT CROSS_COMPILER QEMU COUNTS_PROGRAM

The benchmarks, built for AArch64 and run by QEMU's user emulation, must find and count
what they do here: entries, TLBIs, barriers, cleans and tables of each case, exactly. So
that they build and run where the library is for. Not the cases with tens of thousands of
tables, which run no code that the others do not. Prints TAP.
"""

import fnmatch
import os
import subprocess
import sys
import tempfile

import guard
from guard import measure

PROGRAM = ["arena.c", "cases.c", "engine.c", "main.c"]
LARGE = "*64g*", "*cold*", "migrate*", "lookup-chase"
FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
         "-DCOUNT_PORT_RECORD", "-DCOUNT_PORT_ZEROED", "-DS2_GRANULE_SHIFT=12"]


def build(root, compiler, program):
    sources = []
    for room in ("src", "extra"):
        with open(os.path.join(root, room, "sources.list"), encoding="utf-8") as f:
            sources += [os.path.join(root, room, name) for name in f.read().split()]
    sources += [os.path.join(root, "bench", name) for name in PROGRAM]
    folders = [f"-I{os.path.join(root, name)}" for name in ("include", "src", "bench")]
    subprocess.run([compiler, *FLAGS, *folders, "-o", program, *sources], check=True)


def counts(*command):
    keys = [*guard.COUNTS, "result"]
    listed = subprocess.run([*command, "--list", "--case", guard.CASES], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.splitlines()
    names = [line.split()[0] for line in listed]
    return {r["case"]: {key: r[key] for key in keys}
            for name in names if not any(fnmatch.fnmatch(name, p) for p in LARGE)
            for r in measure.run(*command, "--runs", "1", "--case", name)}


def main():
    root, compiler, qemu, here = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "bench")
        build(root, compiler, program)
        there = counts(qemu, program)
    here = counts(here)
    print(f"1..{len(here)}")
    for n, (name, figures) in enumerate(here.items(), 1):
        same = figures == there.get(name)
        print(f"{'ok' if same else 'not ok'} {n} - {name}")
        if not same:
            print(f"# here {figures}\n# AArch64 {there.get(name)}")
    return 0 if here and here == there else 1


if __name__ == "__main__":
    sys.exit(main())
