# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
A TLBI that does nothing is found by replay: exit status 1, rule, line, detail.
Argument 2 is an s2lab on such a machine.
"""
import os
import sys
import unittest

import tool

BROKEN = sys.argv[2]


class Broken(unittest.TestCase):
    def tearDown(self):
        os.environ.pop("BROKEN", None)

    def test_not_broken(self):
        self.assertEqual(tool.run("replay", tool.RULES, binary=BROKEN).returncode, 0)

    def test_each(self):
        with open(tool.RULES, "rb") as f:
            text = f.read().split(b"\n")
        for kind in ("ipas2e1is", "ripas2e1is", "vmalle1is", "vmalls12e1is"):
            os.environ["BROKEN"] = kind
            got = tool.json_of("replay", tool.RULES, "--no-merged", status=1,
                               binary=BROKEN)
            self.assertEqual(got["verdict"], "unsafe")
            first = got["violations"][0]
            self.assertTrue(first["rule"] and first["detail"], kind)
            # The line is one of an operation that invalidates.
            self.assertRegex(text[first["line"] - 1],
                             rb"s2_(map|unmap|wrprotect|split|relax_perms|destroy): ")

    def test_text(self):
        os.environ["BROKEN"] = "vmalle1is"
        done = tool.run("replay", tool.RULES, "--quiet", binary=BROKEN)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, r"(?m)^[a-z0-9-]+ at .*rules\.trace:\d+\n  IPA 0x")


if __name__ == "__main__":
    tool.main()
