#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How many small changes of the engine do the tests notice?

Draws mutants (mutate.py) by a seed, the kinds in turn, links each into the quick
tests and runs those until one fails. A mutant that no test kills is a survivor,
unless tests/mutants/equivalent.toml says why it changes nothing, or its machine code
is the same.

Each mutant counts once in the totals: killed passed, survived failed, equivalent
skipped. The exit status is 0 if at least 95 % of those that are not equivalent are
killed.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

import mutate

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
WORK = BUILD / "mutants"
EQUIVALENT = ROOT / "tests" / "mutants" / "equivalent.toml"
ROOMS = ["src", "extra"]
JOBS = 2
WANTED = 95  # percent
MEMORY = 2 << 30  # of one program, bytes
CPU = 3  # seconds of one program, and five times what it takes on the engine as it is
WALL = 900  # seconds of one program; other work may have the machine
# Undefined behaviour ends a program, as it does in the sanitized tree of `make test`.
CHECKED = ["-O0", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]

ENGINE = "tests/engine/"
# The quick unit tests: this first, and these last.
FIRST = ["events"]
SLOWER = ["repro_steps", "contract", "parked", "counted", "repro_beside"]
OTHER = ["takeover"]  # the same as others, with all configurations
# The engine with one port: what to link, and the programs in the order to run them.
Flavour = collections.namedtuple("Flavour", "name archives wraps programs")


def unit_tests():
    """(those on the recording port, those on the machine model): names, in order."""
    recorded, judged = [], []
    with open(BUILD / "compile_commands.json", encoding="utf-8") as f:
        for entry in json.load(f):
            found = re.match(ENGINE + r"test_(\w+)\.p/test_\1\.c", entry["output"])
            if found and "-DCOUNT_PORT_RECORD" in entry["command"]:
                recorded.append(found[1])
            elif found and found[1].endswith("judged"):
                judged.append(found[1])
    quick = sorted(set(recorded) - set(FIRST + SLOWER + OTHER))
    return FIRST + quick + SLOWER, sorted(judged)


def flavours(quick):
    model = ["libstage2-model.a", "model/libmodel.a"]
    recorded, judged = (
        [(ENGINE + "test_" + name, []) for name in names] for names in unit_tests()
    )
    archives = [ENGINE + "libstage2-recorded.a"]
    orders = ["tests/concurrent/liborders.a"]
    if quick:
        return [Flavour("recorded", archives, [], recorded[:-len(SLOWER)])]
    return [
        Flavour("recorded", archives, [],
                recorded[:-len(SLOWER)] + [(ENGINE + "nested", ["5000", "1"])]
                + recorded[-len(SLOWER):]),
        Flavour("model", model, [], judged + [
            (ENGINE + "judged", ["--seed", "1", "--operations", "10000"]),
            (ENGINE + "judged", ["--seed", "3", "--operations", "10000", "--batches"])]),
        Flavour("planted", model, ["cas", "clean", "vmid_enter"], [
            ("tests/planted/libplanted.a", [])]),
        Flavour("orders", orders, [], [
            ("tests/concurrent/test_orders", ["-p", "1"]),
            ("tests/concurrent/test_orders", ["-w", "1", "-p", "1"])]),
        # What is left meets more of them.
        Flavour("recorded", archives, [], [(ENGINE + "nested", ["30000", "2"])]),
        Flavour("model", model, [], [
            (ENGINE + "judged", ["--seed", "2", "--operations", "60000"]),
            (ENGINE + "judged", ["--seed", "4", "--operations", "60000", "--batches"])]),
    ]  # fmt: skip


def run(command, **more):
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, **more)


def members(archive):
    """The objects of a thin archive of the build tree."""
    return run(["ar", "t", BUILD / archive], cwd=BUILD).stdout.split()


def flags_of(archive):
    """What the compiler needs for the engine's files of an archive, without levels."""
    with open(BUILD / "compile_commands.json", encoding="utf-8") as f:
        for entry in json.load(f):
            if entry["output"].startswith(archive + ".p/") and "src_op.c" in entry["output"]:
                words = shlex.split(entry["command"])
                keep = [w for w in words[1:] if w.startswith(("-I", "-D", "-std"))]
                return words[0], keep
    raise SystemExit(f"{archive}: not in compile_commands.json")


class Harness:
    """The tests, linked once with a shared library that has the engine in it."""

    def __init__(self, quick):
        self.flavours = flavours(quick)
        self.flags = {}
        self.objects = {}
        self.commands = []
        self.usual = {}
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        targets = {a for f in self.flavours for a in f.archives}
        targets |= {p for f in self.flavours for p, _ in f.programs}
        targets.add("tests/concurrent/liborders-main.a")
        subprocess.run(["ninja", "-C", BUILD, "-j", str(JOBS), *sorted(targets)], check=True)
        for f in self.flavours:
            if f.name not in self.flags:
                self.flags[f.name] = flags_of(f.archives[0])
                objects = [o for a in f.archives for o in members(a)]
                self.objects[f.name] = [BUILD / o for o in objects]
                self.library(f, WORK, [])
            for program, _ in f.programs:
                self.program(f, program)
        self.environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        self.lock = threading.Lock()
        planted = WORK / "planted" / "libplanted.a"
        if planted.exists():
            env = dict(self.environment, LD_LIBRARY_PATH=str(WORK))
            self.planted = run([planted], env=env).stdout.split()

    def library(self, flavour, work, instead):
        """The shared library, with the objects of a mutant before the others'."""
        names = {o.name.replace("mutant_", "", 1) for o in instead}
        rest = [o for o in self.objects[flavour.name]
                if o.name.removeprefix(".._.._").removeprefix(".._") not in names
                and not ("whole.o" in names and engine_file(o))]
        wraps = [f"-Wl,--wrap=s2_port_{name}" for name in flavour.wraps]
        out = work / f"lib{flavour.name}.so"
        run([self.flags[flavour.name][0], "-shared", "-Wl,-S", "-o", out, *wraps,
             *instead, *rest])  # fmt: skip

    def program(self, flavour, program):
        out = WORK / flavour.name / pathlib.Path(program).name
        out.parent.mkdir(exist_ok=True)
        if out.exists():
            return
        if program.endswith(".a"):
            objects = members(program)
        elif flavour.name == "orders":
            objects = members("tests/concurrent/liborders-main.a")
        else:
            folder = BUILD / (program + ".p")
            objects = sorted(str(p.relative_to(BUILD)) for p in folder.glob("*.o"))
        wraps = [f"-Wl,--wrap=s2_port_{name}" for name in flavour.wraps]
        run([self.flags[flavour.name][0], "-rdynamic", "-o", out, *wraps,
             *(BUILD / o for o in objects), "-L", WORK, f"-l{flavour.name}",
             "-Wl,--allow-shlib-undefined", "-lcmocka"])  # fmt: skip

    # ---- running

    def killed_by(self, flavour, program, args, work):
        """Why the program does not pass with the library in @work; or None."""
        exe = WORK / flavour.name / pathlib.Path(program).name
        if flavour.name != "planted":
            return self.ends_badly(exe, args, work)
        for name in self.planted:
            said = self.ends_badly(exe, [name], work, "none\n")
            if said:
                return said
        return None

    def usual_time(self, exe, args, wanted):
        """CPU seconds with the engine as it is, which must pass. Asked once of each."""
        name = " ".join([str(exe), *args])
        with self.lock:
            if name not in self.usual:
                said, self.usual[name] = self.outcome(exe, args, WORK, wanted, WALL)
                if said:
                    raise SystemExit(f"fails without a mutant: {said}")
            return self.usual[name]

    def ends_badly(self, exe, args, work, wanted=None):
        """Why the program does not pass; or None."""
        usual = self.usual_time(exe, args, wanted)
        return self.outcome(exe, args, work, wanted, int(CPU + 5 * usual))[0]

    def outcome(self, exe, args, work, wanted, cpu):
        """(why it does not pass, or None; CPU seconds)"""

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        name = " ".join([exe.name.removesuffix(".a"), *args])
        with tempfile.TemporaryFile() as out, subprocess.Popen(
            [exe, *args], env=dict(self.environment, LD_LIBRARY_PATH=str(work)),
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdout=out if wanted else subprocess.DEVNULL, preexec_fn=limit,
        ) as program:  # fmt: skip
            # One that sleeps, which none should, uses no CPU time.
            watch = threading.Timer(WALL, program.kill)
            watch.start()
            _, status, used = os.wait4(program.pid, 0)
            watch.cancel()
            program.returncode = os.waitstatus_to_exitcode(status)
            if program.returncode:
                return f"{name} ({program.returncode})", used.ru_utime
            out.seek(0)
            if wanted and out.read() != wanted.encode():
                return name, used.ru_utime
        return None, used.ru_utime

    # ---- one mutant

    def compiled(self, flavour, work, file, options=CHECKED):
        """The object that has the mutant; None if it does not compile."""
        cc, flags = self.flags[flavour]
        source = work / file
        out = work / f"{flavour}_mutant_{file.replace('/', '_')}.o"
        if file.endswith(".h"):
            # A header reaches every file of the engine.
            source = work / "whole.c"
            source.write_text("".join(f'#include "{path.relative_to(work)}"\n'
                                      for room in ROOMS
                                      for path in sorted((work / room).glob("*.c"))))
            out = work / f"{flavour}_mutant_whole.o"
        there = [f"-I{work / room}" for room in ROOMS]
        done = subprocess.run(
            [cc, "-w", *options, "-fPIC", *there, *flags, "-c", source, "-o", out],
            cwd=BUILD, capture_output=True, check=False,
        )  # fmt: skip
        return out if not done.returncode else None

    def spread(self, work, file, text):
        """A copy of the engine in @work with one other file."""
        for room in ROOMS:
            (work / room).mkdir(parents=True)
            for path in (ROOT / room).glob("*.[ch]"):
                (work / room / path.name).symlink_to(path)
        (work / file).unlink()
        (work / file).write_text(text, "latin-1")

    def same_code(self, work, file, original):
        """Whether an optimising compiler makes the same of the mutant and of the original."""
        texts = []
        for text in (None, original):
            if text:
                (work / file).write_text(text, "latin-1")
            made = self.compiled("recorded", work, file, ["-O2"])
            run(["objcopy", "--strip-all", made])
            texts.append(made.read_bytes())
        return texts[0] == texts[1]

    def judge(self, source, m, n):
        """(what became of it, by which program)."""
        work = WORK / f"m{n}"
        try:
            self.spread(work, m.file, mutate.applied(source, m))
            made = {}
            for f in self.flavours:
                if f.name not in made:
                    made[f.name] = self.compiled(f.name, work, m.file)
                    if not made[f.name]:
                        return "no code", ""
                    link = work / f"mutant_{made[f.name].name.split('_mutant_')[1]}"
                    made[f.name].rename(link)
                    self.library(f, work, [link])
                for program, args in f.programs:
                    said = self.killed_by(f, program, args, work)
                    if said:
                        return "killed", said
            if self.same_code(work, m.file, source.text):
                return "equivalent", "the same machine code"
            return "survived", ""
        finally:
            shutil.rmtree(work, ignore_errors=True)


def engine_file(obj):
    return "_src_" in "_" + obj.name.lstrip("._") or "_extra_" in "_" + obj.name.lstrip("._")


def drawn(all_mutants, seed):
    """All of them in an order that the seed says, the kinds in turn."""
    rnd = random.Random(seed)
    kinds = {}
    for m in all_mutants:
        kinds.setdefault(m.kind, []).append(m)
    for queue in kinds.values():
        rnd.shuffle(queue)
    while kinds:
        for kind in sorted(kinds):
            yield kinds[kind].pop()
            if not kinds[kind]:
                del kinds[kind]


class Reviewed:
    """Mutants that change nothing, with the reason; known by their text."""

    def __init__(self):
        text = EQUIVALENT.read_text("utf-8")
        self.reasons = {}
        for entry in tomllib.loads(text)["equivalent"]:
            key = tuple(" ".join(entry[k].split()) for k in ("file", "in", "old", "new"))
            self.reasons[key] = entry["why"]

    def key(self, source, m):
        _, old, new = mutate.described(source, m)
        return m.file, m.function, old, new

    def reason(self, source, m):
        return self.reasons.get(self.key(source, m))

    def stale(self, every, sources):
        """Those that are no mutants any more."""
        return set(self.reasons) - {self.key(sources[m.file], m) for m in every}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-n", type=int, default=300, help="so many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of a file's name")
    parser.add_argument("--quick", action="store_true", help="only the quick unit tests: "
                        "more survive than would")  # fmt: skip
    parser.add_argument("-v", action="store_true", help="say what became of each")
    parser.add_argument("--json", help="write what became of each to this file")
    args = parser.parse_args()
    start = time.monotonic()
    reviewed = Reviewed()
    flags = ["-DCOUNT_PORT_RECORD", "-Iinclude", "-Isrc", "-Ibench"]
    every, sources = mutate.mutants(ROOT, ROOMS, flags)
    for key in sorted(reviewed.stale(every, sources)):
        raise SystemExit(f"{EQUIVALENT.name}: no such mutant: {key}")
    order = drawn([m for m in every if args.only in m.file], args.seed)
    harness = Harness(args.quick)
    print(f"{len(every)} mutants; seed {args.seed}; {time.monotonic() - start:.0f} s to build",
          flush=True)
    counts = collections.Counter()
    kinds = collections.Counter()
    log = []
    survivors = []

    def judge(item):
        n, m = item
        why = reviewed.reason(sources[m.file], m)
        if why:
            return m, "equivalent", why
        return m, *harness.judge(sources[m.file], m, n)

    def take(m, what, why):
        counts[what] += 1
        kinds[m.kind, what] += 1
        line, old, new = mutate.described(sources[m.file], m)
        log.append({"file": m.file, "line": line, "in": m.function, "kind": m.kind,
                    "old": old, "new": new, "became": what, "by": why})  # fmt: skip
        if what == "survived":
            survivors.append(log[-1])
        if args.v or what == "survived":
            print(f"{what} {why} {m.file}:{line} ({m.function}, {m.kind})\n  - {old}\n  + {new}",
                  flush=True)
        done = sum(counts[k] for k in ("killed", "survived", "equivalent"))
        if what != "no code" and not done % 10:
            print(f"{done}/{args.n}: {counts['killed']} killed, {counts['survived']} "
                  f"survived, {counts['equivalent']} equivalent, "
                  f"{time.monotonic() - start:.0f} s", flush=True)
        return done

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        pending = collections.deque()
        numbered = enumerate(order)
        done = 0
        while done < args.n:
            while len(pending) < JOBS and done + len(pending) < args.n:
                item = next(numbered, None)
                if not item:
                    break
                pending.append(pool.submit(judge, item))
            if not pending:
                break
            done = take(*pending.popleft().result())
    shutil.rmtree(WORK, ignore_errors=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(log, indent=1) + "\n", "utf-8")
    print("kind        killed survived equivalent")
    for kind in sorted({k for k, _ in kinds}):
        print(f"{kind:<12}" + "".join(
            f"{kinds[kind, what]:>{len(what) + 1}}"
            for what in ("killed", "survived", "equivalent")))
    for s in survivors:
        print(f"SURVIVED {s['file']}:{s['line']} ({s['in']})\n  - {s['old']}\n  + {s['new']}")
    killed, survived = counts["killed"], counts["survived"]
    score = 100 * killed / max(killed + survived, 1)
    print(f"{counts['no code']} more do not compile; {time.monotonic() - start:.0f} s")
    print(f"score {score:.1f} % (at least {WANTED} wanted)")
    tail = f", {counts['equivalent']} skipped" if counts["equivalent"] else ""
    print(f"{killed} passed, {survived} failed{tail}")
    return 0 if score >= WANTED and killed else 1


if __name__ == "__main__":
    sys.exit(main())
