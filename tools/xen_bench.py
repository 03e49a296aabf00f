# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the p2m costs in Xen, stock against the engine: counts of one list of actions.

Under -icount, on one CPU: a nanosecond is an instruction, and a run is repeatable.
"""

import argparse
import concurrent.futures
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

    def run(hypervisor, append):
        lines = xen.run_dom0(files, hypervisor, args.cpu, [("bench", [])],
                             f"bench{'-quiet' if append else ''}", append=append,
                             counted=True)
        if xen.results(lines)[0].get("bench") != "pass":
            sys.exit(f"{hypervisor}: the bench did not come to its end")
        return dict(rows_of(lines))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = {label: pool.submit(run, hypervisor, append)
                for label, hypervisor, append in (
                    ("stock", "stock", ""), ("ours", "ours", ""),
                    ("ours, no ALLE1IS", "ours", "stage2-no-alloc-flush"))}
        for label, result in runs.items():
            found[label] = result.result()
    rows = [(row, {label: counts_of(found[label][row]) for label in found})
            for row in found["stock"]]
    write_bench(rows, args)
    worse = 0
    for row, sides in rows:
        for what in ("visits", "invalidations", "DSBs", "instructions"):
            stock, ours = sides["stock"][what], sides["ours"][what]
            if ours > stock:
                say(f"{row}: {what} {ours:,}, stock {stock:,}")
                worse += 1
    say(f"{worse} worse")
    return 1 if worse else 0


def counts_of(c):
    """The table's columns."""
    return {"visits": c["visits"], "entries written": c["writes"],
            # One by address is a TLBI for each piece, a DSB, and one VMALLE1IS.
            "invalidations": c["vmalle1"] + c["vmid"],
            "by IPA, VMALLE1IS, VMALLS12E1IS":
                (c["ipa"] + c["range"], c["vmalle1"], c["vmid"]),
            # The debug counter has those of ALLE1IS, too.
            "DSBs": c["dsb"] - 2 * c["all"], "ALLE1IS": c["all"],
            "instructions": c["cycles"]}


def cell(value):
    if isinstance(value, tuple):
        return " + ".join(f"{n:,}" for n in value)
    return f"{value:,}"


def write_bench(rows, args):
    columns = list(rows[0][1]["stock"])
    lines = [f"| what | | {' | '.join(columns)} |", "|---|---|" + "--:|" * len(columns)]
    for row, sides in rows:
        for label, counts in sides.items():
            lines.append(f"| {row} | {label} | {' | '.join(map(cell, counts.values()))} |")
    say("\n".join(lines))
    name = f"bench-{args.cpu}"
    (BUILD / f"{name}.md").write_text("\n".join(lines) + "\n")
    (BUILD / f"{name}.json").write_text(json.dumps(
        [{"what": row, **sides} for row, sides in rows], indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", choices=xen.CPUS, default="max")
    sys.exit(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
