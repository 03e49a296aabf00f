# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Build steps, initial RAM disks, and machines whose console is read (kvm.py, xen.py)."""

import math
import os
import pathlib
import subprocess
import sys
import threading
import time


def say(text):
    print(text, flush=True)


def run(what, command, log, **kwargs):
    """A build step: its output goes to a log, its time to the terminal."""
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, check=False,
                                **kwargs).returncode
    say(f"  {what}: {time.monotonic() - start:.0f} s")
    if status:
        say("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
        sys.exit(f"{what} failed: {log}")


def write(path, text):
    """Write a file, unless it has that content already."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def archive(files, path):
    """An initial RAM disk: a cpio archive in the "newc" format."""
    data = bytearray()

    def member(name, mode, content):
        encoded = name.encode() + b"\0"
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        data.extend(b"070701" + b"".join(b"%08x" % f for f in fields) + encoded)
        data.extend(b"\0" * (-len(data) % 4))
        data.extend(content)
        data.extend(b"\0" * (-len(data) % 4))

    folders = {str(p) for name in files for p in pathlib.PurePath(name).parents}
    for name in sorted(folders - {"."}):
        member(name, 0o040755, b"")
    for name, content in files.items():
        member(name, 0o100755, content)
    member("TRAILER!!!", 0, b"")
    path.write_bytes(data)


def cpu_seconds(pid):
    """CPU time that a process has used."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = stat.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def boot(label, command, log, timeout, ended=lambda line: False, silence=math.inf,
         counts=lambda line: True):
    """
    Run a machine until it ends, or a line of its console says so; show which test runs.
    It is killed after so many seconds, or when it has said no line that counts for so
    many seconds of its CPU time, which a busy host does not make more. Returns the lines
    and the seconds.
    """
    lines, said = [], 0
    tty = sys.stdout.isatty()
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as out, \
            subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                             stderr=subprocess.STDOUT, text=True,
                             errors="replace") as machine:
        over = threading.Event()

        def watch():
            seen = since = 0
            while not over.wait(2) and machine.poll() is None:
                used = cpu_seconds(machine.pid)
                if said != seen:
                    seen, since = said, used
                if time.monotonic() - start > timeout or used - since > silence:
                    machine.kill()

        watchdog = threading.Thread(target=watch)
        watchdog.start()
        for line in machine.stdout:
            line = line.rstrip("\r\n")
            lines.append(line)
            said += counts(line)
            print(line, file=out, flush=True)
            if line.startswith("##BEGIN ") and tty:
                print(f"\r  {label}: {line.split()[1]:30}", end="", flush=True)
            if ended(line):
                break
        over.set()
        watchdog.join()
        machine.kill()
    if tty:
        print("\r" + " " * 78 + "\r", end="")
    return lines, time.monotonic() - start
