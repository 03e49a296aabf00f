# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""s2lab compare --cpu: the sum is that of the counts and the prices, and is complete."""
import json
import os
import tempfile
import unittest

import s2lab

PROFILES = ("graviton3", "kvm-2023", "fpga-2020")
PARTS = ("visit", "by_ipa", "by_range", "further", "whole", "line")


def occurrences(one):
    """Computed again from the counters, as docs/performance.md says."""
    tlbi = one["tlbi"]
    ranges = min(tlbi["ripas2e1is"], tlbi["vmalle1is"])
    both = tlbi["ipas2e1is"] + tlbi["ripas2e1is"]
    return {"visit": one["pte_reads"], "by_ipa": tlbi["vmalle1is"] - ranges,
            "by_range": ranges, "further": max(0, both - tlbi["vmalle1is"]),
            "whole": tlbi["vmalls12e1is"], "line": one["clean_lines"]}


class Cpu(unittest.TestCase):
    def check(self, got):
        for one in got["strategies"]:
            times = occurrences(one)
            total, complete = 0, True
            for part in PARTS:
                self.assertEqual(one["estimate"][part], times[part], (one["name"], part))
                value = got["cpu"][part]["value"]
                if value is not None:
                    total += value * times[part]
                elif times[part]:
                    complete = False
            self.assertAlmostEqual(one["estimate"]["total"], total, places=3)
            self.assertEqual(one["estimate"]["complete"], complete)

    def test_sum(self):
        for profile in PROFILES:
            for features in s2lab.FEATURE_SETS:
                self.check(s2lab.compare("--cpu", profile, "--mem", "16M", "--features",
                                         features))

    def test_several_ranges(self):
        self.check(s2lab.compare("--cpu", "kvm-2023", "--ipa", "8M", "--mem", "24G",
                                 "--leaf", "2m", "--strategy", "merged,stage2"))

    def test_every_price_is_accounted_for(self):
        for profile in PROFILES:
            got = s2lab.compare("--cpu", profile, "--mem", "2M", "--strategy", "stage2")
            for part in PARTS:
                price = got["cpu"][part]
                self.assertTrue(price["assumes"], (profile, part))
                if price["value"] is not None:
                    self.assertTrue(price["source"], (profile, part))

    def test_text_shows_sources_and_what_is_missing(self):
        done = s2lab.run("compare", "--cpu", "graviton3", "--mem", "2M", "--features",
                         "none")
        self.assertEqual(done.returncode, 0)
        self.assertIn("20240404212742.11248-1", done.stdout)
        self.assertIn("Not measured by us", done.stdout)
        self.assertIn(">= ", done.stdout)

    def from_file(self, text):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "cpu.json")
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)
            return s2lab.run("compare", "--json", "--mem", "2M", "--cpu", name)

    def test_file(self):
        prices = {part: {"value": n + 1, "source": "s", "assumes": "a"}
                  for n, part in enumerate(PARTS[:-1])}
        done = self.from_file(json.dumps({"says": "mine", "unit": "ns", **prices}))
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        self.assertIsNone(got["cpu"]["line"]["value"])
        self.assertEqual(got["cpu"]["unit"], "ns")
        self.check(got)

    def test_refused(self):
        for text, message in (
                ('{\n "unit" 1}', ":2:"),
                ("[]", "not a JSON object"),
                ("{}", "unit"),
                ('{"unit": "ns", "visit": {"value": -1}}', "visit"),
                ('{"unit": "ns", "visit": {}}', "visit")):
            done = self.from_file(text)
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(message, done.stderr, text)
        done = s2lab.run("compare", "--cpu", "nosuch")
        self.assertEqual(done.returncode, 2)
        self.assertIn("graviton3", done.stderr)


s2lab.main()
