# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Granules of 16 and 64 KiB, 52-bit addresses: verdicts, bounds, and the counts of
Linux, worked out here from what it does: a visit for each leaf and each table, an
invalidation for each, or for each table and each 2^21 granules of the range."""
import unittest

import s2lab

K, M, G, T = 1 << 10, 1 << 20, 1 << 30, 1 << 40
SAFE = ("entry", "merged", "stage2")
LPA2_SETS = [",".join((features, "lpa2")).replace("none,", "")
             for features in s2lab.FEATURE_SETS]

# --leaf: page shift, level
LEAVES = {"4k": (12, 3), "2m": (12, 2), "1g": (12, 1), "512g": (12, 0),
          "16k": (14, 3), "32m": (14, 2), "64g": (14, 1),
          "64k": (16, 3), "512m": (16, 2), "4t": (16, 1)}


def shift(page, level):
    return page + (page - 3) * (3 - level)


class Linux:
    """What 6.12 does for a range of leaves of one size, with nothing else mapped."""

    def __init__(self, leaf, ipa, mem, ipa_bits, features):
        self.page, level = LEAVES[leaf]
        self.features = features.split(",")
        start = 3       # the fewest levels that 16 tables at the top allow
        while ipa_bits > shift(self.page, start - 1) + 4:
            start -= 1
        entries = [(ipa + mem - 1 >> shift(self.page, at)) -
                   (ipa >> shift(self.page, at)) + 1 for at in range(start, level + 1)]
        self.ipa, self.mem = ipa, mem
        self.leaves, self.tables = entries[-1], sum(entries[:-1])
        self.visits = self.leaves + self.tables

    def flush_range(self):
        """(IPAS2E1IS, RIPAS2E1IS, invalidations) of the whole range."""
        ipas = ripas = calls = 0
        ipa, left = self.ipa, self.mem >> self.page
        while left:
            pages = min(left, 1 << 21)
            calls, left = calls + 1, left - pages
            at, ipa = ipa, ipa + (pages << self.page)
            while "lpa2" in self.features and pages and at % (64 * K):
                at, pages, ipas = at + (1 << self.page), pages - 1, ipas + 1
            ipas += pages & 1
            for scale in (3, 2, 1, 0):
                n = pages >> 5 * scale + 1
                ripas += n > 0
                pages -= n << 5 * scale + 1
        return ipas, ripas, calls

    def merged(self):
        """(IPAS2E1IS, RIPAS2E1IS, VMALLE1IS, DSB, lines cleaned)"""
        if not {"fwb", "tlbirange"} <= set(self.features):
            return self.entry()
        ipas, ripas, calls = self.flush_range()
        calls += self.tables
        return self.tables + ipas, ripas, calls, 3 * calls, 0

    def entry(self):
        clean = "fwb" not in self.features
        return (self.visits, 0, self.visits, 3 * self.visits + clean * self.leaves,
                clean * self.mem // 64)


def counts(got):
    tlbi = got["tlbi"]
    return (tlbi["ipas2e1is"], tlbi["ripas2e1is"], tlbi["vmalle1is"], got["dsb"],
            got["clean_lines"])


def rules(got):
    return {violation["rule"] for violation in got["violations"]}


class Geometry(unittest.TestCase):
    def check(self, leaf, ipa, mem, features, *args, detach=False):
        """@detach: `posted` finds whole tables to detach."""
        what = (leaf, hex(ipa), hex(mem), features, args)
        config, strategies = s2lab.compare("--leaf", leaf, "--ipa", hex(ipa), "--mem",
                                           str(mem), "--features", features,
                                           *args).values()
        got = {one["name"]: one for one in strategies}
        page = LEAVES[leaf][0]
        self.assertEqual((config["granule"], config["leaf"]),
                         (1 << page, 1 << shift(*LEAVES[leaf])))
        for name in SAFE:
            self.assertEqual(got[name]["verdict"], "safe", (what, got[name]))
        clean = "fwb" not in features
        self.assertEqual(rules(got["review"]), {"clean-before-tlbi"} if clean else set())
        self.assertEqual(rules(got["posted"]),
                         {"clean-missing"} if clean and detach else set())
        linux = Linux(leaf, ipa, mem, config["ipa_bits"], features)
        for name in ("entry", "merged"):
            self.assertEqual(got[name]["pte_reads"], linux.visits, (what, name))
            self.assertEqual(counts(got[name]), getattr(linux, name)(), (what, name))
        for name, one in got.items():
            self.assertEqual(one["tables_freed"], linux.tables, (what, name))
            self.assertEqual(one["tables_left"], config["root_tables"], (what, name))
        ours = got["stage2"]
        self.assertLessEqual(ours["dsb"], 4 if clean else 3, what)
        self.assertLessEqual(sum(ours["tlbi"].values()), 9, what)
        self.assertEqual(ours["clean_lines"], clean * mem // 64, what)
        return config, got

    def test_formula(self):
        """The known figures, which check the formula."""
        linux = Linux("4k", G, G, 40, "fwb,tlbirange")
        self.assertEqual((linux.visits, linux.merged()),
                         (262657, (513, 1, 514, 1542, 0)))
        linux = Linux("2m", G, T, 41, "fwb,tlbirange")
        self.assertEqual((linux.visits, linux.merged()),
                         (525312, (1024, 128, 1152, 3456, 0)))

    @s2lab.plain_only
    def test_pages(self):
        for leaf in ("16k", "64k"):
            for features in s2lab.FEATURE_SETS:
                _, got = self.check(leaf, G, G, features, detach=True)
                if "fwb" in features:   # no table of leaves is read
                    self.assertLessEqual(got["stage2"]["pte_reads"], 64)

    @s2lab.plain_only
    def test_pages_lpa2(self):
        """The layout of descriptors changes no count."""
        for leaf in ("16k", "4k"):
            for features in LPA2_SETS:
                _, got = self.check(leaf, G, G, features, detach=True)
                narrow = features.replace(",lpa2", "").replace("lpa2", "none")
                for one in s2lab.compare("--leaf", leaf, "--features", narrow)["strategies"]:
                    self.assertEqual((counts(one), one["pte_reads"], one["pte_writes"]),
                                     (counts(got[one["name"]]), got[one["name"]]["pte_reads"],
                                      got[one["name"]]["pte_writes"]))

    def test_blocks(self):
        for leaf, mem in (("32m", 4 * G), ("512m", 64 * G)):
            for features in s2lab.FEATURE_SETS:
                self.check(leaf, G, mem, features)

    def test_blocks_of_wide_addresses(self):
        for leaf, mem in (("512g", 2 * T), ("64g", 512 * G), ("1g", 600 * G)):
            for features in LPA2_SETS:
                self.check(leaf, 0, mem, features)
        for features in s2lab.FEATURE_SETS:
            self.check("4t", 0, 12 * T, features)

    def test_top_of_52_bits(self):
        top = 1 << 52
        for leaf in ("4k", "16k"):
            for features in LPA2_SETS:
                self.check(leaf, top - 64 * M, 64 * M, features, "--ipa-bits", "52",
                           "--strategy", "all", detach=leaf == "16k")
        for features in s2lab.FEATURE_SETS:
            config, _ = self.check("64k", top - 64 * M, 64 * M, features)
            self.assertEqual((config["ipa_bits"], config["pa_bits"]), (52, 52))

    def test_start_levels(self):
        """Where concatenation begins and ends, for each granule."""
        for leaf, sizes in (("16k", (32, 36, 37, 40, 41, 47, 48)),
                            ("64k", (32, 33, 34, 42, 43, 46, 47, 48))):
            page, level = LEAVES[leaf][0], 3
            for bits in sizes:
                config, _ = self.check(leaf, G, 64 * M, "fwb,tlbirange", "--ipa-bits",
                                       str(bits), detach=leaf == "16k")
                while bits > shift(page, level - 1) + 4:
                    level -= 1
                tables = max(1, 1 << bits - shift(page, level - 1)
                             if bits > shift(page, level - 1) else 1)
                self.assertEqual(config["root_tables"], tables, (leaf, bits))
        for leaf, sizes in (("16k", (48, 51, 52)), ("4k", (44, 48, 49, 52))):
            for bits in sizes:
                self.check(leaf, G, 64 * M, "fwb,tlbirange,lpa2", "--ipa-bits", str(bits),
                           detach=leaf == "16k")

    def test_start_between_multiples_of_64_kib(self):
        """With LPA2 Linux invalidates page by page up to where a range can begin."""
        for leaf, start in (("4k", 0x1000), ("4k", 0xf000), ("16k", 0x4000),
                            ("16k", 0xc000)):
            for mem in (M, M + (1 << LEAVES[leaf][0])):
                config, got = self.check(leaf, G + start, mem, "fwb,tlbirange,lpa2")
                pages = (-start % (64 * K)) >> LEAVES[leaf][0]
                tlbi = got["merged"]["tlbi"]["ipas2e1is"]
                self.assertGreaterEqual(tlbi, pages + 1, config)

    def test_odd_ranges(self):
        """Part of what is mapped, from the middle of tables and blocks."""
        for leaf, ipa, mem, around in (("16k", G + 16 * K, 8 * M, "1G"),
                                       ("16k", G + 48 * K, G, "2G"),
                                       ("32m", G + 16 * K, 64 * M, "1G"),
                                       ("64k", G + 64 * K, 8 * M, "1G"),
                                       ("64k", G - 64 * K, 128 * K, "1G"),
                                       ("512m", G + 64 * K, G, "4G")):
            for features in s2lab.FEATURE_SETS:
                got = s2lab.compare("--leaf", leaf, "--ipa", hex(ipa), "--mem", str(mem),
                                    "--around", around, "--features", features)
                got = {one["name"]: one for one in got["strategies"]}
                for name in SAFE:
                    self.assertEqual(got[name]["verdict"], "safe",
                                     (leaf, name, features, got[name]["violations"]))
                self.assertLessEqual(got["stage2"]["dsb"], 4)
                self.assertLessEqual(sum(got["stage2"]["tlbi"].values()), 9)

    def test_other_features(self):
        for features in ("fwb,tlbirange,ttl", "ttl", "tlbirange,ttl,bbm2,ets2,hafdbs",
                         "fwb,ttl,xnx"):
            for leaf, lpa2 in (("16k", ""), ("64k", ""), ("32m", ""), ("512m", ""),
                               ("16k", ",lpa2"), ("4k", ",lpa2"), ("64g", ",lpa2"),
                               ("512g", ",lpa2")):
                mem = max(16 * M, 2 << shift(*LEAVES[leaf]))
                self.check(leaf, 0, mem, features + lpa2)

    def test_page_by_page(self):
        for leaf, features in (("16k", "fwb,tlbirange"), ("64k", "none"),
                               ("16k", "tlbirange,lpa2")):
            config, strategies = s2lab.compare("--by-page", "--mem", "64M", "--leaf", leaf,
                                               "--features", features).values()
            for got in strategies:
                self.assertEqual(got["calls"], 64 * M // config["granule"])
                self.assertEqual(got["tables_left"], config["root_tables"], got["name"])

    def test_narrow_addresses_with_lpa2(self):
        """DS decides the layout, whatever the sizes."""
        config, _ = self.check("4k", G, 64 * M, "fwb,tlbirange,lpa2", "--pa-bits", "44")
        self.assertEqual((config["ipa_bits"], config["pa_bits"]), (40, 44))
        self.check("16k", G, 64 * M, "none,lpa2".replace("none,", ""), "--pa-bits", "40",
                   detach=True)

    def test_empty(self):
        for leaf in ("16k", "64k"):
            for features in s2lab.FEATURE_SETS:
                got = s2lab.compare("--mem", "1T", "--empty", "--leaf", leaf, "--features",
                                    features)["strategies"]
                for one in got:
                    self.assertEqual(one["verdict"], "safe", one["name"])
                    self.assertEqual(one["pte_writes"], 0, one["name"])
                self.assertEqual((sum(got[-1]["tlbi"].values()), got[-1]["dsb"]), (0, 0))


if __name__ == "__main__":
    s2lab.main()
