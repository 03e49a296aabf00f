#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Plant known bugs into copies of the engine, and see each convicted by name.

plants/*.toml say which: a small edit, the program that shows it (main.c), the rule.
A patch of your own (--patch) gets all of the programs, and then the random differential
run (tests/engine/judged), which shortens what fails. What is needed is built first.
Without a choice of bugs: TAP, one point for each program on the engine as it is, which
must be clean, and one for each plant (not with --as-it-is).
"""
import argparse
import concurrent.futures
import itertools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIMEOUT = 60
JOBS = 2
# Where the files are that a plant may change.
ROOMS = ["src", "extra", "model"]
# What world.c comes in between.
WRAPPED = ["cas", "clean", "vmid_enter"]


class Unplantable(Exception):
    """The old text does not occur, or occurs more than once."""


def load():
    plants = []
    for path in sorted((HERE / "plants").glob("*.toml")):
        plants += tomllib.loads(path.read_text("utf-8"))["plant"]
    for plant in plants:
        more = plant.get("also", [])
        plant["edits"] = [plant] + more
    return plants


def edits_of(plant):
    return [(e["file"], e["old"], e["new"]) for e in plant["edits"]]


def edited(text, edit):
    """One replacement; any white space matches any other."""
    tokens = edit["old"].split()
    found = list(re.finditer(r"\s+".join(map(re.escape, tokens)), text))
    if len(found) != 1:
        raise Unplantable(f"{edit['file']}: {len(found)} times: {' '.join(tokens)}")
    return text[:found[0].start()] + edit["new"].strip() + text[found[0].end():]


def run(*command, text=None):
    done = subprocess.run(
        list(map(str, command)), input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unplantable(
            f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
        )


def of_engine(path):
    """What of a patch is of the rooms: the change may come with its test."""
    text = pathlib.Path(path).read_text("utf-8")
    kept = []
    for part in re.split(r"^(?=--- .*\n\+\+\+ .*\n@@ )", text, flags=re.M):
        names = re.match(r"--- (\S+).*\n\+\+\+ (\S+)", part)
        name = names and names[1 if names[2] == "/dev/null" else 2].partition("/")[2]
        if name and name.split("/")[0] in ROOMS:
            kept.append(part)
    if not kept:
        raise Unplantable(f"{path}: nothing in {', '.join(ROOMS)} is changed by it")
    return "".join(kept)


def apply(work, path):
    """To the copy in work; from a tree that has the change already, it has it too."""
    text = of_engine(path)
    command = ["patch", "-s", "-f", "-p1", "-r-", "-d", work]
    try:
        run(*command, "-R", "--dry-run", text=text)
        print("The tree has this change already.")
    except Unplantable:
        run(*command, text=text)


class Bench:
    """Builds engines: the objects of the plant are linked before the archive of the rest."""

    def __init__(self, args):
        self.build = pathlib.Path(args.build).resolve()
        self.cc = shlex.split(args.cc)
        # Not optimised: to compile an engine takes far longer than to run it.
        self.flags = args.flag + ["-std=c11", "-O0", "-Werror=int-conversion"]
        planted = self.build / "tests" / "planted"
        self.work = planted / "engines"
        self.archives = [
            planted / "libplanted.a",
            self.build / "libstage2-model.a",
            self.build / "model" / "libmodel.a",
        ]
        self.judged = self.build / "tests" / "engine" / "judged"

    def make(self):
        """What Meson builds of it. Not for the test, which comes after a build."""
        if not (self.build / "build.ninja").exists():
            run("meson", "setup", self.build, ROOT)
        targets = [path.relative_to(self.build) for path in [*self.archives, self.judged]]
        run("ninja", "-C", self.build, *targets)

    def planted(self, work, edits, patch):
        """Write the files that have the edits to work; returns which are to be compiled."""
        if patch:
            for room in ROOMS:
                shutil.copytree(ROOT / room, work / room, dirs_exist_ok=True)
            apply(work, patch)
        files = {e["file"] for e in edits}
        for edit in edits:
            path = work / edit["file"]
            text = (path if path.exists() else ROOT / edit["file"]).read_text("utf-8")
            path.write_text(edited(text, edit), "utf-8")
        # A header reaches every file of the engine, and its port.
        if patch or any(file.endswith(".h") for file in files):
            files = {"model/port.c"}
            for room in ROOMS:
                for path in (ROOT / room).glob("*.[ch]"):
                    if not (work / room / path.name).exists():
                        (work / room / path.name).symlink_to(path)
                    if path.suffix == ".c" and room != "model":
                        files.add(f"{room}/{path.name}")
        return sorted(files)

    def engine(self, name, edits=(), patch=None):
        """The programs, linked with an engine that has the edits; returns its path."""
        work = self.work / name
        exe = work / "planted"
        objects = []
        shutil.rmtree(work, ignore_errors=True)
        for room in ROOMS:
            (work / room).mkdir(parents=True)
        for file in self.planted(work, edits, patch):
            objects.append(work / (pathlib.Path(file).stem + ".o"))
            # Other headers are those of the tree.
            rooms = [base / room for room in ROOMS for base in (work, ROOT)]
            run(
                *self.cc, *self.flags, *(f"-I{room}" for room in rooms),
                f"-I{ROOT / 'include'}", "-c", work / file, "-o", objects[-1],
            )  # fmt: skip
        run(
            *self.cc, *self.flags, *(f"-Wl,--wrap=s2_port_{name}" for name in WRAPPED),
            "-o", exe, *objects,
            "-Wl,--whole-archive", self.archives[0], "-Wl,--no-whole-archive",
            *self.archives[1:],
        )  # fmt: skip
        return exe

    def differential(self, exe):
        """The differential run with the engine of exe, in exe's folder."""
        judged = exe.parent / "judged"
        objects = sorted(exe.parent.glob("*.o"))
        rest = sorted(self.judged.with_suffix(".p").glob("*.o"))
        run(*self.cc, *self.flags, "-o", judged, *objects, *rest, *self.archives[1:])
        return judged


def programs(exe):
    done = subprocess.run([str(exe)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def verdicts(exe, program, log=None):
    """[(rule, why)]; a planted engine may also give "crash" or "hung"."""
    command = [str(exe), program] + ([log] if log else [])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return [("hung", f"no end after {TIMEOUT} s")]
    found = [tuple(line.split(": ", 1)) for line in done.stdout.splitlines() if ": " in line]
    if done.returncode:
        rule = "assertion-failed" if "S2_ASSERT" in done.stderr else "crash"
        found.append((rule, f"status {done.returncode}: {done.stderr.strip()[:400]}"))
    elif not found and done.stdout != "none\n":
        found.append(("crash", "no verdict"))
    return found


def convict(bench, plants):
    """For each plant (all have the same edits) None, or what is wrong with the conviction."""
    try:
        exe = bench.engine(plants[0]["bug"], plants[0]["edits"])
    except (Unplantable, FileNotFoundError) as e:
        return [str(e)] * len(plants)
    wrong = []
    for plant in plants:
        found = verdicts(exe, plant["program"])
        if plant["rule"] in [rule for rule, why in found]:
            wrong.append(None)
        else:
            said = "; ".join(map(": ".join, found)) or "no verdict"
            wrong.append(f"{plant['program']}: {said}")
    shutil.rmtree(exe.parent)
    return wrong


def point(n, name, wrong):
    print(f"{'not ok' if wrong else 'ok'} {n} - {name}")
    for line in (wrong or "").splitlines():
        print(f"# {line}")
    sys.stdout.flush()
    return bool(wrong)


def test(bench, plants):
    exe = bench.engine("as-it-is")
    names = programs(exe)
    print(f"1..{len(names) + len(plants)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        clean = pool.map(lambda name: verdicts(exe, name), names)
        groups = [list(g) for _, g in itertools.groupby(plants, edits_of)]
        caught = pool.map(lambda group: convict(bench, group), groups)
        for n, (name, found) in enumerate(zip(names, clean), 1):
            failed += point(n, f"as it is: {name}", "\n".join(map(": ".join, found)))
        each = itertools.chain.from_iterable(caught)
        for n, (plant, wrong) in enumerate(zip(plants, each), len(names) + 1):
            failed += point(n, f"{plant['bug']} {plant['what']}: {plant['rule']}", wrong)
    return 1 if failed else 0


def show(bench, name, every, log, edits=(), patch=None):
    """Print the verdicts of the programs on one engine."""
    exe = bench.engine(name, edits, patch)
    convicted = 0
    for program in every or programs(exe):
        found = verdicts(exe, program, log)
        convicted += bool(found)
        for rule, why in found:
            print(f"{program}: {rule}: {why}")
    if patch and not every:
        run = bench.differential(exe)
        for seed, more in (1, []), (3, ["--batches"]):
            command = [str(run), "--seed", str(seed), "--operations", "220000", *more]
            print("differential run:", " ".join(command[1:]), flush=True)
            convicted += bool(subprocess.run(command, check=False).returncode)
    if not convicted:
        print("no verdict")
    return 1 if convicted else 0


def table(plants):
    """The table of docs/planted-bugs.md."""
    lines = ["| number | bug | switch | rule | test |", "|---|---|---|---|---|"]
    ours = set(re.findall(r"^ \* ([a-z-]+)\t", (HERE / "world.h").read_text("utf-8"), re.M))
    for plant in plants:
        rule = plant["rule"]
        link = f"`{rule}`" if rule in ours else f"[`{rule}`](rules.md#{rule})"
        number = re.match(r"\d+|[A-Z]", plant["bug"])[0]
        lines.append(
            f"| {number} | {plant['what']} | `--bug {plant['bug']}` "
            f"| {link} | `{plant['program']}` |"
        )
    return "\n".join(lines)


def check_docs(plants):
    text = (ROOT / "docs" / "planted-bugs.md").read_text("utf-8")
    rules = (ROOT / "docs" / "rules.md").read_text("utf-8")
    says = set(re.findall(r"^### ([a-z0-9-]+)$", rules, re.M))
    ours = set(re.findall(r"^ \* ([a-z-]+)\t", (HERE / "world.h").read_text("utf-8"), re.M))
    names = [plant["bug"] for plant in plants]
    classes = {re.match(r"\d+|[A-Z]", n)[0] for n in names}
    checks = {
        "docs/planted-bugs.md has the table (plant.py --table)": table(plants) in text,
        "no two plants have one name": len(names) == len(set(names)),
        "each of the fifteen classes, and those with letters, have plants":
            classes == {str(n) for n in range(1, 16)} | set("CESBMNO"),
        "each rule is one of the machine's or of world.h":
            {plant["rule"] for plant in plants} <= says | ours,
        "docs/planted-bugs.md explains the checks of world.h":
            all(f"`{name}`" in text.split("| number", 1)[0] for name in ours),
    }  # fmt: skip
    print(f"1..{len(checks)}")
    for n, (name, good) in enumerate(checks.items(), 1):
        point(n, name, None if good else "no")
    return 0 if all(checks.values()) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bug", help="plant this one (7a) or a class of them (7), and "
                        "print the verdicts of its program; exit status 1 if convicted")
    parser.add_argument("--patch", help="the same for a patch of src/, extra/ or "
                        "model/port.c (diff -u, -p1; the tree may have it already)")
    parser.add_argument("--program", action="append", help="run this program (of main.c); "
                        "without: the plant's, or all for a patch")
    parser.add_argument("--all", action="store_true", help="run all programs")
    parser.add_argument("--as-it-is", action="store_true", help="test without the plants")
    parser.add_argument("--log", help="write every event of the machine to this file")
    parser.add_argument("--list", action="store_true", help="list the plants")
    parser.add_argument("--table", action="store_true", help="print the documents' table")
    parser.add_argument("--docs", action="store_true", help="check the document (TAP)")
    parser.add_argument("--build", default=ROOT / "build", help="the tree of Meson")
    parser.add_argument("--cc", default="cc", help="the compiler")
    parser.add_argument("--flag", action="append", default=[], help="for the compiler")
    args = parser.parse_args()
    plants = load()
    if args.table:
        print(table(plants))
        return 0
    if args.docs:
        return check_docs(plants)
    if args.list:
        for plant in plants:
            print(f"{plant['bug']:5} {plant['what']}")
        return 0
    bench = Bench(args)
    try:
        if args.patch or args.bug:
            bench.make()
        if args.patch:
            return show(bench, "patch", args.program, args.log, patch=args.patch)
        if not args.bug:
            return test(bench, [] if args.as_it_is else plants)
        chosen = [p for p in plants if re.fullmatch(rf"{args.bug}[a-z]?", p["bug"])]
        if not chosen:
            parser.error(f"no plant {args.bug}; --list")
        status = 0
        for plant in chosen:
            print(f"{plant['bug']} {plant['what']}: {plant['rule']}")
            every = args.program or ([] if args.all else [plant["program"]])
            status |= show(bench, plant["bug"], every, args.log, plant["edits"])
        return status
    except (Unplantable, OSError) as e:
        print(e, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
