# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every strategy on the four feature sets, odd ranges, the suspicions."""
import json
import unittest

import s2lab

SAFE = ("entry", "merged", "stage2")


def rules(got):
    return {violation["rule"] for violation in got["violations"]}


class Verdicts(unittest.TestCase):
    def verdicts(self, features, *args):
        got = s2lab.compare("--features", features, *args)["strategies"]
        return {one["name"]: one for one in got}

    def check(self, features, got):
        for name in SAFE:
            self.assertEqual(got[name]["verdict"], "safe", (name, features, got[name]))
        if "fwb" in features:
            self.assertEqual(rules(got["posted"]), set(), features)
            self.assertEqual(rules(got["review"]), set(), features)
        else:
            self.assertEqual(rules(got["posted"]), {"clean-missing"}, features)
            self.assertEqual(rules(got["review"]), {"clean-before-tlbi"}, features)
            for name in ("posted", "review"):
                self.assertEqual(got[name]["verdict"], "unsafe")

    @s2lab.plain_only
    def test_1_gib(self):
        for features in s2lab.FEATURE_SETS:
            got = self.verdicts(features)
            self.check(features, got)
            for name, one in got.items():
                self.assertEqual(one["tables_freed"], 513, name)

    def test_blocks(self):
        for features in s2lab.FEATURE_SETS:
            self.check(features, self.verdicts(features, "--leaf", "2m", "--mem", "3G"))

    def test_four_levels(self):
        for features in s2lab.FEATURE_SETS:
            self.check(features, self.verdicts(features, "--ipa-bits", "48",
                                               "--leaf", "2m"))

    def test_odd_ranges(self):
        """None of these is a whole 1 GiB block, so `posted` makes the ordinary walk."""
        for args in (("--ipa", "0x40001000", "--mem", "0x5ff000"),
                     ("--ipa", "0x401ff000", "--mem", "8K"),
                     ("--ipa", "0x401ff000", "--mem", "0x203000", "--around", "1G"),
                     ("--ipa", "0", "--mem", "4K"),
                     ("--ipa", "0x40201000", "--mem", "0x400000", "--leaf", "2m"),
                     ("--ipa", "0x7ffff000", "--mem", "8K", "--leaf", "1g"),
                     ("--ipa", "0xfffffff000", "--mem", "4K", "--ipa-bits", "40")):
            for features in s2lab.FEATURE_SETS:
                got = self.verdicts(features, *args)
                for name in (*SAFE, "posted"):
                    self.assertEqual(got[name]["verdict"], "safe",
                                     (name, features, args, got[name]["violations"]))
                self.assertLessEqual(got["stage2"]["dsb"], 4)
                self.assertLessEqual(sum(got["stage2"]["tlbi"].values()), 4)

    @s2lab.plain_only
    def test_odd_range_over_a_table(self):
        got = self.verdicts("none", "--ipa", "0x3fffe000", "--mem", "0x40005000",
                            "--around", "1G")
        self.check("none", got)

    def test_1_gib_leaves(self):
        for features in s2lab.FEATURE_SETS:
            got = self.verdicts(features, "--leaf", "1g", "--mem", "4G")
            for name in (*SAFE, "posted"):
                self.assertEqual(got[name]["verdict"], "safe", (name, features))

    def test_other_features(self):
        for features in ("fwb,tlbirange,ttl", "ttl", "fwb,ttl,bbm1,xnx",
                         "tlbirange,ttl,bbm2,ets2,hafdbs"):
            got = self.verdicts(features, "--mem", "4M")
            for name in SAFE:
                self.assertEqual(got[name]["verdict"], "safe", (name, features))

    def test_empty(self):
        for features in s2lab.FEATURE_SETS:
            for name, one in self.verdicts(features, "--empty", "--mem", "4G").items():
                self.assertEqual(one["verdict"], "safe", name)
                self.assertEqual(one["tables_freed"], 0, name)
                self.assertEqual(one["pte_writes"], 0, name)

    def test_seeds(self):
        """The order in which table pages are handed out changes no count."""
        first = self.verdicts("none", "--mem", "64M", "--seed", "0")
        for seed in ("1", "12345"):
            again = self.verdicts("none", "--mem", "64M", "--seed", seed)
            for name, one in first.items():
                for key in ("pte_reads", "tlbi", "dsb", "tables_freed", "verdict"):
                    self.assertEqual(one[key], again[name][key], (name, key))


class Posted(unittest.TestCase):
    def test_rules_on_the_command_line(self):
        args = ("--ipa-bits", "48", "--leaf", "2m", "--strategy", "posted")
        for count in ("linux", "bare"):
            for free in ("rcu", "rcu-open", "now"):
                got = s2lab.compare(*args, "--posted-count", count,
                                    "--posted-free", free)["strategies"][0]
                safe = count == "linux" and free == "rcu"
                self.assertEqual(got["verdict"] == "safe", safe, (count, free))

    def test_bare_count_of_two(self):
        """The get after the put is harmless if the put did not drop the last reference."""
        got = s2lab.one("posted", "--ipa-bits", "48", "--leaf", "2m", "--around", "2G",
                        "--posted-count", "bare")
        self.assertEqual(got["verdict"], "safe", got["violations"])

    def test_suspicions(self):
        for features in ("fwb,tlbirange", "none"):
            done = s2lab.run("compare", "--suspicions", "--json", "--features", features)
            self.assertEqual(done.returncode, 0, done.stderr)
            got = {one["name"]: one["cases"]
                   for one in json.loads(done.stdout)["suspicions"]}
            real = {"get-after-put": lambda case: case["count"] == "bare",
                    "walk-into-freed": lambda case: case["free"] != "rcu",
                    "missing-clean": lambda case: not case["fwb"]}
            self.assertEqual(got.keys(), real.keys())
            for name, cases in got.items():
                self.assertEqual(len(cases), 12)
                for case in cases:
                    self.assertEqual(case["real"], real[name](case), (name, case))
                    self.assertTrue(case["steps"])
                    self.assertTrue(case["detail"] if case["real"] else case["why_not"])

    def test_suspicions_in_words(self):
        done = s2lab.run("compare", "--suspicions")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("Cannot happen"), 3)
        self.assertEqual(done.stdout.count("Real"), 3)


if __name__ == "__main__":
    s2lab.main()
