#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Run a program under ThreadSanitizer. tsan.py race|clean PROGRAM ARGS; prints TAP.

race: a data race must be reported; clean: none may be, and the program must succeed.
"""

import os
import platform
import subprocess
import sys


def run(command):
    env = dict(os.environ, TSAN_OPTIONS="exitcode=66 halt_on_error=1")
    return subprocess.run(command, env=env, capture_output=True, text=True)


def main():
    want, command = sys.argv[1], sys.argv[2:]
    ran = run(command)
    # Where the kernel spreads addresses further than this version of it expects.
    if "unexpected memory mapping" in ran.stderr:
        ran = run(["setarch", platform.machine(), "-R"] + command)
    race = "WARNING: ThreadSanitizer: data race" in ran.stderr
    good = race if want == "race" else ran.returncode == 0 and not race
    what = " ".join([want] + command[1:])
    print(f"{'ok' if good else 'not ok'} 1 - {what}: {ran.stdout.strip()}")
    if not good:
        for line in (ran.stderr or f"exit status {ran.returncode}").splitlines()[:80]:
            print("#", line)
    print("1..1")
    return not good


if __name__ == "__main__":
    sys.exit(main())
