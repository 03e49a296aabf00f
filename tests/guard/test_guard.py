# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The guard itself: what it accepts and what not, and that it names the figure."""
import unittest

import guard

WAS = dict.fromkeys(guard.COUNTS, 100) | {"instructions": 100000}


class Guard(unittest.TestCase):
    def differences(self, **changed):
        return guard.differences(WAS, WAS | changed, True)

    def test_the_same(self):
        self.assertEqual(self.differences(), ([], []))

    def test_one_more_of_any_count(self):
        for key in guard.COUNTS:
            worse, better = self.differences(**{key: 101})
            self.assertEqual((len(worse), better), (1, []))
            self.assertIn(f"{key} 101, was 100", worse[0])

    def test_one_fewer(self):
        for key in guard.COUNTS:
            worse, better = self.differences(**{key: 99})
            self.assertEqual((worse, len(better)), ([], 1))

    def test_instructions(self):
        self.assertEqual(self.differences(instructions=101000), ([], []))
        worse, better = self.differences(instructions=103000)
        self.assertEqual(worse, ["instructions 103,000, was 100,000 (+3.0 %)"])
        worse, better = self.differences(instructions=90000)
        self.assertEqual((worse, len(better)), ([], 1))

    def test_another_compiler(self):
        now = WAS | {"instructions": 200000}
        self.assertEqual(guard.differences(WAS, now, False), ([], []))


unittest.main()
