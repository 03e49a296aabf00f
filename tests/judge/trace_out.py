#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--trace-out of replay, compare and the differential run, and --trace-for casemate.

trace_out.py S2LAB JUDGED

Casemate is not here: check_format.py, which knows its grammar and its limits, reads what
is written for it.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import check_format

S2LAB, JUDGED = sys.argv[1:3]
TESTS = pathlib.Path(__file__).resolve().parents[1]
RECORDING = TESTS / "replay/rules.trace"
TRACES = TESTS.parent / "data/traces"
plain_only = unittest.skipIf(os.environ.get("S2LAB_SANITIZED"), "in the plain tree only")


def run(*args):
    return subprocess.run([*map(str, args)], capture_output=True, text=True, check=False)


def judge(*args):
    """The first file of judge --json."""
    return json.loads(run(S2LAB, "judge", "--json", *args).stdout)["files"][0]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "t.trace"

    def write(self, *args, status=0):
        done = run(S2LAB, *args, "--trace-out", self.path)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def check(self, *options, casemate=False):
        """The trace is well formed and ok. Its JSON."""
        self.assertIsNone(check_format.check(self.path, casemate))
        got = judge(*options, self.path)
        self.assertEqual(got["verdict"], "ok", got)
        return got


class ForJudge(Case):
    def test_replay(self):
        for features in ("fwb,tlbirange", "none", "fwb,tlbirange,ttl,hafdbs,xnx,ets2",
                         "lpa2,bbm2"):
            self.write("replay", RECORDING, "--quiet", "--no-merged", "--features", features)
            got = self.check()
            self.assertGreater(got["live_stores"], 10)
            first = self.path.read_text().splitlines()[0]
            for name in features.split(","):
                self.assertIn(name, first)

    def test_the_source_is_the_line_of_the_recording(self):
        self.write("replay", RECORDING, "--quiet", "--no-merged")
        lines = self.path.read_text().splitlines()
        self.assertTrue(all('rules.trace:' in l for l in lines[1:]))

    def test_compare(self):
        for options in ((), ("--op", "split"), ("--op", "collapse"),
                        ("--leaf", "16k", "--mem", "32M"), ("--leaf", "64k"),
                        ("--features", "lpa2"), ("--features", "fwb,ttl,tlbirange,ets2"),
                        ("--call-size", "64K")):
            self.write("compare", "--strategy", "stage2", "--mem", "32M",
                       "--around", "32M", *options)
            self.assertGreater(self.check()["stores"], 4)

    def test_what_is_unsafe_is_bad_with_the_same_rules(self):
        for strategy, options in (("posted", ("--posted-free", "now")),
                                  ("posted", ("--features", "none")),
                                  ("merged", ()), ("entry", ())):
            done = self.write("compare", "--json", "--strategy", strategy, "--mem", "8M",
                              "--call-size", "1M", *options)
            said = json.loads(done.stdout)["strategies"][0]
            got = judge(self.path)
            self.assertEqual([f["rule"] for f in got["findings"]][:len(said["violations"])],
                             [v["rule"] for v in said["violations"]])
            self.assertEqual(got["found"], said["violations_found"])
            self.assertIsNone(check_format.check(self.path))

    def test_the_differential_run(self):
        for sequence in range(3):
            done = run(JUDGED, "--seed", 1, "--sequence", sequence, "--keep",
                       ",".join(map(str, range(200))), "--trace-out", self.path)
            self.assertEqual(done.returncode, 0, done.stdout[-500:] + done.stderr)
            self.assertGreater(self.check()["stores"], 20)

    def test_standard_output_and_what_cannot_be_written(self):
        done = run(S2LAB, "replay", RECORDING, "--quiet", "--trace-out", "/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("No space left", done.stderr)
        done = run(S2LAB, "replay", RECORDING, "--quiet", "--no-merged", "--trace-out", "-")
        self.path.write_text(done.stdout)
        self.check()
        done = run(S2LAB, "compare", "--trace-out", self.path)
        self.assertIn("one --strategy", done.stderr)
        done = run(S2LAB, "replay", RECORDING, "--batch", 4, "--trace-out", self.path)
        self.assertIn("without --batch", done.stderr)
        done = run(S2LAB, "replay", RECORDING, "--trace-out", self.path.parent / "a/b")
        self.assertEqual(done.returncode, 2)


class ForCasemate(Case):
    CASEMATE = ("--trace-for", "casemate", "--features", "none", "--ipa-bits", "44")

    def test_replay(self):
        self.write("replay", RECORDING, "--quiet", "--no-merged", *self.CASEMATE)
        # Tables are freed as they are when nobody has the tree loaded any more.
        got = self.check("--named", "--locks", casemate=True)
        self.assertGreater(got["live_stores"], 10)

    @plain_only
    def test_a_guest(self):
        self.write("replay", TRACES / "guest-hugetlb-2m.trace.xz", "--quiet", "--no-merged",
                   *self.CASEMATE)
        got = self.check("--named", "--locks", casemate=True)
        self.assertGreater(got["records"], 200000)

    def test_compare(self):
        for options in ((), ("--op", "split"), ("--op", "collapse"), ("--empty",),
                        ("--call-size", "2M"), ("--by-page",), ("--ipa-bits", "39"),
                        ("--features", "fwb")):
            self.write("compare", "--strategy", "stage2", "--mem", "8M", *self.CASEMATE,
                       *options)
            self.check("--named", "--locks", casemate=True)

    def test_nothing_is_strengthened(self):
        """The same TLBIs and no stronger barriers than in the complete trace."""
        self.write("compare", "--strategy", "stage2", "--mem", "8M", *self.CASEMATE)
        less = self.path.read_text()
        self.write("compare", "--strategy", "stage2", "--mem", "8M", *self.CASEMATE[2:])
        full = self.path.read_text()
        for word in (" ipas2e1is ", " vmalle1is ", " vmalls12e1is ", "(barrier",
                     "(mem-order release)", "(mem-write"):
            self.assertEqual(less.count(word), full.count(word), word)

    def test_refused_by_name(self):
        for options, what in (
                (("--features", "fwb,tlbirange"), "tlbi ripas2e1is"),
                (("--ipa-bits", "40"), "concatenated root tables"),
                (("--leaf", "16k", "--mem", "32M"), "granules of 16"),
                (("--leaf", "64k"), "granules of 16 or 64 KiB"),
                (("--features", "lpa2"), "LPA2")):
            done = self.write("compare", "--strategy", "stage2", *self.CASEMATE, *options,
                              status=2)
            self.assertIn("Casemate's format cannot say: ", done.stderr)
            self.assertIn(what, done.stderr)
            # What is there is well formed.
            if self.path.read_text():
                text = self.path.read_text().splitlines()
                self.assertTrue(all(check_format.HEAD.fullmatch(l) for l in text))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
