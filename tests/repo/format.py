#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`make format` would change nothing. format.py SOURCE_ROOT; needs clang-format 14."""

import re
import shutil
import subprocess
import sys

SKIPPED = 77


def main():
    tool = shutil.which("clang-format")
    said = subprocess.check_output([tool, "--version"], text=True) if tool else ""
    if not re.search(r"version 14\.", said):
        # Other versions format some lines in another way.
        print("clang-format 14 is not installed")
        return SKIPPED
    return subprocess.run(["make", "format-check"], cwd=sys.argv[1], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
