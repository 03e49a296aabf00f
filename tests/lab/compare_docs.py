# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/strategies.md has what the tool prints. --update writes it there."""
import pathlib
import re
import sys
import unittest

import s2lab

DOC = pathlib.Path(__file__).parents[2] / "docs" / "strategies.md"


COLUMNS = " | entries visited | TLBIs by IPA | by range | of stage 1 | of the VMID" \
          " | DSBs | lines cleaned | tables freed |"


def numbers(one):
    """The numbers of COLUMNS."""
    tlbi = one["tlbi"]
    each = (one["pte_reads"], tlbi["ipas2e1is"], tlbi["ripas2e1is"], tlbi["vmalle1is"],
            tlbi["vmalls12e1is"], one["dsb"], one["clean_lines"], one["tables_freed"])
    return " | ".join(f"{n:,}" for n in each) + " |"


def counts():
    """1 GiB of pages: each strategy on each feature set."""
    yield "| features | strategy | verdict" + COLUMNS
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for features in s2lab.FEATURE_SETS:
        for one in s2lab.compare("--features", features)["strategies"]:
            rules = sorted({violation["rule"] for violation in one["violations"]})
            verdict = "unsafe: " + ", ".join(f"`{rule}`" for rule in rules)
            yield f"| {features} | `{one['name']}` | {verdict if rules else 'safe'} | " \
                  + numbers(one)


def granules():
    """1 GiB of larger pages, where no strategy shown is unsafe."""
    yield "| pages | features | strategy" + COLUMNS
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for leaf in ("16k", "64k"):
        for features in ("fwb,tlbirange", "none"):
            got = s2lab.compare("--leaf", leaf, "--features", features)["strategies"]
            for one in got:
                if one["name"] not in ("merged", "stage2"):
                    continue
                yield f"| {leaf} | {features} | `{one['name']}` | " + numbers(one)


def reshape():
    """1 GiB split and collapsed."""
    yield "| `--op` | leaves | features | strategy | entries written" + COLUMNS
    yield "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for small, large in (("4k", "2m"), ("16k", "32m"), ("64k", "512m")):
        for op, leaf in (("split", large), ("collapse", small)):
            for features in ("fwb,tlbirange", "none"):
                got = s2lab.compare("--op", op, "--leaf", leaf, "--features", features)
                for one in got["strategies"]:
                    yield f"| {op} | {leaf} | {features} | `{one['name']}` | " \
                          f"{one['pte_writes']:,} | " + numbers(one)


def suspicions():
    """What --suspicions prints."""
    done = s2lab.run("compare", "--suspicions")
    yield "```"
    yield done.stdout.rstrip("\n")
    yield "```"


def current(text):
    """The document with what the tool prints now between the markers."""
    for name, lines in (("counts", counts), ("granules", granules), ("reshape", reshape),
                        ("suspicions", suspicions)):
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        new = begin + "\n".join(lines()) + "\n" + end
        text, n = re.subn(re.escape(begin) + ".*?" + re.escape(end), lambda _, new=new: new,
                          text, flags=re.S)
        if n != 1:
            raise AssertionError(f"{DOC}: no place for {name}")
    return text


def told(text):
    """Without step numbers, addresses of tables and line breaks, which change
    with every change in how the tree is built."""
    text = re.sub(r"\bstep +\d+", "step N", text)
    return re.sub(r"0x8000[0-9a-f]{8}", "TABLE", text).split()


class Docs(unittest.TestCase):
    maxDiff = None

    def test_current(self):
        text = DOC.read_text(encoding="utf-8")
        self.assertEqual(told(text), told(current(text)),
                         f"run python3 {pathlib.Path(__file__).name} S2LAB --update")


if __name__ == "__main__":
    if sys.argv[2:] == ["--update"]:
        DOC.write_text(current(DOC.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        s2lab.main()
