#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""pictures.py [--check]: docs/*.svg, drawn from the tables of the pages that show them.

A picture and the table beside it cannot disagree: the figures are read from the table.
--check writes nothing and fails if a picture is not what its table says.
"""

import argparse
import html
import math
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Legible on any page, because each picture has a background of its own. The colours
# follow the reader's system, which is all that a picture in a page can know.
STYLE = """
text{font:13px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.head{font-weight:600}
.big{font-size:20px;font-weight:600}
.small{font-size:12px}
.faint{fill:#59636e}.mid{text-anchor:middle}.end{text-anchor:end}
.page{fill:#fff;stroke:#d1d9e0}
.grid{stroke:#d1d9e0}.none{fill:none;stroke:#8b949e;stroke-dasharray:3 3}
.way{fill:none;stroke:#8b949e}
.theirs{fill:#b34700}.ours{fill:#0860ca}.chip{fill:#fff}
.line{fill:none;stroke-width:2}.line.theirs{stroke:#b34700}.line.ours{stroke:#0860ca}
.dashed{stroke-dasharray:5 4}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.faint{fill:#9da7b1}.grid{stroke:#30363d}
.page{fill:#0d1117;stroke:#30363d}
.theirs{fill:#f0883e}.ours{fill:#58a6ff}.chip{fill:#0d1117}
.line.theirs{stroke:#f0883e}.line.ours{stroke:#58a6ff}.line{fill:none}
}
"""


class Picture:
    def __init__(self, width, height, title, says):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">',
            "<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->",
            "<!-- drawn by tools/pictures.py -->",
            f"<title>{html.escape(title)}</title>",
            f"<desc>{html.escape(says)}</desc>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" x=".5" y=".5" width="{width - 1}" '
            f'height="{height - 1}" rx="8"/>',
        ]
        self.text(20, 30, title, "title")

    def text(self, x, y, what, kind=""):
        kind = f' class="{kind}"' if kind else ""
        self.parts.append(f'<text x="{x:.4g}" y="{y:.4g}"{kind}>{html.escape(what)}</text>')

    def box(self, x, y, width, height, kind):
        self.parts.append(f'<rect class="{kind}" x="{x:.4g}" y="{y:.4g}" '
                          f'width="{width:.4g}" height="{height:.4g}" rx="3"/>')

    def dot(self, x, y, kind):
        self.parts.append(f'<circle class="{kind}" cx="{x:.4g}" cy="{y:.4g}" r="5"/>')

    def path(self, points, kind):
        d = "L".join(f"{x:.4g} {y:.4g}" for x, y in points)
        self.parts.append(f'<path class="{kind}" d="M{d}"/>')

    def __str__(self):
        return "\n".join([*self.parts, "</svg>", ""])


class Scale:
    """Logarithmic, between two places. @whole: it begins and ends at a power of ten."""

    def __init__(self, low, high, start, end, whole=True):
        self.low, self.high = math.log10(low), math.log10(high)
        if whole:
            self.low, self.high = math.floor(self.low), math.ceil(self.high)
        self.start, self.end = start, end

    def __call__(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        return [10 ** n for n in range(math.ceil(self.low), math.floor(self.high) + 1)]


def short(n):
    """1000000 as 1M."""
    for size, name in ((10 ** 9, "G"), (10 ** 6, "M"), (1000, "k")):
        if n >= size:
            return f"{n // size}{name}"
    return f"{n:g}"


def apart(places, gap):
    """Places of labels, moved up so that none is nearer to another than @gap."""
    order = sorted(range(len(places)), key=lambda i: -places[i])
    found = list(places)
    for a, b in zip(order, order[1:]):
        found[b] = min(found[b], found[a] - gap)
    return found


# ---- tables of the pages ---------------------------------------------------------


def page(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def table(text, *heads):
    """The rows of the first table whose header begins with these cells."""
    rows = []
    for line in text.split("\n"):
        cells = [c.strip().strip("`") for c in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            if rows:
                return rows[1:]
        elif rows or tuple(cells[:len(heads)]) == heads:
            if not re.match(r"\|[-:|]+\|$", line):
                rows.append(cells)
    if not rows:
        sys.exit(f"no table with the header {heads}")
    return rows[1:]


def count(cell):
    return int(cell.replace(",", ""))


# ---- what is drawn ---------------------------------------------------------------


def unmap(readme):
    """One unmap, entry by entry and in four phases. The CPU has FWB."""
    row = {cells[1]: cells[2:] for cells in table(readme, "CPU has", "") if
           cells[0] == "fwb"}
    theirs, ours = row["merged"], row["stage2"]
    p = Picture(660, 500, "One unmap of 1 GiB, entry by entry and in four phases",
                f"Entry by entry: {theirs[1]} TLBIs and {theirs[2]} DSBs. In four "
                f"phases: {ours[1]} TLBI and {ours[2]} DSBs.")
    p.text(20, 50, "of 4 KiB pages, on a CPU with FEAT_S2FWB and without FEAT_TLBIRANGE; "
           "a row for each level", "faint")
    for left, kind, head, who in ((20, "theirs", "Entry by entry", "Linux 6.12"),
                                  (350, "ours", "Four phases", "this library")):
        p.text(left, 86, head, f"head {kind}")
        p.text(left + 290, 86, who, "faint end")
        all_of = "theirs" if kind == "theirs" else "none"
        for i in range(12):
            p.box(left + 24.2 * i, 98, 22, 18, kind if i == 4 else "way")
        p.path([(left + 108, 116), (left + 145, 134)], "way")
        for i in range(12):
            p.box(left + 24.2 * i, 134, 22, 18, all_of)
        for t in range(3):
            p.path([(left + 11 + 24.2 * 5 * t, 152), (left + 45 + 98 * t, 170)], "way")
            for i in range(4):
                p.box(left + 23.4 * i + 98 * t, 170, 21, 18, all_of)
    p.text(20, 208, f"reads and writes {theirs[0]} entries", "theirs")
    p.text(350, 208, "writes one entry; what is below is not read", "ours")

    def chips(x, y, names, kind):
        for i, name in enumerate(names):
            p.box(x + 49 * i, y, 45, 22, kind)
            p.text(x + 49 * i + 22.5, y + 15.5, name, "small chip mid")

    p.text(20, 244, "for each entry", "head")
    for y in (256, 284, 312):
        chips(20, y, ["write", "DSB", "TLBI", "DSB", "TLBI", "DSB"], "theirs")
    p.text(165, 356, f"… {theirs[0]} times …", "faint mid")
    p.text(20, 388, f"frees {theirs[4]} tables, in the call")
    for i, (name, what) in enumerate((("1 break", ["write"]),
                                      ("2 invalidate", ["DSB", "TLBI", "DSB"]),
                                      ("3 clean", "nothing: FWB needs none"),
                                      ("4 release", f"{ours[4]} tables, may be later"))):
        p.text(350, 260 + 40 * i, name, "head")
        if isinstance(what, str):
            p.text(450, 260 + 40 * i, what)
        else:
            chips(450, 244 + 40 * i, what, "ours")
    p.path([(20, 412), (640, 412)], "grid")
    for left, kind, costs in ((20, "theirs", theirs), (350, "ours", ours)):
        p.text(left, 444, f"{costs[1]} TLBI" + "s" * (costs[1] != "1"), f"big {kind}")
        p.text(left, 472, f"{costs[2]} DSBs", f"big {kind}")
    return p


GROUPS = (("Unmap", r"unmap|migrate"), ("Map", r"map|remap"),
          ("Permissions and age", r"wrprotect|relax|age|mkyoung"),
          ("Split and collapse", r"split|collapse"), ("Destroy", r"destroy"),
          ("Look up", r"lookup"))


def ratios(text):
    """How many times faster than Linux; a line where runs differ."""
    rows = []
    for cells in table(text, "operation", "per", "ns"):
        if cells[4]:
            ends = [float(n) for n in re.findall(r"[\d.]+", cells[4].replace(",", ""))]
            rows.append((cells[0], ends[0], ends[-1], cells[4]))
    height = 96 + 20 * len(rows) + 30 * len(GROUPS)
    p = Picture(720, height, "How many times faster than Linux 6.12 the table code is",
                "A row for each operation of docs/performance.md: " + ", ".join(
                    f"{row[0]} {row[3]}" for row in rows))
    p.text(20, 50, "time of Linux / time of this library, in one run; TLBIs and barriers "
           "take no time here", "faint")
    # Some may be slower than Linux.
    x = Scale(min(1, *(row[1] for row in rows)), max(row[2] for row in rows), 210, 620,
              whole=False)
    for n in x.ticks():
        p.path([(x(n), 76), (x(n), height - 20)], "grid" if n != 1 else "way")
        p.text(x(n), 70, "equal" if n == 1 else f"{n:g} times", "small faint mid")
    y = 76
    for group, pattern in GROUPS:
        y += 26
        p.text(20, y, group, "head")
        for name, low, high, says in rows:
            if not re.match(pattern, name):
                continue
            y += 20
            p.text(200, y, name, "end")
            p.path([(x(1), y - 4), (x(high), y - 4)], "line ours")
            for at in {low, high}:
                p.dot(x(at), y - 4, "ours")
            p.text(x(high) + 10, y, says, "small")
        y += 4
    return p


def grown(text):
    """{what: {GiB: (TLBIs, entries, instructions)}}"""
    found = {}
    for cells in table(text, "mapped", "phase"):
        size, unit = cells[0].split()
        gib = int(size) * (1024 if unit == "TiB" else 1)
        found.setdefault(cells[1], {})[gib] = (
            count(cells[5]), count(cells[2]), count(cells[4]) if cells[4] else None)
    linux = found["Linux 6.12"] = {}
    counts = {cells[0]: cells for cells in table(text, "operation", "entries read")}
    times = {cells[0]: cells for cells in table(text, "operation", "per", "ns")}
    for name, gib in (("unmap-1g", 1), ("unmap-64g", 64)):
        linux[gib] = (count(counts[name][6]), count(counts[name][2]),
                      round(float(times[name][6]) * gib * 2 ** 18))
    return found


def growth(text):
    """Three axes, one unit each, and Linux in each of them."""
    found = grown(text)
    lines = (("Linux 6.12, the whole call", "Linux 6.12", "theirs"),
             ("its release, may be later", "release", "ours dashed"),
             ("this library, worst range", "same, ragged", "ours"),
             ("this library, whole tables", "to the end of 2", "ours"))
    top, step, high = 84, 270, 200
    p = Picture(720, top + 3 * step - 30, "Unmapping more and more: what grows, and what does not",
                "Linux's TLBIs, entries and instructions grow with the memory; those of "
                "this library until every TLB is clean do not")
    p.text(20, 50, "1 GiB to 4 TiB of 4 KiB pages in one call, on a CPU with FEAT_S2FWB "
           "and FEAT_TLBIRANGE", "faint")
    for n, unit in enumerate(("TLB invalidations", "entries read",
                              "instructions of the table code")):
        y0 = top + n * step
        data = [(says, kind, {gib: f[n] for gib, f in found[what].items() if f[n]})
                for says, what, kind in lines]
        data = [d for d in data if d[2]]
        values = [v for _, _, points in data for v in points.values()]
        x = Scale(1, 4096, 70, 520, whole=False)
        y = Scale(min(values), max(values), y0 + high, y0 + 16)
        p.text(20, y0, unit, "head")
        for tick in y.ticks():
            p.path([(70, y(tick)), (530, y(tick))], "grid")
            p.text(62, y(tick) + 4, short(tick), "small faint end")
        sizes = sorted({gib for _, _, points in data for gib in points})
        for gib in sizes:
            p.text(x(gib), y0 + high + 20, f"{gib} GiB" if gib < 1024 else
                   f"{gib // 1024} TiB", "small faint mid")
        ends = []
        for says, kind, points in data:
            p.path([(x(gib), y(v)) for gib, v in points.items()], f"line {kind}")
            for gib, v in points.items():
                p.dot(x(gib), y(v), kind.split()[0])
            ends.append((x(max(points)), y(points[max(points)]), says, kind.split()[0]))
        for (end, _, says, kind), at in zip(ends, apart([e[1] for e in ends], 18)):
            p.text(end + 14, at + 4, says, kind)
    return p


def pairs(p, x, y, rows):
    """A row for each (name, theirs, ours): two dots with their figures."""
    for i, (name, theirs, ours) in enumerate(rows):
        at = y + 26 * i
        if theirs is None:
            p.text(20, at + 4, name, "head")
            continue
        p.text(20, at + 4, name)
        if theirs == ours == 0:
            p.text(x.start + 8, at + 4, "none: this CPU has FEAT_S2FWB", "faint")
            continue
        ends = sorted(((theirs, "theirs"), (ours, "ours")))
        p.path([(x(max(n, 1)), at) for n, _ in ends], "way")
        for n, kind in ends:
            p.dot(x(max(n, 1)), at, kind)
        for (n, kind), side, move in zip(ends, ("end", ""), (-10, 10)):
            p.text(x(max(n, 1)) + move, at + 4, f"{n:,}", f"small {kind} {side}".strip())


def axis(p, x, top, bottom, theirs, ours):
    for n in x.ticks():
        p.path([(x(n), top), (x(n), bottom)], "grid")
        p.text(x(n), bottom + 16, short(n), "small faint mid")
    p.text(x.end, 50, theirs, "theirs end head")
    p.text(x.start, 50, ours, "ours head")


def kvm(text):
    rows = []
    found = {}
    for cells in table(text, "CPU", "what"):
        if cells[1] == "64 MiB, 4 KiB pages, DONTNEED":
            found.setdefault(cells[0], {})[cells[2]] = cells[3:]
    for cpu, sides in found.items():
        rows.append((cpu, None, None))
        for i, what in enumerate(("table code", "DC CIVAC loop")):
            rows.append((what, *(count(sides[side][i]) for side in ("stock", "ours"))))
    height = 96 + 26 * len(rows)
    p = Picture(720, height, "Instructions to unmap 64 MiB of 4 KiB pages in KVM",
                "kvm_pgtable_stage2_unmap() of Linux 6.12, stock and with this library: "
                + "; ".join(f"{name} {a} and {b}" for name, a, b in rows if a is not None))
    x = Scale(1000, max(row[1] or 1 for row in rows), 190, 620)
    axis(p, x, 62, height - 30, "stock kernel", "with this library")
    pairs(p, x, 78, rows)
    return p


def xen(text):
    rows = {}
    for cells in table(text, "what", "", "visits"):
        rows.setdefault(cells[0], {})[cells[1]] = count(cells[6])
    rows = [(name, sides["stock"], sides["ours"]) for name, sides in rows.items()]
    height = 96 + 26 * len(rows)
    p = Picture(720, height, "DSBs of Xen's p2m code",
                "stock Xen and with this library: "
                + "; ".join(f"{name} {a} and {b}" for name, a, b in rows))
    x = Scale(1, max(row[1] for row in rows), 260, 620)
    axis(p, x, 62, height - 30, "stock Xen", "with this library")
    pairs(p, x, 78, rows)
    return p


PICTURES = {
    "unmap.svg": (unmap, "README.md"),
    "ratios.svg": (ratios, "docs/performance.md"),
    "growth.svg": (growth, "docs/performance.md"),
    "kvm-unmap.svg": (kvm, "docs/kvm.md"),
    "xen.svg": (xen, "docs/xen.md"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    stale = []
    for name, (draw, source) in PICTURES.items():
        path = os.path.join(ROOT, "docs", name)
        new = str(draw(page(source)))
        if args.check:
            with open(path, encoding="utf-8") as f:
                if f.read() != new:
                    stale.append(f"docs/{name} is not what the table of {source} says: "
                                 "run tools/pictures.py")
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(new)
    sys.exit("\n".join(stale) or 0)


if __name__ == "__main__":
    main()
