#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the machine says while it happens is what s2lab judge says of the trace.

roundtrip.py S2LAB RULES RANDOM [SEED [ROUNDS]]

Every rule program, with its sentences; then ROUNDS runs of 4,000 random events, from
SEED on, with steps and addresses. check_format.py reads every trace, too.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import check_format


def output(*cmd, statuses=(0,)):
    done = subprocess.run(cmd, capture_output=True, text=True, check=False)
    if done.returncode not in statuses:
        sys.exit(f"{' '.join(map(str, cmd))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def judge(s2lab, paths):
    """The files of judge --json."""
    text = output(s2lab, "judge", "--json", *paths, statuses=(0, 1, 2))
    return json.loads(text)["files"]


def said(text):
    """Its first step; (step, rule, sentence) of each verdict in a program's output."""
    step, first, out = 0, None, []
    for line in text.splitlines():
        event = re.match(r"step (\d+)", line)
        verdict = re.match(r" +!!   ([\w-]+): (.*)", line)
        if event:
            step = int(event[1])
            first = first or step
        elif verdict:
            out.append((step, verdict[1], verdict[2]))
    return first, out


def programs(s2lab, rules, folder):
    names = [line.split()[0] for line in output(rules).splitlines()]
    want = {n: said(output(rules, n, folder / f"{n}.trace")) for n in names}
    paths = [folder / f"{n}.trace" for n in names]
    bad = 0
    for name, path, got in zip(names, paths, judge(s2lab, paths)):
        # What the rig does for an agent that lacks a feature is not shown.
        first, want[name] = want[name]
        found = [(f["record"], f["rule"],
                  re.sub(r"\brecord (?=\d)", "step ", f["sentence"]))
                 for f in got["findings"] if f["record"] >= (first or 0)]
        problem = check_format.check(path)
        right = "bad" if got["findings"] else "ok"
        # A program may begin before its tree is known.
        if right == "ok" and got["verdict"] == "unjudged" and got["trees"] == 0:
            right = "unjudged"
        # A program that touches a free page is told so before its step is printed.
        if "read" in name and len(found) == len(want[name]):
            want[name] = [(f[0], *w[1:]) if f[0] == w[0] + 1 else w
                          for w, f in zip(want[name], found)]
        if found != want[name] or got["verdict"] != right or problem:
            print(f"# {name}: {got['verdict']}\n#   said:   {want[name]}\n"
                  f"#   judged: {found}\n#   {problem or ''}")
            bad += 1
    print(f"{'not ' * (bad > 0)}ok 1 {len(names)} rule programs, {bad} differ")
    return bad


def random(s2lab, exe, folder, seed, rounds):
    events = verdicts = bad = 0
    for at in range(seed, seed + rounds, 20):
        n = min(20, seed + rounds - at)
        output(exe, str(at), str(n), str(folder), statuses=(0, 1))
        paths = [folder / f"{s}.trace" for s in range(at, at + n)]
        for path, got in zip(paths, judge(s2lab, paths)):
            want = [tuple(line.split()) for line in
                    path.with_suffix(".verdicts").read_text().splitlines()]
            found = [(str(f["record"]), f["rule"], f"{f['ipa']:x}")
                     for f in got["findings"]]
            problem = check_format.check(path) if at == seed else None
            if want != found or got["found"] != len(want) or problem:
                first = next((i for i, (a, b) in enumerate(zip(want, found)) if a != b),
                             min(len(want), len(found)))
                print(f"# seed {path.stem}: verdict {first}: said {want[first:first + 2]},"
                      f" judged {found[first:first + 2]} of {got['found']}"
                      f" {got.get('reason', '')} {problem or ''}")
                bad += 1
            events += got["records"]
            verdicts += len(want)
            path.unlink()
    fine = not bad and verdicts
    print(f"{'' if fine else 'not '}ok 2 {events} random events from seed {seed} on,"
          f" {verdicts} verdicts, {bad} of {rounds} runs differ")
    return not fine


def main():
    s2lab, rules, exe = sys.argv[1:4]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 10
    print("1..2")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        bad = programs(s2lab, rules, folder)
        bad += random(s2lab, exe, folder, seed, rounds)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
