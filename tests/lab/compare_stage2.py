# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What this library promises for whole ranges, in the lab's counts."""
import unittest

import s2lab


def tlbis(got):
    return sum(got["tlbi"].values())


class Bounds(unittest.TestCase):
    def check(self, args, dsb, tlbi, reads):
        got = s2lab.one("stage2", *args)
        self.assertEqual(got["verdict"], "safe", got["violations"])
        self.assertLessEqual(got["dsb"], dsb, args)
        self.assertLessEqual(tlbis(got), tlbi, args)
        self.assertLessEqual(got["pte_reads"], reads, args)
        return got

    def test_1_gib(self):
        for features in ("fwb,tlbirange", "fwb"):
            got = self.check(["--features", features], 3, 2, 1100)
            self.assertEqual(got["tables_freed"], 513)
            self.assertEqual(got["clean_lines"], 0)
        for features in ("tlbirange", "none"):
            got = self.check(["--features", features], 4, 2, 263700)
            self.assertEqual(got["tables_freed"], 513)
            self.assertEqual(got["clean_lines"], (1 << 30) // 64)

    def test_odd_page(self):
        args = ["--ipa", "0x40001000", "--mem", str((1 << 30) + 4096)]
        self.check(["--features", "fwb,tlbirange", *args], 3, 4, 3000)

    @s2lab.plain_only
    def test_64_gib(self):
        self.check(["--mem", "64G"], 3, 10, 34000)

    def test_1_tib_of_blocks(self):
        self.check(["--mem", "1T", "--leaf", "2m"], 3, 10, 3000)

    def test_empty(self):
        for features in s2lab.FEATURE_SETS:
            self.check(["--mem", "1T", "--empty", "--features", features], 0, 0, 1100)

    @s2lab.plain_only
    def test_page_by_page(self):
        calls = 1 << 18
        for features in ("fwb,tlbirange", "none"):
            config, strategies = s2lab.compare("--strategy", "stage2", "--by-page",
                                               "--features", features).values()
            got = strategies[0]
            self.assertEqual(got["verdict"], "safe", got["violations"])
            self.assertEqual(got["calls"], calls)
            self.assertEqual(got["tables_freed"], 513)
            self.assertEqual(got["tables_left"], config["root_tables"])
            # Three levels, and without FWB each page's table again for the clean
            # and the release; a table that is freed is read once.
            self.assertLessEqual(got["pte_reads"], 10 * calls)
            self.assertLessEqual(got["longest_step"], 10 + 512)
            self.assertLessEqual(got["dsb"], 4 * calls)
            self.assertLessEqual(tlbis(got), 2 * calls)

    def test_page_by_page_leaves_the_root(self):
        config, strategies = s2lab.compare("--by-page", "--mem", "64M").values()
        for got in strategies:
            self.assertEqual(got["tables_left"], config["root_tables"], got["name"])

    def test_budget(self):
        for budget in (512, 1000, 65536):
            got = s2lab.one("stage2", "--mem", "256M", "--features", "none",
                            "--budget", str(budget))
            self.assertEqual(got["verdict"], "safe", got["violations"])
            self.assertLessEqual(got["longest_step"], budget)
            self.assertEqual(got["tables_freed"], 129)


if __name__ == "__main__":
    s2lab.main()
