# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Recordings cut short and with bytes changed: never a crash, never a hang, and never
a violation, since whatever still reads as a recording the engine must do right.
REPLAY_FUZZ_SEED and REPLAY_FUZZ_RUNS change what is tried.
"""
import gzip
import lzma
import os
import random
import re
import subprocess
import unittest

import tool

SEED = int(os.environ.get("REPLAY_FUZZ_SEED", "1"))
RUNS = int(os.environ.get("REPLAY_FUZZ_RUNS", "40" if tool.SANITIZED else "200"))


def excerpt(name, lines):
    """The first lines of a recording without the faults, which are only counted."""
    with lzma.open(tool.trace(name), "rb") as f:
        out = []
        for line in f:
            if b"kvm_guest_fault" not in line:
                out.append(line)
            if len(out) == lines:
                return b"".join(out)
    return b"".join(out)


def as_perf(text):
    """The same as perf script prints it: COMM PID [CPU] TIME: GROUP:NAME: ..."""
    return re.sub(rb"^ *(.+)-(\d+) +(\[\d+\] ) *(?:\S+ +)?([\d.]+:) (s2_\w+:)",
                  rb"\1 \2 \3 \4  stage2:\5", text, flags=re.M)


def as_trace_cmd(text):
    """With a line about CPUs, and padded names."""
    return b"cpus=2\n" + re.sub(rb": (s2_\w+:) ", lambda m: b": %-22s" % m[1], text)


def pack_zstd(data):
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


PACKERS = {"xz": lzma.compress, "gzip": gzip.compress, "zstd": pack_zstd}
# What else may be asked for; each run gets some of it.
OPTIONS = (["--partial"], ["--no-merged"], ["--vm", "0"], ["--cpu", "graviton3"],
           ["--worst", "3"], ["--batch", "3"], ["--kernel", "7.0"], ["--json"])


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        with open(tool.RULES, "rb") as f:
            self.texts = [f.read(), excerpt("guest-hugetlb-1g", 60),
                          excerpt("selftest-page-table", 200)]
        self.texts += [as_perf(self.texts[1]), as_trace_cmd(self.texts[2])]
        for text in self.texts[3:]:
            self.assertEqual(self.check(text, "unchanged", options=False), 0)

    def check(self, data, what, options=True):
        args = ["--quiet"]
        if options and not self.random.randrange(4):
            args = sum(self.random.sample(OPTIONS, 2), [])
            what = f"{what} {' '.join(args)}"
        try:
            done = subprocess.run([tool.S2LAB, "replay", "-", *args], input=data,
                                  capture_output=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            self.fail(f"seed {SEED}, {what}: hangs")
        err = done.stderr.decode("utf-8", "replace")
        self.assertIn(done.returncode, (0, 2),
                      f"seed {SEED}, {what}: {done.stdout[-500:]} {err[-3000:]}")
        if done.returncode == 2:
            self.assertRegex(err, r"^<stdin>:\d+:\d+: [^\n]+\n$", what)
        return done.returncode

    def test_cut(self):
        """A cut at the end of a line makes a shorter recording; elsewhere it is an error."""
        for n, text in enumerate(self.texts):
            for _ in range(RUNS // 6):
                at = self.random.randrange(1, len(text))
                got = self.check(text[:at], f"text {n} cut at {at}")
                if text[at - 1:at] != b"\n":
                    self.assertEqual(got, 2, at)

    def test_cut_packed(self):
        for name, pack in PACKERS.items():
            packed = pack(self.texts[1])
            for _ in range(RUNS // 8):
                at = self.random.randrange(1, len(packed))
                self.assertEqual(self.check(packed[:at], f"{name} cut at {at}"), 2)

    def test_flipped(self):
        changed = [0, 0]
        for run in range(RUNS):
            text = bytearray(self.random.choice(self.texts))
            for _ in range(self.random.choice((1, 1, 2, 5))):
                at = self.random.randrange(len(text))
                text[at] ^= 1 << self.random.randrange(8)
            changed[self.check(bytes(text), f"flip {run}") == 2] += 1
        # Both results must occur, or the test says nothing.
        self.assertGreater(min(changed), RUNS // 20)

    def test_flipped_digits(self):
        """Digits are replaced by digits: most results are still recordings."""
        for run in range(RUNS):
            text = bytearray(self.random.choice(self.texts))
            digits = [i for i, c in enumerate(text) if chr(c) in "0123456789abcdef"]
            for at in self.random.sample(digits, 2):
                text[at] = ord(self.random.choice("0123456789abcdef"))
            self.check(bytes(text), f"digit {run}")

    def test_lines(self):
        """Lines are left out, doubled or exchanged."""
        for run in range(RUNS):
            lines = self.random.choice(self.texts).splitlines(keepends=True)
            for _ in range(3):
                at = self.random.randrange(len(lines) - 1)
                how = self.random.randrange(3)
                if how == 0:
                    del lines[at]
                elif how == 1:
                    lines.insert(at, lines[at])
                else:
                    lines[at], lines[at + 1] = lines[at + 1], lines[at]
            self.check(b"".join(lines), f"lines {run}")

    def test_flipped_packed(self):
        for name, pack in PACKERS.items():
            packed = pack(self.texts[1])
            for run in range(RUNS // 4):
                data = bytearray(packed)
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
                self.check(bytes(data), f"{name} flip {run}")

    def test_odd_files(self):
        """Bytes that are no recording, and huge numbers where numbers are."""
        huge = b"9" * 30
        for n, text in enumerate(self.texts):
            numbers = [m.span() for m in re.finditer(rb"0x[0-9a-f]+|\d+", text)]
            for start, end in self.random.sample(numbers, RUNS // 20):
                for new in (huge, b"0x" + b"f" * 16, b"0x" + b"f" * 40, b"-1", b""):
                    self.check(text[:start] + new + text[end:], f"text {n}: {start} {new}")
        for size in (1, 100, 70000):
            self.assertEqual(self.check(self.random.randbytes(size), f"{size} bytes"), 2)
        self.check(self.texts[0].replace(b"\n", b"\r"), "CR only")
        self.assertEqual(self.check(self.texts[0].replace(b"\n", b"\r\n", 5), "mixed"), 0)


if __name__ == "__main__":
    tool.main()
