#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Run a program under ThreadSanitizer. tsan.py WHERE|clean PROGRAM ARGS; prints TAP.

clean: no data race may be reported, and the program must succeed; else a race must be
reported in the function WHERE, however the program ends.
"""

import os
import platform
import subprocess
import sys


def run(command, want):
    halt = int(want == "clean")
    env = dict(os.environ, TSAN_OPTIONS=f"exitcode=66 halt_on_error={halt}")
    return subprocess.run(command, env=env, capture_output=True, text=True)


def main():
    want, command = sys.argv[1], sys.argv[2:]
    ran = run(command, want)
    # Where the kernel spreads addresses further than this version of it expects.
    if "unexpected memory mapping" in ran.stderr:
        ran = run(["setarch", platform.machine(), "-R"] + command, want)
    races = ran.stderr.split("WARNING: ThreadSanitizer: data race")[1:]
    if want == "clean":
        good = ran.returncode == 0 and not races
        what = ran.stdout.strip()
    else:
        good = any(want in race for race in races)
        what = f"a race in {want}"
    print(f"{'ok' if good else 'not ok'} 1 - {' '.join(command[1:])}: {what}")
    if not good:
        for line in (ran.stderr or f"exit status {ran.returncode}").splitlines()[:80]:
            print("#", line)
    print("1..1")
    return not good


if __name__ == "__main__":
    sys.exit(main())
