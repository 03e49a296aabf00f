# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""s2lab help, the man pages, and the completion for bash: all say what --help says.
Argument 2: the source folder."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import s2lab

ROOT = pathlib.Path(sys.argv[2])
REQUESTS = {".TH", ".SH", ".PP", ".TP", ".B", ".br"}


def help_of(*args):
    return s2lab.run(*args, "--help").stdout


COMMANDS = re.findall(r"^  (\w+) ", help_of(), re.M)


class Help(unittest.TestCase):
    def test_help(self):
        self.assertEqual(s2lab.run("help").stdout, help_of())
        for name in COMMANDS:
            done = s2lab.run("help", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout, help_of(name))
            self.assertTrue(done.stdout.startswith("usage: s2lab " + name))
        done = s2lab.run("help", "nothing")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("no command 'nothing'", done.stderr)

    def test_cannot_be_written(self):
        """No command says that all is well when nobody has got its output."""
        for args in (("--help",), ("--version",), ("help",), ("plan", "--help"),
                     ("compare", "--mem", "4K"), ("plan", "--ipa", "0", "--size", "64K"),
                     ("decode", "vtcr", "0x80000000")):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([s2lab.S2LAB, *args], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn("the output cannot be written", done.stderr)

    def test_width(self):
        """Help fits a terminal of 90 columns."""
        for name in COMMANDS:
            self.assertLessEqual(max(map(len, help_of(name).splitlines())), 90, name)


class Made(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        subprocess.run([sys.executable, "-B", ROOT / "tools/man.py", s2lab.S2LAB, cls.path],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_pages(self):
        """One for each command, as the build lists them; with every word of --help."""
        names = {"s2lab.1"} | {f"s2lab-{name}.1" for name in COMMANDS}
        self.assertEqual({p.name for p in self.path.glob("*.1")}, names)
        listed = re.search(r"lab_commands = \[(.*?)\]", (ROOT / "lab/meson.build").read_text(
            encoding="utf-8"))[1]
        self.assertEqual(re.findall(r"'(\w+)'", listed), COMMANDS)
        for name in COMMANDS:
            text = (self.path / f"s2lab-{name}.1").read_text(encoding="utf-8")
            for line in text.splitlines():
                if line[0] in ".'":
                    self.assertIn(line.split()[0], REQUESTS)
            plain = text.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")
            words = help_of(name).removeprefix("usage:").split()
            self.assertEqual([w for w in words if w not in plain], [], name)
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
                self.assertIn(f".SH {section}\n", text)
            # Each option that begins a line of --help begins an item, under its name.
            options = plain.split(".SH OPTIONS\n")[1]
            for option in re.findall(r"^  ((?:-\w, )?--[a-z-]+)", help_of(name), re.M):
                self.assertRegex(options, rf"\.TP\n\.B {option}( [A-Z|]+)?\n")

    def test_groff(self):
        groff = shutil.which("groff")
        if not groff:
            self.skipTest("no groff")
        for page in self.path.glob("*.1"):
            done = subprocess.run([groff, "-man", "-Tascii", "-ww", "-z", page], check=True,
                                  capture_output=True, text=True)
            self.assertEqual(done.stderr, "", page)

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _s2lab;'
                  ' printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", self.path / "s2lab.bash",
                               "s2lab", *words], check=True, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion(self):
        self.assertEqual(set(self.complete("")), {*COMMANDS, "help", "--help", "--version"})
        self.assertEqual(self.complete("rep")[0], "replay")
        self.assertEqual(self.complete("help", "dec"), ["decode"])
        for name in COMMANDS:
            want = set(re.findall(r"--[a-z][a-z-]*[a-z]", help_of(name))) | {"--help"}
            self.assertEqual(set(self.complete(name, "-")), want, name)
        self.assertEqual(self.complete("replay", "--wo"), ["--worst"])
        self.assertEqual(self.complete("replay", "--features", "f"), ["fwb"])
        self.assertEqual(self.complete("replay", "--features", "fwb,tlb"), ["fwb,tlbirange"])
        self.assertEqual(set(self.complete("compare", "--cpu", "")),
                         {"graviton3", "kvm-2023", "fpga-2020"})
        self.assertEqual(self.complete("replay", str(ROOT / "READ")),
                         [str(ROOT / "README.md")])

    @s2lab.plain_only
    def test_installed(self):
        build = pathlib.Path(s2lab.S2LAB).resolve().parent
        with tempfile.TemporaryDirectory() as to:
            subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", to],
                           check=True, capture_output=True)
            names = {p.name for p in pathlib.Path(to).glob("**/*") if p.is_file()}
        self.assertEqual(names, {"s2lab", "s2lab.bash", "s2lab.1"} | {
            f"s2lab-{name}.1" for name in COMMANDS})

    def test_offered_values_are_taken(self):
        for option, args in (("--features", ("compare", "--mem", "4K")),
                             ("--strategy", ("compare", "--mem", "4K")),
                             ("--op", ("compare", "--mem", "2M", "--leaf", "2m")),
                             ("--cpu", ("compare", "--mem", "4K")),
                             ("--posted-count", ("compare", "--mem", "4K")),
                             ("--posted-free", ("compare", "--mem", "4K")),
                             ("--granule", ("plan", "--ipa", "0", "--size", "64K"))):
            values = self.complete(args[0], option, "")
            self.assertGreater(len(values), 1, option)
            for value in values:
                if value in ("collapse", "bbm2", "lpa2"):
                    continue        # each needs another option
                done = s2lab.run(*args, option, value)
                self.assertLess(done.returncode, 2, (option, value, done.stderr))


if __name__ == "__main__":
    sys.argv.pop(2)
    s2lab.main()
