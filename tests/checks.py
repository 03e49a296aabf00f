# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests that run other programs: what is wrong, a command, a list of checks."""

import shutil
import subprocess


class Wrong(Exception):
    """What a test has found."""


def run(words, where=None):
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done


def points(todo):
    """TAP: (title, the program that it needs, its name, the check). Whether one failed."""
    failed = False
    print(f"1..{len(todo)}")
    for n, (title, program, name, check) in enumerate(todo, 1):
        if not shutil.which(program):
            print(f"ok {n} - {title} # SKIP {name} is not installed")
            continue
        try:
            check()
            print(f"ok {n} - {title}", flush=True)
        except Wrong as e:
            failed = True
            print(f"not ok {n} - {title}")
            print("".join(f"# {line}\n" for line in str(e).splitlines()), end="")
    return failed
