#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The traces of data/judge get the verdicts of its expected.txt. verdicts.py S2LAB

A line is NAME OPTIONS VERDICT: OPTIONS are those of s2lab judge, or "-".
"""
import json
import pathlib
import re
import subprocess
import sys

DATA = pathlib.Path(__file__).resolve().parents[2] / "data/judge"
STATUS = {"ok": 0, "bad": 1, "unjudged": 2}


def expected():
    """{options: {name: verdict}}"""
    runs = {}
    for line in (DATA / "expected.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, options, verdict = re.fullmatch(
            r"(\w+) (-|--.*?) (ok|unjudged|bad [\w-]+)", line).groups()
        runs.setdefault("" if options == "-" else options, {})[name] = verdict
    return runs


def main():
    wrong, n, seen, names = 0, 0, set(), set()
    for options, want in expected().items():
        paths = [DATA / f"{name}.trace" for name in want]
        done = subprocess.run([sys.argv[1], "judge", "--json", *options.split(), *paths],
                              capture_output=True, text=True, check=False)
        files = json.loads(done.stdout)["files"]
        kinds = {f["verdict"] for f in files}
        status = 1 if "bad" in kinds else max(STATUS[k] for k in kinds)
        if done.returncode != status or done.stderr:
            print(f"# {options}: exit status {done.returncode}, not {status}"
                  f" {done.stderr}")
            wrong += 1
        for (name, verdict), got in zip(want.items(), files):
            n += 1
            names.add(name)
            seen.add(verdict)
            found = got["findings"]
            said = got["verdict"] + (f" {found[0]['rule']}" if found else "")
            if said != verdict or (found and not found[0]["sentence"]):
                print(f"# {name} {options or '-'}: {said}, not {verdict}:"
                      f" {got.get('reason') or found[:1]}")
                wrong += 1
    unused = {p.stem for p in DATA.glob("*.trace")} - names
    if unused:
        print(f"# not in expected.txt: {unused}")
    fine = not wrong and not unused and len(seen) > 10
    print(f"1..1\n{'' if fine else 'not '}ok 1 {n} verdicts, {wrong} wrong")
    return not fine


if __name__ == "__main__":
    sys.exit(main())
