#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plant faults into copies of the machine, and see the second judge contradict each.

plants.toml says which: a small edit of model/. Prints TAP.
"""
import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile
import tomllib

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


def contradicted(args, plant, work):
    """The seed of the program on which the two do not agree, or None."""
    compiler = shlex.split(args.cc) + args.flag + ["-std=c11", "-O1", "-w"]
    build = pathlib.Path(args.build).resolve()
    source = work / pathlib.Path(plant["file"]).name
    text = (ROOT / plant["file"]).read_text("utf-8")
    for edit in [plant] + plant.get("also", []):
        text = edited(text, edit)
    source.write_text(text, "utf-8")
    obj, exe = source.with_suffix(".o"), work / "compare"
    run(*compiler, f"-I{ROOT / 'model'}", "-c", source, "-o", obj)
    run(*compiler, "-o", exe, obj, "-Wl,--whole-archive",
        build / "tests" / "rules" / "libcompare.a", "-Wl,--no-whole-archive",
        build / "model" / "libmodel.a")  # fmt: skip
    done = subprocess.run(
        [exe, str(plant.get("seed", args.seed)), args.programs], capture_output=True, text=True, check=False
    )
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    return last if done.returncode and last.startswith("seed ") else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=ROOT / "build", help="the tree of Meson")
    parser.add_argument("--cc", default="cc", help="the compiler")
    parser.add_argument("--flag", action="append", default=[], help="for the compiler")
    parser.add_argument("--seed", default="1", help="of the first program")
    parser.add_argument("--programs", default="8000", help="how many at most")
    parser.add_argument("word", nargs="?", default="", help="plants whose text has it")
    args = parser.parse_args()
    plants = tomllib.loads((HERE / "plants.toml").read_text("utf-8"))["plant"]
    plants = [plant for plant in plants if args.word in plant["what"]]
    failed = 0
    print(f"1..{len(plants)}")
    for n, plant in enumerate(plants, 1):
        with tempfile.TemporaryDirectory() as work:
            try:
                said = contradicted(args, plant, pathlib.Path(work))
                why = f"{args.programs} programs, no contradiction"
            except Unplantable as e:
                said, why = None, str(e)
        failed += not said
        print(f"{'ok' if said else 'not ok'} {n} - {plant['what']}")
        print(*(f"# {line}" for line in (said or why).splitlines()), sep="\n")
        sys.stdout.flush()
    return 1 if failed or not plants else 0


if __name__ == "__main__":
    sys.exit(main())
