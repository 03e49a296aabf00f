#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What s2lab judge reads and refuses, and what it prints. text.py S2LAB"""
import json
import lzma
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

S2LAB = sys.argv[1] if len(sys.argv) > 1 else "build/s2lab"
DATA = pathlib.Path(__file__).resolve().parents[2] / "data/judge"
GOOD = (DATA / "good_bbm_page.trace").read_text()
BAD = (DATA / "bad_no_bbm.trace").read_text()
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
SRC = '(src "f:1")'


def judge(*args, stdin=None):
    return subprocess.run([S2LAB, "judge", *map(str, args)], input=stdin,
                          capture_output=True, check=False)


class Refused(unittest.TestCase):
    """Exit status 2 and FILE:LINE:COLUMN: MESSAGE."""

    CASES = (
        (f"(mem-write (id 0) (tid 0) (address 1000) (value 0) {SRC})", 63,
         "mem-order is missing"),
        (f"(mem-wrote (id 0) (tid 0) {SRC})", 2, "no record 'mem-wrote'"),
        (f"(mem-init (id 0) (tid 0) (address 1000) (address 1000) {SRC})", 42,
         "address is there twice"),
        (f"(mem-init (id 0) (tid 0) (adress 1000) (size 8) {SRC})", 27,
         "no field 'adress'"),
        (f"(mem-init (id 0) (tid 0) (address xyz) (size 8) {SRC})", 35,
         "not a digit of a hexadecimal"),
        (f"(mem-init (id 0x1) (tid 0) (address 0) (size 8) {SRC})", 16,
         "not a digit of a decimal"),
        (f"(mem-init (id -1) (tid 0) (address 0) (size 8) {SRC})", 15,
         "not a digit of a decimal"),
        (f"(mem-init (id 0) (tid 0) (address 10000000000000000) (size 8) {SRC})", 35,
         "does not fit 64 bits"),
        (f"(mem-init (id 18446744073709551616) (tid 0) (address 0) (size 8) {SRC})", 15,
         "does not fit 64 bits"),
        (f"(mem-init (id 0) (tid 0) (address ffffffffffffffff) (size 8) {SRC})", 35,
         "not a multiple of 8"),
        (f"(mem-init (id 0) (tid 0) (address fffffffffffff000) (size 8) {SRC})", 35,
         "beyond 52 bits"),
        (f"(mem-init (id 0) (tid 0) (address 1000) (size fffffffffffffff8) {SRC})", 47,
         "ends beyond 52 bits"),
        ("(mem-init (id 0) (tid 0) (address 1000) (size 8))", 49, "src is missing"),
        ('(mem-init (id 0) (tid 0) (address 1000) (size 8) (src "f"))', 55, "no colon"),
        ('(mem-init (id 0) (tid 0) (address 1000) (size 8) (src f:1))', 55,
         "double quotes"),
        ('(mem-init (id 0) (tid 0) (address 1000) (size 8) (src "f:1))', 61,
         "not closed"),
        (f"(mem-init (id 0) (tid 0) (address 1000) (size 8) {SRC}", 61,
         "without its ')'"),
        (f"(mem-init (id 0) (tid 0) (address 1000) (size 8) {SRC}) x", 63,
         "behind the record"),
        (f"(mem-init (id 0) (tid 0) (address 1000) (size 8) {SRC}))", 62,
         "behind the record"),
        (f"(barrier (id 0) (tid 0) isb {SRC}) (barrier (id 1) (tid 0) isb {SRC})", 42,
         "behind the record"),
        (f"(barrier (id 0) (tid 0) dsb {SRC})", 25, "needs a kind"),
        (f"(barrier (id 0) (tid 0) dsb (kind ishld) {SRC})", 35, "of kind 'ishld'"),
        (f"(barrier (id 0) (tid 0) csdb {SRC})", 25, "no barrier 'csdb'"),
        (f"(tlbi (id 0) (tid 0) ipas2e1is {SRC})", 22, "needs a value"),
        (f"(tlbi (id 0) (tid 0) vmalle1is (value 0) {SRC})", 22, "takes no value"),
        (f"(tlbi (id 0) (tid 0) vmalle2is {SRC})", 22, "no TLBI 'vmalle2is'"),
        (f"(tlbi (id 0) (tid 0) ipas2e1isnxs (value 0) {SRC})", 22, "no TLBI"),
        (f"(sysreg-write (id 0) (tid 0) (sysreg vtbr_el2) (value 0) {SRC})", 38,
         "no register 'vtbr_el2'"),
        (f"(hint (id 0) (tid 0) (kind free) (location 0) (value 0) {SRC})", 28,
         "no hint 'free'"),
        (f"(mem-write (id 0) (tid 0) (mem-order acquire) (address 0) (value 0) {SRC})",
         38, "plain or release"),
        (f"(mem-set (id 0) (tid 0) (address 0) (size 8) (value 100) {SRC})", 53,
         "not a byte"),
        ("()", 2, "a word or a number"),
        ("(", 2, "without its ')'"),
        (f'(machine (id 0) (tid 0) (features "x") (granule 1000) (pes 1) (counted 0) {SRC})',
         35, "feature that is not known"),
        (f'(machine (id 0) (tid 0) (features "fwb") (granule 2000) (pes 1) (counted 0)'
         f' {SRC})', 51, "1000, 4000 or 10000"),
        (f'(machine (id 0) (tid 0) (features "fwb") (granule 1000) (pes 17) (counted 0)'
         f' {SRC})', 62, "from 1 to 16"),
        (f"(handoff (id 0) (tid 0) (to 9) {SRC})", 29, "no thread"),
        (f"(dc-civac (id 0) (tid 0) (address 0) (size 20000000000000) {SRC})", 44,
         "ends beyond 52 bits"),
    )

    def test_by_line_and_column(self):
        for text, column, what in self.CASES:
            with self.subTest(text):
                done = judge("-", stdin=f"prose\n\n{text}\n".encode())
                said = done.stderr.decode()
                self.assertEqual((done.returncode, done.stdout), (2, b""), said)
                self.assertTrue(said.startswith(f"-:3:{column}: "), said)
                self.assertIn(what, said)

    def test_the_line_in_a_record_of_several(self):
        done = judge("-", stdin=b'(barrier (id 0)\n  (tid 0)\n\tdsb (kind x) (src "f:1"))\n')
        self.assertEqual(done.stderr[:7], b"-:3:12:")

    def test_a_record_that_the_next_line_does_not_continue(self):
        done = judge("-", stdin=b"(barrier (id 0)\n(barrier (id 1)\n")
        self.assertEqual(done.stderr[:7], b"-:1:16:")

    def test_lines_that_are_too_long_and_bytes_that_are_no_text(self):
        for text in (b"(" + b"x" * 9000, b"(mem-init " + b"(" * 8000 + b"\n",
                     b'(barrier (id 0) (tid 0) isb (src "f:\x001"))', b"(\xff\xfe)\n",
                     b"(" + b" (\n" * 30000):
            done = judge("-", stdin=text)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, rb"^-:\d+:\d+: ")

    def test_files(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "t.xz"
            packed = lzma.compress(GOOD.encode())
            path.write_bytes(packed)
            self.assertEqual(judge(path).returncode, 0)
            for cut in (6, 12, len(packed) // 2, len(packed) - 1):
                path.write_bytes(packed[:cut])
                done = judge(path)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(b"xz data", done.stderr)
            self.assertEqual(judge(path.parent).returncode, 2)
            self.assertEqual(judge(path.parent / "none").returncode, 2)

    def test_usage(self):
        for args, what in (((), "which traces"), (("--features", "x", "-"), "no feature"),
                           (("--json", "--why", "-"), "exclude each other"),
                           (("--nonsense", "-"), "unrecognized option")):
            done = judge(*args)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(what, done.stderr.decode())


class Limits(unittest.TestCase):
    """Too much is no crash and no ok: unjudged."""

    def test_limits(self):
        root = ("(mem-init (id 0) (tid 0) (address 1000) (size 1000) (src \"f:1\"))\n"
                "(sysreg-write (id 1) (tid 0) (sysreg vttbr_el2) (value 1000)"
                " (src \"f:1\"))\n")
        for what, lines in (
                ("table pages", [f"(mem-init (id 9) (tid 0) (address 10000)"
                                 f" (size 8000000000000) {SRC})"]),
                ("threads", [f"(barrier (id {i}) (tid {i}) isb {SRC})"
                             for i in range(2, 20)]),
                ("locks", [f"(lock (id {i}) (tid 0) (address {i:x}) {SRC})"
                           for i in range(2, 5000)]),
                ("not initialised", [f"(mem-write (id {i}) (tid 0) (mem-order plain)"
                                     f" (address {i:x}000) (value 0) {SRC})"
                                     for i in range(2, 5000)]),
        ):
            done = judge("-", stdin=(root + "\n".join(lines) + "\n").encode())
            self.assertEqual(done.returncode, 2, what)
            self.assertTrue(done.stdout.startswith(b"-: unjudged more than"), done.stdout)
            self.assertIn(what, done.stdout.decode())


class Output(unittest.TestCase):
    def test_lines(self):
        done = judge(DATA / "good_bbm_page.trace", "-", stdin=BAD.encode())
        good, bad = done.stdout.decode().splitlines()
        self.assertRegex(good, r"good_bbm_page.trace: ok \(\d+ records, 1 tree, ")
        self.assertRegex(bad, r"^-: bad bbm-valid-to-valid@17 PE0 changes .*"
                              r"\(bad_no_bbm.c:18\)$")
        self.assertEqual(done.returncode, 1)

    def test_the_source_of_what_is_left(self):
        path = DATA / "left_unclean.trace"
        bad = judge(path).stdout.decode()
        self.assertRegex(bad, r"bad tlbi-missing@17 .*\(left_unclean.c:18\)$")

    def test_why(self):
        text = judge("--why", DATA / "bad_no_tlbi.trace").stdout.decode()
        self.assertIn("bbm-made-too-early: a new entry was made before", text)
        self.assertIn("record 19, line 20 (bad_no_tlbi.c:20): ", text)

    def test_json(self):
        done = judge("--json", DATA / "bad_no_tlbi.trace", "-", stdin=b"(x)\n")
        got = json.loads(done.stdout)
        self.assertEqual((got["format"], done.returncode), (1, 2))
        bad, malformed = got["files"]
        finding = bad["findings"][0]
        self.assertEqual((bad["verdict"], finding["rule"], finding["record"],
                          finding["cause"], finding["src"]),
                         ("bad", "bbm-made-too-early", 19, 17, "bad_no_tlbi.c:20"))
        self.assertEqual((malformed["verdict"], malformed["line"], malformed["column"]),
                         ("malformed", 1, 2))

    def test_never_ok_without_a_tree(self):
        """No part of a trace that leaves the tree out is ok."""
        lines = GOOD.splitlines()
        for left_out in ("vttbr_el2", "(mem-init", "hcr_el2) (value 1"):
            text = "\n".join(l for l in lines if left_out not in l)
            done = judge("-", stdin=text.encode())
            self.assertTrue(done.stdout.startswith(b"-: unjudged "), done.stdout)


class Mutants(unittest.TestCase):
    """Whatever the bytes are: a verdict, or a place. The seed is argument 2."""

    def test_mutants(self):
        rnd = random.Random(SEED)
        print(f"# seed {SEED}")
        pool = [p.read_bytes() for p in sorted(DATA.glob("*.trace"))]
        words = sorted({w for t in pool for w in t.split()})
        with tempfile.TemporaryDirectory() as name:
            paths = []
            for i in range(400):
                text = bytearray(rnd.choice(pool))
                for _ in range(rnd.randrange(1, 8)):
                    at = rnd.randrange(len(text) + 1)
                    kind = rnd.randrange(6)
                    if kind == 0:
                        text[at:at + 1] = bytes([rnd.randrange(256)])
                    elif kind == 1:
                        del text[at:at + rnd.randrange(40)]
                    elif kind == 2:
                        text[at:at] = b" " + rnd.choice(words) + b" "
                    elif kind == 3:
                        text[at:at] = b"%x" % rnd.getrandbits(rnd.choice((8, 52, 64, 70)))
                    elif kind == 4:
                        lines = text.split(b"\n")
                        rnd.shuffle(lines)
                        text = bytearray(b"\n".join(lines))
                    else:
                        text = text[:at]
                path = pathlib.Path(name) / f"{i}.trace"
                path.write_bytes(text)
                paths.append(path)
            for options in ((), ("--strict", "--named", "--locks", "--cleans", "--af")):
                done = judge("--json", *options, *paths)
                self.assertIn(done.returncode, (0, 1, 2), done.stderr[-2000:])
                files = json.loads(done.stdout.decode(errors="replace"))["files"]
                self.assertEqual(len(files), len(paths))
                for f in files:
                    if f["verdict"] == "malformed":
                        self.assertGreater(f["line"], 0)
                    if f["verdict"] == "ok":
                        self.assertGreater(f["trees"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
