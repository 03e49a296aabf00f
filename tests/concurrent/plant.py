#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plant bugs into copies of the engine, and see each convicted by a scenario.

plants.toml says which: a small edit of src/, the scenario (a part of its name) that has
an order in which it shows, the rule that this breaks. Prints TAP.
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib

# Of weak-only plants: older values in an order, and preemptions.
WEAK = ["-w", "1", "-p", "2"]
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "planted"))
from plant import Unplantable, edited  # noqa: E402


def run(*command):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unplantable(f"{' '.join(map(str, command))}\n{done.stderr}")


def verdicts(args, plant, work):
    """What the explorer says of the planted engine: (rule, why) of each CPU.

    In a list: of sequentially consistent memory and, of a weak-only plant, of the other.
    """
    compiler = shlex.split(args.cc) + args.flag + ["-std=c11", "-O1", "-w"]
    build = pathlib.Path(args.build).resolve() / "tests" / "concurrent"
    source = work / pathlib.Path(plant["file"]).name
    text = (ROOT / plant["file"]).read_text("utf-8")
    source.write_text(edited(text, plant), "utf-8")
    obj, exe = source.with_suffix(".o"), work / "orders"
    run(*compiler, f"-I{HERE}", f"-I{ROOT / 'src'}", f"-I{ROOT / 'include'}",
        "-c", source, "-o", obj)  # fmt: skip
    run(*compiler, "-o", exe, obj, "-Wl,--whole-archive", build / "liborders-main.a",
        "-Wl,--no-whole-archive", build / "liborders.a")  # fmt: skip
    found = [explored(exe, plant["scenario"])]
    if plant.get("weak-only"):
        found.append(explored(exe, plant["scenario"], *WEAK))
    return found


def explored(exe, *arguments):
    done = subprocess.run(
        [exe, *arguments], capture_output=True, text=True, check=False
    )
    return re.findall(r"^not ok .*\n# ([a-z-]+): (.*)", done.stdout, re.M)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=ROOT / "build", help="the tree of Meson")
    parser.add_argument("--cc", default="cc", help="the compiler")
    parser.add_argument("--flag", action="append", default=[], help="for the compiler")
    parser.add_argument("word", nargs="?", default="", help="plants whose text has it")
    args = parser.parse_args()
    plants = tomllib.loads((HERE / "plants.toml").read_text("utf-8"))["plant"]
    plants = [plant for plant in plants if args.word in plant["what"]]
    failed = 0
    print(f"1..{len(plants)}")
    for n, plant in enumerate(plants, 1):
        with tempfile.TemporaryDirectory() as work:
            try:
                said = verdicts(args, plant, pathlib.Path(work))
            except Unplantable as e:
                said = [[("not planted", str(e))]]
        good = plant["rule"] in [rule for rule, why in said[-1]] and not any(said[:-1])
        failed += not good
        weak = ", on weakly ordered memory only" if plant.get("weak-only") else ""
        print(f"{'ok' if good else 'not ok'} {n} - {plant['what']}: {plant['rule']}{weak}")
        for verdict in [] if good else said:
            for rule, why in verdict or [("no verdict", plant["scenario"])]:
                print(f"# {rule}: {why}")
        sys.stdout.flush()
    return 1 if failed or not plants else 0


if __name__ == "__main__":
    sys.exit(main())
