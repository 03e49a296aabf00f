#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The README's table of costs is what s2lab counts. readme.py SOURCE_ROOT S2LAB"""

import json
import os
import re
import subprocess
import sys

ROW = re.compile(r"^\| `([\w,]+)` \| `(\w+)` \|([\d,| ]+)\|$", re.M)
FEATURES = ["fwb,tlbirange", "fwb", "tlbirange", "none"]


def main():
    root, s2lab = sys.argv[1:]
    with open(os.path.join(root, "README.md"), encoding="utf-8") as f:
        said = {
            (features, name): [int(n.replace(",", "")) for n in numbers.split("|")]
            for features, name, numbers in ROW.findall(f.read())
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
    return said != counted


if __name__ == "__main__":
    sys.exit(main())
