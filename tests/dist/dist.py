#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a release hands out works. dist.py SOURCE_ROOT

The tarball is made and unpacked, and everything is done with what was in it:
- the same files give the same tarball, also when it is made from the unpacked one
- the two-file form compiles without a warning for the host and for AArch64, and
  examples/hello runs on it
- the command of the README that compiles examples/hello works as it stands there, and so
  do those of the other examples, in their first comment
- tools/vendor.sh copies what each profile needs: it compiles and links, and needs no
  more than the port and memset. A second run keeps the port and the embedder's files,
  and removes what the first has copied and the second has not
"""

import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checks  # noqa: E402
from checks import Wrong  # noqa: E402

CROSS = "aarch64-linux-gnu-"
WARN = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"]
BARE = ["-ffreestanding", "-nostdlib", "-mgeneral-regs-only"]


def run(words, where):
    return checks.run(words, where).stdout


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def make(root, out):
    path = run([sys.executable, "-B", os.path.join(root, "tools/dist.py"), out], root)
    path = path.strip()
    run(["tar", "xzf", path], out)
    return path, path[: -len(".tar.gz")]


def check_again(tarball, tree, out):
    again, _ = make(tree, os.path.join(out, "again"))
    with open(tarball, "rb") as a, open(again, "rb") as b:
        if a.read() != b.read():
            raise Wrong("the tarball made from the unpacked tarball is another one")


def undefined(linked):
    return set(run([CROSS + "nm", "-u", linked], ".").split()) - {"U"}


def check_needs(tree, linked):
    declared = set(re.findall(r"\b(s2_port_\w+)\(", read(tree, "src/port.h")))
    more = undefined(linked) - declared - {"memset", "memcpy"}
    if more:
        raise Wrong(f"{linked} needs {sorted(more)}")


def check_two_files(tree, out):
    one, hello = os.path.join(out, "stage2.o"), os.path.join(out, "hello")
    host = ["-I.", "-Iexamples/host"]
    run(["gcc", *WARN, *host, "stage2/stage2.c", "examples/hello.c", "-o", hello], tree)
    print(run([hello], tree))
    port = os.path.join(out, "port")
    os.mkdir(port)
    shutil.copy(
        os.path.join(tree, "stage2/stage2_port_template.h"),
        os.path.join(port, "stage2_port.h"),
    )
    words = [CROSS + "gcc", *WARN, *BARE, "-Istage2", "-I" + port]
    run([*words, "-c", "stage2/stage2.c", "-o", one], tree)
    check_needs(tree, one)
    # A port's own file, beside the header that declares what it defines.
    mine = os.path.join(port, "port.c")
    shutil.copy(os.path.join(tree, "examples/bare/port.c"), mine)
    text = read(mine).replace('"port.h"', '"stage2_port_check.h"')
    words += ["-Wmissing-prototypes", "-Wno-unused-parameter", "-c", mine, "-o", one]

    def compile_port(body):
        with open(mine, "w", encoding="utf-8") as f:
            f.write(body)
        run(words, tree)

    compile_port(text)
    try:
        compile_port(text.replace("unsigned pages", "int pages"))
    except Wrong as e:
        if "conflicting types" not in str(e):
            raise
    else:
        raise Wrong("stage2_port_check.h finds no wrong type")
    licence = read(tree, "src/map.c").split("\n")[0]
    for leaf in os.listdir(os.path.join(tree, "stage2")):
        if read(tree, "stage2", leaf).split("\n")[0] != licence:
            raise Wrong(f"stage2/{leaf} has another licence line")


def check_readme(tree):
    found = re.findall(r"^(?:cc|\./hello).*(?:\\\n.*)*$", read(tree, "README.md"), re.M)
    if len(found) != 2:
        raise Wrong(f"README.md: the commands for examples/hello are {found}")
    run(["sh", "-ec", "\n".join(found)], tree)
    for name in ("shared", "dirty"):
        comment = read(tree, f"examples/{name}.c")
        command = re.search(r"^ \*\t(cc (?:.*\\\n \*\t)*.*)$", comment, re.M)
        if not command:
            raise Wrong(f"examples/{name}.c: there is no command in the first comment")
        run(["sh", "-ec", re.sub(r"\n \*\t", "\n", command[1]) + f"\n./{name}"], tree)


def check_vendor(tree, profile, dest, out):
    vendor = os.path.join(tree, "tools/vendor.sh")
    run([vendor, "--profile", profile, dest], out)
    stamp = read(dest, "VENDORED").split("\n")
    want = [
        f"libstage2 {read(tree, 'VERSION').strip()}",
        f"commit: {read(tree, 'COMMIT').splitlines()[0]}",
        f"profile: {profile}",
    ]
    if stamp[:3] != want:
        raise Wrong(f"{dest}/VENDORED begins with {stamp[:3]}, not {want}")
    objects = []
    for path in read(dest, "sources.list").split():
        objects.append(os.path.join(out, os.path.basename(path) + ".o"))
        words = [CROSS + "gcc", *WARN, *BARE, "-Iinclude", "-Isrc", "-Iport"]
        run([*words, "-c", path, "-o", objects[-1]], dest)
    linked = os.path.join(out, profile + ".o")
    run([CROSS + "ld", "-r", "-o", linked, *objects], out)
    check_needs(tree, linked)
    print(f"{profile}: {len(objects)} files")


def check_update(tree, dest, out):
    """Once more into the folder where everything is, with a smaller profile."""
    mine = {"port/stage2_port.h": "/* mine */\n", "src/mine.c": "int mine;\n"}
    for leaf, text in mine.items():
        with open(os.path.join(dest, leaf), "w", encoding="utf-8") as f:
            f.write(text)
    run([os.path.join(tree, "tools/vendor.sh"), "--profile", "core", "--with", "dump",
         dest], out)  # fmt: skip
    for leaf, text in mine.items():
        if read(dest, leaf) != text:
            raise Wrong(f"vendor.sh has changed {leaf}")
    left = os.listdir(os.path.join(dest, "extra"))
    if left != ["dump.c"]:
        raise Wrong(f"vendor.sh --profile core --with dump leaves {left} in extra/")


def main():
    root = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory() as out:
        tarball, tree = make(root, os.path.join(out, "dist"))
        check_again(tarball, tree, out)
        check_two_files(tree, out)
        check_readme(tree)
        for profile in ("core", "hypervisor", "all"):
            dest = os.path.join(out, "vendored-" + profile)
            check_vendor(tree, profile, dest, out)
        check_update(tree, dest, out)


if __name__ == "__main__":
    try:
        main()
    except Wrong as e:
        sys.exit(f"dist: {e}")
