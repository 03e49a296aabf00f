# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The rules of reading a recording, each by its effect on tests/replay/rules.trace; what
is refused, with file, line and column; the command line."""
import lzma
import os
import pty
import re
import subprocess
import tempfile
import unittest

import tool

with open(tool.RULES, "rb") as rules_file:
    TEXT = rules_file.read()
INIT = b" a-1 [000] 1.000000: s2_init: (f) pgt=0x1 mmu=0x2 flags=0x0\n"
END = b" a-1 [000] 9.000000: s2_destroy: (f) pgt=0x1 ia_bits=40 start_level=1\n"
PAGE, BLOCK = 4096, 2 << 20


def event(text, task="a-1 [000]", time="2.000000"):
    return f" {task} {time}: {text}\n".encode()


def op(name, *fields, task="a-1 [000]", time="2.000000"):
    """An event of the VM that INIT makes."""
    return event(" ".join([f"s2_{name}: (f+0x0/0x1) pgt=0x1", *fields]), task, time)


def page(addr, phys=None, size=PAGE, prot=7, **more):
    return op("map", f"addr={addr:#x}", f"size={size:#x}",
              f"phys={addr if phys is None else phys:#x}", f"prot={prot:#x}", **more)


class Rules(unittest.TestCase):
    def replay(self, *lines, status=0):
        return tool.json_of("replay", "-", "--no-merged", stdin=b"".join(lines),
                            status=status)

    def test_all(self):
        got = tool.json_of("replay", tool.RULES)
        self.assertEqual((got["vms"], got["vms_that_mapped"], got["vms_of_52_bits"],
                          got["vms_not_destroyed"], got["failed_calls"],
                          got["guest_faults"], got["other_events"]),
                         (3, 2, 1, 1, 1, 1, 1))
        # Rule 3: a page of the broken block; 5: a block; KSM's page; 7: a page of a
        # split block, then another block.
        self.assertEqual(got["unmapped_bytes"], PAGE + BLOCK + PAGE + PAGE + BLOCK)
        self.assertEqual(got["violations"], [])

    def test_52_bits(self):
        """With lpa2 a VM has 52 bits of IPA and PAs up to 51 bits; without it 48."""
        wide = END.replace(b"=40", b"=52")
        high = page((1 << 52) - PAGE, (1 << 51) - PAGE)
        for features, roots, most in (("lpa2", 16, 1 << 51), ("none", 1, 1 << 47)):
            low = INIT + page(PAGE, most - PAGE) + wide
            got = tool.json_of("replay", "-", "--features", features, stdin=low)
            self.assertEqual((got["violations"], got["vms_of_52_bits"]), ([], 1))
            for who in ("stage2", "merged"):
                self.assertEqual(got[who]["by_operation"]["init"]["tables_taken"], roots)
            done = tool.run("replay", "-", "--features", features, stdin=low)
            self.assertIn("replayed " + ("as they were: 1" if roots == 16 else
                                         "with 48: 1"), done.stdout)
        got = tool.json_of("replay", "-", "--features", "lpa2,tlbirange", stdin=INIT + high
                           + op("unmap", f"addr={(1 << 52) - PAGE:#x}", "size=0x1000")
                           + high + wide)
        self.assertEqual((got["violations"], got["unmapped_bytes"]), ([], PAGE))
        # Not destroyed in the recording: as many bits as its addresses need.
        got = tool.json_of("replay", "-", "--features", "lpa2", stdin=INIT + high)
        self.assertEqual((got["violations"], got["vms_not_destroyed"]), ([], 1))
        done = tool.run("replay", "-", "--features", "lpa2",
                        stdin=INIT + page(PAGE, 1 << 51) + wide)
        self.assertIn("physical addresses end at 51 bits", done.stderr)

    def test_sources(self):
        """A file, its xz, standard input, CR LF: the same result except for the name."""
        want = tool.json_of("replay", tool.RULES)
        want.pop("file")
        for stdin in (TEXT, lzma.compress(TEXT), TEXT.replace(b"\n", b"\r\n")):
            got = tool.json_of("replay", "-", stdin=stdin)
            self.assertEqual(got.pop("file"), "<stdin>")
            self.assertEqual(got, want)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "no-suffix")
            with open(path, "wb") as f:
                f.write(lzma.compress(TEXT))
            got = tool.json_of("replay", path)
        self.assertEqual(got.pop("file"), path)
        self.assertEqual(got, want)

    def test_failed_map_of_the_same_task_only(self):
        """A failed map changed nothing; the same call by another task did."""
        fail = op("map_ret", "ret=-11", "addr=0x1000", task="b-2 [001]")
        got = self.replay(INIT, page(0x1000),
                          page(0x1000, 0x5000, task="b-2 [001]"), fail,
                          op("unmap", "addr=0x1000", "size=0x1000"), END)
        self.assertEqual((got["mapped_bytes"], got["failed_calls"]), (PAGE, 1))

    def test_failed_relax(self):
        got = self.replay(INIT, op("relax_perms", "addr=0x1000", "prot=0x2"),
                          op("relax_perms_ret", "ret=-11", "addr=0x1000"), END)
        self.assertEqual((got["failed_calls"], got["stage2"]["calls"]), (1, 2))

    def test_faults_that_find_nothing(self):
        """Another task has unmapped the page; before 6.2 the call does not fail then."""
        got = self.replay(INIT, page(0x1000), op("unmap", "addr=0x0", "size=0x200000"),
                          op("relax_perms", "addr=0x1000", "prot=0x2"),
                          op("mkyoung", "addr=0x1000"), END)
        self.assertEqual((got["found_nothing"], got["stage2"]["calls"]), (2, 4))

    def test_block_over_pages_and_back(self):
        got = self.replay(INIT, page(0x200000), page(0x201000),
                          page(0x200000, size=BLOCK), page(0x203000, 0x9000),
                          event("tracing_mark_write: @phase x"),
                          op("unmap", "addr=0x0", "size=0x40000000"), END)
        self.assertEqual(got["unmapped_bytes"], PAGE)

    def test_memory_types_and_software_bits(self):
        got = self.replay(INIT, page(0x1000, prot=6 | 8), page(0x2000, prot=7 | 16),
                          page(0x3000, prot=7 | 15 << 55), END)
        self.assertEqual(got["violations"], [])

    def test_many_vms_at_once(self):
        lines = []
        for pgt in range(1, 41):
            lines.append(INIT.replace(b"=0x1 ", b"=%#x " % pgt))
        for pgt in range(1, 41):
            lines += [line.replace(b"pgt=0x1 ", b"pgt=%#x " % pgt) for line in (
                page(0x1000), op("unmap", "addr=0x1000", "size=0x1000"))]
        got = self.replay(*lines)
        self.assertEqual((got["vms"], got["vms_not_destroyed"], got["violations"]),
                         (40, 40, []))

    def test_many_cpus(self):
        lines = [page(0x1000 * n, task=f"a-1 [{n:03}]") for n in range(1, 40)]
        self.assertEqual(self.replay(INIT, *lines, END)["violations"], [])

    def test_wide_address_space(self):
        """lpa2 is the default if a VM of more than 48 bits maps something; each VM has
        its own IPA size then, and the tables that go with it."""
        other = INIT.replace(b"=0x1 ", b"=0x9 ")
        for bits, roots in ((52, 16), (49, 2), (48, 1)):
            end = END.replace(b"=40", b"=%d" % bits)
            got = self.replay(INIT, other, page(0x1000), page((1 << bits) - PAGE, 0x1000),
                              end, END.replace(b"=0x1 ", b"=0x9 "))
            self.assertEqual("lpa2" in got["features"], bits > 48)
            self.assertEqual(got["stage2"]["by_operation"]["init"]["tables_taken"],
                             roots + 2)
        # One that maps nothing, as each VMM makes to ask for the sizes.
        got = self.replay(INIT, END.replace(b"=40", b"=52"))
        self.assertEqual((got["features"], got["vms_of_52_bits"]), (["fwb", "tlbirange"], 1))
        # PAs of more than 47 bits need it, too: tables have the upper half.
        got = self.replay(INIT, page(0x1000, 1 << 47), END)
        self.assertIn("lpa2", got["features"])


class Refused(unittest.TestCase):
    """Exit status 2, nothing on stdout, one line FILE:LINE:COLUMN: what."""

    CASES = (
        (b"", "1:1: there is no s2_init in this file: it is empty"),
        (b"# tracer: nop\n\n", "3:1: there is no s2_init in this file, and no event"),
        (event("sched_waking: comm=a"), "2:1: there is no s2_init in this file, and no other"),
        (b"hello\n", "1:1: not a line of ftrace"),
        (b" a-1  0d..1. 1.000000: s2_init: pgt=1\n", "1:2: not a line of ftrace: no "
         '"TASK-PID [CPU] " (its latency format'),
        (b"\x7fELF\0\0\n", "1:5: a NUL byte"),
        (INIT + b"\xff\xfe\n", "2:1: not a line of ftrace"),
        (INIT[:-1], "1:60: the file ends in the middle of a line"),
        (b"x" * 9000 + b"\n", "1:8193: the line is too long"),
        (b"# " + b"x" * 100000, "1:8193: the line is too long"),
        (b" a-1 [0x0] 1.0: s2_init: pgt=1\n", "1:2: not a line"),
        (b" a-1 [000] 1: s2_init: pgt=1\n", "1:12: no time stamp"),
        (b" a-1 [000] 1.0000000000: s2_init: pgt=1\n", "1:12: no time stamp"),
        (b" a-1 [000] 99999999999999999999.0: x: y\n", "1:12: no time stamp"),
        (b" a-99999999999999999999 [000] 1.0: x: y\n", "1:2: not a line"),
        (b" a-1 [000] 1.000000: s2_init\n", "1:22: no event name"),
        (INIT + event("s2_init: pgt=0x9", time="0.999999"), "2:12: the time goes back"),
        (INIT + event("s2_remap: pgt=0x1"), "2:22: unknown operation s2_remap"),
        (page(0x1000), "2:1: there is no s2_init in this file, only 1 call"),
        (INIT + op("unmap", "addr=0x1000"), "2:63: the field size is missing"),
        (INIT + op("unmap", "addr=0x1000", "addr=0x1000"), "2:64: the field addr is"),
        (INIT + op("unmap", "addr=", "size=0x1000"), "2:57: a number is missing"),
        (INIT + op("unmap", "addr=0x1g", "size=0x1000"), "2:60: not a digit of a hexa"),
        (INIT + op("unmap", "addr=1a", "size=0x1000"), "2:58: not a digit of a decimal"),
        (INIT + op("unmap", "addr=0x10000000000000000", "size=0x1000"), "2:57: the num"),
        (INIT + op("unmap", "addr=0x1000", "rubbish", "size=0x1000"), "2:64: NAME=VALUE"),
        (INIT + op("unmap", "addr=0x1001", "size=0x1000"), "2:57: the address is not"),
        (INIT + op("unmap", "addr=0x1000", "size=0x0"), "2:69: the size is not"),
        (INIT + op("unmap", "addr=0x1000", "size=0x800"), "2:69: the size is not"),
        (INIT + op("unmap", "addr=0xfffffffffffff000", "size=0x2000"), "wrap around"),
        (INIT + page(0x200000, size=8192), "a map is of 4 KiB"),
        (INIT + page(0x201000, size=BLOCK), "the address is not aligned"),
        (INIT + page(0x200000, 0x1000, size=BLOCK), "the physical address is not"),
        (INIT + page(0x1000, prot=0), "gives no permission"),
        (INIT + page(0x1000, prot=0x20), "unknown bits in prot"),
        (INIT + page(0x1000, prot=0x1f), "both device and non-cacheable"),
        (INIT + page(0x1000, prot=0xf), "executes from device memory"),
        (INIT + op("relax_perms", "addr=0x1000", "prot=0x8"), "R, W and X only"),
        (INIT + op("map_ret", "ret=-11", "addr=0x1000"), "is not the call that returns"),
        (INIT + page(0x1000) + op("map_ret", "ret=-11", "addr=0x2000"), "not the call"),
        (INIT + END.replace(b"=40", b"=53"), "2:54: an IPA size is 32 to 52"),
        (INIT + event("s2_unmap: (x pgt=0x1"), "the parenthesis is not closed"),
        (INIT + b"CPU:1 [LOST 4711 EVENTS]\n", "2:1: events were lost here"),
        # The word of the engine.
        (INIT + page(1 << 40, 0x1000) + END, "2:55: range ends"),
        (INIT + op("unmap", f"addr={1 << 41:#x}", "size=0x1000") + END, "2:57: range"),
        (INIT + page(0x1000, 1 << 51) + END, "2:55: physical addresses end at 51"),
        (b"".join(INIT.replace(b"=0x1 ", b"=%d " % n) for n in range(256)),
         "256:22: more than 255 VMs alive at once"),
    )

    def check(self, stdin, says, *args):
        done = tool.run("replay", "-", "--no-merged", *args, stdin=stdin)
        self.assertEqual((done.returncode, done.stdout), (2, ""), (stdin[-200:], says))
        self.assertRegex(done.stderr, r"^<stdin>:\d+:\d+: .+\n$")
        self.assertIn(says if says[0].isalpha() else ":" + says, done.stderr)

    def test_each(self):
        for stdin, says in self.CASES:
            with self.subTest(says=says):
                self.check(stdin, says)

    def test_broken_xz(self):
        packed = lzma.compress(TEXT * 1)
        self.check(packed[:len(packed) // 2], "ends in the middle of its xz data")
        self.check(packed[:20] + b"\xff" * 20 + packed[40:], "the xz data is corrupt")

    def test_without_52_bits(self):
        """What needs lpa2, on a machine that was asked for without it."""
        wide = END.replace(b"=40", b"=52")
        for lines, says in ((page(0x1000, 1 << 47) + END, "physical addresses end at 47"),
                            (page(1 << 50, 0x1000) + wide, "range ends")):
            self.check(INIT + lines, "2:55: " + says, "--features", "none")

    @tool.plain_only
    def test_too_much(self):
        """Two tables for each page: one in each GiB."""
        lines = [page(n << 30, 0x1000) for n in range(131072)]
        self.check(INIT + b"".join(lines) + END.replace(b"=40", b"=48"),
                   "more tables than the machine has memory for")

    def test_position_in_a_file(self):
        with tempfile.NamedTemporaryFile(suffix=".trace") as f:
            f.write(INIT + b"rubbish\n")
            f.flush()
            done = tool.run("replay", f.name)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(f"{f.name}:2:1: "), done.stderr)

    def test_no_file(self):
        for path in ("/nonexistent/x", tool.HERE):
            done = tool.run("replay", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, "^" + re.escape(path) + r"(:1:1)?: .+\n$")

    def test_other_files(self):
        """What is no text says which program reads it."""
        for magic, says in ((b"\x17\x08\x44tracing6\0", "trace-cmd report"),
                            (b"PERFILE2\0", "perf script"), (b"BZh91AY", "bzip2"),
                            (b"\x04\x22\x4d\x18\0", "lz4"), (b"PK\x03\x04\0", "zip"),
                            (TEXT.decode().encode("utf-16"), "UTF-16")):
            done = tool.run("replay", "-", stdin=magic)
            self.assertEqual((done.returncode, done.stdout), (2, ""), says)
            self.assertRegex(done.stderr, rf"^<stdin>:1:1: .*{says}.*\n$")

    def test_byte_order_mark(self):
        for text in (TEXT, TEXT.replace(b"\n", b"\r\n")):
            self.assertEqual(tool.json_of("replay", "-", stdin=b"\xef\xbb\xbf" + text),
                             tool.json_of("replay", "-", stdin=TEXT))


class Output(unittest.TestCase):
    def test_cannot_be_written(self):
        for args in ((), ("--json",)):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([tool.S2LAB, "replay", tool.RULES, *args], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("s2lab: the output cannot be written", done.stderr)

    def test_the_recording_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path, link = os.path.join(folder, "a"), os.path.join(folder, "b")
            with open(path, "wb") as f:
                f.write(TEXT)
            os.symlink("a", link)
            for option in ("--calls", "--trace-out"):
                for to in (path, link, os.path.join(folder, ".", "a")):
                    done = tool.run("replay", path, option, to)
                    self.assertEqual((done.returncode, done.stdout), (2, ""), to)
                    self.assertIn(f"{option}: this would overwrite {path}\n", done.stderr)
            with open(path, "rb") as f:
                self.assertEqual(f.read(), TEXT)
            self.assertEqual(tool.run("replay", path, "--calls", "/dev/null").returncode, 0)

    def test_sizes(self):
        for n, says in ((0, "0 MiB"), (2, "8 KiB"), (256, "1 MiB"), (300, "1 MiB")):
            lines = [page(i * PAGE) for i in range(n)]
            done = tool.run("replay", "-", stdin=b"".join((INIT, *lines, END)))
            self.assertIn(f"<stdin>: 1 VM ({int(n > 0)} with mappings), {says} mapped, 0 MiB "
                          "unmapped\n", done.stdout)


class Usage(unittest.TestCase):
    def test_refused(self):
        for args, says in (((), "which recording"), (("a", "b"), "one recording"),
                           (("--features", "warp", "a"), "no feature"),
                           (("--features", "lpa", "a"), "no feature 'lpa'"),
                           (("--seed", "x", "a"), "--seed"), (("--bogus",), "--bogus")):
            done = tool.run("replay", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(says, done.stderr)
            self.assertIn("--help", done.stderr)

    def test_help(self):
        for command in ("replay", "plan", "decode"):
            done = tool.run(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("usage: s2lab " + command))

    def test_quiet(self):
        done = tool.run("replay", "--quiet", tool.RULES)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_text(self):
        done = tool.run("replay", tool.RULES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\033", done.stdout)
        for says in ("3 VMs (2 with mappings)", "6.12 / this", "no violation",
                     "replayed with 48: 1", "pgt is used again: 1"):
            self.assertIn(says, done.stdout)

    def test_colour_on_a_terminal_only_without_no_color(self):
        for env, colour in (({}, True), ({"NO_COLOR": "1"}, False)):
            master, slave = pty.openpty()
            clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
            with subprocess.Popen([tool.S2LAB, "replay", tool.RULES], stdout=slave,
                                  stderr=slave, env={**clean, **env}) as process:
                os.close(slave)
                out = b""
                try:
                    while chunk := os.read(master, 4096):
                        out += chunk
                except OSError:
                    pass
            os.close(master)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(b"\033[32m" in out, colour)


if __name__ == "__main__":
    tool.main()
