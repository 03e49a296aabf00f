# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
Every recording replays without a violation and without a difference to the flat
map. What was done is compared with what another program (data/traces/README.md)
counted in the same files.
"""
import unittest

import tool

# name: MiB mapped, VMs, VMs that mapped, failed calls, faults; calls by operation
RECORDED = {
    "selftest-page-table": (437.64, 9, 3, 2377, 92048, {
        "init": 9, "map": 54626 - 2377, "unmap": 16391, "wrprotect": 3,
        "relax-perms": 17412, "destroy": 9}),
    "selftest-dirty-log": (985.61, 16, 9, 0, 322598, {
        "init": 16, "map": 219611, "unmap": 54601, "wrprotect": 3072,
        "relax-perms": 98304, "destroy": 16}),
    "guest-boot": (840.83, 2, 1, 0, 141822, {
        "init": 2, "map": 118163, "unmap": 65669, "wrprotect": 4762,
        "relax-perms": 19393, "destroy": 2}),
    "guest-boot-4k": (1074.50, 2, 1, 0, 361824, {
        "init": 2, "map": 275073, "unmap": 231148, "wrprotect": 4774,
        "relax-perms": 23205, "mkyoung": 4398, "age": 132459, "flush": 16,
        "destroy": 2}),
    "guest-hugetlb-2m": (1061.41, 2, 1, 6, 45240, {
        "init": 2, "map": 19799, "unmap": 9, "wrprotect": 9039, "relax-perms": 17307,
        "flush": 16, "destroy": 2}),
    "guest-hugetlb-1g": (2059.46, 2, 1, 3, 36279, {
        "init": 2, "map": 2936, "unmap": 1, "wrprotect": 9012, "relax-perms": 31129,
        "split": 9012, "destroy": 2}),
}
# MiB mapped in the unmapped ranges, where no unmap took part of a block.
UNMAPPED = {"selftest-page-table": 278, "selftest-dirty-log": 858, "guest-boot-4k": 726,
            "guest-hugetlb-2m": 372, "guest-hugetlb-1g": 0}


class Traces(unittest.TestCase):
    def check(self, name):
        mib, vms, mapped, failed, faults, calls = RECORDED[name]
        got = tool.json_of("replay", tool.trace(name), "--no-advice")
        self.assertEqual((got["verdict"], got["violations"]), ("safe", []))
        self.assertGreaterEqual(got["comparisons"], vms)
        self.assertEqual((got["vms"], got["vms_that_mapped"], got["failed_calls"],
                          got["guest_faults"], got["other_events"],
                          got["vms_not_destroyed"]),
                         (vms, mapped, failed, faults, 0, 0))
        self.assertEqual(f"{got['mapped_bytes'] / 2**20:.2f}", f"{mib:.2f}")
        if name in UNMAPPED:
            self.assertEqual(round(got["unmapped_bytes"] / 2**20), UNMAPPED[name])
        for way in ("stage2", "merged"):
            by = got[way]["by_operation"]
            self.assertEqual({op: c["calls"] for op, c in by.items()}, calls, way)
            self.assertEqual(got[way]["tables_taken"], got[way]["tables_freed"], way)
        # The library promises that no unmap call needs more than one of each.
        by = got["stage2"]["by_operation"]
        self.assertLessEqual(by["unmap"]["dsb"], 4 * calls["unmap"])

    def test_cleans_without_fwb(self):
        """The recordings without FWB are replayed so, and cleaned."""
        got = tool.json_of("replay", tool.trace("guest-hugetlb-2m"), "--no-merged",
                           "--no-advice")
        self.assertEqual(got["features"], [])
        self.assertGreater(got["stage2"]["clean_lines"], 0)
        self.assertNotIn("merged", got)


if tool.SANITIZED:
    RECORDED = {name: RECORDED[name] for name in
                ("selftest-page-table", "guest-hugetlb-2m", "guest-hugetlb-1g")}

for each in RECORDED:
    setattr(Traces, "test_" + each.replace("-", "_"),
            lambda self, name=each: self.check(name))

if __name__ == "__main__":
    tool.main()
