# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A page in headless Chromium, spoken to by the DevTools protocol through a pipe."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")


class Browser:
    """with Browser() as b: b.open(path); b.eval(script)"""

    def __init__(self):
        self.numbers, self.texts, self.buffer = 0, [], b""

    def __enter__(self):
        # Its last process may still write there when the first has ended.
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        ours, theirs = os.pipe(), os.pipe()  # Chromium reads 3 and writes 4

        def pipes():
            # Out of the way first: the numbers of the pipes may be 3 and 4 themselves.
            reads, writes = os.dup2(ours[0], 98), os.dup2(theirs[1], 99)
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.chromium = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-pipe", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", f"--user-data-dir={self.home.name}",
             "about:blank"], preexec_fn=pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.writes, self.reads = ours[1], theirs[0]
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"]
                      if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.session = None
        self.call("Browser.close")
        self.chromium.wait()
        os.close(self.writes)
        os.close(self.reads)
        self.home.cleanup()

    def receive(self, limit=300):
        end = time.monotonic() + limit
        while b"\0" not in self.buffer:
            if not select.select([self.reads], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("Chromium does not answer")
            more = os.read(self.reads, 1 << 20)
            if not more:
                raise ConnectionError("Chromium has ended")
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        self.texts.append(message)
        return message

    def call(self, method, **params):
        self.numbers += 1
        message = {"id": self.numbers, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.numbers:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, path, width=1440, dark=False):
        self.look(width, dark)
        self.texts.clear()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not any(t.get("method") == "Page.loadEventFired" for t in self.texts):
            self.receive()

    def look(self, width=1440, dark=False, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def drawn(self):
        """Waits until the page has seen what was changed, and has been drawn."""
        self.eval("new Promise(done => requestAnimationFrame(() => "
                  "requestAnimationFrame(done)))")

    def eval(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def key(self, name):
        text = {"text": "\r"} if name == "Enter" else {}
        for what in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=what, key=name, code=name, **text,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "End": 35, "Home": 36,
                                             "ArrowLeft": 37, "ArrowRight": 39}[name])

    def complaints(self):
        """Errors and warnings of the console, exceptions, requests beyond the page."""
        found = []
        for t in self.texts:
            p, method = t.get("params", {}), t.get("method")
            if method == "Runtime.exceptionThrown":
                found.append(p["exceptionDetails"]["exception"].get("description"))
            elif method == "Runtime.consoleAPICalled":
                found.append(str(p["args"]))
            elif method == "Log.entryAdded" and p["entry"]["level"] != "verbose":
                found.append(p["entry"]["text"])
            elif method == "Network.requestWillBeSent":
                if not p["request"]["url"].startswith(("file:", "data:")):
                    found.append(p["request"]["url"])
        return found

    def picture(self, path, top=0, height=None):
        """A PNG of the page, or of a part of it."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": top, "width": size["width"],
                "height": min(height or size["height"], size["height"] - top), "scale": 1}
        png = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as f:
            f.write(base64.b64decode(png["data"]))

    def pdf(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.printToPDF",
                                               preferCSSPageSize=True)["data"]))
