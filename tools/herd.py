#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Run herd7 on data/litmus and compare with the verdicts in each RESULTS.txt.

herd7 is a package of Debian's testing suite (herdtools7). It is installed into a root of
its own by debootstrap, from the mirror that apt uses; the machine's packages stay as
they are. The root takes about 700 MB. Needs root, for chroot. Prints TAP.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LITMUS = ROOT / "data" / "litmus"
SCRIPT = "/usr/share/debootstrap/scripts/sid"
SECONDS = 120


def mirror():
    """The first of apt's mirrors for Debian's main archive."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for uri in done.stdout.split():
        if re.search(r"/debian/?$", uri):
            return uri
    return "http://deb.debian.org/debian"


def make_root(root):
    if (root / "usr" / "bin" / "herd7").exists():
        return
    print(f"# herd7: debootstrap into {root}", flush=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=herdtools7", "testing",
         root, mirror(), SCRIPT],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def expected(directory):
    """(name, verdict, variant) of each line."""
    text = (directory / "RESULTS.txt").read_text("utf-8")
    return re.findall(r"^Observation (\S+) (\S+) \d+ \d+ \[(\S+)\]", text, re.M)


def verdict(root, directory, name, variant):
    """What herd7 says; its message if that is no verdict."""
    command = ["chroot", root, "herd7"]
    if variant != "memory":
        command += ["-variant", variant]
    shutil.copy(directory / f"{name}.litmus", root / "tmp" / "test.litmus")
    done = subprocess.run(
        command + ["/tmp/test.litmus"],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    found = re.search(r"^Observation \S+ (\S+)", done.stdout, re.M)
    return found[1] if found else (done.stderr or done.stdout).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("root", type=pathlib.Path, help="where herd7 is, or will be")
    parser.add_argument("word", nargs="?", default="", help="tests whose name has it")
    args = parser.parse_args()
    root = args.root.resolve()
    make_root(root)
    n = failed = 0
    for results in sorted(LITMUS.rglob("RESULTS.txt")):
        for name, says, variant in expected(results.parent):
            if args.word not in name:
                continue
            n += 1
            found = verdict(root, results.parent, name, variant)
            failed += found != says
            print(f"{'ok' if found == says else 'not ok'} {n} - {name} [{variant}]: {says}")
            if found != says:
                print(f"# herd7: {found}")
            sys.stdout.flush()
    print(f"1..{n}\n# {n - failed} of {n} verdicts are herd7's")
    return 1 if failed or not n else 0


if __name__ == "__main__":
    sys.exit(main())
