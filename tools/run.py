#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run.py BUILD: replays a recorded guest on the machine model, then prints what each way
of unmapping costs on four kinds of CPU. The full output goes to BUILD/run."""

import json
import os
import shutil
import subprocess
import sys
import textwrap

TRACE = "data/traces/guest-boot.trace.xz"
FEATURES = ["fwb,tlbirange", "fwb", "tlbirange", "none"]
COMPARE = ["compare", "--ipa", "1G", "--mem", "1G", "--leaf", "4k"]
WAYS = """\
  entry   clear, invalidate and wait for each entry: KVM until Linux 6.5
  posted  the patch of 2023 as posted: detach the table, do not clean
  review  the first idea of its review: clean during the walk, one TLBI after it
  merged  what Linux 6.12 does
  stage2  this library"""
HEADS = ["", "verdict", "entries visited", "TLBIs", "DSBs", "lines cleaned"]


class Lab:
    def __init__(self, build):
        self.tool = os.path.join(build, "s2lab")
        self.out = os.path.join(build, "run")
        self.status = 0
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)

    def run(self, name, *args):
        """Keep what a command prints, and its exit status if it is not 0."""
        with open(os.path.join(self.out, name), "w", encoding="utf-8") as f:
            status = subprocess.run([self.tool, *args], stdout=f, check=False).returncode
        self.status = self.status or status
        with open(f.name, encoding="utf-8") as f:
            return f.read()


def rows(result):
    for s in result["strategies"]:
        rules = sorted({v["rule"] for v in s["violations"]})
        numbers = s["pte_reads"], sum(s["tlbi"].values()), s["dsb"], s["clean_lines"]
        verdict = " ".join([s["verdict"]] + rules)
        yield ["  " + s["name"], verdict] + [f"{n:,}" for n in numbers]


def print_table(table):
    full = [row for row in table if len(row) > 1]
    widths = [max(len(row[i]) for row in full) for i in range(len(HEADS))]
    for row in table:
        if len(row) == 1:
            print(row[0])
            continue
        text = [row[i].ljust(widths[i]) for i in (0, 1)]
        numbers = [row[i].rjust(widths[i]) for i in range(2, len(HEADS))]
        print("  ".join(text + numbers).rstrip())


def ratio(replay):
    """What Linux 6.12 would have cost for the same calls, over what they did."""
    for what, count in (("TLBIs", lambda cost: sum(cost["tlbi"].values())),
                        ("DSBs", lambda cost: cost["dsb"]),
                        ("entries visited", lambda cost: cost["pte_reads"]),
                        ("entries in the longest call", lambda cost: cost["longest_step"])):
        ours, theirs = count(replay["stage2"]), count(replay["merged"])
        yield f"{what} {theirs / max(ours, 1):.2f} ({theirs:,} / {ours:,})"


def main():
    lab = Lab(sys.argv[1])
    print("== A Linux guest, recorded on KVM, replayed through the engine on the model")
    print(f"   (s2lab replay {TRACE})\n", flush=True)
    print(lab.run("replay.txt", "replay", TRACE), flush=True)
    replay = lab.run("replay.json", "replay", "--json", TRACE)

    print("== Unmapping 1 GiB of 4 KiB pages in one call, on CPUs with and without")
    print("   FEAT_S2FWB and FEAT_TLBIRANGE; the model judges each way")
    print(f"   (s2lab {' '.join(COMPARE)} --features ...)\n")
    print(WAYS + "\n", flush=True)
    table = [HEADS]
    details = []
    for features in FEATURES:
        args = [*COMPARE, "--features", features]
        lab.run(f"compare-{features}.txt", *args)
        result = lab.run(f"compare-{features}.json", *args, "--json")
        if not result:
            continue
        result = json.loads(result)
        table += [[features], *rows(result)]
        for s in result["strategies"]:
            details += [(features, s["name"], v) for v in s["violations"]]
    print_table(table)
    print()
    told = set()
    for features, name, violation in details:
        if (name, violation["rule"]) in told:
            continue
        told.add((name, violation["rule"]))
        print(f"{name}, {features}: {violation['rule']}")
        print(textwrap.fill(violation["detail"], 78, initial_indent="  ",
                            subsequent_indent="  "))
    if replay:
        text = "; ".join(ratio(json.loads(replay)))
        print()
        print(textwrap.fill(f"The replayed guest, Linux 6.12 / this library: {text}", 78,
                            subsequent_indent="  "))
    if lab.status:
        print(f"\nA violation where none is allowed, or an error: status {lab.status}")
    print(f"\nIn full: {lab.out}/replay.txt, {lab.out}/compare-*.txt;")
    print(f"for programs: {lab.out}/*.json")
    return lab.status


if __name__ == "__main__":
    sys.exit(main())
