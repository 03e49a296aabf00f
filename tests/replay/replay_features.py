# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Recordings on every set of features: no violation, no difference."""
import unittest

import tool

SETS = ("none", "fwb", "tlbirange", "fwb,tlbirange", "ttl,tlbirange", "hafdbs,ttl",
        "fwb,tlbirange,ttl,bbm2,hafdbs,xnx,ets2", "lpa2", "fwb,tlbirange,ttl,lpa2")


NAMES = ("selftest-page-table", "guest-hugetlb-2m", "guest-hugetlb-1g")

if tool.SANITIZED:
    SETS = SETS[0], SETS[6], SETS[8]
    NAMES = NAMES[:1]


class Features(unittest.TestCase):
    def test_sets(self):
        for name in NAMES:
            for features in SETS:
                with self.subTest(name=name, features=features):
                    got = tool.json_of("replay", tool.trace(name), "--no-merged",
                                       "--no-advice", "--features", features)
                    self.assertEqual(got["violations"], [])
                    self.assertEqual(sorted(got["features"]),
                                     sorted(features.replace("none", "").split(",")
                                            if features != "none" else []))
                    ranges = got["stage2"]["tlbi"].get("ripas2e1is", 0)
                    self.assertEqual(ranges > 0, "tlbirange" in features)
                    # One exception: with FWB s2_flush has nothing to clean.
                    if "fwb" in features:
                        self.assertEqual(got["stage2"]["clean_lines"], 0)

    def test_order_of_table_pages(self):
        """Counts do not depend on which pages the tables are in."""
        a, b = (tool.json_of("replay", tool.RULES, "--seed", seed) for seed in ("0", "7"))
        self.assertEqual(a, b)


if __name__ == "__main__":
    tool.main()
