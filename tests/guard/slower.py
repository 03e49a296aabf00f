#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""slower.py SOURCE_ROOT COMPILER PROGRAM COUNTS_PROGRAM

PROGRAM: an archive of its objects. What is compiled here is linked in front of it.

The guard convicts: s2_unmap() in a copy of the engine reads an entry, issues a DSB and
loops a little more than it need. Its figures, and no other, must be named as worse, and
only where it is called. Prints TAP.
"""

import json
import os
import re
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
FLAGS = ["-std=c11", "-O2", "-g", "-DCOUNT_PORT_ZEROED", "-DS2_GRANULE_SHIFT=12"]


def plant(src, out):
    """A copy of whichever file has the function, slower."""
    with open(os.path.join(src, "sources.list"), encoding="utf-8") as f:
        names = f.read().split()
    found = []
    for name in names:
        with open(os.path.join(src, name), encoding="utf-8") as f:
            text, n = re.subn(FUNCTION, lambda m: m[1] + MORE, f.read())
        found += [(os.path.basename(name), text)] * n
    if len(found) != 1:
        sys.exit(f"s2_unmap() is there {len(found)} times")
    path = os.path.join(out, found[0][0])
    with open(path, "w", encoding="utf-8") as f:
        f.write(found[0][1])
    return path


def build(root, source, compiler, archive, program, *flags):
    folders = [f"-I{os.path.join(root, name)}" for name in ("include", "src", "bench")]
    subprocess.run([compiler, *FLAGS, *flags, *folders, "-o", program, source, archive],
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
    root, compiler, *archives = sys.argv[1:]
    with open(os.path.join(root, "tests", "guard", "baseline.json"),
              encoding="utf-8") as f:
        of_baseline = json.load(f)["compiler"]
    with tempfile.TemporaryDirectory() as folder:
        source = plant(os.path.join(root, "src"), folder)
        programs = [os.path.join(folder, name) for name in ("plain", "counts")]
        build(root, source, compiler, archives[0], programs[0])
        build(root, source, compiler, archives[1], programs[1], "-DCOUNT_PORT_RECORD")
        slowed = judged(root, of_baseline, programs, "unmap-page")
        other = judged(root, of_baseline, programs, "remap")
    ok = slowed == (1, NAMED), other[0] == 0
    print(f"1..2\n{'ok' if ok[0] else 'not ok'} 1 - what is slower is named: {slowed[1]}")
    print(f"{'ok' if ok[1] else 'not ok'} 2 - what is not, is not: {other[1]}")
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
