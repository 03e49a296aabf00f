#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A grammar of traces, written apart from the reader and the writer.

check_format.py [--casemate] FILE...

With --casemate only what Casemate 3.0.2 reads: its records, in its order of fields, and
its limits. check() returns None or what is wrong.
"""
import re
import sys

HEX = r"(?:0x)?[0-9a-f]+"
ALL = "vmalle1is|vmalle1|vmalls12e1is|vmalls12e1|alle1is|alle1"


def fields(*names):
    """(KEY HEX) for each name."""
    return " ".join(rf"\({n} {HEX}\)" for n in names)


CASEMATE = {
    "sysreg-write": rf"\(sysreg (?:vttbr|vtcr|hcr)_el2\) \(value {HEX}\)",
    "mem-init": fields("address", "size"),
    "mem-free": fields("address", "size"),
    "mem-write": rf"\(mem-order (?:plain|release)\) {fields('address', 'value')}",
    "mem-read": fields("address", "value"),
    "mem-set": fields("address", "size", "value"),
    "barrier": r"(?:isb|dsb \(kind (?:ish|ishst)\))",
    "tlbi": rf"(?:(?:{ALL})|ipas2e1is \(value {HEX}\))",
    "hint": r"\(kind (?:set_root_lock|set_owner_root|release_table)\) "
            + fields("location", "value"),
    "lock": fields("address"),
    "unlock": fields("address"),
    "trylock": fields("address"),
}
WAIVED = r"(?: \(no-clean 1\))?"
RANGE = fields("root", "ipa", "size")
OURS = {
    **CASEMATE,
    "machine": rf'\(features "[a-z0-9,-]+"\) \(granule {HEX}\) \(pes \d+\)'
               rf' \(counted {HEX}\) \(agent-lacks "[a-z0-9,-]+"\)',
    "sysreg-write": rf"\(sysreg (?:(?:vttbr|vtcr|hcr)_el2|(?:tcr|sctlr)_el1)\)"
                    rf" \(value {HEX}\)",
    "mem-take": fields("address", "size"),
    "mem-write": CASEMATE["mem-write"] + WAIVED,
    "mem-xchg": fields("address", "value") + WAIVED,
    "cas": fields("address", "old", "value") + WAIVED,
    "barrier": r"(?:isb|dsb \(kind (?:sy|n?ish|n?sh|ishst|nshst)\)"
               r"|dmb \(kind (?:ish|ishst)\))",
    "tlbi": rf"(?:(?:{ALL})|r?ipas2l?e1(?:is)? \(value {HEX}\))",
    "dc-civac": fields("address", "size"),
    "dc-cvac": fields("address", "size"),
    "ic-ivau": fields("address", "size"),
    "agent-tlbi": fields("ipa", "size"),
    "handoff": r"\(to \d+\)",
    "walker-enter": "",
    "walker-leave": "",
    "guest-enter": fields("value"),
    "guest-leave": "",
    "guests-gone": fields("root"),
    "guest-write": fields("root", "ipa"),
    "guest-writes": fields("root", "ipa", "size", "value"),
    "host-wrote": fields("address", "size"),
    "claim-unmapped": RANGE + WAIVED,
    "claim-wrprotected": RANGE,
    "claim-harvested": RANGE,
    "claim-frame-free": fields("address", "size"),
    "dirty-found": RANGE,
    "leaf-gone": fields("root", "ipa", "address", "size") + WAIVED,
}
HEAD = re.compile(r'\(([a-z-]+) \(id (\d+)\) \(tid (\d+)\) (.*?) ?'
                  r'\(src "([^":]*):(\d+)"\)\)')


class Limits:
    """What Casemate has room for, and the order in which it wants things."""

    def __init__(self):
        self.inited, self.roots, self.held, self.vttbr = set(), {}, {}, {}

    def pages(self, text):
        start, size = (int(v, 16) for v in re.findall(rf"\(\w+ ({HEX})\)", text)[:2])
        return range(start, start + size, 4096)

    def problem(self, name, tid, text):
        values = [int(v, 16) for v in re.findall(rf"\((?:\w+) ({HEX})\)", text)]
        if tid >= 4:
            return "more than 4 threads"
        if name == "mem-init":
            again = self.inited.intersection(self.pages(text))
            self.inited.update(self.pages(text))
            if again:
                return "mem-init of a page that is in use"
            return len(self.inited) > 8200 and "more than 8192 table pages" or None
        if name == "mem-free":
            gone = set(self.pages(text))
            if gone & set(self.roots):
                return "mem-free of a root without release_table"
            if not gone <= self.inited:
                return "mem-free of a page that is not in use"
            self.inited -= gone
        elif name in ("mem-write", "mem-set"):
            return self.store(values[0] & ~4095)
        elif name == "hint":
            self.hint(text, values)
            return len(self.roots) > 64 and "more than 64 roots" or None
        elif name == "sysreg-write":
            return self.sysreg(tid, text, values[-1])
        elif name == "lock":
            if values[0] in self.held:
                return "a lock that is held"
            self.held[values[0]] = tid
        elif name == "unlock":
            if self.held.pop(values[0], None) != tid:
                return "an unlock by a thread that does not hold it"
        return None

    def store(self, page):
        return None if page in self.inited else "a store to a page without mem-init"

    def hint(self, text, values):
        if "set_root_lock" in text:
            self.roots[values[0]] = values[1]
        elif "release_table" in text:
            self.roots.pop(values[0], None)

    def sysreg(self, tid, text, value):
        if "vttbr" in text:
            root = value & 0xfffffffff000
            self.vttbr[tid] = root
            if root not in self.roots:
                return "VTTBR_EL2 without set_root_lock"
            return None if root in self.inited else "VTTBR_EL2 of a page without mem-init"
        if "hcr" in text and value & 1 and tid not in self.vttbr:
            return "HCR_EL2.VM = 1 before VTTBR_EL2"
        if "vtcr" in text and 64 - (value & 63) not in (*range(35, 40), *range(44, 49)):
            return "an IPA size that Casemate does not know"
        return None


def check(path, casemate=False):
    """None, or the line and what is wrong with it."""
    grammar = {k: re.compile(v) for k, v in (CASEMATE if casemate else OURS).items()}
    limits, last = Limits(), -1
    with open(path, encoding="ascii") as lines:
        for n, line in enumerate(lines, 1):
            head = HEAD.fullmatch(line.rstrip("\n"))
            if not head or not line.endswith("\n"):
                return f"{path}:{n}: not a record: {line.rstrip()}"
            name, ident, tid, rest = head[1], int(head[2]), int(head[3]), head[4]
            if name not in grammar or not grammar[name].fullmatch(rest):
                return f"{path}:{n}: not in the grammar: {line.rstrip()}"
            if ident < last:
                return f"{path}:{n}: id {ident} after {last}"
            last = ident
            problem = casemate and limits.problem(name, tid, rest)
            if problem:
                return f"{path}:{n}: {problem}: {line.rstrip()}"
    if casemate and limits.held:
        return f"{path}: locks are held at the end"
    return None


def main():
    casemate = "--casemate" in sys.argv
    wrong = [check(p, casemate) for p in sys.argv[1:] if p != "--casemate"]
    for text in filter(None, wrong):
        print(text)
    return any(wrong)


if __name__ == "__main__":
    sys.exit(main())
