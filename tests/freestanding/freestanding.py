#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compile the engine as an embedder would, for bare AArch64, and look at it.

freestanding.py SOURCE_ROOT OPTIMISATION [BAD_FILE MESSAGE]

- every file compiles with -ffreestanding -nostdlib -Wall -Wextra -Werror
- linked together they need memset, memcpy and the port's functions, no more
- every name that the linker sees begins with s2_ (src/names.h)
- no function calls itself, by any path, nor through a pointer (which would hide
  such a path); no frame depends on the data or exceeds FRAME bytes; the deepest
  chain of calls stays within STACK bytes (STACK_O0 at -O0)

With BAD_FILE that file is looked at in place of the engine, and must be refused
with a message that has MESSAGE in it.
"""

import os
import re
import subprocess
import sys
import tempfile

CROSS = "aarch64-linux-gnu-"
FLAGS = ["-std=c11", "-ffreestanding", "-nostdlib", "-Wall", "-Wextra", "-Werror"]
# Bytes. The stack of a hypervisor is a few KiB, and its own frames are on it too.
FRAME = 1024
STACK = 2048
# Unoptimised, a function that is inlined otherwise has a frame of its own.
STACK_O0 = 2304

NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"(.*)\}$')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
BYTES = re.compile(r"(\d+) bytes \((\w+)")


class Refused(Exception):
    pass


def fail(message):
    raise Refused(message)


def port_functions(root):
    """What src/port.h declares, and which of them the template defines."""

    def find(path, pattern):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            return set(re.findall(pattern, f.read(), re.M))

    declared = find("src/port.h", r"^[a-z].*?\b(s2_port_\w+)\(")
    defined = find(
        "ports/template/stage2_port.h", r"^static inline .*?\b(s2_port_\w+)\("
    )
    if not declared or not declared & defined:
        fail("found no port functions in src/port.h or in the template")
    return declared, defined


def compile_all(root, files, level, out):
    objects = []
    for path in files:
        obj = os.path.join(out, os.path.basename(path)[:-2] + ".o")
        command = [CROSS + "gcc", *FLAGS, level, "-fcallgraph-info=su"]
        for folder in ("include", "src", "ports/template"):
            command.append("-I" + os.path.join(root, folder))
        subprocess.run([*command, "-c", path, "-o", obj], check=True)
        objects.append(obj)
    return objects


def check_symbols(root, objects, out):
    linked = os.path.join(out, "engine.o")
    subprocess.run([CROSS + "ld", "-r", "-o", linked, *objects], check=True)
    nm = subprocess.run(
        [CROSS + "nm", "-u", linked], check=True, capture_output=True, text=True
    )
    undefined = {line.split()[-1] for line in nm.stdout.splitlines() if line.strip()}
    declared, defined = port_functions(root)
    allowed = {"memset", "memcpy"} | (declared - defined)
    if undefined - allowed:
        fail("undefined: " + " ".join(sorted(undefined - allowed)))
    nm = subprocess.run(
        [CROSS + "nm", "-g", "--defined-only", linked],
        check=True, capture_output=True, text=True,
    )
    names = [line.split()[-1] for line in nm.stdout.splitlines() if line.strip()]
    bare = [name for name in names if not name.startswith("s2_")]
    if bare:
        fail("no prefix: " + " ".join(bare))
    size = subprocess.run(
        [CROSS + "size", "-A", linked], check=True, capture_output=True, text=True
    )
    sections = re.findall(r"^(\.\S+)\s+(\d+)", size.stdout, re.M)
    # .data.rel.ro is constant: pointers that only the linker fills in.
    writable = re.compile(r"\.t?(data(?!\.rel\.ro)|bss)")
    state = sum(int(n) for name, n in sections if writable.match(name))
    if state:
        fail(f"the engine has state of its own: {state} bytes")
    text = sum(int(n) for name, n in sections if name.startswith(".text"))
    print(f"text {text} bytes, no state; needs: {' '.join(sorted(undefined))}")


def read_callgraph(objects):
    """Frames by function, and who calls whom, from GCC's .ci files."""
    frames, calls = {}, {}
    for obj in objects:
        with open(obj[:-2] + ".ci", encoding="utf-8") as f:
            for line in f:
                node, edge = NODE.match(line), EDGE.match(line)
                if node and "shape : ellipse" not in node[3]:
                    found = BYTES.search(node[2])
                    if not found:
                        fail(f"no stack use for {node[1]}")
                    if found[2] != "static":
                        fail(f"{node[1]}: its frame is {found[2]}")
                    frames[node[1]] = int(found[1])
                elif edge:
                    calls.setdefault(edge[1], set()).add(edge[2])
    return frames, calls


def check_callgraph(objects, stack):
    frames, calls = read_callgraph(objects)
    for name, frame in frames.items():
        if frame > FRAME:
            fail(f"{name}: a frame of {frame} bytes, more than {FRAME}")
        if "__indirect_call" in calls.get(name, ()):
            fail(f"{name} calls through a pointer")

    depth = {}  # bytes of stack from here down; absent: not finished

    def visit(name, path):
        if name in path:
            fail("recursion: " + " -> ".join(path[path.index(name):] + [name]))
        if name not in depth:
            below = [visit(c, path + [name]) for c in sorted(calls.get(name, ()))]
            depth[name] = frames.get(name, 0) + max(below, default=0)
        return depth[name]

    for name in frames:
        visit(name, [])
    if not frames:
        fail("no functions found")
    deepest = max(depth, key=depth.get)
    largest = max(frames, key=frames.get)
    print(
        f"{len(frames)} functions, largest frame {frames[largest]} bytes ({largest}), "
        f"deepest chain {depth[deepest]} bytes (from {deepest})"
    )
    if depth[deepest] > stack:
        fail(f"more than {stack} bytes of stack")


def check(root, level, files):
    with tempfile.TemporaryDirectory() as out:
        objects = compile_all(root, files, level, out)
        check_symbols(root, objects, out)
        check_callgraph(objects, STACK_O0 if level == "-O0" else STACK)


def engine(root, room):
    """The files that the list of src/ or extra/ names."""
    with open(os.path.join(root, room, "sources.list"), encoding="utf-8") as f:
        return [os.path.join(root, room, name) for name in f.read().split()]


def main():
    root, level, *bad = sys.argv[1:]
    if not bad:
        check(root, level, engine(root, "src") + engine(root, "extra"))
        return
    path, message = bad
    try:
        check(root, level, [path])
    except Refused as e:
        if message not in str(e):
            raise
        print(f"refused, as it must be: {e}")
        return
    sys.exit(f"{path} was not refused")


if __name__ == "__main__":
    try:
        main()
    except Refused as e:
        sys.exit(f"freestanding: {e}")
