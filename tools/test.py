#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Build both trees, run every test in each, end with one line of totals.

A program that speaks TAP (all of cmocka's do, asked by the environment) counts
once for each of its test points, any other once. A program that fails without
a failed point (a crash, a broken plan, a time-out) counts as one failure.

--also NAME=passed|failed|skipped,... counts what ran outside of this script.

Before the totals: the CPU time, and the tests that took more than a quarter of
their time limit. Those may time out on a machine that has other work.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The limits of the tests are those of a machine with nothing else to do. Here it may
# have a load of 15, and what has hung is found all the same.
MULTIPLIER = 4
TREES = [
    ("build", "plain", []),
    (
        "build/san",
        "AddressSanitizer and UBSan",
        # Half of the time to build of -O2 -g, and as fast.
        ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1",
         "-Dc_args=-g1"],
    ),
]
ENV = dict(
    os.environ,
    CMOCKA_MESSAGE_OUTPUT="TAP",
    ASAN_OPTIONS="detect_leaks=1",
    UBSAN_OPTIONS="print_stacktrace=1",
)

POINT = re.compile(r"^(not )?ok\b(.*)$", re.M)
PLAN = re.compile(r"^1\.\.(\d+)", re.M)

# A test should take less than its time limit divided by this.
MARGIN = 4


def build(tree, options):
    if not os.path.exists(os.path.join(tree, "build.ninja")):
        subprocess.run(["meson", "setup", tree, *options], check=True)
    subprocess.run(["ninja", "-C", tree], check=True)


def allow_for_container(tree):
    """LeakSanitizer reads /proc and traces itself, which some containers deny."""
    probe = subprocess.run(
        [os.path.join(tree, "s2lab"), "--version"],
        env=ENV,
        capture_output=True,
        text=True,
    )
    if probe.returncode and "LeakSanitizer has encountered a fatal" in probe.stderr:
        print("LeakSanitizer cannot run here: leaks are not looked for", flush=True)
        ENV["ASAN_OPTIONS"] = "detect_leaks=0"


def count(test):
    """(passed, failed, skipped) of one entry of Meson's log."""
    out = test.get("stdout", "")
    plans = [int(n) for n in PLAN.findall(out)]
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, 1
    if not plans:
        return (1, 0, 0) if good else (0, 1, 0)
    passed = failed = skipped = 0
    for bad, rest in POINT.findall(out):
        # First, for cmocka says "not ok 3 # SKIP".
        if re.search(r"#\s*skip", rest, re.I):
            skipped += 1
        elif bad:
            failed += 1
        else:
            passed += 1
    if not failed and (not good or passed + skipped != sum(plans)):
        failed = 1
    return passed, failed, skipped


def cpu_seconds():
    """User and system time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def limits(tree):
    """The time limit of each test in seconds, by name."""
    path = os.path.join(tree, "meson-info", "intro-tests.json")
    with open(path, encoding="utf-8") as f:
        tests = json.load(f)
    return {test["name"]: test["timeout"] for test in tests}


def also(text):
    """[(name, [passed, failed, skipped])] of NAME=RESULT,..."""
    results = ["passed", "failed", "skipped"]
    found = []
    for word in text.split(","):
        name, _, result = word.rpartition("=")
        if not name or result not in results:
            raise argparse.ArgumentTypeError(f"{word}: not NAME=passed|failed|skipped")
        found.append((name, [int(result == r) for r in results]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--also", type=also, default=[],
                        metavar="NAME=RESULT,...", help="count this, too")  # fmt: skip
    args = parser.parse_args()
    os.chdir(ROOT)
    totals = [0, 0, 0]
    failures = []
    slow = []
    times = []
    for name, counted in args.also:
        totals = [a + b for a, b in zip(totals, counted)]
        if counted[1]:
            failures.append(name)
        if counted[2]:
            print("skipped:", name, flush=True)
    for tree, what, options in TREES:
        print(f"== {tree} ({what})", flush=True)
        if options and not os.path.exists("/proc/self/maps"):
            totals[1] += 1
            failures.append(f"{tree}: the sanitizers need /proc, which is not mounted")
            continue
        start = cpu_seconds()
        try:
            build(tree, options)
        except subprocess.CalledProcessError as e:
            print(f"{tree}: {e}", flush=True)
            totals[1] += 1
            failures.append(f"{tree}: does not build")
            continue
        built = cpu_seconds()
        allow_for_container(tree)
        limit = limits(tree)
        log = os.path.join(tree, "meson-logs", "testlog.json")
        if os.path.exists(log):
            os.remove(log)
        ran = subprocess.run(
            ["meson", "test", "-C", tree, "--no-rebuild", "--print-errorlogs"]
            + ["--timeout-multiplier", str(MULTIPLIER)],
            env=ENV,
            stdin=subprocess.DEVNULL,
        )
        ours = [0, 0, 0]
        if os.path.exists(log):
            with open(log, encoding="utf-8") as f:
                for line in f:
                    test = json.loads(line)
                    counted = count(test)
                    ours = [a + b for a, b in zip(ours, counted)]
                    if counted[1]:
                        failures.append(f"{tree}: {test['name']} ({test['result']})")
                    most = limit[test["name"].split(" / ")[-1]] * MULTIPLIER
                    if test["duration"] * MARGIN > most > 0:
                        slow.append(
                            f"{tree}: {test['name']}: {test['duration']:.0f} s of {most} s"
                        )
        if ran.returncode and not ours[1]:
            ours[1] = 1
            failures.append(f"{tree}: meson test, exit status {ran.returncode}")
        totals = [a + b for a, b in zip(totals, ours)]
        times.append((tree, built - start, cpu_seconds() - built))
    for tree, building, testing in times:
        print(f"{tree}: {building:.0f} s of CPU time to build, {testing:.0f} s to test")
    print(f"CPU time: {cpu_seconds():.0f} s")
    for line in slow:
        print("CLOSE TO ITS TIME LIMIT", line)
    for failure in failures:
        print("FAILED", failure)
    passed, failed, skipped = totals
    if not passed and not failed:
        print("no test was run")
        failed = 1
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
