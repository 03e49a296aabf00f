# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs s2lab for the tests here. Each gets its path as argument 1, more behind it."""
import json
import os
import subprocess
import sys
import unittest

S2LAB = sys.argv[1] if len(sys.argv) > 1 else "build/s2lab"
HERE = os.path.dirname(os.path.abspath(__file__))
TRACES = os.path.join(HERE, "..", "..", "data", "traces")
# For whole recordings and repetitions. A sanitizer sees no more in them than in the
# shorter ones, whose code they run too.
SANITIZED = bool(os.environ.get("S2LAB_SANITIZED"))
plain_only = unittest.skipIf(SANITIZED, "in the plain tree only")
RULES = os.path.join(HERE, "rules.trace")


def run(*args, stdin=b"", binary=S2LAB):
    """The finished process; stdin is bytes, its output text."""
    done = subprocess.run([binary, *args], input=stdin, capture_output=True, check=False)
    done.stdout = done.stdout.decode("utf-8", "replace")
    done.stderr = done.stderr.decode("utf-8", "replace")
    return done


def json_of(*args, status=0, stdin=b"", binary=S2LAB):
    """The object that s2lab ARGS --json prints."""
    done = run(*args, "--json", stdin=stdin, binary=binary)
    if done.returncode != status:
        raise AssertionError(f"{args}: exit {done.returncode}, not {status}\n"
                             f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def trace(name):
    """Path of a recording in data/traces."""
    return os.path.join(TRACES, name + ".trace.xz")


def main():
    unittest.main(argv=sys.argv[:1])
