#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""slower.py SOURCE_ROOT COMPILER

The guard convicts: s2_unmap() in a copy of the engine reads an entry, issues a DSB and
loops a little more than it need. Its figures, and no other, must be named as worse, and
only where it is called. Prints TAP.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

FUNCTION = r"(int s2_unmap\([^;{]*\)\s*\{)"
MORE = """
	(void)s2_port_load(s2->port, s2->root);
	s2_port_dsb_ish(s2->port);
	for (volatile int slow = 0; slow < 20; slow++)
		;
"""
NAMED = ["reads", "dsb", "instructions"]
PROGRAM = ["arena.c", "cases.c", "engine.c", "main.c"]
FLAGS = ["-std=c11", "-O2", "-g", "-DCOUNT_PORT_ZEROED", "-DS2_GRANULE_SHIFT=12"]


def plant(src):
    """In whichever file the function is."""
    planted = 0
    for name in os.listdir(src):
        path = os.path.join(src, name)
        with open(path, encoding="utf-8") as f:
            text, n = re.subn(FUNCTION, lambda m: m[1] + MORE, f.read())
        if n:
            planted += n
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
    if planted != 1:
        sys.exit(f"s2_unmap() is there {planted} times")


def build(root, src, compiler, program, *flags):
    with open(os.path.join(src, "sources.list"), encoding="utf-8") as f:
        sources = [os.path.join(src, name) for name in f.read().split()]
    bench = os.path.join(root, "bench")
    sources += [os.path.join(bench, name) for name in PROGRAM]
    folders = [f"-I{folder}" for folder in (os.path.join(root, "include"), src, bench)]
    subprocess.run([compiler, *FLAGS, *flags, *folders, "-o", program, *sources],
                   check=True)


def judged(root, compiler, programs, case):
    """The guard's exit status, and the figures that it says are worse."""
    guard = os.path.join(root, "tests", "guard", "guard.py")
    out = subprocess.run([sys.executable, "-B", guard, root, compiler, *programs,
                          "--case", case], stdout=subprocess.PIPE, text=True, check=False)
    worse = re.findall(rf"^# {case}: (\w+) [\d,]+, was", out.stdout, re.M)
    print("".join(f"# guard: {line}\n" for line in out.stdout.splitlines()), end="")
    return out.returncode, worse


def main():
    root, compiler = sys.argv[1:]
    with open(os.path.join(root, "tests", "guard", "baseline.json"),
              encoding="utf-8") as f:
        of_baseline = json.load(f)["compiler"]
    with tempfile.TemporaryDirectory() as folder:
        src = shutil.copytree(os.path.join(root, "src"), os.path.join(folder, "src"))
        plant(src)
        programs = [os.path.join(folder, name) for name in ("plain", "counts")]
        build(root, src, compiler, programs[0])
        build(root, src, compiler, programs[1], "-DCOUNT_PORT_RECORD")
        slowed = judged(root, of_baseline, programs, "unmap-page")
        other = judged(root, of_baseline, programs, "remap")
    ok = slowed == (1, NAMED), other[0] == 0
    print(f"1..2\n{'ok' if ok[0] else 'not ok'} 1 - what is slower is named: {slowed[1]}")
    print(f"{'ok' if ok[1] else 'not ok'} 2 - what is not, is not: {other[1]}")
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
