# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Plans of many ranges: the operands are taken apart here once more, must cover, and
nothing cheaper may have been passed over. PLAN_SEED changes the random ones.
"""
import os
import random
import re
import unittest

import tool

K, M, G, T = 1 << 10, 1 << 20, 1 << 30, 1 << 40
LEAVES = {4 * K: {3: "4k", 2: "2m", 1: "1g", 0: "512g"},
          16 * K: {3: "16k", 2: "32m", 1: "64g"},
          64 * K: {3: "64k", 2: "512m", 1: "4t"}}
TG = {4 * K: 1, 16 * K: 2, 64 * K: 3}
SEED = int(os.environ.get("PLAN_SEED", "1"))
WHOLE = {"tlbi": "vmalls12e1is"}


def level_shift(granule, level):
    page = granule.bit_length() - 1
    return page + (page - 3) * (3 - level)


def reach(step, granule, leaf, lpa2):
    """[start, end) that an instruction is sure to reach."""
    operand = int(step["operand"], 16)
    if step["tlbi"] == "ipas2e1is":
        start = (operand & (1 << 40) - 1) << 12
        return start, start + leaf
    assert operand >> 46 == TG[granule], "TG is the granule, the bits above are 0"
    scale, num = operand >> 44 & 3, operand >> 39 & 31
    start = (operand & (1 << 37) - 1) * (64 * K if lpa2 else granule)
    return start, start + ((num + 1) << 5 * scale + 1) * granule


class Plan(unittest.TestCase):
    def plan(self, ipa, size, *args):
        return tool.json_of("plan", "--ipa", hex(ipa), "--size", str(size), *args)

    def check(self, ipa, size, leaf_level=3, level=0, features="fwb,tlbirange",
              granule=4 * K):
        """@leaf_level: of the smallest leaf; @level: of every leaf, 0 where not known."""
        leaf, lpa2 = 1 << level_shift(granule, leaf_level), "lpa2" in features
        got = self.plan(ipa, size, "--leaf", LEAVES[granule][leaf_level],
                        "--level", str(level), "--features", features)
        what = (hex(ipa), hex(size), granule, leaf, level, features, f"seed {SEED}")
        self.assertEqual((got["granule"], got["leaf"]), (granule, leaf))
        self.assertTrue(got["covers"], what)
        steps = got["instructions"]
        self.assertLessEqual(len(steps), 8, what)
        if steps != [WHOLE]:
            self.assertEqual((got["dsb"], got["vmalle1is"]), (3, True))
            at, beyond = ipa, 0
            for step in steps:
                start, end = reach(step, granule, leaf, lpa2)
                self.assertEqual((hex(start), hex(end)), (step["start"], step["end"]))
                self.assertLessEqual(start, at, what)
                beyond += max(ipa - start, 0)
                at = max(at, end)
                at_bit = 37 if step["tlbi"] == "ripas2e1is" else 44
                ttl = int(step["operand"], 16) >> at_bit & 3
                self.assertIn(ttl, (0, level), what)
                if step["tlbi"] == "ripas2e1is":
                    self.assertIn("tlbirange", features)
                    if ttl in (1, 2):
                        self.assertEqual(start % (1 << level_shift(granule, ttl)), 0,
                                         what)
                elif "ttl" not in features.split(",") or not level:
                    self.assertEqual(int(step["operand"], 16) >> 40, 0, what)
                else:
                    self.assertEqual(int(step["operand"], 16) >> 46, TG[granule], what)
            self.assertGreaterEqual(at, ipa + size, what)
            beyond += at - (ipa + size)
            self.assertEqual(got["beyond"], beyond, what)
        else:
            self.assertEqual((got["dsb"], got["vmalle1is"], got["beyond"]),
                             (2, False, None))
        taken = [c for c in got["choices"] if c["taken"]]
        self.assertEqual(len(taken), 1, what)
        least = min(c["cost"] for c in got["choices"]
                    if c["possible"] and c["tlbis"] <= 8)
        self.assertEqual(taken[0]["cost"], least, what)
        self.assertEqual(taken[0]["tlbis"], len(steps), what)
        return steps

    def test_one_page(self):
        for features in ("none", "tlbirange", "fwb,tlbirange,ttl"):
            steps = self.check(0x40000000, 4 * K, features=features)
            self.assertEqual([s["operand"] for s in steps], ["0x40000"])

    def test_one_gib_is_one_instruction(self):
        self.assertEqual(self.check(G, G)[0]["operand"], "0x718000040000")

    def test_most_of_one_instruction(self):
        """2^21 pages are one instruction; one page more is another."""
        steps = self.check(0, (1 << 21) * 4 * K)
        self.assertEqual([(s["scale"], s["num"]) for s in steps], [(3, 31)])
        self.assertEqual(len(self.check(0, ((1 << 21) + 1) * 4 * K)), 2)
        self.assertEqual(len(self.check(4 * K, ((1 << 21) + 2) * 4 * K)), 2)

    def test_large(self):
        self.assertEqual(len(self.check(0, 64 * G)), 8)
        self.check(4 * K, 64 * G)
        self.check(4 * K, 64 * G + 4 * K)
        self.assertEqual(self.check(0, 256 * T), [WHOLE])
        self.assertEqual(self.check(0, 256 * T, features="none"), [WHOLE])
        self.check((1 << 48) - 4 * K, 4 * K)

    def test_without_ranges(self):
        self.assertEqual(len(self.check(0, 8 * 4 * K, features="none")), 8)
        self.assertEqual(self.check(0, 9 * 4 * K, features="none"), [WHOLE])
        self.assertEqual(len(self.check(0, 8 * 2 * M, 2, 2, "ttl")), 8)

    def test_odd(self):
        for pages in list(range(1, 70)) + [511, 512, 513, 2047, 2049, 65535, 65537]:
            self.check(0x40001000, pages * 4 * K)

    def test_random(self):
        rnd = random.Random(SEED)
        for _ in range(100 if tool.SANITIZED else 500):
            granule = rnd.choice(tuple(LEAVES))
            lpa2 = granule < 64 * K and rnd.choice((False, True))
            bits = 52 if lpa2 or granule == 64 * K else 48
            leaf_level = rnd.choice([level for level, name in LEAVES[granule].items()
                                     if bits == 52 or name not in ("512g", "64g")])
            shift = level_shift(granule, leaf_level)
            size = rnd.randrange(1, 1 << rnd.randrange(1, bits - shift)) << shift
            ipa = rnd.randrange(0, ((1 << bits) - size >> shift) + 1) << shift
            features = rnd.choice(("fwb", "ttl", "tlbirange", "tlbirange,ttl"))
            self.check(ipa, size, leaf_level, rnd.choice((0, leaf_level)),
                       features + ",lpa2" * lpa2, granule)

    def test_granules(self):
        """2^21 granules are one instruction, 2^21 pages of 64 KiB 128 GiB."""
        for granule in LEAVES:
            steps = self.check(0, granule << 21, granule=granule)
            self.assertEqual([(s["scale"], s["num"]) for s in steps], [(3, 31)])
            self.assertEqual(len(self.check(0, granule * ((1 << 21) + 1),
                                            granule=granule)), 2)

    def test_base_of_64_kib(self):
        """With LPA2 a range begins at 64 KiB: what is before it goes too, or alone."""
        for granule in (4 * K, 16 * K):
            for start in range(0, 64 * K, granule * (3 if tool.SANITIZED else 1)):
                for pages in (1, 2, 3, 8, 16, 100):
                    steps = self.check(G + start, pages * granule, granule=granule,
                                       features="tlbirange,ttl,lpa2", level=3)
                    ranges = [s for s in steps if s["tlbi"] == "ripas2e1is"]
                    for step in ranges:
                        self.assertEqual(int(step["start"], 16) % (64 * K), 0)
                    self.assertEqual(len(ranges), int(pages > 1), (start, pages))

    def test_empty(self):
        got = self.plan(G, 0)
        self.assertEqual((got["instructions"], got["dsb"], got["covers"], got["beyond"]),
                         ([], 0, True, 0))

    def test_text(self):
        done = tool.run("plan", "--ipa", "4K", "--size", "12K")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^covers: yes$")
        self.assertRegex(done.stdout, r"tlbi ripas2e1is 0x0000408000000001  "
                                      r"\[0x1000, 0x5000\) BaseADDR 0x1 SCALE 0 NUM 1")
        order = re.findall(r"(?m)^  (dsb ishst|tlbi \w+|dsb ish|isb)", done.stdout)
        done = tool.run("plan", "--ipa", "0x4000", "--size", "1M", "--granule", "16k",
                        "--features", "tlbirange,lpa2")
        self.assertRegex(done.stdout, r"0x0000908000000000  \[0x0, 0x200000\) "
                                      r"BaseADDR 0x0 SCALE 1 NUM 1 TG 16 KiB")
        self.assertEqual(order, ["dsb ishst", "tlbi ripas2e1is", "dsb ish",
                                 "tlbi vmalle1is", "dsb ish", "isb"])

    def test_refused(self):
        for args, says in (((), "--ipa and --size"), (("--ipa", "0"), "--ipa and --size"),
                           (("--ipa", "1", "--size", "4K"), "multiple of 4K"),
                           (("--ipa", "4K", "--size", "2M", "--leaf", "2m"), "multiples"),
                           (("--ipa", "0", "--size", "2M", "--level", "2", "--leaf",
                             "4k"), "--leaf is not"),
                           (("--ipa", "0", "--size", "4K", "--level", "4"), "0 to 3"),
                           (("--ipa", "0", "--size", "512T"), "beyond 48 bits"),
                           (("--ipa", "256T", "--size", "4K"), "beyond 48 bits"),
                           (("--ipa", "0", "--size", "8P"), "number of bytes"),
                           (("--ipa", "0", "--size", "8192T", "--features", "lpa2"),
                            "beyond 52 bits"),
                           (("--ipa", "0", "--size", "8192T", "--granule", "64k"),
                            "beyond 52 bits"),
                           (("--ipa", "0", "--size", "4K", "--granule", "8k"), "8k"),
                           (("--ipa", "0", "--size", "4K", "--granule", "16k"),
                            "multiples of the leaf"),
                           (("--ipa", "0", "--size", "4K", "--leaf", "8k"), "no leaf"),
                           (("--ipa", "0", "--size", "2M", "--leaf", "2m", "--granule",
                             "64k"), "not a leaf of the granule"),
                           (("--ipa", "0", "--size", "64K", "--granule", "64k",
                             "--features", "lpa2"), "4 and 16 KiB"),
                           (("--ipa", "0", "--size", "64G", "--leaf", "64g"), "lpa2"),
                           (("--ipa", "0", "--size", "64G", "--granule", "16k",
                             "--level", "1"), "lpa2"),
                           (("--ipa", "0", "--size", "4K", "x"), "not an option")):
            done = tool.run("plan", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(says, done.stderr, args)


if __name__ == "__main__":
    tool.main()
