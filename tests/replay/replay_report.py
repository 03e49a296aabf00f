#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""s2lab report: the page and the trace for Perfetto.

replay_report.py S2LAB S2LAB_BROKEN S2LAB_NO_PAGE. In Chromium, where it is installed, the
page must draw without a complaint, and its figures must be those of s2lab replay --json.
"""
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import browser
import tool

BROKEN = sys.argv[2] if len(sys.argv) > 2 else "build/tests/replay/s2lab-broken"
NO_PAGE = sys.argv[3] if len(sys.argv) > 3 else "build/tests/replay/s2lab-no-page"
GUEST = tool.trace("guest-hugetlb-2m")

# Names that would end an element, a string or a line; 0xff is no UTF-8.
SCRIPT = "</script><script>window.hacked=1</script>"
IMAGE = '<img src="x" onerror="window.hacked=1">'
QUOTES = "\"'&<!--\\u003c\\"
LONG = "no-place-to-break-a-line".replace("-", "_") * 4
HOSTILE = b"".join((
    f" {SCRIPT}-7 [000] 1.000000: s2_init: (f) pgt=0x1000 mmu=0x1 flags=0x0\n".encode(),
    f" {QUOTES}-8 [000] 1.100000: s2_map: (f) pgt=0x1000 addr=0x40000000 size=0x200000 "
    "phys=0x80000000 prot=0x6 mc=0x1 flags=0x0\n".encode(),
    f" a-1 [000] 1.200000: tracing_mark_write: @phase {IMAGE}\n".encode(),
    b" a-1 [000] 1.250000: s2_unmap: (f) pgt=0x2000 addr=0x0 size=0x1000\n",
    f" a-1 [000] 1.270000: tracing_mark_write: @phase {LONG}\n".encode(),
    b" \xff\xc0<b>-9 [001] 1.300000: s2_unmap: (f) pgt=0x1000 addr=0x40000000 "
    b"size=0x200000\n",
    b" a-1 [000] 1.400000: tracing_mark_write: @phase \xe2\x82 end\n",
    b" a-1 [001] 1.500000: s2_destroy: (f) pgt=0x1000 ia_bits=40 start_level=1\n",
))


def report(*args, binary=tool.S2LAB, status=0):
    done = tool.run("report", *args, binary=binary)
    if done.returncode != status:
        raise AssertionError(f"{args}: exit {done.returncode}, not {status}\n"
                             f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def page_data(text):
    """The data of a page, as a browser finds it: up to the next </script."""
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start:text.index("</script", start)])


class Folder(unittest.TestCase):
    """Two pages in a folder, made once for all tests."""

    folder = tempfile.TemporaryDirectory()

    @classmethod
    def setUpClass(cls):
        cls.guest, cls.evil = cls.path("guest.html"), cls.path(f"<b>\"'{LONG}.trace")
        cls.evil_page = cls.path("evil.html")
        if os.path.exists(cls.guest):
            return
        with open(cls.evil, "wb") as f:
            f.write(HOSTILE)
        report(cls.evil, "-o", cls.evil_page)
        report(GUEST, "-o", cls.guest)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def read(self, path):
        with open(path, encoding="utf-8") as f:
            return f.read()


@functools.cache
def guest_json():
    return tool.json_of("replay", GUEST)


class Page(Folder):
    def test_usage(self):
        self.assertIn("ui.perfetto.dev", report("--help").stdout)
        for args, says in (((GUEST,), "where to?"),
                           ((GUEST, "-o", self.path("no/page")), "No such file"),
                           ((GUEST, "--perfetto", self.path("no/t")), "No such file"),
                           ((GUEST, "-o", self.path("p"), "--no-merged"), "comparison"),
                           ((GUEST, "-o", "/dev/full"), "/dev/full: "),
                           (("-o", self.path("p")), "which recording?"),
                           ((GUEST, "-o", self.path("p"), "--nothing"), "nothing")):
            with self.subTest(args=args):
                done = report(*args, status=2)
                self.assertIn(says, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.path("p")))

    def test_outputs(self):
        """Neither the recording nor the other output is overwritten; - is stdout."""
        both = self.path("both")
        for args, name in ((("-o", self.evil), self.evil), (("--perfetto", self.evil), self.evil),
                           (("-o", both, "--perfetto", both), both),
                           (("-o", "-", "--perfetto", "-"), "-")):
            done = report(self.evil, *args, status=2)
            self.assertIn(f": this would overwrite {name}\n", done.stderr)
            self.assertEqual(done.stdout, "")
        with open(self.evil, "rb") as f:
            self.assertEqual(f.read(), HOSTILE)
        self.assertFalse(os.path.exists(both))
        self.assertEqual(report(self.evil, "-o", "-").stdout, self.read(self.evil_page))
        json.loads(report(self.evil, "--perfetto", "-").stdout)

    def test_no_chart_js(self):
        """Without Chart.js it says what is missing, and Perfetto needs no page."""
        page, trace = self.path("none.html"), self.path("none.json")
        done = report(self.evil, "-o", page, binary=NO_PAGE, status=2)
        self.assertIn("libjs-chart.js", done.stderr)
        self.assertFalse(os.path.exists(page))
        report(self.evil, "--perfetto", trace, binary=NO_PAGE)
        json.loads(self.read(trace))

    def test_self_contained(self):
        text = self.read(self.guest)
        self.assertIn("default-src 'none'", text)
        self.assertIn("Released under the MIT License", text)
        self.assertEqual(re.findall(r"<(?:link|img|iframe)\b", text), [])
        self.assertEqual(re.findall(r"<script[^>]*\bsrc=", text), [])
        self.assertEqual(re.findall(r"@import|url\(|sourceMappingURL", text), [])

    def test_data(self):
        self.assertEqual(page_data(self.read(self.guest)), guest_json())

    def test_hostile(self):
        text = self.read(self.evil_page)
        data = page_data(text)
        self.assertEqual(data["file"], self.evil)
        tasks = [task["task"] for task in data["by_task"]]
        for name in (SCRIPT, QUOTES, "??<b>"):
            self.assertIn(name, tasks)
        self.assertEqual([p["phase"] for p in data["by_phase"]], ["", IMAGE, LONG, "?? end"])
        for name in (SCRIPT, IMAGE, QUOTES, "<b>"):
            self.assertNotIn(name, text)
        self.assertEqual(text.count("</script"), 3)

    def test_violation(self):
        page = self.path("bad.html")
        os.environ["BROKEN"] = "vmalle1is"
        self.addCleanup(os.environ.pop, "BROKEN")
        report(GUEST, "-o", page, binary=BROKEN, status=1)
        data = page_data(self.read(page))
        self.assertEqual(data["verdict"], "unsafe")
        self.assertTrue(data["violations"])


class Perfetto(Folder):
    def trace(self, recording):
        path = self.path("perfetto.json")
        report(recording, "--perfetto", path)
        return json.loads(self.read(path))["traceEvents"]

    def test_guest(self):
        events = self.trace(GUEST)
        data = guest_json()
        kinds = {kind: [e for e in events if e["ph"] == kind] for kind in "MiXCBE"}
        self.assertEqual(sum(map(len, kinds.values())), len(events))
        names = {(e["pid"], e["tid"]): e["args"]["name"] for e in kinds["M"]
                 if e["name"] == "thread_name"}
        groups = {e["pid"] for e in kinds["M"] if e["name"] == "process_name"}
        self.assertEqual({e["pid"] for e in events}, groups)
        # Each call, in the track of its task, in the order of time.
        calls = kinds["i"]
        self.assertEqual(len(calls), data["stage2"]["calls"])
        for event in kinds["i"] + kinds["X"] + kinds["B"]:
            self.assertIn((event["pid"], event["tid"]), names)
        by_task = {}
        for call in calls:
            task = names[call["pid"], call["tid"]]
            by_task[task] = by_task.get(task, 0) + 1
        self.assertEqual(by_task, {t["task"]: t["calls"] for t in data["by_task"]})
        times = [e["ts"] for e in events if e["ph"] in "iCBE"]
        self.assertEqual(times, sorted(times))
        self.assertEqual(round(times[-1] / 1e6, 6), round(data["time"]["duration"], 6))
        # The counters end at the totals, and the calls add up to them.
        for what, key, total in (
                ("TLBIs so far", "tlbis", lambda w: sum(w["tlbi"].values())),
                ("DSBs so far", "dsbs", lambda w: w["dsb"])):
            counts = [e["args"] for e in kinds["C"] if e["name"] == what]
            for way, name in (("stage2", "this library"), ("merged", "Linux 6.12")):
                values = [c[name] for c in counts]
                self.assertEqual(values, sorted(values))
                self.assertEqual(values[-1], total(data[way]))
                self.assertEqual(
                    sum(c["args"].get(f"{key}, {name}", 0) for c in calls), values[-1])
        self.assertEqual([e["name"] for e in kinds["X"]],
                         [p["phase"] for p in data["by_phase"] if p["phase"]])
        self.assertEqual(len(kinds["B"]), data["vms"])

    def test_hostile(self):
        names = [e["args"]["name"] for e in self.trace(self.evil) if e["ph"] == "M"]
        for name in (SCRIPT, QUOTES, "??<b>", self.evil):
            self.assertIn(name, names)


@tool.plain_only
@unittest.skipUnless(browser.CHROMIUM, "Chromium is not installed")
class Drawn(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = browser.Browser()
        cls.browser.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        super().tearDownClass()

    def open(self, page, **how):
        self.browser.open(page, **how)
        self.assertEqual(self.browser.eval("document.documentElement.dataset.drawn"), "yes")
        self.assertEqual(self.browser.complaints(), [])

    def test_figures(self):
        """Each figure with a path into the JSON is what is there."""
        data = guest_json()
        self.open(self.guest)
        figures = self.browser.eval(
            "[...document.querySelectorAll('[data-json]')]"
            ".map(e => [e.dataset.json, e.textContent])")
        self.assertGreater(len(figures), 60)
        for path, text in figures:
            value = data
            for key in path.split("."):
                value = value[key]
            if isinstance(value, dict):
                value = sum(value.values())
            self.assertEqual(text, f"{value:,}", path)

    def test_looks(self):
        """Dark and light, wide and narrow, on paper: it is drawn, nothing sticks out."""
        self.open(self.guest)
        for width, dark in ((1440, False), (1440, True), (390, True), (390, False)):
            with self.subTest(width=width, dark=dark):
                self.browser.look(width, dark)
                self.browser.drawn()
                self.check_look(width, dark)
        self.browser.texts.clear()  # Chromium complains of how the charts are read
        pdf = self.path("page.pdf")
        self.browser.pdf(pdf)
        self.assertGreater(os.path.getsize(pdf), 50000)
        self.check_pages(pdf)
        self.assertEqual(self.browser.eval("document.documentElement.className"), "")
        self.assertEqual(self.browser.complaints(), [])

    def check_pages(self, pdf):
        """No page ends with a heading, or in or behind the text below it."""
        if not shutil.which("pdftotext"):
            return
        done = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, text=True,
                              capture_output=True)
        alone = self.browser.eval("[...document.querySelectorAll('h2, h3, p.note, #phases')]"
                                  ".map(e => e.textContent)")
        for page in done.stdout.split("\f")[:-2]:
            last = page.rstrip().splitlines()[-1].strip()
            self.assertFalse([text for text in alone if last in text], last)

    def check_look(self, width, dark):
        ask = self.browser.eval
        self.assertLessEqual(ask("document.documentElement.scrollWidth"), width)
        color = "rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)"
        self.assertEqual(ask("getComputedStyle(document.body).backgroundColor"), color)
        # A name of a task is not broken.
        self.assertEqual(ask("""[...document.querySelectorAll('td:first-child')].flatMap(td =>
            [...td.textContent.matchAll(/[^ ]{1,15}( |$)/g)].filter(word => {
                const range = document.createRange();
                range.setStart(td.firstChild, word.index);
                range.setEnd(td.firstChild, word.index + word[0].trim().length);
                return range.getClientRects().length > 1 && !word[0].includes('-');
            }).map(word => word[0]))"""), [])
        # Of each chart: its width, whether something is there, the color of the lines.
        look = """[...document.querySelectorAll('canvas')].map(c => {
            const seen = new Set(), all = c.getContext('2d').getImageData(
                0, 0, c.width, c.height).data;
            for (let i = 0; i < all.length; i += 4)
                if (all[i + 3] === 255)
                    seen.add(all.slice(i, i + 3).join(','));
            return [c.width, [...seen]];
        })"""
        # On a busy machine Chart.js may need some frames more.
        for _ in range(100):
            charts = ask(look)
            if all(colors for _, colors in charts):
                break
            self.browser.drawn()
        self.assertGreater(len(charts), 4)
        ours = "88,166,255" if dark else "8,96,202"
        others = "8,96,202" if dark else "88,166,255"
        for number, (wide, colors) in enumerate(charts):
            self.assertTrue(colors, number)
            self.assertLessEqual(wide, width)
            self.assertNotIn(others, colors)
        self.assertIn(ours, charts[0][1])

    def test_keyboard(self):
        self.open(self.guest)
        ask = self.browser.eval
        for _ in range(60):
            self.browser.key("Tab")
            if ask("document.activeElement.tagName") == "CANVAS":
                break
        self.browser.key("End")
        last = ask("document.getElementById('readout').textContent")
        self.assertRegex(last, r"Linux 6\.12: \d+ TLBIs?, \d+ DSBs?; this library: ")
        self.browser.key("ArrowLeft")
        self.assertNotEqual(ask("document.getElementById('readout').textContent"), last)
        # A phase is a button; the lines then end at what the phase cost.
        label = "document.querySelector('canvas').getAttribute('aria-label')"
        whole = ask(label)
        ask("document.querySelector('#phases button.named').focus()")
        self.browser.key("Enter")
        phase = guest_json()["by_phase"][int(ask("document.getElementById('zoom').value"))]
        for way, name in ("merged", "Linux 6.12"), ("stage2", "this library"):
            self.assertIn(f"{name} {phase[way]['tlbis']:,}", ask(label))
        self.browser.key("Enter")
        self.assertEqual(ask("document.getElementById('zoom').value"), "")
        self.assertEqual(ask(label), whole)
        # The map: the moment, and a cell.
        when = ask("document.getElementById('map-when').textContent")
        ask("document.getElementById('map-at').focus()")
        self.browser.key("Home")
        self.assertNotEqual(ask("document.getElementById('map-when').textContent"), when)
        ask("document.querySelector('#map svg').focus()")
        self.browser.key("ArrowRight")
        self.assertRegex(ask("document.getElementById('map-readout').textContent"),
                         r"^0x[0-9a-f]+: ")
        self.assertEqual(self.browser.complaints(), [])

    def test_little_and_much(self):
        """A VM that maps nothing; more tasks than a reader wants to see."""
        head = b" a-1 [000] 1.000000: s2_init: (f) pgt=0x1 mmu=0x1 flags=0x0\n"
        maps = b"".join(b" t%d-%d [000] 2.000000: s2_map: (f) pgt=0x1 addr=%#x size=0x1000 "
                        b"phys=%#x prot=0x7\n" % (n, n, n << 12, n << 12)
                        for n in range(1, 131))
        maps += b" a-1 [000] 3.000000: s2_unmap: (f) pgt=0x1 addr=0x1000 size=0x1000\n"
        for text, tile, memory, more in ((head, "none with Linux 6.12", False, ""),
                                         (head + maps, "Linux / this", True,
                                          "And 31 more: s2lab replay --json has all.")):
            with open(self.path("some.trace"), "wb") as f:
                f.write(text)
            report(self.path("some.trace"), "-o", self.path("some.html"))
            self.open(self.path("some.html"))
            says = self.browser.eval("document.body.innerText")
            self.assertIn(tile, says)
            self.assertNotIn("0.00", says)
            self.assertEqual("Memory mapped" in says, memory)
            self.assertIn(more, says)
            self.assertLessEqual(self.browser.eval("document.querySelectorAll('tr').length"),
                                 140)

    def test_hostile(self):
        """Names are shown as they are, and none of them has become an element."""
        self.open(self.evil_page)
        ask = self.browser.eval
        self.assertIsNone(ask("window.hacked"))
        self.assertEqual(ask("document.scripts.length"), 3)
        self.assertEqual(ask("document.images.length"), 0)
        text = ask("document.body.innerText")
        for name in (SCRIPT, IMAGE, QUOTES, LONG, "??<b>", "?? end", self.evil):
            self.assertIn(name, text)
        for width in 1440, 390:
            self.browser.look(width)
            self.browser.drawn()
            self.assertLessEqual(ask("document.documentElement.scrollWidth"), width)
        # The VM that was there before is left out, and the page says so.
        self.assertIn("Left out: 1 VM that ran before the recording began.", text)


if __name__ == "__main__":
    tool.main()
