#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Make the tarball of a release. dist.py FOLDER; prints the path of the tarball.

It has the files of the repository, COMMIT (which commit they are), and the two-file form
of the library in its folder stage2: stage2.h and stage2.c, which are the headers and the
sources one after the other, the template of the port, and stage2_port_check.h, which
declares what a port defines. (The template has another name than the port: a header
beside stage2.c would be taken for it.) The same files give the same tarball. While the
change log has a section "Unreleased", the version has "-dev" behind it.
"""

import gzip
import io
import os
import re
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPDX = "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n"
INCLUDE = re.compile(r'^#include [<"](.*)[>"]\n', re.M)
STANDARD = re.compile(r"std\w+\.h")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def git(*words):
    words = ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, *words]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def repository():
    """The files, the commit, and its time in seconds. An unpacked tarball has no git."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        listed = git("ls-files", "--cached", "--others", "--exclude-standard")
        files = {f for f in listed.splitlines() if os.path.exists(os.path.join(ROOT, f))}
        commit = git("rev-parse", "HEAD").strip()
        if git("status", "--porcelain").strip():
            commit += ", changed"
        return sorted(files), commit, int(git("log", "-1", "--format=%ct"))
    files = []
    for folder, names, leaves in os.walk(ROOT):
        names[:] = [n for n in names if n not in ("build", "__pycache__")]
        files += (os.path.relpath(os.path.join(folder, n), ROOT) for n in leaves)
    commit, time = read("COMMIT").splitlines()
    made = [f for f in files if f == "COMMIT" or f.startswith("stage2/")]
    return sorted(set(files) - set(made)), commit, int(time)


class Joined:
    """Files one after the other, each header where it is first included."""

    def __init__(self, where, done=()):
        self.where = where
        self.done = set(done)
        self.kept = []

    def text(self, path):
        self.done.add(os.path.basename(path))
        body = read(path)
        if not body.startswith(SPDX):
            sys.exit(f"{path}: another licence line")

        def include(found):
            name = found[1]
            leaf = os.path.basename(name)
            if leaf in self.done:
                return ""
            if STANDARD.fullmatch(name) or name == "stage2_port.h":
                self.done.add(leaf)
                self.kept.append(found[0])
                return found[0]
            return "\n" + self.text(self.where[leaf])

        return f"/* ---- {path} */\n" + INCLUDE.sub(include, body[len(SPDX):])


def listed(room, suffix):
    return sorted(
        f"{room}/{n}" for n in os.listdir(os.path.join(ROOT, room)) if n.endswith(suffix)
    )


def head(what, stamp):
    return f"{SPDX}/*\n * {what} of libstage2 {stamp}, made by tools/dist.py.\n"


def two_files(stamp):
    """The text of each file in the folder stage2 of the tarball."""
    public = {os.path.basename(p): p for p in listed("include/stage2", ".h")}
    header = Joined(public).text("include/stage2/stage2.h")
    private = {os.path.basename(p): p for p in listed("src", ".h")}
    source = Joined(private, done=public)
    parts = [
        source.text(f"{room}/{name}")
        for room in ("src", "extra")
        for name in read(f"{room}/sources.list").split()
    ]
    contract = Joined(private, done=public).text("src/port.h")
    port = read("ports/template/stage2_port.h")
    return {
        "stage2.h": head("The API", stamp) + " */\n" + header,
        "stage2.c": head("The engine", stamp)
        + " * Compile it with a stage2_port.h, your port, on the include path.\n */\n"
        + '#include "stage2.h"\n\n'
        + "\n".join(parts),
        "stage2_port_check.h": head("What a port defines", stamp)
        + " * Include it where you define what your stage2_port.h leaves to the linker.\n"
        + ' */\n#include "stage2.h"\n'
        + contract,
        "stage2_port_template.h": INCLUDE.sub('#include "stage2.h"\n', port, count=1),
    }


def version():
    unreleased = re.search(r"^## (.*)$", read("CHANGELOG.md"), re.M)[1] == "Unreleased"
    return read("VERSION").strip() + ("-dev" if unreleased else "")


def main():
    files, commit, time = repository()
    name = f"libstage2-{version()}"
    made = {"COMMIT": f"{commit}\n{time}\n"}
    for leaf, text in two_files(f"{version()} ({commit})").items():
        made[f"stage2/{leaf}"] = text
    os.makedirs(sys.argv[1], exist_ok=True)
    path = os.path.join(sys.argv[1], name + ".tar.gz")
    with open(path, "wb") as f, gzip.GzipFile(
        "", "wb", fileobj=f, mtime=time
    ) as z, tarfile.open(fileobj=z, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(leaf, data, executable):
            member = tarfile.TarInfo(f"{name}/{leaf}")
            member.size, member.mtime = len(data), time
            member.mode = 0o755 if executable else 0o644
            tar.addfile(member, io.BytesIO(data))

        for leaf in files:
            with open(os.path.join(ROOT, leaf), "rb") as source:
                add(leaf, source.read(), os.access(os.path.join(ROOT, leaf), os.X_OK))
        for leaf, text in sorted(made.items()):
            add(leaf, text.encode(), False)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main()
