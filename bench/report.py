# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What make bench prints: one table, and whether the goals are reached."""

import os
import re

# Engine's instructions a unit, one caller holding its lock.
INSTRUCTIONS = {
    "unmap-1g": 0.1,
    "unmap-1g-none": 8,
    "unmap-page": 150,
    "map-1g": 10,
    "map-page": 150,
    "map-page-split": 260,
    "unmap-page-split": 210,
    "map-again": 8,
    "map-perms": 12,
    "wrprotect": 8,
    "split": 10,
    "destroy": 0.1,
    "lookup-1g": 50,
}
# How many times faster than Linux, and than reading each leaf entry once.
FASTER = {"unmap-1g": (500, "scan-1g", 20), "unmap-64g": (300, "scan-64g", 20)}
FLOORS = ("scan-", "zero-")
ORDERS = "ascending", "shuffled"
GROWTH = "grow-"
PHASES = {"detach": "to the end of 2", "ragged": "same, ragged", "release": "release"}


def number(n):
    """Three significant digits."""
    if n == 0:
        return "0"
    if n >= 1000:
        return f"{n:,.0f}"
    return f"{float(f'{n:.3g}'):g}"


def ratio(case, order="ascending"):
    """How many times the engine is faster; None where one side has no figure."""
    try:
        return case["linux"][order]["median"] / case["stage2"][order]["median"]
    except KeyError:
        return None


def slower(case, order):
    """Slower than Linux beyond the spread: the quartiles do not meet."""
    ours, theirs = case["stage2"].get(order), case["linux"].get(order)
    return ours and theirs and ours["low"] > theirs["high"]


def ratios(cases):
    """The ratios of times of one run: beside Linux, beside a scan; who is slower."""
    run = {order: {name: ratio(case, order) for name, case in cases.items()
                   if ratio(case, order)} for order in ORDERS}
    run["scan"] = {
        name: cases[scan]["stage2"]["ascending"]["median"]
        / cases[name]["stage2"]["ascending"]["median"]
        for name, (_, scan, _) in FASTER.items()}
    run["slower"] = {order: [name for name in run[order] if slower(cases[name], order)]
                     for order in ORDERS}
    return run


def span(runs, what, name):
    """A ratio over the runs: the least and the most."""
    of = [run[what][name] for run in runs if name in run[what]]
    return min(of), max(of)


def between(low, high):
    low, high = number(low), number(high)
    return low if low == high else f"{low}–{high}"


def goals(cases, runs):
    """[(what, goal, figure, reached)]: for times the worst of the runs counts."""
    found = []
    for name, most in INSTRUCTIONS.items():
        n = cases[name]["stage2"].get("instructions")
        if n is not None:
            what = f"{name}: instructions a {cases[name]['per']}"
            found.append((what, f"at most {most:g}", number(n), n <= most))
    for name, (linux, scan, times) in FASTER.items():
        for what, least, key in ((f"{name}: times faster than Linux", linux, "ascending"),
                                 (f"{name}: times faster than {scan}", times, "scan")):
            low, high = span(runs, key, name)
            found.append((what, f"at least {least}", between(low, high), low >= least))
    for order in ORDERS:
        behind = [f"{name} ({number(1 / run[order][name])} times)"
                  for run in runs for name in run["slower"][order]]
        found.append((f"operations slower than Linux, {order} pages", "none",
                      ", ".join(behind) or f"none of {len(runs[-1][order])}", not behind))
    return found


def summary(all_goals):
    reached = sum(goal[3] for goal in all_goals)
    return f"{reached} goals reached, {len(all_goals) - reached} missed"


# ---- tables --------------------------------------------------------------------------


def spread(side, order):
    t = side.get(order)
    if not t:
        return ""
    return f"{number(t['median'])} ({number(t['low'])}–{number(t['high'])})"


def title(name, case, cases):
    """The description of a case; "..." continues the last full description."""
    said = case["says"]
    if said.startswith("..."):
        whole = ""
        for other in cases.values():
            if other is case:
                break
            if not other["says"].startswith("..."):
                whole = other["says"]
        said = whole + said[3:]
    return said


def rows(cases, want):
    for name, case in cases.items():
        if want(name) and "skipped" not in case:
            yield name, case


def operations(name):
    return not name.startswith((*FLOORS, GROWTH))


def table(head, lines):
    """A Markdown table with aligned columns; the first column is left-aligned."""
    lines = [head, *lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = []
    for n, line in enumerate(lines):
        cells = [c.ljust(w) if i == 0 else c.rjust(w)
                 for i, (c, w) in enumerate(zip(line, widths))]
        out.append("| " + " | ".join(cells) + " |")
        if n == 0:
            out.append("|" + "|".join(
                "-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                for i, w in enumerate(widths)) + "|")
    return "\n".join(out)


def costs(cases, runs, order="ascending"):
    head = ["operation", "per", "ns", "Linux", "ratio", "instr.", "Linux", "ratio"]
    lines = []
    for name, case in rows(cases, operations):
        ours, theirs = case["stage2"], case.get("linux", {})
        line = [name, case["per"], spread(ours, order), spread(theirs, order)]
        late = any(name in run["slower"][order] for run in runs)
        line.append(between(*span(runs, order, name)) + (" slower" if late else "")
                    if ratio(case, order) else "")
        a, b = ours.get("instructions"), theirs.get("instructions")
        line += [number(a) if a else "", number(b) if b else ""]
        line.append(number(b / a) if a and b else "")
        lines.append(line)
    for name, case in rows(cases, lambda name: name.startswith(FLOORS)):
        lines.append([name, case["per"], spread(case["stage2"], order)] + [""] * 5)
    return table(head, lines)


def counters(cases):
    keys = [("reads", "entries read"), ("writes", "written"), ("tlbi", "TLBI"),
            ("dsb", "DSB"), ("cleans", "cleans"), ("freed", "freed")]
    head = ["operation"] + [h for _, what in keys for h in (what, "Linux")]
    lines = []
    for name, case in rows(cases, operations):
        line = [name]
        for key, _ in keys:
            for side in ("stage2", "linux"):
                line.append(f"{case[side][key]:,}" if side in case else "")
        lines.append(line)
    return table(head, lines)


def total(case):
    per = case["stage2"].get("instructions")
    return "" if per is None else f"{per * case['units']:,.0f}"


def growth(cases):
    head = ["mapped", "phase", "entries read", "written", "instructions", "TLBI", "DSB",
            "tables freed", "µs"]
    lines = []
    for name, case in rows(cases, lambda name: name.startswith(GROWTH)):
        side = case["stage2"]
        us = side.get("ascending", {"median": 0})["median"] * case["units"] / 1000
        _, size, phase = name.split("-")
        lines.append([size_text(size), PHASES[phase], f"{side['reads']:,}",
                      f"{side['writes']:,}", total(case), f"{side['tlbi']:,}",
                      f"{side['dsb']:,}", f"{side['freed']:,}", number(us) if us else ""])
    return table(head, lines)


def fault_table(faults):
    head = ["unmap of", "threads", "", "it takes, ms", "release after it",
            "faults/s a thread", "with no unmap", "longest wait, µs", "with no unmap"]

    def rate(f, what):
        return f"{f[what]['median']:,.0f}" if what in f else "none"

    return table(head, [[
        f["unmap"], str(f["threads"]), f["side"], number(f["unmap_ms"]["median"]),
        number(f["release_ms"]["median"]) if f["side"] == "stage2" else "in it",
        rate(f, "beside_rate"), rate(f, "alone_rate"),
        spread(f, "beside_longest_us"), spread(f, "alone_longest_us"),
    ] for f in faults])


def size_text(size):
    return f"{size[:-1]} {size[-1].upper()}iB"


def run_list(runs):
    return [f"Ratios of times are the range over {len(runs)} "
            + ("run" if len(runs) == 1 else "runs, an hour apart or more") + ": "
            + "; ".join(f"{run['when']} ({run['commit']}, load {run['load']:.1f})"
                        for run in runs) + ". Everything else is of the last."]


def markdown(results):
    m, cases = results["machine"], results["cases"]
    says = [[name, title(name, case, cases)] for name, case in cases.items()
            if "skipped" not in case and not name.startswith(GROWTH)]
    skipped = [f"- {name}: not run, {case['skipped']}" for name, case in cases.items()
               if "skipped" in case]
    return "\n".join([
        f"libstage2 {m['version']} ({m['commit']}) beside Linux {m['linux']}.",
        f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}, transparent huge pages: "
        f"{m['transparent_hugepage']}; {m['compiler']}, -O2; {m['valgrind']}; "
        f"load {m['load']:.1f} at the start, {'' if m['realtime'] else 'no '}real-time "
        f"priority; {results['seconds'] / 60:.1f} minutes.",
        "",
        "### Goals",
        "",
        table(["what", "goal", "is", ""],
              [[what, goal, now, "" if good else "**missed**"]
               for what, goal, now, good in results["goals"]]),
        "",
        summary(results["goals"]) + ".",
        "",
        "### What the names say",
        "",
        table(["name", "operation"], says),
        "",
        "### Time and instructions",
        "",
        *run_list(results["runs"]),
        "",
        costs(cases, results["runs"]),
        "",
        "The same with table pages in shuffled order:",
        "",
        costs(cases, results["runs"], "shuffled"),
        "",
        "### Counts",
        "",
        counters(cases),
        "",
        "### Growth",
        "",
        growth(cases),
        *skipped,
        "",
        "### Faults beside a running unmap",
        "",
        fault_table(results["faults"]),
        "",
    ])


def plain(results):
    """For a terminal: the table, then the goals that were missed."""
    text = [costs(results["cases"], results["runs"]), ""]
    text += [fault_table(results["faults"]), ""]
    missed = [g for g in results["goals"] if not g[3]]
    for what, goal, now, _ in missed:
        text.append(f"missed  {what}: {now}, should be {goal}")
    text.append(summary(results["goals"]))
    return "\n".join(text)


def into_docs(root, text):
    """Put the table between its marks in docs/performance.md."""
    page = os.path.join(root, "docs", "performance.md")
    with open(page, encoding="utf-8") as f:
        old = f.read()
    new = re.sub(r"(<!-- make bench -->\n).*(<!-- end -->)",
                 lambda m: m[1] + "\n" + text + "\n" + m[2], old, flags=re.S)
    with open(page, "w", encoding="utf-8") as f:
        f.write(new)
