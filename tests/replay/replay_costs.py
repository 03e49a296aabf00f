# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What each call costs: percentiles, histograms, groups, the timeline, the dearest calls and
the maps of --json, computed again from the lines that --calls writes."""
import bisect
import csv
import itertools
import lzma
import math
import os
import tempfile
import unittest

import tool

WAYS = ("stage2", "merged")
MEASURES = ("visits", "tlbis", "dsbs", "lines")
GIB, MIB, PAGE = 1 << 30, 1 << 20, 4096


def event(text, task="a-1 [000]", time=1.0):
    return f" {task} {time:.6f}: {text}\n"


def map_of(addr, size=PAGE, **more):
    return event(f"s2_map: (f) pgt=0x1 addr={addr:#x} size={size:#x} "
                 f"phys={GIB * 64 + addr:#x} prot=0x7", **more)


def op(name, addr, size=PAGE, more="", **head):
    return event(f"s2_{name}: (f) pgt=0x1 addr={addr:#x} size={size:#x} {more}", **head)


INIT = event("s2_init: (f) pgt=0x1")
END = event("s2_destroy: (f) pgt=0x1 ia_bits=40", time=99)


def replay(*lines, args=()):
    return tool.json_of("replay", "-", *args, stdin="".join(lines).encode())


def percentile(values, percent):
    """Nearest rank."""
    values = sorted(values)
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)]


class Sums(unittest.TestCase):
    """One recording with everything in it, and two ways to add it up."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "calls.csv")
            with lzma.open(tool.trace("guest-hugetlb-1g")) as f:
                part = b"".join(itertools.islice(f, 30000))
            cls.got = tool.json_of("replay", "-", "--calls", path, "--cpu", "graviton3",
                                   "--worst", "7", stdin=part)
            with open(path, encoding="utf-8", newline="") as f:
                cls.calls = list(csv.DictReader(f))
        for call in cls.calls:
            for way in ("", "merged_"):
                for name in MEASURES:
                    call[way + name] = int(call[way + name])
                call[way + "estimate"] = float(call[way + "estimate"])
        cls.measures = MEASURES + ("estimate",)

    @staticmethod
    def column(way, name):
        return ("merged_" if way == "merged" else "") + name

    def values(self, way, name, calls=None):
        column = self.column(way, name)
        return [c[column] for c in (self.calls if calls is None else calls)]

    def test_format(self):
        self.assertEqual(self.got["format"], 1)
        self.assertEqual(self.got["measure"], "estimate")

    def test_totals(self):
        for way in WAYS:
            total = self.got[way]
            self.assertEqual(total["calls"], len(self.calls))
            for name, want in (("visits", total["pte_reads"]), ("dsbs", total["dsb"]),
                               ("tlbis", sum(total["tlbi"].values())),
                               ("lines", total["clean_lines"])):
                self.assertEqual(sum(self.values(way, name)), want, (way, name))
            self.assertAlmostEqual(sum(self.values(way, "estimate")),
                                   total["estimate"]["total"], delta=len(self.calls) / 1000)
            self.assertTrue(total["estimate"]["complete"])

    def test_percentiles(self):
        ops = {c["operation"] for c in self.calls}
        for way in WAYS:
            said = self.got["percentiles"][way]
            self.assertEqual(set(said), ops | {"all"})
            for of in said:
                calls = [c for c in self.calls if of in ("all", c["operation"])]
                for name in self.measures:
                    values = self.values(way, name, calls)
                    for key, percent in (("p50", 50), ("p99", 99), ("max", 100)):
                        self.assertAlmostEqual(said[of][name][key],
                                               percentile(values, percent), 6,
                                               (way, of, name, key))

    def test_histograms(self):
        for name in self.measures:
            said = self.got["histogram"][name]
            bounds = said["from"] + [math.inf]
            for way in WAYS:
                for of, counts in said[way].items():
                    values = self.values(way, name, [c for c in self.calls if
                                                     of in ("all", c["operation"])])
                    values.sort()
                    at = [bisect.bisect_left(values, bound) for bound in bounds]
                    want = [high - low for low, high in zip(at, at[1:])]
                    self.assertEqual(counts, want, (name, way, of))

    def check_group(self, said, calls):
        self.assertEqual(said["calls"], len(calls))
        for way in WAYS:
            for name in self.measures:
                want = sum(self.values(way, name, calls))
                self.assertAlmostEqual(said[way][name], want, 3, (way, name))
            if calls:
                values = self.values(way, "estimate", calls)
                for key, percent in (("p50", 50), ("p99", 99), ("max", 100)):
                    self.assertAlmostEqual(said[way][key], percentile(values, percent), 6)

    def test_groups(self):
        for said in self.got["by_vm"]:
            self.check_group(said, [c for c in self.calls if int(c["vm"]) == said["vm"]])
        for said in self.got["by_task"]:
            self.check_group(said, [c for c in self.calls if c["task"] == said["task"]])
        self.assertEqual({s["task"] for s in self.got["by_task"]},
                         {c["task"] for c in self.calls if c["task"]})
        lines = [p["line"] for p in self.got["by_phase"]] + [math.inf]
        self.assertEqual(len(lines), 12)
        for said, low, high in zip(self.got["by_phase"], lines, lines[1:]):
            self.check_group(said, [c for c in self.calls if low <= int(c["line"]) < high])
        for list_ in (self.got["by_vm"], self.got["by_task"]):
            costs = [s["merged"]["estimate"] for s in list_]
            self.assertEqual(costs, sorted(costs, reverse=True))

    def test_timeline(self):
        line = self.got["timeline"]
        width, bins = line["bin"], line["bins"]
        self.assertLess(width * (bins - 1), self.got["time"]["duration"] + 1e-9)
        self.assertGreaterEqual(width * bins, self.got["time"]["duration"])
        self.assertEqual(sum(line["faults"]), self.got["guest_faults"])
        where = [int(float(c["t"]) / width + 1e-9) for c in self.calls]
        for way in WAYS:
            for name in self.measures:
                want = [0] * bins
                for at, value in zip(where, self.values(way, name)):
                    want[at] += value
                for one, two in zip(line[way][name], want):
                    self.assertAlmostEqual(one, two, 3, (way, name))
        for of, counts in line["calls"].items():
            self.assertEqual(sum(counts), self.got["stage2"]["by_operation"][of]["calls"])
        self.assertEqual(max(line["tables"]) <= self.got["most_tables"], True)
        self.assertEqual(line["mapped_bytes"][-1], 0)
        self.assertGreaterEqual(max(line["mapped_bytes"]), 1 << 30)

    def test_worst(self):
        for way in WAYS:
            key = self.column(way, "estimate")
            want = sorted(self.calls, key=lambda c: (-c[key], int(c["line"])))[:7]
            said = self.got["worst"][way]
            self.assertEqual([s["line"] for s in said], [int(c["line"]) for c in want])
            for one, two in zip(said, want):
                # The VM is destroyed at the end, by no task of the recording.
                self.assertEqual((one["operation"], one["vm"], one.get("task", ""),
                                  str(one.get("pid", "")), one["ipa"], one["size"]),
                                 (two["operation"], int(two["vm"]), two["task"],
                                  two["pid"], int(two["ipa"], 0), int(two["size"])))
                phase = self.got["by_phase"][one["phase"]]
                self.assertLess(phase["line"], one["line"])
                self.assertAlmostEqual(one[way]["estimate"], two[key], 3)

    def test_maps(self):
        """One for each mark with something mapped, one for the destroy."""
        maps = self.got["maps"]
        phases = {p["line"] for p in self.got["by_phase"]}
        for one in maps:
            self.assertEqual(one["line"] in phases, one["why"] == "phase")
            bytes_ = [sum(cell[1 + level] for cell in one["cells"]) for level in range(4)]
            at = int(one["t"] / self.got["timeline"]["bin"])
            self.assertEqual(bytes_[0], 0)
            self.assertLessEqual(sum(bytes_), max(self.got["timeline"]["mapped_bytes"]
                                                  [max(0, at - 1):at + 1]))
            for cell in one["cells"]:
                self.assertEqual(cell[0] % one["cell_bytes"], 0)
                self.assertLessEqual(sum(cell[1:]), one["cell_bytes"])
        self.assertEqual(maps[-1]["why"], "destroy")
        self.assertGreater(len(maps), 5)


class ByHand(unittest.TestCase):
    def test_map_levels(self):
        """Blocks and pages by their level, in cells that hold 256 GiB."""
        lines = [map_of(n * GIB, GIB) for n in range(1, 257)]
        lines += [map_of(512 * GIB, 2 * MIB), map_of(600 * GIB), map_of(600 * GIB + PAGE)]
        got = replay(INIT, *lines, END)
        self.assertEqual(len(got["maps"]), 1)
        one = got["maps"][0]
        self.assertEqual((one["why"], one["vm"]), ("destroy", 0))
        self.assertLessEqual(len(one["cells"]), 256)
        self.assertEqual([sum(c[1 + level] for c in one["cells"]) for level in range(4)],
                         [0, 256 * GIB, 2 * MIB, 2 * PAGE])
        self.assertEqual([c[0] for c in one["cells"] if c[3] or c[4]],
                         [512 * GIB, 600 * GIB])

    def test_maps_over_time(self):
        """At each eighth of the time, with marks or without."""
        lines = [map_of(n * PAGE, time=1 + n) for n in range(81)]
        got = replay(INIT, *lines, event("s2_destroy: (f) pgt=0x1 ia_bits=40", time=81))
        self.assertEqual([m["why"] for m in got["maps"]], ["time"] * 7 + ["destroy"])
        pages = [sum(c[4] for c in m["cells"]) // PAGE for m in got["maps"]]
        self.assertEqual(pages, [10, 20, 30, 40, 50, 60, 70, 81])

    def test_many_marks(self):
        """At most 24 moments, spread over all marks."""
        lines = []
        for n in range(100):
            lines += [event(f"tracing_mark_write: @phase {n}"), map_of(n * PAGE)]
        got = replay(INIT, map_of(GIB), *lines, END)
        self.assertEqual(len(got["maps"]), 20 + 1)
        self.assertEqual(len(got["by_phase"]), 101)
        self.assertEqual(got["by_phase"][7]["phase"], "6")

    def test_tasks(self):
        """A thread that changes its name is told apart; one whose name is lost is not."""
        got = replay(INIT, map_of(0, task="qemu-7 [000]"), map_of(PAGE, task="vcpu-7 [000]"),
                     map_of(2 * PAGE, task="<...>-7 [000]"), map_of(3 * PAGE, task="vcpu-8 [1]"),
                     END)
        self.assertEqual({t["task"]: (t["calls"], t["pids"]) for t in got["by_task"]},
                         {"a": (2, 1), "qemu": (1, 1), "vcpu": (3, 2)})

    def test_names_in_csv(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "calls.csv")
            replay(INIT, map_of(0, task='a,"b" c-7 [000]'), args=("--calls", path,
                                                                  "--no-merged"))
            with open(path, encoding="utf-8", newline="") as f:
                rows = list(csv.DictReader(f))
        self.assertEqual([(r["task"], r["pid"], r["operation"]) for r in rows],
                         [("a", "1", "init"), ('a,"b" c', "7", "map"), ("", "", "destroy")])
        self.assertEqual(rows[1]["merged_visits"], "")
        self.assertEqual(rows[1]["estimate"], "")

    def test_calls_into_nothing(self):
        done = tool.run("replay", tool.RULES, "--calls", "/nonexistent/x")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--calls: /nonexistent/x", done.stderr)
        if os.path.exists("/dev/full"):
            done = tool.run("replay", tool.RULES, "--calls", "/dev/full")
            self.assertEqual((done.returncode, done.stdout), (2, ""))

    def test_without_merged(self):
        got = tool.json_of("replay", tool.RULES, "--no-merged")
        self.assertEqual(set(got["worst"]), {"stage2"})
        self.assertEqual(set(got["percentiles"]), {"stage2"})
        self.assertNotIn("merged", got["by_vm"][0])
        self.assertEqual(got["measure"], "visits")
        self.assertNotIn("estimate", got["by_vm"][0]["stage2"])

    def test_one_instant(self):
        """A recording whose events all have one time has one bin."""
        got = replay(INIT, map_of(0))
        self.assertEqual((got["timeline"]["bins"], got["time"]["duration"]), (1, 0))


class Advice(unittest.TestCase):
    def advice(self, *lines, args=()):
        return {a["what"]: a for a in replay(INIT, *lines, END, args=args)["advice"]}

    def test_unmap_and_batch(self):
        got = replay(INIT, *(map_of(2 * n * PAGE) for n in range(8)),
                     *(op("unmap", 2 * n * PAGE) for n in range(8)), END)
        advice = {a["what"]: a for a in got["advice"]}
        # 8 unmaps with 2 TLBIs and 3 DSBs each; one flush.
        self.assertEqual(advice["batch"]["saves"]["dsbs"], 8 * 3 - 3)
        self.assertIn("up to 64 unmaps", advice["batch"]["text"])
        # Asked for, it has the size that was asked for.
        got = replay(INIT, *(map_of(2 * n * PAGE) for n in range(8)),
                     *(op("unmap", 2 * n * PAGE) for n in range(8)), END,
                     args=("--batch", "4"))
        advice = {a["what"]: a for a in got["advice"]}
        self.assertEqual(advice["batch"]["saves"]["dsbs"], 8 * 3 - 2 * 3)
        self.assertEqual(got["batched"]["flushes"], 2)

    def test_another_unmap(self):
        """Linux 6.12 flushes page by page without FEAT_TLBIRANGE and FWB."""
        advice = self.advice(*(map_of(n * PAGE) for n in range(64)),
                             op("unmap", 0, 64 * PAGE), args=("--features", "none"))
        theirs, ours = 64, 1
        self.assertEqual(set(advice), {"unmap"})
        self.assertGreaterEqual(advice["unmap"]["saves"]["tlbis"], theirs - ours)

    def test_dirty(self):
        """Only a fault that gives back what a write-protection took away."""
        advice = self.advice(map_of(0), map_of(PAGE), op("wrprotect", 0),
                             event("s2_relax_perms: (f) pgt=0x1 addr=0x0 prot=0x2"),
                             event("s2_relax_perms: (f) pgt=0x1 addr=0x1000 prot=0x2"))
        self.assertIn(" 1 write faults ", advice["dirty"]["text"])
        self.assertEqual(advice["dirty"]["saves"]["tlbis"], 2)
        self.assertNotIn("dirty", self.advice(map_of(0), op("wrprotect", 0)))

    def test_access_flag(self):
        lines = (map_of(0), op("age", 0, more="mkold=1"),
                 event("s2_mkyoung: (f) pgt=0x1 addr=0x0"))
        self.assertIn("access-flag", self.advice(*lines))
        self.assertNotIn("access-flag", self.advice(*lines, args=("--features", "hafdbs")))

    def test_empty_unmaps(self):
        lines = [map_of(0), op("unmap", 0)]
        advice = self.advice(*lines, op("unmap", GIB))
        self.assertIn("1 of 2 unmap calls", advice["empty"]["text"])
        self.assertNotIn("empty", self.advice(*lines))

    def test_budget(self):
        lines = [map_of(n * 2 * MIB, 2 * MIB) for n in range(16)]
        lines.append(op("split", 0, 32 * MIB))
        self.assertIn("budget", self.advice(*lines, op("wrprotect", 0, 32 * MIB)))
        self.assertNotIn("budget", self.advice(*lines))

    def test_none(self):
        self.assertNotIn("advice", replay(INIT, END, args=("--no-advice",)))


if __name__ == "__main__":
    tool.main()
