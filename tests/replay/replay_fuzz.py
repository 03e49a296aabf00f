# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Recordings cut short and with bytes changed: never a crash, never a hang, and never
a violation, since whatever still reads as a recording the engine must do right.
REPLAY_FUZZ_SEED and REPLAY_FUZZ_RUNS change what is tried.
"""
import lzma
import os
import random
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


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        with open(tool.RULES, "rb") as f:
            self.texts = [f.read(), excerpt("guest-hugetlb-1g", 60),
                          excerpt("selftest-page-table", 200)]

    def check(self, data, what):
        try:
            done = subprocess.run([tool.S2LAB, "replay", "-", "--quiet"], input=data,
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

    def test_cut_xz(self):
        packed = lzma.compress(self.texts[1])
        for _ in range(RUNS // 8):
            at = self.random.randrange(1, len(packed))
            self.assertEqual(self.check(packed[:at], f"xz cut at {at}"), 2)

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

    def test_flipped_xz(self):
        packed = lzma.compress(self.texts[1])
        for run in range(RUNS // 4):
            data = bytearray(packed)
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            self.check(bytes(data), f"xz flip {run}")


if __name__ == "__main__":
    tool.main()
