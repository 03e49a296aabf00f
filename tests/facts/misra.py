#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The counts of docs/misra.md are what cppcheck counts. misra.py SOURCE_ROOT [write]"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

VERSION = "Cppcheck 2.10"
SKIPPED = 77
ROW = re.compile(r"^\| (\d+\.\d+) \| (\d+) \|", re.M)

sys.path.insert(0, os.path.join(os.path.realpath(sys.argv[1]), "tools"))
import dist  # noqa: E402


def count(out):
    for name, text in dist.two_files("").items():
        leaf = name.replace("_template", "")
        with open(os.path.join(out, leaf), "w", encoding="utf-8") as f:
            f.write(text)
    done = subprocess.run(
        ["cppcheck", "--addon=misra", "-q", "--std=c11", "-D__aarch64__", "-D__GNUC__",
         "--suppress=*:*/stage2_port.h", "--template={id}", "stage2.c"],
        cwd=out, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return collections.Counter(re.findall(r"^misra-c2012-([\d.]+)$", done.stderr, re.M))


def main():
    tool = shutil.which("cppcheck")
    if not tool or VERSION not in subprocess.check_output([tool, "--version"], text=True):
        print(f"{VERSION} is not installed")
        return SKIPPED
    path = os.path.join(sys.argv[1], "docs/misra.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with tempfile.TemporaryDirectory() as out:
        now = count(out)
    said = {rule: int(n) for rule, n in ROW.findall(text)}
    if sum(now.values()) < 500:
        sys.exit(f"cppcheck finds only {now}")
    if sys.argv[2:] == ["write"]:
        text = ROW.sub(lambda m: f"| {m[1]} | {now[m[1]]} |", text)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        said = {rule: now[rule] for rule in said}
    wrong = [
        f"rule {rule}: docs/misra.md has {said.get(rule)}, cppcheck finds {now[rule]}"
        for rule in sorted(set(said) | set(now))
        if rule not in said or abs(said[rule] - now[rule]) > now[rule] / 10 + 3
    ]
    print("\n".join(wrong) or f"{sum(now.values())} deviations from {len(now)} rules")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
