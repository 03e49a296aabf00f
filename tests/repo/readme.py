#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The README's costs are what s2lab counts, and the pictures what their tables say.

readme.py SOURCE_ROOT S2LAB
"""

import json
import os
import re
import subprocess
import sys

ROW = re.compile(r"^\| `([\w,]+)` \| `(\w+)` \|([\d,| ]+)\|$", re.M)
FEATURES = ["fwb,tlbirange", "fwb", "tlbirange", "none"]


GUEST = re.compile(r"needs ([\d.]+) times the TLBIs,\s+([\d.]+) times the DSBs and "
                   r"([\d.]+) times the visits")


def guest(root, s2lab):
    """The ratios of the recorded guest."""
    trace = os.path.join(root, "data/traces/guest-boot.trace.xz")
    out = subprocess.run([s2lab, "replay", "--json", trace], check=True,
                         capture_output=True, text=True)
    ways = [json.loads(out.stdout)[way] for way in ("merged", "stage2")]
    counts = [(sum(w["tlbi"].values()), w["dsb"], w["pte_reads"]) for w in ways]
    return tuple(f"{theirs / ours:.2f}" for theirs, ours in zip(*counts))


def main():
    root, s2lab = sys.argv[1:]
    with open(os.path.join(root, "README.md"), encoding="utf-8") as f:
        text = f.read()
    said = {
        (features, name): [int(n.replace(",", "")) for n in numbers.split("|")]
        for features, name, numbers in ROW.findall(text)
    }
    counted = {}
    for features in FEATURES:
        command = [s2lab, "compare", "--mem", "1G", "--leaf", "4k", "--json"]
        command += ["--features", features, "--strategy", "merged,stage2"]
        out = subprocess.run(command, check=True, capture_output=True, text=True)
        for s in json.loads(out.stdout)["strategies"]:
            counted[features, s["name"]] = [
                s["pte_reads"],
                sum(s["tlbi"].values()),
                s["dsb"],
                s["clean_lines"],
                s["tables_freed"],
            ]
    for key in sorted(set(said) | set(counted)):
        if said.get(key) != counted.get(key):
            print(f"{key}: README.md {said.get(key)}, s2lab {counted.get(key)}")
    ratios = guest(root, s2lab)
    found = GUEST.search(text)
    if not found or found.groups() != ratios:
        print(f"the recorded guest: README.md {found and found[0]}, s2lab {ratios}")
    stale = subprocess.run([sys.executable, "-B", os.path.join(root, "tools/pictures.py"),
                            "--check"], check=False).returncode
    return said != counted or not found or found.groups() != ratios or stale


if __name__ == "__main__":
    sys.exit(bool(main()))
