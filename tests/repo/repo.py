#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What must agree across the repository. repo.py SOURCE_ROOT; prints TAP."""

import os
import re
import sys

SPDX = "SPDX-License-Identifier: "
CORE = SPDX + "GPL-2.0-only OR BSD-2-Clause"
LINUX = SPDX + "GPL-2.0-only"
SOURCES = (".c", ".h", ".S", ".ld", ".py", ".sh", ".js", ".css", ".html", "meson.build",
           "Makefile")
COLUMNS = 90
LINES = 900
# References that are read as a whole.
LONGER = {"tests/engine/flat.c": 960, "tests/engine/world.c": 940,
          "tests/planted/world.c": 920}


def files(root):
    """Paths from the root of everything that is ours."""
    for folder, names, leaves in os.walk(root):
        names[:] = sorted(n for n in names if n not in (".git", "build", "__pycache__"))
        for leaf in sorted(leaves):
            yield os.path.relpath(os.path.join(folder, leaf), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def is_source(path):
    return path.endswith(SOURCES) or path == ".ci/run"


def is_text(path):
    return is_source(path) or path.endswith((".md", ".list", ".litmus", ".txt", ".yml"))


def check_spdx(root):
    """every source file names its licence in one of its first two lines"""
    for path in filter(is_source, files(root)):
        gpl = path.startswith(("ports/linux/", "ports/xen/"))
        want = LINUX if gpl else CORE
        head = read(root, path).split("\n")[:2]
        if not any(re.search(re.escape(want) + r"( \*/| -->)?$", line) for line in head):
            yield f"{path}: no '{want}'"


def check_versions(root):
    """VERSION, the header and the change log agree; what is unreleased has its number"""
    version = read(root, "VERSION").strip()
    header = read(root, "include/stage2/stage2.h")
    parts = [
        re.search(rf"^#define S2_VERSION_{part} (\d+)$", header, re.M)[1]
        for part in ("MAJOR", "MINOR", "PATCH")
    ]
    if ".".join(parts) != version:
        yield f"include/stage2/stage2.h says {'.'.join(parts)}, VERSION {version}"
    log = read(root, "CHANGELOG.md")
    headings = re.findall(r"^## (.*)$", log, re.M)
    unreleased = headings[0] == "Unreleased"
    releases = []
    for heading in headings[unreleased:]:
        found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+) \(\d{4}-\d\d-\d\d\)", heading)
        if found:
            releases.append(tuple(map(int, found.groups())))
        else:
            yield f"CHANGELOG.md: '{heading}' is not 'VERSION (YYYY-MM-DD)'"
    if releases != sorted(set(releases), reverse=True):
        yield f"CHANGELOG.md: releases in the order {releases}"
    now, last = tuple(map(int, parts)), releases[0]
    if not unreleased:
        if now != last:
            yield f"CHANGELOG.md's newest is {last}, VERSION says {version}"
        return
    # What this makes of the last release; before 1.0 the second number stands for it.
    text = log.split("\n## ")[1]
    patch = (last[0], last[1], last[2] + 1)
    minor = (last[0], last[1] + 1, 0)
    want = [patch, minor] if re.search(r"^Source-compatible", text, re.M) else [minor]
    if now not in want:
        yield f"VERSION is {version}, and what is unreleased is one of {want}"


def check_sources(root):
    """sources.list of src/ and of extra/ names each .c file there, sorted, no more"""
    for room in ("src", "extra"):
        listed = read(root, f"{room}/sources.list").split("\n")
        leaves = os.listdir(os.path.join(root, room))
        there = sorted(n for n in leaves if n.endswith(".c"))
        if listed != there + [""]:
            yield f"{room}/sources.list has {listed}, {room}/ {there}"


def check_engine_includes(root):
    """the engine includes its own headers, the port's and <stdX.h>, no more"""
    allowed = re.compile(r'<stage2/stage2\.h>|<std(bool|def|int)\.h>|"[a-z0-9_]+\.h"')
    for path in filter(re.compile(r"(src|extra)/.*\.[ch]").fullmatch, files(root)):
        for what in re.findall(r"^\s*#\s*include\s+(\S+)", read(root, path), re.M):
            own = what.strip('"')
            if not allowed.fullmatch(what) or (
                what.startswith('"')
                and own != "stage2_port.h"
                and not os.path.exists(os.path.join(root, "src", own))
            ):
                yield f"{path}: includes {what}"


def check_no_shared_code(root):
    """the machine model includes nothing of the engine (but the port's contract)"""
    include = re.compile(r'^\s*#\s*include\s+[<"](\S+)[>"]', re.M)
    for path in filter(re.compile(r"model/.*\.[ch]").fullmatch, files(root)):
        for what in include.findall(read(root, path)):
            own = os.path.exists(os.path.join(root, "model", what))
            src = os.path.exists(os.path.join(root, "src", what))
            contract = (path, what) == ("model/port.c", "port.h")
            if not own and not contract and (src or what.startswith("stage2/")):
                yield f"{path}: includes {what}"


def check_shape(root):
    """sources: at most 90 columns (strings are not broken), 900 lines, no stray blanks"""
    for path in filter(is_source, files(root)):
        text = read(root, path)
        for n, line in enumerate(text.split("\n"), 1):
            if len(line.expandtabs(8)) > COLUMNS and '"' not in line:
                yield f"{path}:{n}: {len(line.expandtabs(8))} columns"
            if line != line.rstrip():
                yield f"{path}:{n}: blanks at the end"
        if text.count("\n") > LONGER.get(path, LINES):
            yield f"{path}: {text.count(chr(10))} lines"
        if not text.endswith("\n"):
            yield f"{path}: no newline at the end"


def check_paths(root):
    """no file names a folder of the machine it was written on"""
    local = re.compile(r"(?<![\w.])/(work|home|root|Users|tmp/[a-z]+)/\w")
    for path in filter(is_text, files(root)):
        for n, line in enumerate(read(root, path).split("\n"), 1):
            if local.search(line) and path != "tests/repo/repo.py":
                yield f"{path}:{n}: {line.strip()}"


def anchors(text):
    """The fragments GitHub gives the headings of a Markdown text."""
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def check_links(root):
    """each relative link of each .md file leads to a file and a heading there"""
    for path in filter(lambda p: p.endswith(".md"), files(root)):
        text = re.sub(r"^```.*?^```", "", read(root, path), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            to = path
            if name:
                to = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if not os.path.exists(os.path.join(root, to)):
                yield f"{path}: {target} does not exist"
            elif fragment and fragment not in anchors(read(root, to)):
                yield f"{path}: {target} has no such heading"


def check_named_files(root):
    """each file of ours that a document names in `backquotes` exists"""
    rooms = "include|src|model|lab|ports|examples|tests|fuzz|bench|data|docs|tools"
    named = re.compile(rf"`((?:{rooms})/[\w./-]*\w(?:\.\w+)?/?)`")
    for path in filter(lambda p: p.endswith(".md"), files(root)):
        for target in named.findall(read(root, path)):
            if not os.path.exists(os.path.join(root, target)):
                yield f"{path}: {target} does not exist"


def check_contract(root):
    """each test that docs/design.md names for a promise exists"""
    tests = {p: read(root, p) for p in files(root) if p.startswith("tests/") and is_source(p)}
    sources = "".join(text for p, text in tests.items() if p.endswith((".c", ".h")))
    builds = "".join(text for p, text in tests.items() if p.endswith("meson.build"))
    rows = re.findall(r"^\| P(\d+) \|.*\|(.*)\|$", read(root, "docs/design.md"), re.M)
    if [int(n) for n, _ in rows] != list(range(1, 18)):
        yield f"docs/design.md: promises {[n for n, _ in rows]}"
    for n, cell in rows:
        for name in re.findall(r"`([^`]+)`", cell):
            program = re.fullmatch(r"(?:engine|concurrent)-([a-z_]+)[-0-9]*", name)
            there = (
                (program and f"'{program[1]}'" in builds)
                or f"'{name}'" in builds
                or f'"{name}"' in sources
                or f"cmocka_unit_test({name})" in sources
            )
            if not there:
                yield f"docs/design.md: P{n}: there is no test {name}"


def main():
    root = sys.argv[1]
    checks = [f for name, f in globals().items() if name.startswith("check_")]
    print(f"1..{len(checks)}")
    failed = 0
    for n, check in enumerate(checks, 1):
        try:
            wrong = list(check(root))
        except (OSError, TypeError, ValueError) as e:
            # A file that is missing, or in which there is nothing to find.
            wrong = [repr(e)]
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {n} - {check.__doc__}")
        for line in wrong:
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
