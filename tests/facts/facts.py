#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The numbers of docs/facts.md are measured. facts.py SOURCE_ROOT STEPS SIZES [write]

Each table between `facts NAME: begin` and `end` is measured, and compared with the
document: text and stack within 3 % (within 15 % with other compilers than those that the
document names), everything else exactly. The bounds of a step are only compared: no step
may cost more, and a bound may not be eight times what the dearest step costs. With write,
the document gets the numbers, but for those bounds. STEPS and SIZES are the programs
beside this file.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/freestanding"))
import freestanding  # noqa: E402

CROSS = "aarch64-linux-gnu-"
COMPILERS = {
    "gcc": ([CROSS + "gcc"], "12"),
    "clang": (["clang", "--target=aarch64-linux-gnu"], "14"),
}
PROFILES = ["core", "hypervisor", "all"]
BARE = """-std=c11 -ffreestanding -mgeneral-regs-only -fno-stack-protector
    -fno-asynchronous-unwind-tables -DS2_GRANULE_SHIFT=12""".split()
NEAR, OTHER = 0.03, 0.15
SEEDS, OPERATIONS, SLACK = ("1", "2"), "20000", 8


def run(words, **more):
    done = subprocess.run(words, check=True, capture_output=True, text=True, **more)
    return done.stdout


def version(compiler):
    """The major version, or None if it is not installed."""
    words = COMPILERS[compiler][0]
    if not shutil.which(words[0]):
        return None
    return run([*words, "-dumpversion"]).split(".")[0].strip()


def tolerance(compiler):
    return NEAR if version(compiler) == COMPILERS[compiler][1] else OTHER


def text_size(objects):
    listed = run([CROSS + "size", "-A", *objects])
    return sum(int(n) for n in re.findall(r"^\.text\S*\s+(\d+)", listed, re.M))


class Build:
    """The objects of each profile by each compiler, compiled once."""

    def __init__(self, root, out):
        self.root, self.out, self.made = root, out, {}

    def objects(self, profile, compiler, level):
        key = profile, compiler, level
        if key not in self.made:
            out = os.path.join(self.out, "-".join(key))
            vendor = os.path.join(self.root, "tools/vendor.sh")
            run([vendor, "--profile", profile, out])
            words = [*COMPILERS[compiler][0], *BARE, level, "-Iinclude", "-Isrc", "-Iport"]
            if compiler == "gcc":
                words.append("-fcallgraph-info=su")
            self.made[key] = []
            with open(os.path.join(out, "sources.list"), encoding="utf-8") as f:
                for path in f.read().split():
                    obj = os.path.basename(path)[:-2] + ".o"
                    run([*words, "-c", path, "-o", obj], cwd=out)
                    self.made[key].append(os.path.join(out, obj))
        return self.made[key]


def measure_text(build, _sizes):
    for profile in PROFILES:
        row = []
        for compiler, level in ("gcc", "-Os"), ("gcc", "-O2"), ("clang", "-Os"):
            if version(compiler):
                size = text_size(build.objects(profile, compiler, level))
                row.append((size, tolerance(compiler)))
            else:
                print(f"# skipped: {compiler} is not installed")
                row.append(None)
        yield f"`{profile}`", row


def measure_stack(build, _sizes):
    frames, calls = freestanding.read_callgraph(build.objects("all", "gcc", "-O2"))

    def depth(name):
        below = [depth(callee) for callee in calls.get(name, ())]
        return frames.get(name, 0) + max(below, default=0)

    deepest = max(depth(name) for name in frames)
    yield "gcc -O2, profile `all`", [(deepest, tolerance("gcc"))]


def measure_sizeof(build, _sizes):
    names = re.findall(r"^\| `struct (\w+)` \|", document(build.root), re.M)
    public = set()
    folder = os.path.join(build.root, "include/stage2")
    for leaf in os.listdir(folder):
        with open(os.path.join(folder, leaf), encoding="utf-8") as f:
            public |= set(re.findall(r"^struct (\w+) \{", f.read(), re.M))
    public -= {"s2_id_regs", "s2_gather"}  # four registers; a part of s2_batch
    if set(names) != public:
        sys.exit(f"docs/facts.md has the structures {names}, the headers {sorted(public)}")
    text = "#include <stage2/stage2.h>\n"
    text += "".join(f"char size_{n}[sizeof(struct {n})];\n" for n in names)
    obj = os.path.join(build.out, "sizeof.o")
    words = [CROSS + "gcc", "-I" + os.path.join(build.root, "include"), "-xc", "-c", "-"]
    run([*words, "-o", obj], input=text)
    found = re.findall(r"^\w+ (\w+) \w size_(\w+)$", run([CROSS + "nm", "-S", obj]), re.M)
    size = {name: int(bytes_, 16) for bytes_, name in found}
    for name in names:
        yield f"`struct {name}`", [(size[name], 0)]


def measure_guest(_build, sizes):
    for gib in dict.fromkeys(n for what, _, n, *_ in sizes if what == "guest"):
        row = [v for w, _, n, *v in sizes if w == "guest" and n == gib]
        yield f"{gib} GiB", [(int(v), 0) for pair in row for v in pair]


def measure_call(_build, sizes):
    for shift, what in ("12", "one page of 4 KiB"), ("21", "2 MiB"), ("30", "1 GiB"):
        row = [v for w, _, n, *v in sizes if w == "call" and n == shift]
        yield what, [(int(v[0]), 0) for v in row]


TABLES = {
    "text": measure_text, "stack": measure_stack, "sizeof": measure_sizeof,
    "guest": measure_guest, "call": measure_call,
}  # fmt: skip


def document(root, name="docs/facts.md"):
    with open(os.path.join(root, name), encoding="utf-8") as f:
        return f.read()


def part(text, name):
    found = re.search(f"<!-- facts {name}: begin -->(.*?)<!-- facts {name}: end -->", text, re.S)
    if not found:
        sys.exit(f"docs/facts.md: no part {name}")
    return found


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def compare(name, text, rows):
    """(what is wrong, the part of the document as it should be)"""
    found = part(text, name)
    lines, wrong, seen = found[1].split("\n"), [], set()
    for n, line in enumerate(lines[3:], 3):
        if not line.startswith("|"):
            continue
        title, *said = cells(line)
        seen.add(title)
        if title not in rows:
            wrong.append(f"{name}: nothing measures {title}")
            continue
        for i, measured in enumerate(rows[title]):
            if measured is None:
                continue
            value, near = measured
            if abs(int(said[i].replace(",", "")) - value) > value * near:
                wrong.append(f"{name}: {title}: docs/facts.md has {said[i]}, it is {value:,}")
                said[i] = f"{value:,}"
        lines[n] = "| " + " | ".join([title, *said]) + " |"
    wrong += [f"{name}: docs/facts.md lacks {title}" for title in set(rows) - seen]
    return wrong, text[: found.start(1)] + "\n".join(lines) + text[found.end(1) :]


def check_root(text, sizes):
    pages = [int(n) for what, _, n, *_ in sizes if what == "root"]
    now = "{} with an IPA size of 40, {} with 48".format(*pages)
    found = part(text, "root")
    wrong = [f"root: docs/facts.md has {found[1]}, it is {now}"] if found[1] != now else []
    return wrong, text[: found.start(1)] + now + text[found.end(1) :]


# ---- steps ------------------------------------------------------------------

COLUMNS = ["entries visited", "entries written", "TLBIs", "DSBs", "bytes cleaned"]
TITLES = {"map-replace": "`s2_map` with `S2_MAP_REPLACE`"}
FORMULA = re.compile(r"(?:N|B|\d+)(?: [+/] \d+)?")


def bound(formula, n, b):
    if not FORMULA.fullmatch(formula):
        sys.exit(f"docs/facts.md: {formula} is no bound")
    left, _, right = formula.replace("/", "+ /").partition(" + ")
    value = {"N": n, "B": b}.get(left) if left in "NB" else int(left)
    if right.startswith("/"):
        return value // int(right[1:])
    return value + int(right or 0)


def check_steps(text, program):
    rows = dict((title, said) for title, *said in map(cells, part(text, "steps")[1].split("\n")[3:-1]))
    most = {}
    for seed in SEEDS:
        for line in run([program, seed, OPERATIONS]).splitlines():
            name, n, *costs, steps = line.split()
            key = TITLES.get(name, f"`{name}`"), int(n)
            old = most.get(key, [0] * 6)
            most[key] = [max(a, int(b)) for a, b in zip(old, [*costs, steps])]
    if {title for title, _ in most} != set(rows):
        yield f"steps: docs/facts.md has {sorted(rows)}"
        return
    near = {}  # bounds that are too far from the dearest step: by call and column
    for (title, n), costs in sorted(most.items()):
        *costs, steps = costs
        for what, formula, cost in zip(COLUMNS, rows[title], costs):
            limit = bound(formula, n, 2 << 20)
            if cost > limit:
                yield f"steps: {title}, N = {n}: {cost} {what}, more than {formula}"
            if steps:
                near[title, what] = near.get((title, what)) or cost * SLACK >= limit
    for (title, what), good in near.items():
        if not good:
            yield f"steps: {title}: the bound of {what} is far from what any step costs"
    print(f"# {sum(c[-1] for c in most.values())} steps of {len(rows)} calls")


def main():
    root, steps, sizes = sys.argv[1:4]
    text, wrong = document(root), []
    numbers = [line.split() for line in run([sizes]).splitlines()]
    with tempfile.TemporaryDirectory() as out:
        build = Build(os.path.realpath(root), out)
        for name, measure in TABLES.items():
            more, text = compare(name, text, dict(measure(build, numbers)))
            wrong += more
    more, text = check_root(text, numbers)
    wrong += more
    if sys.argv[4:] == ["write"]:
        with open(os.path.join(root, "docs/facts.md"), "w", encoding="utf-8") as f:
            f.write(text)
        wrong = []
    wrong += check_steps(text, steps)
    for line in wrong:
        print(line)
    if wrong:
        sys.exit("facts: tests/facts/facts.py ... write puts the numbers into the document")


if __name__ == "__main__":
    main()
