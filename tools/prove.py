#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Have CBMC and Frama-C prove the statements of tests/prove/.

statements.toml says which: a harness, the tool, the layouts of descriptors for which
it is proven, and the verdict that is expected: proved, or for a bug that is planted
into a copy of the engine, refuted. Each layout counts once in the totals. What has no
verdict within its time limit has failed; where a tool is not there, its statements
are skipped.

CBMC is not in Debian 12. If it is not installed, the package of Debian 13 is unpacked
under build/prove, with the libraries that it runs with, and not installed.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

import debian

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = ROOT / "tests" / "prove"
WORK = ROOT / "build" / "prove"
JOBS = 2
LIMIT = 300  # seconds of CPU time, if the statement says nothing else
WALL = 20  # times as long by the clock, for other work may have the machine
MEMORY = 4 << 20  # of one prover, KiB

SUITE = "trixie"
PACKAGES = ["cbmc", "minisat", "libc6", "libgcc-s1", "libstdc++6", "zlib1g"]

# The granule, and where addresses of 52 bits have their top bits (enum s2_wide).
LAYOUTS = {
    "4K": (12, "S2_WIDE_NO"),
    "4K-LPA2": (12, "S2_WIDE_LPA2"),
    "16K": (14, "S2_WIDE_NO"),
    "16K-LPA2": (14, "S2_WIDE_LPA2"),
    "64K": (16, "S2_WIDE_NO"),
    "64K-LPA": (16, "S2_WIDE_LPA"),
}

sys.path.insert(0, str(ROOT / "tests" / "planted"))
from plant import edited  # noqa: E402


def fetch():
    folder = WORK / "debian"
    done = folder / "complete"
    if done.exists():
        return
    print(f"Fetching from Debian's {SUITE}: {', '.join(PACKAGES)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root").mkdir(parents=True)
    source = debian.Suite(WORK / "apt", SUITE, debian.machine())
    for package in PACKAGES:
        source.unpack(package, folder / "root")
    done.touch()


def find_cbmc():
    """How to call CBMC, or None."""
    if shutil.which("cbmc"):
        return ["cbmc"]
    try:
        fetch()
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"no CBMC: {e}", flush=True)
        return None
    root = WORK / "debian" / "root"
    loaders = sorted(root.glob("**/ld-linux-*.so.*"))
    folders = sorted({str(path.parent) for path in root.glob("**/*.so*")})
    return [str(loaders[0]), "--library-path", ":".join(folders),
            str(root / "usr" / "bin" / "cbmc")]  # fmt: skip


class Prover:
    """One question to a tool."""

    def __init__(self, command):
        self.command = command
        self.seconds = 0

    def includes(self, engine):
        return [f"-I{p}" for p in (HERE, engine / "src", ROOT / "include")]

    def run(self, argv, limit):
        """What the tool prints, or None if it does not end in time."""
        shell = ["sh", "-c", f'ulimit -v {MEMORY}; ulimit -t {limit}; exec "$@"', "sh"]
        with tempfile.TemporaryFile() as out, subprocess.Popen(
            [*shell, *map(str, argv)], stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, cwd=ROOT,
        ) as program:  # fmt: skip
            watch = threading.Timer(WALL * limit, program.kill)
            watch.start()
            _, status, used = os.wait4(program.pid, 0)
            watch.cancel()
            program.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = used.ru_utime + used.ru_stime
            if program.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
                return None
            out.seek(0)
            return out.read().decode(errors="replace")


class Cbmc(Prover):
    def ask(self, statement, engine, defines, limit):
        argv = [*self.command, *self.includes(engine), *defines, "--function", "prove",
                "--unwind", statement.get("unwind", 6), "--verbosity", 4]
        if statement.get("bounded"):
            argv.append("--no-unwinding-assertions")
        argv += [word for loop in statement.get("loops", []) for word in ("--unwindset", loop)]
        out = self.run([*argv, HERE / statement["file"]], limit)
        if out is None:
            return "no verdict", f"not within {limit} s"
        points = re.findall(r"^\[(\S+)\] (?:line \d+ )?(.*): (SUCCESS|FAILURE)$", out, re.M)
        wrong = [f"{name}: {text}" for name, text, said in points
                 if said == "FAILURE" and text != "reached"]
        reached = ("reached", "FAILURE") in [(text, said) for _, text, said in points]
        if "VERIFICATION" not in out or not points:
            return "no verdict", "\n".join(out.splitlines()[-5:])
        if wrong:
            return "refuted", "\n".join(wrong)
        return ("proved", "") if reached else ("vacuous", "the end is not reached")


class FramaC(Prover):
    def ask(self, statement, engine, defines, limit):
        flags = " ".join(["-std=c11", *self.includes(engine), *defines])
        argv = [*self.command, "-machdep", "gcc_x86_64", f"-cpp-extra-args={flags}",
                HERE / statement["file"], "-main", "prove", "-eva",
                "-eva-precision", statement.get("precision", 5)]  # fmt: skip
        out = self.run(argv, limit)
        if out is None:
            return "no verdict", f"not within {limit} s"
        if "====== VALUES COMPUTED ======" not in out:
            return "no verdict", "\n".join(out.splitlines()[-5:])
        text = re.sub(r"\n  +", " ", out)
        alarms = re.findall(r"^\[eva:alarm\] \S+/(\S+?:\d+): Warning: (.*)$", text, re.M)
        reached = [a for a in alarms if "assertion 'reached' got status invalid" in a[1]]
        wrong = [": ".join(a) for a in alarms if a not in reached and not any(
            known in a[1] for known in statement.get("known", []))]
        missing = [known for known in statement.get("known", [])
                   if not any(known in a[1] for a in alarms)]
        if wrong:
            return "refuted", "\n".join(wrong)
        if missing:
            return "vacuous", f"no alarm any more: {'; '.join(missing)}"
        return ("proved", "") if reached else ("vacuous", "the end is not reached")


def plant(statement, folder):
    """A copy of the engine with the statement's bug in it; or the engine."""
    if "plant" not in statement:
        return ROOT
    shutil.copytree(ROOT / "src", folder / "src")
    edit = statement["plant"]
    text = (ROOT / edit["file"]).read_text("utf-8")
    (folder / edit["file"]).write_text(edited(text, edit), "utf-8")
    return folder


def judge(tools, n, statement, layout):
    """(the verdict, what was said, CPU seconds)"""
    if not tools[statement["tool"]]:
        return "skipped", f"no {statement['tool']}", 0
    tool = {"cbmc": Cbmc, "frama-c": FramaC}[statement["tool"]](tools[statement["tool"]])
    folder = WORK / f"engine-{n}"
    shutil.rmtree(folder, ignore_errors=True)
    defines = [f"-D{word}" for word in statement.get("defines", [])]
    if layout:
        granule, wide = LAYOUTS[layout]
        defines += [f"-DPROVE_GRANULE={granule}", f"-DPROVE_WIDE={wide}"]
    try:
        engine = plant(statement, folder)
        limit = statement.get("limit", LIMIT)
        verdict, why = tool.ask(statement, engine, defines, limit)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict, why, tool.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("word", nargs="?", default="", help="statements whose name has it")
    parser.add_argument("--tool", default="", help="only those of cbmc or frama-c")
    args = parser.parse_args()
    statements = tomllib.loads((HERE / "statements.toml").read_text("utf-8"))["statement"]
    work = [(s, layout) for s in statements for layout in s.get("layouts", [""])
            if args.word in s["name"] and args.tool in s["tool"]]
    used = {s["tool"] for s, _ in work}
    WORK.mkdir(parents=True, exist_ok=True)
    frama_c = shutil.which("frama-c")
    tools = {
        "cbmc": find_cbmc() if "cbmc" in used else None,
        "frama-c": [frama_c] if frama_c else None,
    }
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failed = []
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        said = pool.map(lambda item: judge(tools, item[0], *item[1]), enumerate(work))
        for (statement, layout), (verdict, why, seconds) in zip(work, said):
            name = " ".join([statement["name"], layout]).strip()
            wanted = statement.get("expect", "proved")
            good = verdict == wanted
            state = "skipped" if verdict == "skipped" else "passed" if good else "failed"
            counts[state] += 1
            print(f"{'ok' if good else state}: {name} ({statement['tool']}, {verdict}, "
                  f"{seconds:.1f} s)", flush=True)  # fmt: skip
            if state == "failed":
                failed.append(f"{name}: {wanted} was expected")
            for line in why.splitlines() if not good else []:
                print(f"    {line}", flush=True)
    print(f"{time.monotonic() - start:.0f} s")
    for line in failed:
        print("FAILED", line)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not (counts["passed"] or counts["skipped"]) else 0


if __name__ == "__main__":
    sys.exit(main())
