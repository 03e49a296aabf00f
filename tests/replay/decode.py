# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
What decode prints, against tests/replay/decode.golden: "$ ARGUMENTS", then the
output. "decode.py S2LAB --write" writes it anew; read the difference.
"""
import os
import sys
import unittest

import tool

GOLDEN = os.path.join(tool.HERE, "decode.golden")


def cases():
    """(arguments, output) of each."""
    with open(GOLDEN, encoding="utf-8") as f:
        parts = f.read().split("\n$ ")
    for part in parts[1:]:
        args, _, output = part.partition("\n")
        yield args, output


class Decode(unittest.TestCase):
    maxDiff = None

    def test_golden(self):
        for args, output in cases():
            with self.subTest(args=args):
                done = tool.run("decode", *args.split())
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout.rstrip("\n"), output.rstrip("\n"))

    def test_json_says_the_same(self):
        for args, output in cases():
            got = tool.json_of("decode", *args.split())
            self.assertEqual(output.count("\n  ["), sum(len(v["fields"])
                                                        for v in got["values"]), args)
            for value in got["values"]:
                self.assertIn(f"0x{int(value['value'], 16):016x}  {value['summary']}",
                              output)
                for problem in value["problems"]:
                    self.assertIn("  ! " + problem, output)

    def test_fields_do_not_overlap(self):
        """Each bit has one meaning at most, and the value is the bits'."""
        for args, _ in cases():
            for value in tool.json_of("decode", *args.split())["values"]:
                number, seen = int(value["value"], 16), 0
                for f in value["fields"]:
                    mask = (1 << f["high"] + 1) - (1 << f["low"])
                    self.assertEqual(seen & mask, 0, (args, f))
                    self.assertEqual(int(f["value"], 16), (number & mask) >> f["low"])
                    seen |= mask

    def test_stdin(self):
        want = tool.run("decode", "vtcr", "0x80023558", "0").stdout
        for stdin in (b"0x80023558\n0\n", b"\n  0x80023558 \r\n\n0", b"2147628376\n0\n"):
            done = tool.run("decode", "vtcr", "-", stdin=stdin)
            self.assertEqual((done.returncode, done.stdout), (0, want))

    def test_stdin_refused(self):
        cases = ((b"0x1\n12z\n", "2:3: not a digit"), (b"  x", "1:3: not a number"),
                 (b"0x\n", "1:1: not a number"), (b"-1\n", "1:1: not a number"),
                 (b"18446744073709551616\n", "1:1: the number does not fit"),
                 (b"1\0\n", "1:2: not a digit"), (b"1" * 9000, "1:8193: the line"))
        for stdin, says in cases:
            done = tool.run("decode", "vtcr", "-", stdin=stdin)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith("<stdin>:" + says), done.stderr)
            done = tool.run("decode", "vtcr", "-", "--json", stdin=stdin)
            self.assertEqual((done.returncode, done.stdout), (2, ""))

    def test_refused(self):
        for args, says in (((), "decode what"), (("pte", "1"), "pte"),
                           (("desc", "1"), "--level"),
                           (("desc", "--level", "3"), "a value"),
                           (("desc", "1", "--level", "4"), "--level"),
                           (("desc", "1", "--level", "-1"), "without lpa2"),
                           (("desc", "1", "--level", "0", "--granule", "64k"), "level 0"),
                           (("desc", "1", "--level", "3", "--granule", "8k"), "8k"),
                           (("vtcr", "1", "--level", "3"), "desc only"),
                           (("vtcr", "zz"), "zz"), (("tlbi",), "name"),
                           (("tlbi", "vae1is", "0"), "no stage-2 TLBI 'vae1is'"),
                           (("tlbi", "ipas2e1xs", "0"), "no stage-2 TLBI"),
                           (("vttbr", "0", "--vtcr", "x"), "--vtcr")):
            done = tool.run("decode", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(says, done.stderr, args)

    def test_every_bit(self):
        """Any value is decoded, with any configuration."""
        values = [hex(v << n & (1 << 64) - 1) for n in range(64) for v in (1, 3, 0x5b)]
        values.append(hex((1 << 64) - 1))
        for granule, levels in (("4k", "0123"), ("16k", "0123"), ("64k", "123")):
            for level in levels:
                for features in ("none", "fwb,lpa2,xnx,hafdbs"):
                    got = tool.json_of("decode", "desc", *values, "--level", level,
                                       "--granule", granule, "--features", features)
                    self.assertEqual(len(got["values"]), len(values))
                    self.assertTrue(all(v["summary"] for v in got["values"]))
            for name in ("ipas2e1is", "RIPAS2LE1OSNXS", "vmalls12e1"):
                tool.json_of("decode", "tlbi", name, *values, "--granule", granule)
        for vtcr in values[::8 if tool.SANITIZED else 1]:
            tool.json_of("decode", "vttbr", *values[:40], "--vtcr", vtcr)
        tool.json_of("decode", "vtcr", *values)


def write():
    """The golden file again, from its own list of arguments."""
    old = list(cases())
    with open(GOLDEN, encoding="utf-8") as f:
        head = f.read().split("\n$ ")[0]
    with open(GOLDEN, "w", encoding="utf-8") as f:
        f.write(head + "\n")
        for args, _ in old:
            f.write(f"$ {args}\n{tool.run('decode', *args.split()).stdout}\n")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        tool.main()
