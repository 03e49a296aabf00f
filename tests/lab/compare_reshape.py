# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Split and collapse: the counts of Linux by formula, and ours, for each granule."""
import unittest

import s2lab

M, G, T = 1 << 20, 1 << 30, 1 << 40

# --leaf: page shift, level
LEAVES = {"4k": (12, 3), "2m": (12, 2), "1g": (12, 1), "512g": (12, 0),
          "16k": (14, 3), "32m": (14, 2), "64g": (14, 1),
          "64k": (16, 3), "512m": (16, 2), "4t": (16, 1)}


def shift(page, level):
    return page + (page - 3) * (3 - level)


def start_level(page, ipa_bits):
    level = 3       # the fewest levels that 16 tables at the top allow
    while ipa_bits > shift(page, level - 1) + 4:
        level -= 1
    return level


def counts(got):
    tlbi = got["tlbi"]
    return (got["pte_writes"], tlbi["ipas2e1is"], tlbi["ripas2e1is"], tlbi["vmalle1is"],
            tlbi["vmalls12e1is"], got["dsb"], got["clean_lines"])


def once(features, leaves=1 << 18):
    """One invalidation of one aligned range: TLBIs and DSBs. Where there are no range
    TLBIs, a few leaves of a known size are invalidated one by one."""
    if "tlbirange" in features:
        return 0, 1, 1, 0, 3
    return (leaves, 0, 1, 0, 3) if leaves <= 8 else (0, 0, 0, 1, 2)


class Reshape(unittest.TestCase):
    def compare(self, *args):
        """The configuration, `merged`, `stage2`; both safe."""
        got = s2lab.compare(*args)
        names = [one["name"] for one in got["strategies"]]
        self.assertEqual(names, ["merged", "stage2"], args)
        for one in got["strategies"]:
            self.assertEqual(one["verdict"], "safe", (args, one["violations"]))
        return got["config"], *got["strategies"]

    def split(self, leaf, mem, features, ipa=G):
        page, level = LEAVES[leaf]
        entries = 1 << page - 3
        blocks = mem >> shift(page, level)
        config, merged, ours = self.compare("--op", "split", "--leaf", leaf, "--ipa",
                                            hex(ipa), "--mem", str(mem), "--features",
                                            features)
        self.assertEqual((config["op"], config["leaf"]), ("split",
                                                          1 << shift(page, level)))
        made = linked = 0   # entries of new tables; tables
        at_level = blocks
        cost = (0,) * 5
        for _ in range(level, 3):
            cost = tuple(map(sum, zip(cost, once(features, at_level))))
            linked += at_level
            at_level *= entries
            made += at_level
        above = sum((ipa + mem - 1 >> shift(page, at)) - (ipa >> shift(page, at)) + 1
                    for at in range(start_level(page, config["ipa_bits"]), level))
        # Linux reads what it makes, writes it twice, and walks through it afterwards.
        self.assertEqual(merged["pte_reads"], above + blocks + 2 * made)
        self.assertEqual(counts(merged), (2 * made + 2 * blocks, blocks, 0, blocks, 0,
                                          3 * blocks + 1, 0))
        # Each entry of a table once, and the entry of each block twice: break and link.
        rounds = 3 - level
        self.assertEqual(counts(ours), (made + 2 * linked, *cost, 0))
        # Four walks over the blocks, which look at the first entry of what they built.
        self.assertLessEqual(ours["pte_reads"], 5 * linked + 5 * (above + 4) * rounds + 16)
        for one in (merged, ours):
            self.assertEqual(one["leaves"], mem >> page)
            self.assertEqual((one["tables_taken"], one["tables_freed"]), (linked, 0))

    def collapse(self, leaf, to, mem, features, *args, ipa=0):
        page, level = LEAVES[to]
        self.assertEqual(LEAVES[leaf], (page, level + 1))
        entries, block = 1 << page - 3, 1 << shift(page, level)
        blocks = mem // block
        config, merged, ours = self.compare("--op", "collapse", "--leaf", leaf, "--to", to,
                                            "--ipa", hex(ipa), "--mem", str(mem),
                                            "--features", features, *args)
        self.assertEqual((config["op"], config["to"]), ("collapse", block))
        depth = level - start_level(page, config["ipa_bits"]) + 1
        clean = "fwb" not in features
        if "tlbirange" in features:
            ranges = max(1, (block >> page) >> 21)  # so many granules in each
            flush = (0, blocks * ranges, blocks * ranges, 0,
                     blocks * (3 * ranges + 1 + clean))
        else:
            flush = (0, 0, 0, blocks, blocks * (2 + 1 + clean))
        self.assertEqual(merged["pte_reads"], blocks * (depth + entries))
        self.assertEqual(counts(merged), (2 * blocks, *flush, clean * mem // 64))
        # There is one plan for all of it: up to 8 TLBIs by range, else the VMID.
        ranges = max(1, (mem >> page) >> 21)
        whole = "tlbirange" not in features or ranges > 8
        self.assertEqual(counts(ours), (2 * blocks, 0, *((0, 0, 1, 2) if whole else
                                                         (ranges, 1, 0, 3)), 0))
        self.assertLessEqual(ours["pte_reads"], blocks * (entries + 2) + 4 * (mem >> 30)
                             + 4 * entries)
        for one in (merged, ours):
            self.assertEqual(one["leaves"], blocks)
            self.assertEqual((one["tables_taken"], one["tables_freed"]), (0, blocks))

    @s2lab.plain_only
    def test_known(self):
        """1 GiB of 4 KiB pages and 2 MiB blocks, in figures."""
        _, merged, ours = self.compare("--op", "split")
        self.assertEqual((merged["dsb"], merged["pte_writes"]), (1537, 525312))
        self.assertEqual((ours["dsb"], ours["pte_writes"]), (3, 262144 + 2 * 512))
        _, merged, ours = self.compare("--op", "collapse")
        self.assertEqual((merged["dsb"], ours["dsb"]), (2048, 3))

    def test_split(self):
        for features in s2lab.FEATURE_SETS:
            for leaf, mem in (("2m", G), ("32m", G), ("512m", 2 * G)):
                self.split(leaf, mem, features)

    @s2lab.plain_only
    def test_split_of_two_levels(self):
        for features in ("fwb,tlbirange", "none"):
            self.split("1g", 2 * G, features)

    def test_split_with_lpa2(self):
        for leaf in ("2m", "32m"):
            self.split(leaf, G, "fwb,tlbirange,lpa2")

    def test_collapse(self):
        for features in s2lab.FEATURE_SETS:
            for leaf, to, mem in (("4k", "2m", G), ("16k", "32m", G), ("64k", "512m", G)):
                self.collapse(leaf, to, mem, features, ipa=G)

    def test_collapse_into_the_largest_blocks(self):
        for features in ("fwb,tlbirange", "tlbirange", "none"):
            self.collapse("2m", "1g", 4 * G, features)
            self.collapse("512m", "4t", 4 * T, features, "--pa-bits", "52")
            lpa2 = f"{features},lpa2".replace("none,", "")
            self.collapse("1g", "512g", T, lpa2)
            self.collapse("32m", "64g", 256 * G, lpa2)
            self.collapse("4k", "2m", G, lpa2)

    @s2lab.plain_only
    def test_collapse_of_two_levels(self):
        """Pages that are collapsed to one block: one invalidation for each level."""
        for features in s2lab.FEATURE_SETS:
            _, merged, ours = self.compare("--op", "collapse", "--to", "1g", "--features",
                                           features)
            self.assertEqual(ours["dsb"], 2 * once(features)[4])
            for one in (merged, ours):
                self.assertEqual((one["leaves"], one["tables_freed"]), (1, 513))

    def test_budget(self):
        # A collapse looks at all entries of a table, and writes them, in one step.
        for op, least in (("split", 512), ("collapse", 2 * 512)):
            for budget in (least, 4096):
                got = s2lab.one("stage2", "--op", op, "--mem", "64M", "--budget",
                                str(budget), "--features", "none")
                self.assertEqual(got["verdict"], "safe", got["violations"])
                self.assertLessEqual(got["longest_step"], budget)

    def test_odd_ranges(self):
        """A collapse leaves tables across an edge of the range; a split takes whole blocks."""
        ipa, mem = hex(G + 4096), str(8 * M - 8192)
        for features in s2lab.FEATURE_SETS:
            _, merged, ours = self.compare("--op", "collapse", "--ipa", ipa, "--mem", mem,
                                           "--around", "2M", "--features", features)
            for one in (merged, ours):
                self.assertEqual(one["leaves"], 2 + 2 * 512)
            _, merged, ours = self.compare("--op", "split", "--ipa", ipa, "--mem", mem,
                                           "--around", "16M", "--features", features)
            for one in (merged, ours):
                self.assertEqual(one["leaves"], 4 * 512 + 4)

    def test_calls(self):
        for op in ("split", "collapse"):
            _, merged, ours = self.compare("--op", op, "--mem", "16M", "--call-size", "2M")
            self.assertEqual((merged["calls"], ours["calls"]), (8, 8))
            self.assertEqual(ours["dsb"], 8 * 3)


class Refused(unittest.TestCase):
    CASES = (
        (("--op", "merge"), "known are unmap, split, collapse"),
        (("--op", "split", "--leaf", "4k"), "pages cannot be split"),
        (("--op", "split", "--empty"), "--empty goes with --op unmap"),
        (("--op", "split", "--strategy", "posted"), "posted has no split"),
        (("--op", "collapse", "--strategy", "entry,stage2"), "entry has no collapse"),
        (("--to", "2m"), "--to goes with --op collapse"),
        (("--op", "collapse", "--to", "32m"), "not a larger leaf of the same granule"),
        (("--op", "collapse", "--to", "4k"), "not a larger leaf of the same granule"),
        (("--op", "collapse", "--leaf", "1g"), "needs --features lpa2"),
        (("--op", "collapse", "--leaf", "512m", "--pa-bits", "48"), "needs --pa-bits 52"),
        (("--op", "collapse", "--leaf", "512g", "--features", "lpa2"),
         "no block is larger"),
    )

    def test_each(self):
        for args, says in self.CASES:
            done = s2lab.run("compare", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(says, done.stderr, args)

    def test_table(self):
        for op in ("split", "collapse"):
            done = s2lab.run("compare", "--op", op, "--mem", "4M")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
            self.assertRegex(done.stdout, r"(?m)^leaves +\d")


if __name__ == "__main__":
    s2lab.main()
