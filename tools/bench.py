#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""bench.py BUILD [--docs] [--strict]: every operation of the engine beside Linux 6.12's.

Prints one table and writes BUILD/bench/results.json, results.md and charts; with
--docs also into docs/performance.md. Each ratio is of one run of one machine. Runs an
hour apart or more are kept in BUILD/bench/runs.json: a ratio of times is then a range,
and a goal is reached when the worst of them reaches it.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import measure  # noqa: E402
import pictures  # noqa: E402
import report  # noqa: E402

BOTH = ["stage2", "linux"]
OPERATIONS = "[!g]*"
GROWTH = "grow-[!4]*"
LARGEST = "grow-4t-[!r]*", "grow-4t-ra*"  # not its release: callgrind takes too long
HOUR = 3600  # seconds
START = time.monotonic()


def say(what):
    print(f"== {time.monotonic() - START:3.0f} s: {what}", file=sys.stderr, flush=True)


def spread(of):
    """Median and quartiles."""
    low, mid, high = statistics.quantiles(of * (2 if len(of) < 2 else 1), n=4,
                                          method="inclusive")
    return {"median": mid, "low": low, "high": high, "runs": len(of)}


def times(result):
    """ns a unit."""
    return spread([n / result["units"] for n in result["ns"]])


def collect(tool, runs):
    """{case: {"says", "per", "units", side: {"ns", "instructions", counters}}}"""
    cases = {}
    say("entries, TLBIs, barriers; beside that instructions (callgrind)")
    # Nothing of this is a time, so the two may run at once; but not two that have 8 GiB
    # of tables.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        profile = pool.submit(measure.instructions, tool, "--case", OPERATIONS)
        for r in measure.run(tool + "-counts", "--runs", "1"):
            case = cases.setdefault(r["case"], {})
            for key in ("says", "per", "units", "skipped"):
                if key in r:
                    case[key] = r[key]
            if "skipped" in r:
                continue
            side = case.setdefault(r["side"], {"result": r["result"]})
            for key in measure.COUNTS:
                side[key] = r[key]
        profiles = [measure.instructions(tool, "--case", pattern)
                    for pattern in (GROWTH, *LARGEST)] + [profile.result()]
    for profile in profiles:
        for (name, side), n in profile.items():
            # One that there was no memory for may have had it here.
            if side in cases[name]:
                cases[name][side]["instructions"] = n / cases[name]["units"]
    for order, what, args in (
        ("ascending", "", ["--runs", str(runs), "--case", OPERATIONS]),
        ("shuffled", "", ["--runs", str(runs), "--case", OPERATIONS, "--shuffled"]),
        ("ascending", ", growth", ["--runs", "9", "--case", GROWTH]),
    ):
        say(f"times, table pages in {order} order{what}")
        for r in measure.run(tool, *args):
            if "skipped" not in r and "skipped" not in cases[r["case"]]:
                cases[r["case"]][r["side"]][order] = times(r)
    for name, case in cases.items():
        if all(side in case for side in BOTH):
            results = {case[side]["result"] for side in BOTH}
            if len(results) > 1:
                sys.exit(f"{name}: the sides do not find the same: {results}")
    return cases


def faults(tool, rounds):
    """Per kind of unmap, number of threads and side: what its rounds say."""
    say("faults beside a running unmap")
    found = {}
    for r in measure.run(tool, "--rounds", str(rounds)):
        key = r["unmap"], r["threads"], r["side"]
        f = found.setdefault(key, dict(zip(("unmap", "threads", "side"), key)))
        figures = [("unmap_ms", r["unmap_ns"] / 1e6), ("release_ms", r["release_ns"] / 1e6)]
        for when in ("alone", "beside"):
            if r[when]["faults"]:
                figures += [(f"{when}_rate", 1e9 * r[when]["faults"] / r[when]["ns"]),
                            (f"{when}_longest_us", r[when]["longest_ns"] / 1e3)]
        for what, n in figures:
            f.setdefault(what, []).append(n)
    for f in found.values():
        for what, of in f.items():
            if isinstance(of, list):
                f[what] = spread(of)
    return list(found.values())


def check_shim(build, cases):
    """What Linux's file did here is what its strategy does on the model."""
    for name, features in (("unmap-1g", "fwb,tlbirange"), ("unmap-1g-fwb", "fwb"),
                           ("unmap-1g-none", "none")):
        out = subprocess.run(
            [os.path.join(build, "s2lab"), "compare", "--json", "--strategy", "merged",
             "--features", features], check=True, stdout=subprocess.PIPE).stdout
        model = json.loads(out)["strategies"][0]
        model = sum(model["tlbi"].values()), model["dsb"], model["tables_freed"]
        ours = tuple(cases[name]["linux"][key] for key in ("tlbi", "dsb", "freed"))
        if model != ours:
            sys.exit(f"{name}: Linux's TLBIs, DSBs, tables freed are {ours} here, "
                     f"{model} on the model")


def kept_runs(out, results):
    """This run and earlier ones of this machine that began an hour apart or more."""
    path = os.path.join(out, "runs.json")
    m = results["machine"]
    key = [m["cpu"], m["linux"], m["compiler"], m["version"]]
    kept = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            kept = [run for run in json.load(f) if run["key"] == key]
    began = time.time() - (time.monotonic() - START)
    runs = [{"time": began, "when": time.strftime("%-d %B, %H:%M", time.localtime(began)),
             "key": key, "commit": m["commit"], "load": m["load"],
             **report.ratios(results["cases"])}]
    for run in reversed(kept):
        if runs[0]["time"] - run["time"] >= HOUR:
            runs.insert(0, run)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(kept + runs[-1:], f, indent=1)
    return runs


def command(*args):
    out = subprocess.run(args, check=False, capture_output=True, text=True).stdout
    return out.strip().split("\n")[0]


def realtime():
    """Whether the benchmarks get real-time priority."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def machine(build):
    cpu = ""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    huge = "/sys/kernel/mm/transparent_hugepage/enabled"
    text = ""
    if os.path.exists(huge):
        with open(huge, encoding="utf-8") as f:
            text = re.search(r"\[(\w+)\]", f.read())[1]
    with open(os.path.join(build, "bench", "linux", "version"), encoding="utf-8") as f:
        linux = f.read().strip()
    with open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as f:
        version = f.read().strip()
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "compiler": command("cc", "--version"),
        "valgrind": command("valgrind", "--version"),
        "transparent_hugepage": text,
        "linux": linux,
        "version": version,
        "commit": command("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "load": os.getloadavg()[0],
        "realtime": realtime(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="Meson's build folder")
    parser.add_argument("--runs", type=int, default=11, help="of each timing (11)")
    parser.add_argument("--docs", action="store_true", help="update docs/performance.md")
    parser.add_argument("--strict", action="store_true",
                        help="exit status 1 when a goal is missed")
    args = parser.parse_args()
    if args.runs < 9:
        sys.exit("--runs: a median of fewer than 9 says little")
    names = ["bench-with-linux", "bench-with-linux-counts", "bench-faults"]
    names = [f"bench/{name}" for name in names] + ["s2lab"]
    subprocess.run(["ninja", "-C", args.build, *names], check=True, stdout=sys.stderr)
    out = os.path.join(args.build, "bench")
    results = {"machine": machine(args.build)}
    results["cases"] = collect(os.path.join(out, "bench-with-linux"), args.runs)
    check_shim(args.build, results["cases"])
    results["faults"] = faults(os.path.join(out, "bench-faults"), args.runs)
    results["runs"] = kept_runs(out, results)
    results["goals"] = report.goals(results["cases"], results["runs"])
    with open(os.path.join(out, "results.json"), "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    results["seconds"] = time.monotonic() - START
    text = report.markdown(results)
    with open(os.path.join(out, "results.md"), "w", encoding="utf-8") as f:
        f.write(text)
    print(report.plain(results))
    folders = [out]
    if args.docs:
        report.into_docs(ROOT, text)
        folders.append(os.path.join(ROOT, "docs"))
    for folder in folders:
        for name, draw in (("ratios.svg", pictures.ratios), ("growth.svg", pictures.growth)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(str(draw(text)))
    print(f"In full: {out}/results.md; for programs: {out}/results.json;")
    print(f"charts: {out}/ratios.svg, {out}/growth.svg")
    print(f"It took {results['seconds'] / 60:.1f} minutes.")
    if args.strict and not all(goal[3] for goal in results["goals"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
