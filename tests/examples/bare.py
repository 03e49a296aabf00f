#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compile examples/bare for AArch64 and run it under QEMU at EL2. bare.py SOURCE_ROOT

On a CPU that has every feature and on one that has none of them. The emulated MMU says
what is mapped. QEMU has no exit status for the program, so its last line counts.
"""

import glob
import os
import subprocess
import sys
import tempfile

CPUS = ["max", "cortex-a57"]
COMPILE = """aarch64-linux-gnu-gcc -std=gnu11 -O2 -march=armv8-a -mgeneral-regs-only
    -mstrict-align -ffreestanding -nostdlib -static -no-pie -Wl,-Ttext=0x40100000
    -Wl,--build-id=none -Wall -Wextra -Wno-unused-parameter -Werror"""
RUN = """qemu-system-aarch64 -M virt,virtualization=on -m 256 -net none -display none
    -serial stdio"""


def engine(root):
    for room in ("src", "extra"):
        with open(os.path.join(root, room, "sources.list"), encoding="utf-8") as f:
            yield from (os.path.join(root, room, name) for name in f.read().split())


def main():
    root = sys.argv[1]
    bare = os.path.join(root, "examples/bare")
    sources = sorted(glob.glob(os.path.join(bare, "*.[cS]")))
    folders = ["-I" + os.path.join(root, folder) for folder in ("include", "src")]
    with tempfile.TemporaryDirectory() as out:
        elf = os.path.join(out, "bare.elf")
        command = [*COMPILE.split(), *folders, "-I" + bare, "-o", elf]
        # libgcc: older compilers call it for atomics.
        subprocess.run([*command, *sources, *engine(root), "-lgcc"], check=True)
        for cpu in CPUS:
            ran = subprocess.run(
                [*RUN.split(), "-cpu", cpu, "-kernel", elf],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
            )
            print(f"{cpu}:\n{ran.stdout}{ran.stderr}")
            if ran.returncode or not ran.stdout.endswith("yes\ndone\n"):
                sys.exit(f"{cpu}: it has failed")


if __name__ == "__main__":
    main()
