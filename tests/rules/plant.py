#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plant faults into copies of the machine, and see the second judge contradict each.

plants.toml says which: a small edit of model/. Prints TAP.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "planted"))
import one_file  # noqa: E402


def contradicted(args, plant, work):
    """Whether there is a program on which the two do not agree, and which."""
    exe = one_file.program(
        args, plant, work, [one_file.ROOT / "model"],
        "tests/rules/libcompare.a", "model/libmodel.a")  # fmt: skip
    done = subprocess.run(
        [exe, str(plant.get("seed", args.seed)), args.programs],
        capture_output=True, text=True, check=False)  # fmt: skip
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if done.returncode and last.startswith("seed "):
        return True, [last]
    return False, [f"{args.programs} programs, no contradiction"]


def main():
    parser = one_file.options(__doc__)
    parser.add_argument("--seed", default="1", help="of the first program")
    parser.add_argument("--programs", default="8000", help="how many at most")
    return one_file.test(HERE, parser.parse_args(), contradicted)


if __name__ == "__main__":
    sys.exit(main())
