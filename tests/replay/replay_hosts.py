# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Recordings of other hosts, by other programs: what trace-cmd, perf and bpftrace print, old
and new kernels, VMs that ran before the recording began, large VMs, packed files."""
import gzip
import lzma
import re
import subprocess
import unittest

import tool

PAGE, MIB2, GIB = 4096, 2 << 20, 1 << 30
PGT = 0xffff000000000080

with open(tool.RULES, encoding="utf-8") as rules_file:
    RULES = rules_file.read()
# TASK-PID [CPU] FLAGS TIME: NAME: FIELDS
LINE = re.compile(r"^ *(.+)-(\d+) +\[(\d+)\] (?:[d.0-9]+ )? *([\d.]+): (\S+): (.*)$")


def event(name, text="", pgt=PGT, task="a-1", cpu=0, time=2.0):
    return f" {task} [{cpu:03}] {time:.6f}: {name}: (f+0x0/0x1) pgt={pgt:#x} {text}\n"


def init(**more):
    return event("s2_init", "mmu=0x2 flags=0x0", **{"time": 1.0, **more})


def destroy(bits=40, **more):
    return event("s2_destroy", f"ia_bits={bits} start_level=1", **{"time": 9.0, **more})


def page(addr, phys=None, size=PAGE, prot=7, **more):
    return event("s2_map", f"addr={addr:#x} size={size:#x} "
                 f"phys={addr if phys is None else phys:#x} prot={prot:#x}", **more)


def unmap(addr, size=PAGE, **more):
    return event("s2_unmap", f"addr={addr:#x} size={size:#x}", **more)


def replay(*lines, args=(), status=0):
    return tool.json_of("replay", "-", "--no-advice", *args,
                        stdin="".join(lines).encode(), status=status)


def refused(*lines, args=()):
    """The message."""
    done = tool.run("replay", "-", *args, stdin="".join(lines).encode())
    if (done.returncode, done.stdout) != (2, ""):
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stderr


class Formats(unittest.TestCase):
    """rules.trace as the other programs would print it: the same result."""

    def setUp(self):
        self.want = self.result(RULES)

    @staticmethod
    def result(text, args=()):
        got = tool.json_of("replay", "-", "--no-advice", *args, stdin=text.encode())
        return got

    def changed(self, change, before=""):
        """Each event by @change(task, pid, cpu, time, name, fields)."""
        lines = []
        for line in RULES.splitlines():
            found = LINE.match(line)
            if not found:
                self.assertTrue(line.startswith("#"), line)
                continue
            lines.append(change(*found.groups()) + "\n")
        self.assertGreater(len(lines), 30)
        return before + "".join(lines)

    def same(self, text):
        got = self.result(text)
        for key in ("by_phase", "worst", "by_vm", "maps"):   # these have line numbers
            got.pop(key)
            self.want.pop(key, None)
        self.assertEqual(got, self.want)

    def test_trace_cmd(self):
        def change(task, pid, cpu, time, name, fields):
            if name == "tracing_mark_write":
                name, fields = "print", "tracing_mark_write: " + fields
            where = re.sub(r"^\((\S+)\+0x0/\S+\)", "(ffff80008009a1b0)", fields)
            return f"{task:>16}-{pid:<5} [{cpu}] {time}: {name + ':':<21} {where}"
        head = "version = 7\nCPU 3 is empty\ncpus=4\n"
        self.same(self.changed(change, head))

    def test_trace_cmd_with_flags(self):
        self.same(self.changed(lambda task, pid, cpu, time, name, fields:
                               f"{task:>16}-{pid:<7} [{cpu}] d..1. {time}: "
                               f"{name + ':':<21} {fields}", "cpus=2\n"))

    def test_tgid(self):
        """ftrace with the option record-tgid."""
        self.same(self.changed(lambda task, pid, cpu, time, name, fields:
                               f"{task:>16}-{pid:<7} ({pid:>7}) [{cpu}] ..... {time}: "
                               f"{name}: {fields}"))
        self.same(self.changed(lambda task, pid, cpu, time, name, fields:
                               f"{task:>16}-{pid:<7} (-------) [{cpu}] ..... {time}: "
                               f"{name}: {fields}"))

    def test_perf_script(self):
        def change(task, pid, cpu, time, name, fields):
            group = {"tracing_mark_write": "ftrace:print", "kvm_guest_fault":
                     "kvm:kvm_guest_fault", "sched_waking": "sched:sched_waking"}
            if name == "tracing_mark_write":
                fields = "tracing_mark_write: " + fields
            where = re.sub(r"^\((\S+)\+0x0/\S+\)", "(ffff80008009a1b0)", fields)
            event_name = group.get(name, "stage2:" + name) + ":"
            return f"{task:>16} {pid:>7} [{cpu}] {time}: {event_name:>24} {where}"
        head = "# ========\n# os release : 6.12.117\n# ========\n#\n"
        self.same(self.changed(change, head))

    def test_perf_script_with_threads(self):
        self.same(self.changed(lambda task, pid, cpu, time, name, fields:
                               f"{task:>16} 4/{pid:<7} [{cpu}] {time}: "
                               f"{name if name[:3] != 's2_' else 'stage2:' + name}: {fields}"))

    def test_bpftrace(self):
        """What ports/linux/record.bt prints; it has no marks."""
        got = self.result("Attaching 16 probes...\n" + "".join(
            f"{task}-{pid} [{cpu}] {time}: {name}: " + re.sub(r"^\(.*?\) ", "", fields) + "\n"
            for task, pid, cpu, time, name, fields in
            (found.groups() for found in map(LINE.match, RULES.splitlines()) if found)
            if name[:3] == "s2_"))
        self.assertEqual({op: c["calls"] for op, c in got["stage2"]["by_operation"].items()},
                         {op: c["calls"] for op, c in
                          self.want["stage2"]["by_operation"].items()})

    def test_lost(self):
        for line in ("CPU:1 [LOST 4711 EVENTS]", "CPU:0 [EVENTS DROPPED]", "Lost 12 events",
                     "CPU:0 [7 EVENTS DROPPED]",
                     "     swapper     0 [000] 2.000000: PERF_RECORD_LOST lost 12"):
            self.assertIn(":2:1: events were lost" if line[0] != " " else "events were lost",
                          refused(init(), line + "\n"))

    def test_notes_only_where_they_are(self):
        for line in ("cpus", "CPU 3 is full", "Attaching", "versions = 7"):
            self.assertIn(":2:1: not a line of ftrace", refused(init(), line + "\n"))


class Names(unittest.TestCase):
    def test_unnamed_probes(self):
        for name in ("p_kvm_pgtable_stage2_map_0", "kvm_pgtable_stage2_unmap",
                     "probe:kvm_pgtable_stage2_map"):
            says = refused(init(), f" a-1 [000] 2.000000: {name}: (ffff800080) arg1=0x1\n")
            self.assertRegex(says, r"^<stdin>:2:\d+: a probe of a stage-2 function")
            self.assertIn("record.sh", says)

    def test_function_tracer(self):
        says = refused(" a-1     [000] 2.000000: kvm_pgtable_stage2_map <-user_mem_abort\n")
        self.assertRegex(says, r"^<stdin>:1:\d+: ")
        says = refused("  1)   0.250 us    |  kvm_pgtable_stage2_map <- x;\n")
        self.assertIn("function tracer", says)


class Kernels(unittest.TestCase):
    def test_a_pgt_that_is_used_again(self):
        """The old probe of the teardown does not fire: the VM ended all the same."""
        got = replay(init(), page(0x1000), init(time=3.0), page(0x1000, 0x9000, time=3.0),
                     unmap(0x1000, time=4.0), destroy())
        self.assertEqual((got["vms"], got["vms_not_destroyed"], got["violations"]), (2, 1, []))
        self.assertEqual(got["stage2"]["by_operation"]["destroy"]["calls"], 2)
        self.assertEqual(got["unmapped_bytes"], PAGE)

    def test_teardown_in_parts(self):
        """Since about 6.18: a range at a time, then the root."""
        parts = [event("s2_destroy_range", f"addr={n << 38:#x} size={1 << 38:#x} ia_bits=40",
                       time=9.0) for n in range(4)]
        end = event("s2_destroy_pgd", "ia_bits=40", time=9.0)
        for last in ([*parts, end], parts, [end], [destroy(), *parts, end]):
            got = replay(init(), page(0x1000), *last)
            self.assertEqual((got["vms"], got["vms_not_destroyed"], got["earlier_calls"]),
                             (1, 0, 0))
            self.assertEqual(got["stage2"]["by_operation"]["destroy"]["calls"], 1)
            self.assertEqual(got["by_vm"][0]["ipa_bits"], 40)
            got = replay(init(), page(0x1000), *last, init(time=9.5),
                         page(0x1000, time=9.6), unmap(0x1000, time=9.7))
            self.assertEqual((got["vms"], got["violations"]), (2, []))

    def test_return_without_arguments(self):
        """Before 6.9 a return probe cannot say what the arguments were."""
        fail = " a-1 [000] 2.000000: s2_map_ret: (f <- g) ret=-11\n"
        got = replay(init(), page(0x1000), fail, destroy())
        self.assertEqual((got["failed_calls"], got["mapped_bytes"]), (1, 0))
        self.assertIn("not the call", refused(init(), page(0x1000), unmap(0), fail))

    def test_return_without_filter(self):
        """ret=0 says nothing that was not known."""
        done = event("s2_map_ret", "ret=0 addr=0x1000")
        got = replay(init(), page(0x1000), done, unmap(0x1000), destroy())
        self.assertEqual((got["failed_calls"], got["unmapped_bytes"]), (0, PAGE))

    def test_absent_probes(self):
        text = "# kernel: 6.1.0-53-arm64\n# no probe: s2_split s2_age\n" + init() + destroy()
        done = tool.run("replay", "-", stdin=text.encode())
        self.assertIn("note: the recorded kernel had no probe for s2_split s2_age\n",
                      done.stdout)

    def test_young_and_old_of_6_1(self):
        got = replay(init(), page(0x1000), event("s2_is_young", "addr=0x1000"),
                     event("s2_mkold", "addr=0x1000"), event("s2_mkyoung", "addr=0x1000"),
                     event("s2_mkold", "addr=0x1000"), destroy(),
                     args=("--features", "fwb"))
        age = got["stage2"]["by_operation"]["age"]
        self.assertEqual((age["calls"], age["pte_writes"], got["violations"]), (3, 2, []))

    def test_permissions_of_6_19(self):
        """Two bits for X: the others have moved."""
        lines = (init(), page(0x1000, prot=0xf), page(0x2000, prot=0xc),
                 page(0x3000, prot=0x8 | 0x4 | 0x10), page(0x4000, prot=0xb | 0x20),
                 event("s2_relax_perms", "addr=0x2000 prot=0x3"), destroy())
        for args, head in ((("--kernel", "6.19.2"), ""), ((), "# kernel: 7.1.0-arm64\n"),
                           ((), "# os release : 6.19.0-1\n"),
                           (("--kernel", "7.0"), "# kernel: 6.1.0\n")):
            got = replay(head, *lines, args=args)
            self.assertEqual((got["mapped_bytes"], got["violations"]), (4 * PAGE, []))
        for args, head in (((), ""), (("--kernel", "6.18"), ""), ((), "# kernel: 6.9.1\n")):
            says = refused(head, *lines, args=args)
            self.assertRegex(says, r"prot 0xf executes from device memory; or is this Linux "
                                   r"6\.19 or newer \(--kernel\)\?")
        self.assertIn("is not a release", refused(*lines, args=("--kernel", "new")))


class Earlier(unittest.TestCase):
    """VMs that ran before the recording began."""
    OLD = {"pgt": PGT + 0x40}

    def test_left_out(self):
        fail = f" b-2 [001] 2.000000: s2_map_ret: (f) ret=-11 pgt={PGT + 0x40:#x} addr=0x0\n"
        got = replay(unmap(0, time=0.5, **self.OLD), init(),
                     page(0x1000), event("s2_mkyoung", "addr=0x5000", **self.OLD),
                     page(0, task="b-2", cpu=1, **self.OLD), fail,
                     destroy(time=3.0, **self.OLD), unmap(0x1000, time=4.0), destroy())
        self.assertEqual((got["vms"], got["vms_earlier"], got["earlier_calls"]), (1, 1, 4))
        self.assertEqual((got["failed_calls"], got["unmapped_bytes"]), (0, PAGE))
        text = tool.run("replay", "-", stdin=(unmap(0, time=0.5, **self.OLD) + init()
                                              ).encode()).stdout
        self.assertIn("left out with 1 calls (--partial replays them): 1", text)

    def test_its_pgt_is_used_again(self):
        got = replay(unmap(0, time=0.5), init(), page(0x1000), unmap(0x1000), destroy(),
                     page(0x1000, time=9.5))
        self.assertEqual((got["vms"], got["vms_earlier"], got["earlier_calls"]), (1, 2, 2))

    def test_partial(self):
        """What is not known to be mapped cannot be changed; the rest is replayed."""
        lines = (event("s2_relax_perms", "addr=0x1000 prot=0x2", time=0.5, **self.OLD),
                 page(0x2000, time=0.6, **self.OLD),
                 event("s2_relax_perms", "addr=0x2000 prot=0x2", time=0.7, **self.OLD),
                 event("s2_mkyoung", "addr=0x5000", time=0.7, **self.OLD),
                 unmap(0, 16 * PAGE, time=0.8, **self.OLD), init(), destroy(),
                 event("s2_destroy", "ia_bits=36", time=9.5, **self.OLD))
        got = replay(*lines, args=("--partial",))
        self.assertEqual((got["vms"], got["vms_partial"], got["found_nothing"],
                          got["vms_earlier"], got["vms_not_destroyed"]), (2, 1, 2, 0, 0))
        self.assertEqual((got["unmapped_bytes"], got["violations"]), (PAGE, []))
        self.assertEqual([v["partial"] for v in sorted(got["by_vm"], key=lambda v: v["vm"])],
                         [True, False])
        self.assertEqual(got["stage2"]["by_operation"]["relax-perms"]["calls"], 1)

    def test_nothing_else(self):
        says = refused(page(0), unmap(0))
        self.assertIn("only 2 calls of VMs that ran before: --partial", says)
        got = replay(page(0), unmap(0), args=("--partial",))
        self.assertEqual((got["vms_partial"], got["unmapped_bytes"]), (1, PAGE))

    def test_a_recording_that_begins_late(self):
        """Every tail of a recording replays, with what it has."""
        with lzma.open(tool.trace("guest-hugetlb-1g")) as f:
            lines = f.read().splitlines(keepends=True)
        for at in (9, 1000, len(lines) // 2):
            got = tool.json_of("replay", "-", "--partial", "--no-advice", "--no-merged",
                               stdin=b"".join(lines[at:at + 20000]))
            self.assertEqual((got["violations"], got["vms_partial"]), ([], 1), at)


class OneVm(unittest.TestCase):
    LINES = (init(), init(pgt=0x99), page(0x1000), page(0x1000, 0x7000, pgt=0x99),
             page(0x2000, 0x8000, pgt=0x99), unmap(0x1000), destroy(), destroy(pgt=0x99))

    def test_by_number_and_pgt(self):
        for args, mapped, left in ((("--vm", "0"), 1, 4), (("--vm", "1"), 2, 4),
                                   (("--vm", "0x99"), 2, 4), (("--vm", f"{PGT:#x}"), 1, 4)):
            got = replay(*self.LINES, args=args)
            self.assertEqual((got["mapped_bytes"] // PAGE, got["left_out_calls"],
                              got["stage2"]["calls"]), (mapped, left, 8 - left))

    def test_failures_of_the_others(self):
        fail = f" b-2 [001] 2.000000: s2_map_ret: (f) ret=-11 pgt={PGT:#x} addr=0x1000\n"
        got = replay(init(), init(pgt=0x99), page(0x1000, task="b-2", cpu=1), fail,
                     args=("--vm", "1"))
        self.assertEqual((got["failed_calls"], got["left_out_calls"]), (0, 2))

    def test_none(self):
        for vm in ("2", "0x98"):
            self.assertIn("--vm: there is no such VM", refused(*self.LINES, args=("--vm", vm)))
        self.assertIn("--vm", refused(*self.LINES, args=("--vm", "first")))


class Large(unittest.TestCase):
    """Memory and time grow with what is mapped by blocks, not with its pages."""

    def test_256_gib_in_blocks(self):
        lines = [page(n * GIB, (n + 256) * GIB, GIB) for n in range(1, 257)]
        lines += [unmap(n * GIB, GIB, time=3.0) for n in range(1, 257, 2)]
        mark = " a-1 [000] 4.000000: tracing_mark_write: @phase full\n"
        got = replay(init(), *lines, mark, destroy())
        self.assertEqual((got["mapped_bytes"], got["unmapped_bytes"], got["violations"]),
                         (256 * GIB, 128 * GIB, []))
        self.assertEqual(max(got["timeline"]["mapped_bytes"]), 256 * GIB)
        # A map, an unmap of half, and the walk through all tables at the end.
        self.assertLess(got["stage2"]["pte_reads"], 10 * 256)
        self.assertLessEqual(got["most_tables"], 2)

    @tool.plain_only
    def test_many_vms(self):
        """A host that starts VMs all day: four times as many take four times as many
        instructions. (It was six times, because each new VM went through all that were
        gone.)"""
        def instructions(vms):
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                 tool.S2LAB, "replay", "-", "--no-merged"], check=True, text=True,
                input="".join([init(), destroy(time=1.0)] * vms), capture_output=True)
            return int(re.search(r"Collected : (\d+)", done.stderr)[1])
        self.assertLess(instructions(1000), 4.2 * instructions(250))

    def test_splits_of_a_large_block(self):
        got = replay(init(), page(GIB, 8 * GIB, GIB),
                     event("s2_split", f"addr={GIB:#x} size={MIB2:#x}"),
                     unmap(GIB, PAGE), unmap(GIB + MIB2, PAGE), destroy())
        self.assertEqual((got["unmapped_bytes"], got["violations"]), (PAGE + MIB2, []))


class Packed(unittest.TestCase):
    def packed(self):
        """The same text packed in each way, in one part and in two."""
        text, half = RULES.encode(), len(RULES) // 2
        def zstd(data):
            return subprocess.run(["zstd", "-q"], input=data, capture_output=True,
                                  check=True).stdout
        ways = {"xz": lzma.compress, "gzip": gzip.compress, "zstd": zstd}
        for name, pack in ways.items():
            yield name, pack(text)
            yield name, pack(text[:half]) + pack(text[half:])
        skip = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
        yield "zstd", skip + zstd(text)

    def test_same(self):
        want = tool.json_of("replay", "-", stdin=RULES.encode())
        for name, data in self.packed():
            self.assertEqual(tool.json_of("replay", "-", stdin=data), want, name)

    def test_cut(self):
        for name, data in self.packed():
            for at in (6, len(data) // 4, len(data) - 1):
                done = tool.run("replay", "-", stdin=data[:at])
                self.assertEqual((done.returncode, done.stdout), (2, ""), (name, at))
                self.assertRegex(done.stderr, r"^<stdin>:\d+:\d+: the file ends in the middle "
                                              rf"of (its {name} data|a line)\n$")

    def test_broken(self):
        for name, data in self.packed():
            done = tool.run("replay", "-", stdin=data + b"rubbish that is not packed")
            self.assertEqual((done.returncode, done.stdout), (2, ""), name)
            self.assertRegex(done.stderr, rf"^<stdin>:\d+:\d+: the {name} data is corrupt\n$")


if __name__ == "__main__":
    tool.main()
