# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`entry` and `merged` do the work of Linux 6.12, so they must have its counts."""
import unittest

import s2lab

GIB = 1 << 30


class Linux(unittest.TestCase):
    """Linux 6.12's pgtable.c, measured with counters for TLBIs and barriers."""

    def check(self, strategy, args, visits, ipas, ripas, vmalle1, dsb, clean_lines=0):
        got = s2lab.one(strategy, *args)
        self.assertEqual(got["verdict"], "safe", got["violations"])
        self.assertEqual(
            (got["pte_reads"], got["tlbi"]["ipas2e1is"], got["tlbi"]["ripas2e1is"],
             got["tlbi"]["vmalle1is"], got["tlbi"]["vmalls12e1is"], got["dsb"],
             got["clean_lines"]),
            (visits, ipas, ripas, vmalle1, 0, dsb, clean_lines))
        return got

    def test_1_gib_fwb_tlbirange(self):
        got = self.check("merged", ["--features", "fwb,tlbirange"],
                         262657, 513, 1, 514, 1542)
        self.assertEqual(got["tables_freed"], 513)
        self.assertEqual(got["pte_writes"], 262657)

    @s2lab.plain_only
    def test_1_gib_one_feature_missing(self):
        for strategy in ("entry", "merged"):
            self.check(strategy, ["--features", "fwb"],
                       262657, 262657, 0, 262657, 787971)
            for features in ("tlbirange", "none"):
                self.check(strategy, ["--features", features],
                           262657, 262657, 0, 262657, 787971 + 262144, GIB // 64)

    def test_1_gib_by_entry(self):
        self.check("entry", ["--features", "fwb,tlbirange"],
                   262657, 262657, 0, 262657, 787971)

    @s2lab.plain_only
    def test_64_gib(self):
        self.check("merged", ["--mem", "64G"], 16810048, 32832, 8, 32840, 98520)

    def test_1_tib_of_blocks(self):
        self.check("merged", ["--mem", "1T", "--leaf", "2m"],
                   525312, 1024, 128, 1152, 3456)

    def test_2_mib_of_pages(self):
        self.check("merged", ["--mem", "2M", "--around", "1G"], 514, 1, 1, 2, 6)

    def test_one_page(self):
        self.check("merged", ["--mem", "4K", "--around", "1G"], 3, 1, 0, 1, 3)

    def test_empty_1_tib(self):
        self.check("merged", ["--mem", "1T", "--empty"], 1024, 0, 128, 128, 384)


if __name__ == "__main__":
    s2lab.main()
