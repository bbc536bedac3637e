"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-port=0",
)


def chromium() -> str | None:
    """Return the path of Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Tab:
    """An open page.

    Attributes
    ----------
    requests : list of str
        Addresses that were requested, the page's own among them.
    complaints : list of str
        Errors and warnings of the console, refusals by the page's policy included.
    loaded : float
        Seconds from the request for the page to its `load` event.
    """

    connection: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loaded: float = 0.0
    _number: int = 0
    _answers: dict[int, Any] = field(default_factory=dict)
    _events: set[str] = field(default_factory=set)

    async def send(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        number = self._number
        await self.connection.write_message(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        await self._until(lambda: number in self._answers)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def open(self, address: str, *, width: int = 1400, height: int = 900, phone: bool = False) -> None:
        """Go to an address and wait until it has loaded."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.send(f"{domain}.enable")
        await self.send("Network.setCacheDisabled", cacheDisabled=True)
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        self._events.discard("Page.loadEventFired")
        start = time.perf_counter()
        await self.send("Page.navigate", url=address)
        await self._until(lambda: "Page.loadEventFired" in self._events)
        self.loaded = time.perf_counter() - start

    async def run(self, code: str, *, gesture: bool = False) -> Any:
        """Return the value of an expression of JavaScript; wait for a promise."""
        found = await self.send(
            "Runtime.evaluate",
            expression=code,
            awaitPromise=True,
            returnByValue=True,
            userGesture=gesture,
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    async def prefer(self, **features: str) -> None:
        """Set what the reader's system prefers, such as ``prefers_color_scheme="dark"``."""
        chosen = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        await self.send("Emulation.setEmulatedMedia", features=chosen)

    async def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save a picture of the visible part, or of the whole page."""
        await self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 250)))")
        clip: dict[str, Any] = {}
        if whole:
            size = (await self.send("Page.getLayoutMetrics"))["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        found = await self.send("Page.captureScreenshot", captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(found["data"]))

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            text = await asyncio.wait_for(self.connection.read_message(), 60)
            if text is None:
                raise RuntimeError("the browser has ended")
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        name, parameters = message["method"], message["params"]
        self._events.add(name)
        if name == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif name == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif name == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(parameters["args"]))
        elif name == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"])


def browse(visit: Callable[[Tab], Awaitable[Any]]) -> Any:
    """Start a browser, call `visit` with an empty tab, and end the browser."""
    path = chromium()
    if path is None:
        raise RuntimeError(f"no Chromium; looked for {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="audiogmm-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return asyncio.run(_visit(Path(profile), process, visit))
        finally:
            process.terminate()
            process.wait(20)


async def _visit(profile: Path, process: Any, visit: Callable[[Tab], Awaitable[Any]]) -> Any:
    from tornado.websocket import websocket_connect

    ports = profile / "DevToolsActivePort"
    deadline = time.monotonic() + 60
    while not (ports.exists() and ports.read_text().strip()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the browser did not start")
        await asyncio.sleep(0.05)
    port = ports.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
        pages = json.load(answer)
    address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
    connection = await websocket_connect(address, max_message_size=1 << 28)
    try:
        return await visit(Tab(connection))
    finally:
        connection.close()
        while await connection.read_message() is not None:
            pass  # until the other side has closed it too
