# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs s2lab for the tests here. Each test program gets its path as argument 1."""
import json
import os
import subprocess
import sys
import unittest

S2LAB = sys.argv[1] if len(sys.argv) > 1 else "build/s2lab"

# For tests of large ranges and of numbers. A sanitizer sees no more in them than in the
# small ones, whose code they run too.
plain_only = unittest.skipIf(os.environ.get("S2LAB_SANITIZED"), "in the plain tree only")

FEATURE_SETS = ("fwb,tlbirange", "fwb", "tlbirange", "none")


def run(*args):
    """The finished process; its output is text."""
    return subprocess.run([S2LAB, *args], text=True, capture_output=True, check=False)


def compare(*args, status=0):
    """The object that compare --json prints."""
    done = run("compare", "--json", *args)
    if done.returncode != status:
        raise AssertionError(f"compare {args}: exit {done.returncode}, not {status}\n"
                             f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def one(strategy, *args):
    """What compare says about one strategy."""
    return compare("--strategy", strategy, *args)["strategies"][0]


def main():
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
