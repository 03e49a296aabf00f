# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ports/linux/record.sh on folders that stand for tracefs, with kernels that lack functions;
record.bt, and the commands of docs/record.md. (make record has real kernels.)
Argument 2: the source folder."""
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

import tool

ROOT = pathlib.Path(sys.argv[2])
SCRIPT = ROOT / "ports/linux/record.sh"
PREFIX = "kvm_pgtable_stage2_"
TRACE = """# tracer: nop
 a-1 [000] 1.000000: s2_init: (f) pgt=0x1
 a-1 [000] 2.000000: s2_destroy: (f) pgt=0x1 ia_bits=40
"""
# What a kernel refuses: functions, and arguments of return probes.
KERNELS = {
    "6.1": (("test_clear_young", "split", "destroy_range", "destroy_pgd"), True,
            "s2_split"),
    "6.12": (("mkold", "is_young", "destroy_range", "destroy_pgd"), False, ""),
    "7.2": (("mkold", "is_young"), False, ""),
    "inlined": (("mkyoung", "mkold", "flush"), False, "s2_mkyoung s2_flush"),
    "no old probe": (("mkold", "is_young", "destroy"), False, ""),
    "no teardown": (("mkold", "is_young", "destroy", "destroy_range", "destroy_pgd"), False,
                    "s2_destroy s2_destroy_range s2_destroy_pgd"),
}


class Recorded(unittest.TestCase):
    def setUp(self):
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.top = pathlib.Path(self.folder.name)
        tracing = self.top / "tracing"
        (tracing / "instances").mkdir(parents=True)
        (tracing / "kprobe_events").touch()
        (self.top / "bin").mkdir()
        # An instance has its files from the beginning, and goes with them.
        self.program("mkdir", f"""
cp "{tracing}/kprobe_events" "{self.top}/probes"
/bin/mkdir -p "$1/events/kvm/kvm_guest_fault" "$1/options" "$1/per_cpu/cpu0"
for e in s2_map_ret s2_relax_perms_ret; do /bin/mkdir -p "$1/events/stage2/$e"; done
cat >"$1/trace" <<'TRACE'
{TRACE}TRACE
echo "overrun: ${{LOST-0}}" >"$1/per_cpu/cpu0/stats"
""")
        self.program("rmdir", f'cp -r "$1" "{self.top}/kept"; rm -r "$1"\n')
        self.program("getconf", 'echo "${PAGE-4096}"\n')
        # The kernel: takes a line, or refuses it.
        self.program("kernel", f"""
case $1 in
-:*) sed -i "/^.:stage2.${{1#-:stage2/}} /d" "{tracing}/kprobe_events"
    exit 0 ;;
r:*' pgt='*) [ -z "$OLD" ] || exit 1 ;;
esac
set -- $1
for f in $LACKS; do [ "$2" != {PREFIX}$f ] || exit 1; done
echo "$*" >>"{tracing}/kprobe_events"
""")
        text = SCRIPT.read_text(encoding="utf-8")
        take = '\techo "$1" >>"$tracing/kprobe_events" 2>/dev/null\n'
        self.assertIn(take, text)
        text = text.replace(take, '\tkernel "$1"\n')
        text = text.replace("tracing=/sys/kernel/tracing\n", f"tracing={tracing}\n")
        self.script = self.top / "record.sh"
        self.script.write_text(text, encoding="utf-8")
        self.events = tracing / "kprobe_events"

    def program(self, name, text):
        path = self.top / "bin" / name
        path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o755)

    def record(self, *args, lacks=(), old=False, status=0, stdin="", **env):
        done = subprocess.run(
            ["sh", self.script, *args], capture_output=True, text=True, check=False,
            cwd=self.top, input=stdin, env={**os.environ, **env, "LACKS": " ".join(lacks),
                                            "OLD": "y" if old else "",
                                            "PATH": f"{self.top}/bin:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        return done.stderr

    def test_kernels(self):
        for name, (lacks, old, absent) in KERNELS.items():
            with self.subTest(kernel=name):
                self.events.write_text("", encoding="utf-8")
                said = self.record("out.trace", "true", lacks=lacks, old=old)
                self.assertIn("2 events\n", said)
                self.assertEqual("left out" in said, bool(absent))
                if absent:
                    self.assertIn(f"this kernel has no {absent}: left out", said)
                probes = self.top / "probes"
                taken = probes.read_text(encoding="utf-8").splitlines()
                self.assertGreater(len(taken), 9)
                for line in taken:
                    self.assertNotIn(line.split()[1], [PREFIX + f for f in lacks])
                ends = {line.split()[1][len(PREFIX):] for line in taken if "_destroy" in line}
                self.assertEqual(ends, {"6.1": {"destroy"}, "6.12": {"destroy"},
                                        "no old probe": {"destroy_pgd"}, "no teardown": set()}
                                 .get(name, {"destroy", "destroy_pgd"}))
                returns = [line for line in taken if line[0] == "r"]
                self.assertEqual([" pgt=" in line for line in returns], [not old] * 2)
                text = (self.top / "out.trace").read_text(encoding="utf-8")
                head = f"# kernel: {os.uname().release}\n"
                head += f"# no probe: {absent}\n" if absent else ""
                self.assertEqual(text, head + TRACE)
                got = tool.json_of("replay", "-", stdin=text.encode())
                self.assertEqual((got["vms"], got["violations"]), (1, []))

    def test_without_what_is_needed(self):
        for lack in ("map", "unmap"):
            said = self.record("out.trace", "true", lacks=[lack], status=1)
            self.assertIn(f"without s2_{lack} there is nothing to replay", said)
            self.assertFalse((self.top / "out.trace").exists())
        self.assertIn("pages of 65536 bytes", self.record("x", "true", status=1, PAGE="65536"))
        os.remove(self.events)
        self.assertIn("no kprobe events here", self.record("x", "true", status=1))

    def test_packed(self):
        for suffix in ("xz", "gz", "zst"):
            self.record(f"out.{suffix}", "true")
            got = tool.json_of("replay", str(self.top / f"out.{suffix}"))
            self.assertEqual(got["vms"], 1)
            with open(self.top / f"out.{suffix}", "rb") as f:
                self.assertNotEqual(f.read(2), b"# ")

    def test_settings(self):
        self.record("out", "-b", "3", "-f", "true")
        kept = self.top / "kept"
        for path, want in (("buffer_size_kb", "3072"), ("events/stage2/enable", "0"),
                           ("events/kvm/kvm_guest_fault/enable", "1"),
                           ("events/stage2/s2_map_ret/filter", "ret != 0"),
                           ("options/irq-info", "0"), ("tracing_on", "0")):
            self.assertEqual((kept / path).read_text(encoding="utf-8"), want + "\n", path)

    def test_lost(self):
        self.assertIn("17 events were lost: give it more memory",
                      self.record("out", "true", status=1, LOST="17"))

    def test_status_and_enter(self):
        self.record("out", "sh", "-c", "exit 7", status=7)
        self.assertIn("Enter ends it", self.record("out", stdin="\n"))

    def test_define_and_remove(self):
        said = self.record("--define")
        self.assertIn("the probes are stage2:s2_*", said)
        self.assertFalse((self.top / "tracing/instances/stage2").exists())
        self.record("--remove")
        for args in ((), ("--help",), ("out", "-b")):
            self.assertIn("usage: record.sh", self.record(*args, status=2))


class Bpftrace(unittest.TestCase):
    def lines(self):
        """A line of each format of record.bt, in an order that is a recording."""
        text = (ROOT / "ports/linux/record.bt").read_text(encoding="utf-8")
        found = re.findall(r'printf\("([^"]*: (s2_\w+): [^"]*)\\n"', text)
        formats = {name: line for line, name in found}
        self.assertEqual(len(formats), 12)
        self.assertEqual(text.count("printf("), len(formats))
        values = {"pgt": 0x1, "addr": 0x200000, "size": 0x200000, "phys": 0x400000,
                  "prot": 7, "ret": -11, "mkold": 1, "ia_bits": 40}
        order = ["s2_init", "s2_map", "s2_map_ret", "s2_map", "s2_age", "s2_mkyoung",
                 "s2_wrprotect", "s2_relax_perms", "s2_relax_perms_ret", "s2_flush",
                 "s2_split", "s2_unmap", "s2_destroy"]
        self.assertEqual(set(order), set(formats))
        for n, name in enumerate(order):
            fields = re.findall(r"(\w+)=", formats[name])
            args = ["CPU 0/KVM", 7, n % 2, 5, 1000 * n] + [values[f] for f in fields]
            plain = formats[name].replace("%llu", "%d").replace("%llx", "%x")
            yield plain.replace("%09llu", "%09d") % tuple(args) + "\n"

    def test_formats(self):
        text = "Attaching 13 probes...\n" + "".join(self.lines())
        got = tool.json_of("replay", "-", "--features", "none", stdin=text.encode())
        self.assertEqual((got["vms"], got["failed_calls"], got["unmapped_bytes"],
                          got["vms_not_destroyed"], got["violations"]), (1, 2, 2 << 20, 0, []))

    def test_functions(self):
        """The functions of record.bt have probes in record.sh, with the same names."""
        script = SCRIPT.read_text(encoding="utf-8")
        text = (ROOT / "ports/linux/record.bt").read_text(encoding="utf-8")
        for kind, function, name in re.findall(
                r"(kprobe|kretprobe):(\w+)\n(?:/.*/\n)?\{\n\tprintf\(\"[^\"]*: (s2_\w+):",
                text):
            name = "s2_destroy_range" if function.endswith("_range") else name
            self.assertIn(f"{'p' if kind == 'kprobe' else 'r'}:stage2/{name} {function} ",
                          script)

    def test_sorted_as_the_docs_say(self):
        docs = (ROOT / "docs/record.md").read_text(encoding="utf-8")
        command = re.search(r"^    (sed .* raw\.txt .*>guest\.trace)$", docs, re.M)[1]
        want = list(self.lines())
        shuffled = want[:]
        random.Random(1).shuffle(shuffled)
        self.assertNotEqual(shuffled, want)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "raw.txt").write_text("Attaching 13 probes...\n" + "".join(shuffled),
                                          encoding="utf-8")
            subprocess.run(["sh", "-c", command], cwd=path, check=True)
            self.assertEqual((path / "guest.trace").read_text(encoding="utf-8"),
                             "".join(want))
        done = tool.run("replay", "-", stdin="".join(shuffled).encode())
        self.assertIn("lines are not in order (sort them: docs/record.md)", done.stderr)


if __name__ == "__main__":
    tool.main()
