#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The library in the build system of another project. embed.py SOURCE_ROOT; TAP.

The CMake and Meson lines are those of docs/porting.md.
- CMake: what tools/vendor.sh has copied, for the host and for AArch64
- Meson: a subproject, for AArch64, where nothing else can be found (no pkg-config)
- pkg-config: what `meson install` installs compiles by the .pc file
"""

import functools
import glob
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checks  # noqa: E402
from checks import Wrong  # noqa: E402

CROSS = "aarch64-linux-gnu-"
# What a subproject needs of the repository.
PARTS = ["meson.build", "meson_options.txt", "VERSION", "include", "src", "extra",
         "ports/template"]  # fmt: skip

CMAKE = """cmake_minimum_required(VERSION 3.12)
project(embedder C)
{lines}
add_executable(hello hello.c)
target_link_libraries(hello stage2)
"""
MESON = """project('embedder', 'c')
sources = files({sources})
{lines}
"""
MACHINE = """[binaries]
c = 'aarch64-linux-gnu-gcc'
pkg-config = 'false'
cmake = 'false'
[host_machine]
system = 'none'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
[built-in options]
c_args = ['-ffreestanding', '-mgeneral-regs-only', '-Wno-unused-parameter']
c_link_args = ['-nostdlib', '-static', '-Wl,-Ttext=0x40100000']
"""


def run(words, where):
    done = checks.run(words, where)
    if "warning:" in done.stderr:
        raise Wrong(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def write(text, *path):
    with open(os.path.join(*path), "w", encoding="utf-8") as f:
        f.write(text)


def lines(root, language):
    with open(os.path.join(root, "docs/porting.md"), encoding="utf-8") as f:
        return re.search(rf"^```{language}\n(.*?)^```", f.read(), re.M | re.S)[1]


def copy(root, what, to):
    source = os.path.join(root, what)
    if os.path.isdir(source):
        shutil.copytree(source, to)
    else:
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(source, to)


def check_cmake(root, out):
    for compiler in ("gcc", CROSS + "gcc"):
        tree = os.path.join(out, "cmake-" + compiler)
        run([os.path.join(root, "tools/vendor.sh"), os.path.join(tree, "stage2")], out)
        copy(root, "examples/hello.c", os.path.join(tree, "hello.c"))
        # The port of the example in place of the template.
        copy(root, "examples/host/stage2_port.h",
             os.path.join(tree, "stage2/port/stage2_port.h"))  # fmt: skip
        write(CMAKE.format(lines=lines(root, "cmake")), tree, "CMakeLists.txt")
        cross = ["-DCMAKE_SYSTEM_NAME=Linux"] if compiler != "gcc" else []
        run(["cmake", "-S.", "-Bb", "-DCMAKE_C_COMPILER=" + compiler, *cross], tree)
        run(["cmake", "--build", "b"], tree)
        runner = [] if compiler == "gcc" else ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
        run([*runner, "b/hello"], tree)


def check_meson(root, out):
    tree = os.path.join(out, "meson")
    for part in PARTS:
        copy(root, part, os.path.join(tree, "subprojects/libstage2", part))
    copy(root, "examples/bare", os.path.join(tree, "hypervisor"))
    copy(root, "ports/template", os.path.join(tree, "ports/template"))
    port = os.path.join(tree, "port")
    os.mkdir(port)
    write('#include "../hypervisor/stage2_port.h"\n', port, "stage2_port.h")
    names = sorted(glob.glob(os.path.join(tree, "hypervisor/*.[cS]")))
    sources = ", ".join(repr(os.path.relpath(name, tree)) for name in names)
    text = MESON.format(sources=sources, lines=lines(root, "meson"))
    write(text, tree, "meson.build")
    write(MACHINE, tree, "machine.txt")
    run(["meson", "setup", "b", "--cross-file", "machine.txt"], tree)
    run(["ninja", "-C", "b"], tree)
    run([CROSS + "objdump", "-f", "b/hypervisor"], tree)


def check_pkg_config(root, out):
    prefix, build = os.path.join(out, "prefix"), os.path.join(out, "build")
    run(["meson", "setup", build, root, "-Dlab=false", "--prefix", prefix,
         "--libdir", "lib"], out)  # fmt: skip
    run(["meson", "install", "-C", build], out)
    command = ["env", "PKG_CONFIG_PATH=" + prefix + "/lib/pkgconfig", "pkg-config"]
    flags = run([*command, "--cflags", "stage2"], out).split()
    sources = run([*command, "--variable=sources", "stage2"], out).split()
    host = os.path.join(root, "examples/host")
    hello = os.path.join(root, "examples/hello.c")
    run(["gcc", *flags, "-I" + host, hello, *sources, "-o", "hello"], out)
    run([os.path.join(out, "hello")], out)


def checked(check, root):
    with tempfile.TemporaryDirectory() as out:
        check(root, out)


def main():
    root = os.path.realpath(sys.argv[1])
    todo = {"cmake": check_cmake, "meson": check_meson, "pkg-config": check_pkg_config}
    return checks.points([
        (tool, tool, tool, functools.partial(checked, check, root))
        for tool, check in todo.items()
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
