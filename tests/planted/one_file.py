# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plants of one file each: edit a copy, compile it, link it before an archive of the rest.

For the plants.toml beside the program that calls it.
"""
import argparse
import pathlib
import shlex
import sys
import tempfile
import tomllib

from plant import ROOT, Unplantable, edited, run


def options(doc):
    parser = argparse.ArgumentParser(description=doc.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=ROOT / "build", help="the tree of Meson")
    parser.add_argument("--cc", default="cc", help="the compiler")
    parser.add_argument("--flag", action="append", default=[], help="for the compiler")
    parser.add_argument("word", nargs="?", default="", help="plants whose text has it")
    return parser


def program(args, plant, work, includes, whole, rest):
    """The program of the archives, relative to the build: of @whole all is linked."""
    compiler = shlex.split(args.cc) + args.flag + ["-std=c11", "-O1", "-w"]
    build = pathlib.Path(args.build).resolve()
    source = work / pathlib.Path(plant["file"]).name
    text = (ROOT / plant["file"]).read_text("utf-8")
    for edit in [plant] + plant.get("also", []):
        text = edited(text, edit)
    source.write_text(text, "utf-8")
    obj, exe = source.with_suffix(".o"), work / "planted"
    run(*compiler, *(f"-I{path}" for path in includes), "-c", source, "-o", obj)
    run(*compiler, "-o", exe, obj, "-Wl,--whole-archive", build / whole,
        "-Wl,--no-whole-archive", build / rest)  # fmt: skip
    return exe


def test(here, args, judge):
    """TAP; @judge says of a plant: whether it is convicted, and lines about that."""
    plants = tomllib.loads((here / "plants.toml").read_text("utf-8"))["plant"]
    plants = [plant for plant in plants if args.word in plant["what"]]
    failed = 0
    print(f"1..{len(plants)}")
    for n, plant in enumerate(plants, 1):
        with tempfile.TemporaryDirectory() as work:
            try:
                good, said = judge(args, plant, pathlib.Path(work))
            except Unplantable as e:
                good, said = False, f"not planted: {e}".splitlines()
        failed += not good
        rule = f": {plant['rule']}" if "rule" in plant else ""
        weak = ", on weakly ordered memory only" if plant.get("weak-only") else ""
        print(f"{'ok' if good else 'not ok'} {n} - {plant['what']}{rule}{weak}")
        print("".join(f"# {line}\n" for line in said), end="")
        sys.stdout.flush()
    return 1 if failed or not plants else 0
