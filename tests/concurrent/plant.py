#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plant bugs into copies of the engine, and see each convicted by a scenario.

plants.toml says which: a small edit of src/, the scenario (a part of its name) that has
an order in which it shows, the rule that this breaks. Prints TAP.
"""
import pathlib
import re
import subprocess
import sys

# Of weak-only plants: older values in an order, and preemptions.
WEAK = ["-w", "1", "-p", "2"]
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "planted"))
import one_file  # noqa: E402


def explored(exe, *arguments):
    """What the explorer says: (rule, why) of each CPU."""
    done = subprocess.run(
        [exe, *arguments], capture_output=True, text=True, check=False
    )
    return re.findall(r"^not ok .*\n# ([a-z-]+): (.*)", done.stdout, re.M)


def convicted(args, plant, work):
    """Whether it is; a weak-only plant is by the weak model, and not by the other."""
    root = one_file.ROOT
    exe = one_file.program(
        args, plant, work, [HERE, root / "src", root / "include"],
        "tests/concurrent/liborders-main.a", "tests/concurrent/liborders.a")  # fmt: skip
    said = [explored(exe, plant["scenario"])]
    if plant.get("weak-only"):
        said.append(explored(exe, plant["scenario"], *WEAK))
    if plant["rule"] in [rule for rule, why in said[-1]] and not any(said[:-1]):
        return True, []
    return False, [
        f"{rule}: {why}"
        for verdict in said
        for rule, why in verdict or [("no verdict", plant["scenario"])]
    ]


def main():
    return one_file.test(HERE, one_file.options(__doc__).parse_args(), convicted)


if __name__ == "__main__":
    sys.exit(main())
