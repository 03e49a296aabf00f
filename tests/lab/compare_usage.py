# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line: what is refused and how, output for people and for programs."""
import os
import subprocess
import unittest

import s2lab

COUNTS = ("pte_reads", "pte_writes", "dsb", "isb", "clean_lines", "tables_freed",
          "longest_step", "calls", "tables_left", "violations_found")


class Refused(unittest.TestCase):
    """Exit status 2, nothing on stdout, and a message that names the error."""

    CASES = (
        (("--leaf", "8k"), "--leaf: no leaf is 8k"),
        (("--leaf", "512g", "--ipa", "0", "--mem", "512G"), "needs --features lpa2"),
        (("--leaf", "64g", "--ipa", "0", "--mem", "64G"), "needs --features lpa2"),
        (("--leaf", "4t", "--ipa", "0", "--mem", "4T", "--pa-bits", "48"),
         "needs --pa-bits 52"),
        (("--leaf", "64k", "--features", "lpa2"), "lpa2 is for granules of 4 and 16"),
        (("--leaf", "16k", "--mem", "4K"), "multiples of the granule"),
        (("--leaf", "16k", "--ipa", "4K"), "multiples of the granule"),
        (("--leaf", "64k", "--call-size", "4K"), "multiples of the granule"),
        (("--leaf", "1g", "--ipa-bits", "34"), "only with an IPA size of 35 bits"),
        (("--leaf", "512m", "--ipa-bits", "33"), "only with an IPA size of 34 bits"),
        (("--features", "fwb,foo"), "no feature 'foo'"),
        (("--features", ""), "no feature ''"),
        (("--mem", "0"), "--mem: 0 is no size"),
        (("--call-size", "0"), "--call-size: 0 is no size"),
        (("--mem", "16T"), "more than 4 GiB of tables"),
        (("--mem", "64T", "--leaf", "16k"), "more than 4 GiB of tables"),
        (("--mem", "200T", "--leaf", "1g"), "not so many frames"),
        (("--mem", "5000"), "multiple of 4K"),
        (("--mem", "-4096"), "not a number of bytes"),
        (("--mem", "4KB"), "not a number of bytes"),
        (("--mem", "18446744073709551616"), "not a number of bytes"),
        (("--mem", "16777216T"), "not a number of bytes"),
        (("--mem",), "requires an argument"),
        (("--ipa", "0x"), "not a number of bytes"),
        (("--ipa", "256T"), "beyond the IPA size"),
        (("--ipa", "0xfffffffffffff000", "--mem", "8K"), "beyond the IPA size"),
        (("--ipa-bits", "33", "--mem", "8G"), "beyond the IPA size"),
        (("--ipa-bits", "33", "--ipa", "8G", "--mem", "4K"), "beyond the IPA size"),
        (("--ipa-bits", "53"), "from 32 to 52"),
        (("--ipa-bits", "49"), "IPA size not"),
        (("--ipa-bits", "49", "--leaf", "16k"), "IPA size not"),
        (("--ipa-bits", "48", "--pa-bits", "44"), "IPA size not"),
        (("--pa-bits", "52"), "PA size not"),
        (("--pa-bits", "45"), "PA size not"),
        (("--pa-bits", "32"), "from 36 to 52"),
        (("--ipa", "4096T", "--features", "lpa2"), "beyond the IPA size"),
        (("--ipa", "4096T", "--leaf", "64k"), "beyond the IPA size"),
        (("--around", "5M", "--leaf", "2m"), "--around"),
        (("--strategy", "entry,fast"), "no strategy 'fast'"),
        (("--budget", "511"), "from 512"),
        (("--posted-count", "x"), "known are linux, bare"),
        (("--posted-free", "x"), "known are rcu, rcu-open, now"),
        (("--steps", "--json"), "exclude each other"),
        (("--suspicions", "--mem", "1G"), "configuration of its own"),
        (("--bogus",), "unrecognized option '--bogus'"),
        (("1G",), "'1G' is not an option"),
    )

    def test_each(self):
        for args, says in self.CASES:
            done = s2lab.run("compare", *args)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual(done.stdout, "", args)
            self.assertIn(says, done.stderr, args)
            self.assertTrue(done.stderr.startswith("s2lab compare: "), done.stderr)
            self.assertIn("--help", done.stderr)

    def test_command(self):
        for args in ((), ("nothing",), ("--nothing",)):
            done = s2lab.run(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)

    def test_help(self):
        for args in (("--help",), ("compare", "--help"), ("--version",)):
            done = s2lab.run(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""), args)
            self.assertTrue(done.stdout.startswith(("usage:", "s2lab ")))


class Output(unittest.TestCase):
    def test_json(self):
        got = s2lab.compare("--mem", "4M", "--ipa", "2G", "--features", "none")
        config = got["config"]
        self.assertEqual((config["ipa"], config["mem"], config["leaf"], config["granule"],
                          config["features"], config["ipa_bits"], config["pa_bits"]),
                         (2 << 30, 4 << 20, 4096, 4096, [], 40, 48))
        self.assertEqual([one["name"] for one in got["strategies"]],
                         ["entry", "posted", "review", "merged", "stage2"])
        for one in got["strategies"]:
            self.assertIn(one["verdict"], ("safe", "unsafe"))
            self.assertEqual(one["verdict"] == "unsafe", bool(one["violations"]))
            for violation in one["violations"]:
                self.assertTrue(violation["rule"] and violation["detail"])
            for key in COUNTS:
                self.assertIsInstance(one[key], int, key)
            self.assertEqual(set(one["tlbi"]), {"ipas2e1is", "ripas2e1is", "vmalle1is",
                                                "vmalls12e1is"})

    def test_repeats(self):
        args = ("compare", "--mem", "8M", "--json", "--features", "none")
        self.assertEqual(s2lab.run(*args).stdout, s2lab.run(*args).stdout)

    def test_table(self):
        done = s2lab.run("compare", "--features", "none", "--mem", "4M")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\033", done.stdout)
        self.assertIn("review is unsafe", done.stdout)
        self.assertIn("clean-before-tlbi", done.stdout)
        self.assertIn("seed 1", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_steps(self):
        done = s2lab.run("compare", "--mem", "64K", "--strategy", "stage2", "--steps",
                         "--leaf", "64k", "--pa-bits", "52", "--ipa-bits", "52")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Granule 64 KiB, IPA size 52 bits, PA size 52, 1 root", done.stdout)
        done = s2lab.run("compare", "--mem", "4K", "--strategy", "stage2", "--steps")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^step +\d+ .*(?i:tlbi)")

    def test_strategy_list(self):
        got = s2lab.compare("--mem", "4K", "--strategy", "stage2,entry")
        self.assertEqual([one["name"] for one in got["strategies"]], ["entry", "stage2"])

    def test_colour_only_on_a_terminal(self):
        def on_terminal(**env):
            master, slave = os.openpty()
            with subprocess.Popen([s2lab.S2LAB, "compare", "--mem", "4K"], stdout=slave,
                                  stderr=slave, env={**os.environ, **env}) as done:
                os.close(slave)
                out = b""
                while True:
                    try:
                        some = os.read(master, 65536)
                    except OSError:     # the other side is closed
                        break
                    if not some:
                        break
                    out += some
            os.close(master)
            self.assertEqual(done.returncode, 0)
            return out

        os.environ.pop("NO_COLOR", None)
        self.assertIn(b"\033[32msafe", on_terminal())
        self.assertNotIn(b"\033[32m", on_terminal(NO_COLOR="1"))


if __name__ == "__main__":
    s2lab.main()
