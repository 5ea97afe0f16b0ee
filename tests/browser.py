"""Headless Chromium by its DevTools protocol over a pipe: for tests of pages, with nothing but the standard library.

https://chromedevtools.github.io/devtools-protocol/ describes the methods; messages end with a NUL byte.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

SECONDS = 60  # for one answer; a hang is a failure


def find_chromium():
    """Its path, or None."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Browser:
    """One page in one browser. `requests` are the addresses that it asked for, `said` what it logged (violations too)."""

    def __init__(self, width=1280, height=900):
        self.profile = tempfile.mkdtemp(prefix="fye_chromium_")
        to_browser, self.to_browser = os.pipe()
        self.from_browser, from_browser = os.pipe()

        def set_pipes():  # the protocol's: 3 to read, 4 to write
            reading, writing = os.dup(to_browser), os.dup(from_browser)  # 3 and 4 may be any of them
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        # --no-sandbox: tests run as root in containers, on pages that they made themselves.
        self.process = subprocess.Popen(
            [find_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}", f"--window-size={width},{height}", "about:blank"],
            preexec_fn=set_pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.last, self.unread, self.session = 0, b"", None
        self.requests, self.said, self.events = [], [], []
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        target = pages[0]["targetId"] if pages else self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Performance.enable", timeDomain="threadTicks")
        self.size(width, height)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _message(self):
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self.unread:
            if not select.select([self.from_browser], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.from_browser, 1 << 20)
            if not part:
                raise EOFError("Chromium ended")
            self.unread += part
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def _seen(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(parameters["exceptionDetails"]["exception"].get("description", "exception"))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(a.get("value", "")) for a in parameters["args"]))
        self.events.append(method)

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_browser, data):]
        while True:
            answer = self._message()
            if answer.get("id") != self.last:
                self._seen(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, path):
        """Loads a file and waits until it is drawn; what was asked for and logged before is forgotten."""
        self.requests, self.said, self.events = [], [], []
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self._seen(self._message())
        self.drawn()

    def drawn(self):
        """Waits until what was done so far is on the screen."""
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def thread_ms(self):
        """What the page's main thread has worked since it was opened; other programs' turns don't count."""
        metrics = {m["name"]: m["value"] for m in self.call("Performance.getMetrics")["metrics"]}
        return 1000 * metrics["TaskDuration"]

    def js(self, expression):
        """The value of an expression, awaited. Runs beside the page: its content policy does not hold here."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def press(self, key, times=1, **more):
        """A key by its name ("ArrowRight", "Tab"), as a keyboard would."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
                 "ArrowDown": 40}
        for _ in range(times):
            common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key], **more}
            text = {"text": {"Enter": "\r", " ": " "}[key]} if key in ("Enter", " ") else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, scheme="light", kind=""):
        """scheme: light or dark; kind: "" or print."""
        self.call("Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path, whole=True):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))
