#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Run every program of this folder and compare steps and verdict.

run.py RULES [--update]   RULES: the built test program
run.py RULES --docs FILE  check that rules, programs and FILE name each other

expected/NAME.txt holds what a program prints: its steps, and after the step that
convicts the rule and the reason.
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def output(*cmd):
    done = subprocess.run(cmd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(cmd)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def programs(exe):
    return dict(line.split(" ", 1) for line in output(exe).splitlines())


def check_programs(exe, update):
    bad = []
    found = programs(exe)
    sources = {p.stem for pattern in ("good_*.c", "bad_*.c") for p in HERE.glob(pattern)}
    texts = {p.stem for p in HERE.glob("expected/*.txt")}
    if not update:
        bad += [f"{n}: not in meson.build" for n in sources - set(found)]
        bad += [f"expected/{n}.txt: no such program" for n in texts - set(found)]
    for name, verdict in sorted(found.items()):
        text = output(exe, name)
        expected = HERE / "expected" / f"{name}.txt"
        if update:
            expected.write_text(text)
        elif not expected.exists() or expected.read_text() != text:
            bad.append(f"{name}: not what expected/{name}.txt says:\n{text}")
        if text.splitlines()[-1] != f"verdict: {verdict}":
            bad.append(f"{name}: expects {verdict}, got: {text.splitlines()[-1]}")
        if (verdict == "none") != name.startswith("good_"):
            bad.append(f"{name}: a {name.split('_')[0]} program with verdict {verdict}")
    return bad, len(found)


def check_docs(exe, docs):
    bad = []
    found = programs(exe)
    rules = output(exe, "--rules").split()
    text = pathlib.Path(docs).read_text()
    sections = re.split(r"^### ", text, flags=re.M)[1:]
    described = {s.split("\n", 1)[0].strip().strip("`"): s for s in sections}
    bad += [f"{docs}: rule {r} has no section" for r in rules if r not in described]
    bad += [f"{docs}: section {r}: no such rule" for r in described if r not in rules]
    for rule in rules:
        name = rule.replace("-", "_")
        if found.get(f"bad_{name}") != rule:
            bad.append(f"{rule}: bad_{name} is missing or expects another verdict")
        if found.get(f"good_{name}") != "none":
            bad.append(f"{rule}: good_{name} is missing or expects a verdict")
        section = described.get(rule, "")
        for program in (f"bad_{name}", f"good_{name}"):
            if not re.search(rf"`{program}`", section):
                bad.append(f"{docs}: section {rule} does not name {program}")
        if rule in described and not re.search(r"^Source: ", section, flags=re.M):
            bad.append(f"{docs}: section {rule} gives no source")
    named = set(re.findall(r"`((?:bad|good)_\w+)`", text))
    bad += [f"{docs}: {n}: no such program" for n in sorted(named - set(found))]
    bad += [f"{docs}: {n} is not mentioned" for n in sorted(set(found) - named)]
    return bad, len(rules)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("exe")
    parser.add_argument("--update", action="store_true", help="write expected/")
    parser.add_argument("--docs", help="check this file instead")
    args = parser.parse_args()
    if args.docs:
        bad, n = check_docs(args.exe, args.docs)
        what = "rules"
    else:
        bad, n = check_programs(args.exe, args.update)
        what = "programs"
    for line in bad:
        print(line, file=sys.stderr)
    print(f"{n} {what}, {len(bad)} wrong")
    return 1 if bad or not n else 0


if __name__ == "__main__":
    sys.exit(main())
