"""A real browser, by the DevTools protocol of Chromium: it goes somewhere, reads, types and presses as people do."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE = 20.0
"""Seconds for anything that it is asked for."""
_BUTTON = """[...document.querySelectorAll("button, a, label")].find(
  (each) => each.textContent.replace(/\\s+/g, " ").trim() === NAME && each.checkVisibility())"""
_FIELD = """[...document.querySelectorAll("label")].find(
  (each) => each.textContent.trim().startsWith(NAME))?.querySelector("input")"""


def program() -> str | None:
    """Where a Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """Chromium, of which every page is in a profile of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        """What it held against a page: a script that failed, something that may not be loaded."""

    def page(self) -> "Page":
        """An empty page of somebody who was nowhere before."""
        profile = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=profile)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session)

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """What it answers to a command."""
        number = next(self._numbers)
        of = {"sessionId": session} if session else {}
        self._socket.send(json.dumps({"id": number, "method": method, "params": params, **of}))
        end = time.monotonic() + PATIENCE
        while (said := self._heard(end)).get("id") != number:
            self._events.append(said)
        assert "error" not in said, (method, said["error"])
        result: dict[str, Any] = said["result"]
        return result

    def wait(self, event: str, session: str) -> None:
        """Until this has happened on a page since it was last forgotten."""
        end = time.monotonic() + PATIENCE
        while not any(each["method"] == event and each.get("sessionId") == session for each in self._events):
            self._events.append(self._heard(end))

    def forget(self) -> None:
        """What has happened so far."""
        self._events.clear()

    def _heard(self, end: float) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._socket.recv(max(0.0, end - time.monotonic())))
        self.complaints += _complaints(said)
        return said


class Page:
    """What somebody has before him."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self._ask("Page.enable")
        self._ask("Log.enable")
        self._ask("Runtime.enable")
        self.anew()

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **params)

    def anew(self) -> None:
        """As though nobody had been here yet."""
        self._ask("Network.clearBrowserCookies")
        self._ask("Emulation.setScriptExecutionDisabled", value=False)
        self._ask("Emulation.setTimezoneOverride", timezoneId="")
        self.looks()

    def go(self, url: str) -> None:
        """Open an address: anew, even where only what stands behind the # is another."""
        here = self.url.partition("#")[0] == url.partition("#")[0]
        for each in ("about:blank", url) if here else (url,):
            self._browser.forget()
            failed = self._ask("Page.navigate", url=each).get("errorText")
            assert failed is None, failed
            self._browser.wait("Page.loadEventFired", self._session)

    def fill(self, field: str, text: str) -> None:
        """Type into the field with this label, over what is in it."""
        there = self.run(f"(() => {{ const it = {_found(_FIELD, field)}; it?.focus(); it?.select(); return !!it }})()")
        assert there, (field, self.text)
        self._ask("Input.insertText", text=text)

    def value(self, field: str) -> str:
        """What is in the field with this label."""
        return str(self.run(f"{_found(_FIELD, field)}.value"))

    def click(self, name: str) -> None:
        """Press the button, link or box with these words, with the mouse, and stay here."""
        place = self.run(
            f"(() => {{ const it = {_found(_BUTTON, name)}; if (!it) return null;"
            "it.scrollIntoView({block: 'center'});"
            "const {x, y, width, height} = it.getBoundingClientRect(); return [x + width / 2, y + height / 2] })()"
        )
        assert place, (name, self.text)
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, name: str) -> None:
        """Press it, and wait for the page that it leads to."""
        self._browser.forget()
        self.click(name)
        self._browser.wait("Page.loadEventFired", self._session)

    def run(self, script: str) -> Any:
        """What a script of ours finds out on it, even where the page's own do not run."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    @property
    def text(self) -> str:
        """What is to be read on it."""
        return " ".join(str(self.run("document.body.innerText")).split())

    @property
    def title(self) -> str:
        """What its tab is called."""
        return str(self.run("document.title"))

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self.run("location.href"))

    def without_scripts(self) -> None:
        """From now on, the page's own scripts do not run."""
        self._ask("Emulation.setScriptExecutionDisabled", value=True)

    def looks(self, width: int = 1280, *, dark: bool = False) -> None:
        """On a screen of this width."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 600
        )  # fmt: skip
        shade = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[shade])

    def clock_at(self, zone: str) -> None:
        """The browser's own time zone."""
        self._ask("Emulation.setTimezoneOverride", timezoneId=zone)

    def picture(self, target: Path) -> None:
        """What it looks like."""
        target.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))


def _complaints(said: dict[str, Any]) -> list[str]:
    match said:
        case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": failed}}:
            return [str(failed)]
        case {"method": "Log.entryAdded", "params": {"entry": {"level": "error", "source": source, "text": text}}}:
            return [] if source == "network" else [text]  # an answer that is an error is no fault of the page
    return []


def _found(how: str, name: str) -> str:
    return how.replace("NAME", json.dumps(name))


@contextmanager
def browser(chromium: str, folder: Path) -> Generator[Browser]:
    """A browser that keeps what it has in a folder, and is gone afterwards."""
    options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run",
               "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--disable-extensions", "about:blank"]  # fmt: skip
    process = subprocess.Popen(
        [chromium, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "LANGUAGE": "en_US"},
    )  # fmt: skip
    try:
        with connect(_socket_of(process, folder / "DevToolsActivePort"), max_size=None, proxy=None) as socket:
            yield Browser(socket)
    finally:
        process.kill()
        process.wait(PATIENCE)


def _socket_of(process: "subprocess.Popen[bytes]", note: Path) -> str:
    """Where it listens, as soon as it has written that down."""
    end = time.monotonic() + PATIENCE
    while not (note.is_file() and len(said := note.read_text().split()) == 2):
        assert process.poll() is None, "Chromium ended"
        assert time.monotonic() < end, "Chromium does not listen"
        time.sleep(0.02)
    port, path = said
    return f"ws://127.0.0.1:{port}{path}"
