#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Files call downwards only. circles.py SOURCE_ROOT BUILD_ROOT CC...; prints TAP.

A file uses another if its object has an undefined symbol, a function or data, that
the other's object defines. nm reads the objects of BUILD_ROOT: a call that the compiler
has removed does not count. In each room that is checked

- no file uses itself through others (a circle); the message has the shortest path
- every file is in one of LAYERS, and uses only files of its own room of the layer and of
  lower layers
- no file is longer than the room's limit

The last checks plant what the others must find, built with CC.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

# The room, whether it is checked, and the most lines that a file may have (0: any).
ROOMS = {
    "src": (True, 500),
    "extra": (True, 500),
    "lab": (True, 500),
    "model": (True, 0),
}
# From the top down. Files of one layer may use each other if their folders are in one
# string. The engine is such a room: src/ calls what is in extra/, too.
LAYERS = [
    ("lab/main.c",),
    ("lab/report/",),
    ("lab/compare/", "lab/decode/", "lab/judge/", "lab/plan/", "lab/replay/"),
    ("lab/strategy/",),
    ("lab/common/",),
    ("src/ extra/",),
    ("model/",),
]
# Whose objects are read; all of them together have each file.
TARGETS = [
    "s2lab.p",
    "libstage2-model.a.p",
    "model/libmodel.a.p",
    "tests/litmus/explore.p",
    "tests/litmus/test_litmus.p",
]


class NotBuilt(Exception):
    """A source file has no object, so its uses are not known."""


def sources(root, rooms, ends=".c"):
    """The files of the rooms, by their paths from the root."""
    for room in rooms:
        for folder, _, leaves in os.walk(os.path.join(root, room)):
            for leaf in leaves:
                if leaf.endswith(ends):
                    yield os.path.relpath(os.path.join(folder, leaf), root)


def objects(root, build, files):
    """{file: its object}"""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        commands = json.load(f)
    found = {}
    for command in commands:
        folder = command["directory"]
        file = os.path.relpath(os.path.join(folder, command["file"]), root)
        target = os.path.dirname(command["output"])
        out = os.path.join(folder, command["output"])
        if file in files and target in TARGETS and os.path.exists(out):
            found[file] = out
    missing = sorted(set(files) - set(found))
    if missing:
        raise NotBuilt(f"{', '.join(missing)}: built by none of {', '.join(TARGETS)}")
    return found


def symbols(obj):
    """What an object defines for others, and what it needs of them."""
    out = subprocess.run(["nm", "-P", obj], check=True, capture_output=True, text=True)
    defined, needed = set(), set()
    for line in out.stdout.splitlines():
        name, kind = line.split()[:2]
        if kind in "Uvw":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, needed


def uses(objs):
    """{file: {file that it uses: the symbols}}"""
    home = collections.defaultdict(set)
    needs = {}
    for file, obj in objs.items():
        defined, needs[file] = symbols(obj)
        for name in defined:
            home[name].add(file)
    graph = {file: {} for file in objs}
    for file, names in needs.items():
        for name in sorted(names):
            for other in home.get(name, set()) - {file}:
                graph[file].setdefault(other, []).append(name)
    return graph


def shortest_way_back(graph, start):
    """[start, ..., start], or None."""
    before = {start: None}
    queue = collections.deque([start])
    while queue:
        at = queue.popleft()
        for to in sorted(graph[at]):
            if to == start:
                way = [start]
                while at is not None:
                    way.append(at)
                    at = before[at]
                return way[::-1]
            if to not in before:
                before[to] = at
                queue.append(to)
    return None


def circles(graph):
    """A line for each circle; those that share a file with one told are left out."""
    told = set()
    ways = [w for w in (shortest_way_back(graph, f) for f in graph) if w]
    for way in sorted(ways, key=lambda w: (len(w), w)):
        if told.isdisjoint(way):
            told.update(way)
            steps = zip(way, way[1:])
            yield way[0] + "".join(f" -> {b} ({graph[a][b][0]})" for a, b in steps)


def layer(file):
    """(how high, which room of that layer); None: in no layer."""
    for n, rooms in enumerate(LAYERS):
        for room in rooms:
            for folder in room.split():
                if file == folder or (folder.endswith("/") and file.startswith(folder)):
                    return -n, room
    return None


def upwards(graph):
    """A line for each file that is in no layer or uses one that it may not use."""
    for file in sorted(graph):
        if not layer(file):
            yield f"{file} is in no layer of {os.path.basename(__file__)}"
            continue
        high, room = layer(file)
        for other, names in sorted(graph[file].items()):
            to = layer(other)
            if to and to[1] != room and to[0] >= high:
                yield f"{file} uses {other}, which is not below it ({', '.join(names)})"


def too_long(root, rooms):
    """A line for each file that is longer than its room's limit."""
    for room, limit in rooms:
        for file in sorted(sources(root, [room], (".c", ".h"))):
            with open(os.path.join(root, file), encoding="utf-8") as f:
                lines = sum(1 for _ in f)
            if limit and lines > limit:
                yield f"{file}: {lines} lines, at most {limit}"


# ---- the checks are checked ----------------------------------------------------


def planted(cc, files):
    """The uses of files that are compiled from the text given."""
    with tempfile.TemporaryDirectory() as root:
        objs = {}
        for file, text in files.items():
            path = os.path.join(root, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            objs[file] = path + ".o"
            subprocess.run([*cc, "-c", path, "-o", objs[file]], check=True)
        return uses(objs)


A = "int b(void); int a(void) { return b(); }\n"
B_BACK = "int a(void); int b(void) { return a(); }\n"
B_END = "int b(void) { return 1; }\n"
B_DATA = "int a(void); int (*const b_data)(void) = a; int b(void) { return b_data(); }\n"
B_ON = "int c(void); int b(void) { return c(); }\n"
C_BACK = "int a(void); int c(void) { return a(); }\n"


def check_finds_circles(cc):
    """a planted circle is found, with its path: of two files, by data, of three"""
    up, down = "model/a.c", "model/b.c"
    pair = [f"{up} -> {down} (b) -> {up} (a)"]
    three = [f"{up} -> {down} (b) -> model/c.c (c) -> {up} (a)"]
    for files, want in (
        ({up: A, down: B_END}, []),
        ({up: A, down: B_BACK}, pair),
        ({up: A, down: B_DATA}, pair),
        ({up: A, down: B_ON, "model/c.c": C_BACK}, three),
    ):
        found = list(circles(planted(cc, files)))
        if found != want:
            yield f"{sorted(files)}: found {found}, want {want}"


def check_finds_upwards(cc):
    """a planted use of a higher layer or of another room is found"""
    for user, used, wrong in (
        ("lab/replay/a.c", "lab/common/b.c", False),
        ("lab/replay/a.c", "lab/replay/b.c", False),
        ("lab/replay/a.c", "lab/plan/b.c", True),
        ("lab/common/a.c", "lab/replay/b.c", True),
        ("src/a.c", "extra/b.c", False),
        ("extra/a.c", "src/b.c", False),
        ("extra/a.c", "lab/common/b.c", True),
        ("model/a.c", "src/b.c", True),
        ("model/a.c", "extra/b.c", True),
        ("lab/a.c", "model/b.c", True),
    ):
        found = list(upwards(planted(cc, {user: A, used: B_END})))
        if len(found) != wrong or (wrong and user not in found[0]):
            yield f"{user} uses {used}: found {found}"


def check_finds_lengths(_cc):
    """a planted file of one line too many is found, and a file without an object"""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "src"))
        for lines in (500, 501):
            with open(os.path.join(root, f"src/{lines}.h"), "w", encoding="utf-8") as f:
                f.write("\n" * lines)
        found = list(too_long(root, [("src", 500)]))
        if found != ["src/501.h: 501 lines, at most 500"]:
            yield f"found {found}"
        with open(os.path.join(root, "compile_commands.json"), "w", encoding="utf-8") as f:
            json.dump([], f)
        try:
            objects(root, root, ["src/a.c"])
            yield "src/a.c has no object, and nothing says so"
        except NotBuilt:
            pass


def main():
    root, build = (os.path.realpath(p) for p in sys.argv[1:3])
    cc = sys.argv[3:]
    checked = [room for room, (on, _) in ROOMS.items() if on]
    files = set(sources(root, checked))
    graph = uses(objects(root, build, files))
    rooms = [(room, ROOMS[room][1]) for room in checked]
    results = [
        (f"no circle between the files of {', '.join(checked)}", circles(graph)),
        ("each file uses files of lower layers only", upwards(graph)),
        ("no file is longer than its room allows", too_long(root, rooms)),
    ]
    for check in (check_finds_circles, check_finds_upwards, check_finds_lengths):
        results.append((check.__doc__, check(cc)))
    print(f"1..{len(results)}")
    failed = False
    for n, (says, lines) in enumerate(results, 1):
        wrong = list(lines)
        failed |= bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {n} - {says}")
        for line in wrong:
            print(f"# {line}")
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotBuilt as e:
        sys.exit(f"Bail out! {e}")
