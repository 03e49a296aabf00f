# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""replay --batch: what it saves, and when a batch is flushed. Argument 2 is an s2lab on a
machine where a TLBI does nothing."""
import os
import sys
import unittest

import tool

BROKEN = sys.argv[2]
PAGE = 4096
DOC = os.path.join(tool.HERE, "..", "..", "docs", "replay.md")


def event(vm, text):
    name, _, rest = text.partition(" ")
    return f" a-1 [000] 1.000000: s2_{name}: (f) pgt={vm:#x} {rest}\n"


def init(vm=1):
    return event(vm, "init mmu=0x2 flags=0x0")


def destroy(vm=1):
    return event(vm, "destroy ia_bits=40 start_level=1")


def page(at, frame=None, vm=1):
    return event(vm, f"map addr={at * PAGE:#x} size=0x1000 "
                     f"phys={(at if frame is None else frame) * PAGE:#x} prot=0x7")


def unmap(at, pages=1, vm=1):
    return event(vm, f"unmap addr={at * PAGE:#x} size={pages * PAGE:#x}")


def tlbis(cost):
    return sum(cost["tlbi"].values())


class Recorded(unittest.TestCase):
    def replay(self, name, batch, *args):
        got = tool.json_of("replay", tool.trace(name), "--batch", str(batch), *args)
        self.assertEqual((got["verdict"], got["violations"]), ("safe", []))
        one, many = (got[way]["by_operation"] for way in ("stage2", "batched"))
        self.assertEqual({op: c["calls"] for op, c in one.items()},
                         {op: c["calls"] for op, c in many.items()})
        # Everything that must be cleaned is cleaned, whichever call does it.
        self.assertEqual(got["stage2"]["clean_lines"], got["batched"]["clean_lines"])
        for way in ("stage2", "batched"):
            self.assertEqual(got[way]["tables_taken"], got[way]["tables_freed"])
        return got, one["unmap"], many["unmap"]

    @tool.plain_only
    def test_guest_boot_4k(self):
        """Over 100,000 unmaps of one page each, with few faults between them."""
        got, one, many = self.replay("guest-boot-4k", 64)
        linux = got["merged"]["by_operation"]["unmap"]
        self.assertGreater(tlbis(one), 200000)
        self.assertGreater(tlbis(linux), tlbis(one))
        self.assertLess(tlbis(many) * 80, tlbis(one))
        self.assertLess(many["dsb"] * 50, one["dsb"])
        self.assertLess(got["batched"]["flushes"] * 80, one["calls"])
        with open(DOC, encoding="utf-8") as doc:
            text = doc.read()
        for cost in (one, linux, many):
            for n in (tlbis(cost), cost["dsb"]):
                self.assertIn(f"{n:,}", text, "docs/replay.md says otherwise")

    @tool.plain_only
    def test_batches_of_one_save_nothing(self):
        _, one, many = self.replay("guest-boot", 1, "--no-merged")
        self.assertEqual((one["tlbi"], one["dsb"], one["clean_lines"]),
                         (many["tlbi"], many["dsb"], many["clean_lines"]))

    def test_more_than_a_batch_holds(self):
        """The engine flushes by itself; --batch only says when frames are given away."""
        _, one, many = self.replay("guest-boot", 1000, "--no-merged", "--features",
                                   "fwb,tlbirange")
        self.assertLess(tlbis(many) * 20, tlbis(one))


class Flushes(unittest.TestCase):
    """By hand: how many flushes, and what the unmaps cost."""

    def flushes(self, batch, *lines, cost=None):
        text = "".join((init(), *lines, destroy())).encode()
        got = tool.json_of("replay", "-", "--features", "fwb,tlbirange", "--batch",
                           str(batch), stdin=text)
        self.assertEqual((got["verdict"], got["violations"]), ("safe", []))
        if cost is not None:
            self.assertEqual(got["batched"]["by_operation"]["unmap"]["dsb"], cost)
        return got["batched"]["flushes"]

    def test_as_many_as_were_asked_for(self):
        pages = [page(2 * i) for i in range(8)]
        gone = [unmap(2 * i) for i in range(8)]
        for batch, flushes in ((1, 8), (2, 4), (3, 3), (8, 1), (9, 1), (65536, 1)):
            self.assertEqual(self.flushes(batch, *pages, *gone, cost=3 * flushes),
                             flushes)

    def test_what_was_not_mapped_is_not_gathered(self):
        nothing = unmap(5), unmap(6), unmap(7)
        self.assertEqual(self.flushes(2, page(1), *nothing, cost=0), 0)
        self.assertEqual(self.flushes(2, page(1), unmap(1), *nothing, cost=3), 1)
        # It counts if something is pending there: a PE may still use the page.
        self.assertEqual(self.flushes(2, page(1), page(2), unmap(1), unmap(1), unmap(2),
                                      cost=6), 2)

    def test_a_map_where_one_is_pending(self):
        self.assertEqual(self.flushes(9, page(1), unmap(1), page(1, 7), unmap(1)), 2)
        self.assertEqual(self.flushes(9, page(1), page(2), unmap(1), page(9),
                                      unmap(2)), 1)

    def test_a_frame_that_is_used_again(self):
        """By the same VM at another address, or by another VM; not while mapped twice."""
        self.assertEqual(self.flushes(9, page(1), page(5), unmap(1), page(2, 1),
                                      unmap(2)), 2)
        self.assertEqual(self.flushes(9, init(2), page(1), unmap(1), page(2, 1, vm=2),
                                      unmap(2, vm=2), destroy(2)), 2)
        self.assertEqual(self.flushes(9, page(1), page(2, 1), unmap(1), page(3, 1),
                                      unmap(2), unmap(3)), 1)

    def test_two_vms_flush_together(self):
        self.assertEqual(self.flushes(2, init(2), page(1), page(3, vm=2), unmap(1),
                                      unmap(3, vm=2), destroy(2), cost=6), 1)

    def test_other_operations_between(self):
        """A change of what is pending flushes first. The others leave the batch open."""
        between = (event(1, "wrprotect addr=0x0 size=0x10000"),
                   event(1, "age addr=0x0 size=0x10000 mkold=1"),
                   event(1, "relax_perms addr=0x2000 prot=0x7"),
                   event(1, "mkyoung addr=0x2000"),
                   event(1, "flush addr=0x0 size=0x10000"))
        self.assertEqual(self.flushes(9, page(1), page(2), page(4), unmap(1), *between,
                                      unmap(4)), 2)
        between = (event(1, "wrprotect addr=0x2000 size=0x10000"),
                   event(1, "age addr=0x2000 size=0x10000 mkold=1"), *between[2:])
        self.assertEqual(self.flushes(9, page(1), page(2), page(4), unmap(1), *between,
                                      unmap(4)), 1)

    def test_a_mark_compares(self):
        mark = " a-1 [000] 1.000000: tracing_mark_write: @phase x\n"
        self.assertEqual(self.flushes(9, page(1), page(2), unmap(1), mark, unmap(2)), 2)

    def test_a_table_that_goes_page_by_page(self):
        pages = [page(i) for i in range(512)]
        gone = [unmap(i) for i in range(512)]
        self.assertEqual(self.flushes(512, *pages, *gone, cost=3), 1)
        self.assertEqual(self.flushes(600, *pages, *gone, page(600), cost=3), 1)


class Convicted(unittest.TestCase):
    def test_a_flush_without_its_tlbi(self):
        lines = "".join((init(), *(page(2 * i) for i in range(4)),
                         *(unmap(2 * i) for i in range(4)), page(2, 100),
                         destroy())).encode()
        for features, kind in (("fwb,tlbirange", "vmalle1is"), ("none", "ipas2e1is")):
            os.environ["BROKEN"] = kind
            got = tool.json_of("replay", "-", "--batch", "3", "--features", features,
                               "--no-merged", stdin=lines, status=1, binary=BROKEN)
            del os.environ["BROKEN"]
            self.assertEqual(got["verdict"], "unsafe")


class Usage(unittest.TestCase):
    def test_refused(self):
        for n in ("0", "65537", "x", "-1", ""):
            done = tool.run("replay", "-", "--batch", n)
            self.assertEqual((done.returncode, done.stdout), (2, ""), n)
            self.assertIn("--batch", done.stderr)

    def test_text(self):
        text = "".join((init(), page(1), page(2), unmap(1), unmap(2), destroy())).encode()
        for more in ((), ("--no-merged",)):
            done = tool.run("replay", "-", "--batch", "2", *more, stdin=text)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("batch: up to 2 unmap calls before a flush; 1 flush\n",
                          done.stdout)
            self.assertRegex(done.stdout, r"operation +calls +TLBIs +batch")
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 90)


if __name__ == "__main__":
    tool.main()
