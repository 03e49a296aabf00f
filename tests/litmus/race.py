# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""race.py EXPLORE FILE [--update]: what FILE quotes is what the explorer prints.

Every fenced block whose first line is "$ build/tests/litmus/explore ARGUMENTS"
must continue with the output of that command. --update writes it there.
"""
import difflib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```text\n\$ build/tests/litmus/explore ([^\n]*)\n(.*?)^```$", re.M | re.S)


def main():
    explore, path = sys.argv[1:3]
    update = "--update" in sys.argv[3:]
    with open(path, encoding="utf-8") as f:
        old = f.read()

    def now(match):
        out = subprocess.run([explore, *match[1].split()], stdout=subprocess.PIPE,
                             check=True, text=True).stdout
        return f"```text\n$ build/tests/litmus/explore {match[1]}\n{out}```"

    new, blocks = BLOCK.subn(now, old)
    if blocks != old.count("$ build/tests/litmus/explore") or not blocks:
        print(f"{path}: a block does not have the form that is checked")
        return 1
    if update:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        old.splitlines(True), new.splitlines(True), path, "what explore prints"))
    print(f"{path}: {blocks} blocks compared, {'same' if old == new else 'different'}")
    return old != new


sys.exit(main())
