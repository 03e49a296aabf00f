# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""plant.py --patch takes what `git diff` prints of a first change: with its test, from the
tree that has the change and from one that has it not. patch.py BUILD CC"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import plant

BUILD, CC = sys.argv[1:]
# Any plant of one edit.
PLANT = next(p for p in plant.load() if len(p["edits"]) == 1)
FILE = PLANT["file"]
TEST = ("diff --git a/tests/engine/new.c b/tests/engine/new.c\n--- /dev/null\n"
        "+++ b/tests/engine/new.c\n@@ -0,0 +1 @@\n+int x;\n")


def diff(old, new):
    """As git diff prints it, with a file of tests/ before and behind."""
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True),
                                 f"a/{FILE}", f"b/{FILE}")
    head = f"diff --git a/{FILE} b/{FILE}\nindex 1234567..89abcde 100644\n"
    return TEST + head + "".join(lines) + TEST.replace("new.c", "other.c")


class Patch(unittest.TestCase):
    def plant(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".patch") as f:
            f.write(text)
            f.flush()
            return subprocess.run(
                [sys.executable, "-B", plant.HERE / "plant.py", "--build", BUILD, "--cc", CC,
                 "--patch", f.name, "--program", PLANT["program"]],
                capture_output=True, text=True, check=False)

    def setUp(self):
        self.now = (plant.ROOT / FILE).read_text("utf-8")
        self.bad = plant.edited(self.now, PLANT)

    def test_another_tree(self):
        done = self.plant(diff(self.now, self.bad))
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, f"(?m)^{PLANT['program']}: {PLANT['rule']}: ")

    def test_the_tree_has_it(self):
        done = self.plant(diff(self.bad, self.now))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "The tree has this change already.\nno verdict\n")

    def test_refused(self):
        wrong = re.sub(r"(?m)^ .*", " no such line", diff(self.now, self.bad))
        for text, says in ((TEST, "nothing in src, extra, model is changed"), ("", "nothing"),
                           (wrong, "hunk FAILED|hunk ignored")):
            done = self.plant(text)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, says)


class Judged(unittest.TestCase):
    def test_kept(self):
        """Records that are run again may be kept, and are a sequence of their own."""
        judged = pathlib.Path(BUILD, "tests/engine/judged").resolve()
        with tempfile.TemporaryDirectory() as folder:
            sizes = []
            for keep in ("3", "3,5", "3,5,1999"):
                done = subprocess.run(
                    [judged, "--seed", "5", "--sequence", "0", "--keep", keep, "--save", "kept"],
                    cwd=folder, capture_output=True, text=True, check=True)
                self.assertTrue(done.stdout.endswith("fine\n"))
                sizes.append(pathlib.Path(folder, "kept").stat().st_size)
                again = subprocess.run([judged, "kept"], cwd=folder, capture_output=True,
                                       text=True, check=True)
                self.assertEqual(again.stdout, "1..1\nok kept\n")
        self.assertEqual(sizes[2] - sizes[1], sizes[1] - sizes[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
