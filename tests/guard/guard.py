#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""guard.py SOURCE_ROOT COMPILER PROGRAM COUNTS_PROGRAM [--update | --case PATTERN]

What the engine costs must not creep up: entries, TLBIs, barriers, cleans and tables
of each case are what tests/guard/baseline.json says, exactly; instructions at most a
little more. No times. Prints TAP; --update writes the baseline anew instead; --case
looks only at cases whose names match.

Instructions depend on the compiler. With another one than the baseline's they are not
compared, and the output says so.
"""

import argparse
import fnmatch
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench"))
import measure  # noqa: E402

CASES = "[!g]*"  # the growth series takes more memory than a test should
COUNTS = measure.COUNTS
TOLERANCE = 0.02
SLACK = 16  # instructions of a whole case


def figures(program, counts_program, cases=CASES):
    found = {}
    for r in measure.run(counts_program, "--runs", "1", "--case", cases):
        found[r["case"]] = {key: r[key] for key in COUNTS}
    for (case, _), n in measure.instructions(program, "--case", cases).items():
        found[case]["instructions"] = n
    return found


def differences(was, now, same_compiler):
    """The figures of one case that are worse, and better, than the baseline."""
    worse, better = [], []
    for key in COUNTS:
        if now[key] != was[key]:
            (worse if now[key] > was[key] else better).append(
                f"{key} {now[key]:,}, was {was[key]:,}")
    if same_compiler:
        a, b = was["instructions"], now["instructions"]
        text = f"instructions {b:,}, was {a:,} ({100 * (b - a) / max(a, 1):+.1f} %)"
        if b > a * (1 + TOLERANCE) + SLACK:
            worse.append(text)
        elif b < a * (1 - TOLERANCE) - SLACK:
            better.append(text)
    return worse, better


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("args", nargs=4)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--update", action="store_true")
    what.add_argument("--case", default=CASES)
    options = parser.parse_args()
    root, compiler, program, counts_program = options.args
    path = os.path.join(root, "tests", "guard", "baseline.json")
    now = figures(program, counts_program, options.case)
    if options.update:
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"compiler": compiler, "cases": now}, f, indent=1)
            f.write("\n")
        return 0
    with open(path, encoding="utf-8") as f:
        baseline = json.load(f)
    was = {name: case for name, case in baseline["cases"].items()
           if fnmatch.fnmatchcase(name, options.case)}
    same = baseline["compiler"] == compiler
    if not same:
        print(f"# compiled by {compiler}, the baseline by {baseline['compiler']}:")
        print("# instructions are not compared")
    names = sorted(set(was) | set(now))
    failed = 0
    print(f"1..{len(names)}")
    for n, name in enumerate(names, 1):
        if name not in was or name not in now:
            worse = ["a new case" if name in now else "no such case any more"]
            better = []
        else:
            worse, better = differences(was[name], now[name], same)
        print(f"{'not ok' if worse else 'ok'} {n} - {name}")
        for text in worse:
            print(f"# {name}: {text}")
        for text in better:
            print(f"# {name}, better than the baseline: {text}")
        failed += bool(worse)
    if failed:
        print("# If it is meant to be so: make baseline")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
