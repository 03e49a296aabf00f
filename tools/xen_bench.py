# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the p2m costs in Xen, stock against the engine: counts of one list of actions.

Under -icount, on one CPU: a nanosecond is an instruction, and a run is repeatable.
"""

import argparse
import json
import sys

import xen
import xen_source
from console import say
from xen_source import BUILD


def rows_of(lines):
    """[(row, {what: count})], of what the debug key printed before each row's name."""
    found, counts = [], None
    for line in lines:
        if "##COUNT " in line:
            words = line.split("##COUNT ")[1].split()
            counts = dict(zip(words[::2], map(int, words[1::2])))
        elif line.startswith("##ROW ") and counts:
            name = line[6:]
            if name != "-":
                found.append((name, counts))
            counts = None
    return found


def bench(args):
    xen_source.build()
    say(f"measure on {args.cpu}")
    files, found = xen.dom0_files(), {}
    tests = [("bench", 3600, [])]
    for label, hypervisor, append in (
            ("stock", "stock", ""), ("ours", "ours", ""),
            ("ours, no ALLE1IS", "ours", "stage2-no-alloc-flush")):
        lines = xen.run_dom0(files, hypervisor, args.cpu, tests,
                             f"bench{'-quiet' if append else ''}", append=append,
                             counted=True)
        found[label] = dict(rows_of(lines))
        if xen.results(lines)[0].get("bench") != "pass":
            sys.exit(f"{label}: the bench did not come to its end")
    table = [(row, {label: found[label][row] for label in found}) for row in found["stock"]]
    write_bench(table, args)
    worse = 0
    for row, counts in table:
        stock, ours = counts["stock"], counts["ours"]
        for what in ("visits", "invalidations", "dsb", "instructions"):
            if tally(ours)[what] > tally(stock)[what]:
                say(f"{row}: {what} {tally(ours)[what]:,}, stock {tally(stock)[what]:,}")
                worse += 1
    return 1 if worse else 0


def tally(counts):
    """What the table shows."""
    return {"visits": counts["visits"], "writes": counts["writes"],
            # One by address is a TLBI for each piece, a DSB, and one VMALLE1IS.
            "invalidations": counts["vmalle1"] + counts["vmid"],
            "tlbi": sum(counts[k] for k in ("ipa", "range", "vmalle1", "vmid")),
            "dsb": counts["dsb"] - 2 * counts["all"], "alle1is": counts["all"],
            "instructions": counts["cycles"]}


def write_bench(table, args):
    columns = ("visits", "writes", "invalidations", "tlbi", "dsb", "alle1is",
               "instructions")
    lines = [f"| what | | {' | '.join(columns)} |", "|---|---|" + "--:|" * len(columns)]
    for row, counts in table:
        for label, c in counts.items():
            lines.append(f"| {row} | {label} | "
                         + " | ".join(f"{tally(c)[k]:,}" for k in columns) + " |")
    say("\n".join(lines))
    name = f"bench-{args.cpu}"
    (BUILD / f"{name}.md").write_text("\n".join(lines) + "\n")
    (BUILD / f"{name}.json").write_text(json.dumps(
        [{"what": row, **counts} for row, counts in table], indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", choices=xen.CPUS, default="max")
    sys.exit(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
