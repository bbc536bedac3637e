"""The page in a real browser, without a network: no complaint, no request, and events are heard."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from audiogmm.reporting.page.document import write_page
from tests.reporting.page.pages import page, shown

SCRIPTS = Path(__file__).parents[3] / "scripts"

PLAYED = """new Promise((done) => {
  const audio = document.getElementById("audio");
  const tell = () => done([audio.duration, audio.paused, audio.error && audio.error.message]);
  if (audio.readyState >= 3 && !audio.paused) tell();
  audio.addEventListener("playing", tell);
  audio.addEventListener("error", tell);
  setTimeout(tell, 20000);
})"""


@pytest.fixture(scope="module")
def browser() -> ModuleType:
    """What drives Chromium, or a skip that says what is missing."""
    pytest.importorskip("tornado", reason="the browser is driven over a websocket: install distributed")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        module = importlib.import_module("browser")
    if module.chromium() is None:
        pytest.skip(f"a browser is needed: install one of {', '.join(module.NAMES)}")
    return module


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of three recordings, the last one without an event."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    quiet = shown("calm", (), least_normal=shown("x").events[0].clip)
    write_page(page([shown("hall", (-72.0, -65.0)), shown("<b>yard</b>"), quiet]), path)
    return path.as_uri()


def visit(browser: ModuleType, address: str, steps: Any, **opened: Any) -> Any:
    async def go(tab: Any) -> Any:
        await tab.send("Network.enable")
        await tab.send(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        await tab.open(address, **opened)
        found = await steps(tab)
        assert tab.complaints == []
        assert tab.requests[0] == address
        assert {request.split(":")[0] for request in tab.requests[1:]} <= {"data", "blob"}
        return found

    return browser.browse(go)


def test_an_event_is_heard_when_it_is_clicked(browser: ModuleType, address: str) -> None:
    async def steps(tab: Any) -> None:
        await tab.run("document.querySelector('.events .play').click()", gesture=True)
        seconds, paused, error = await tab.run(PLAYED)
        assert error is None
        assert seconds == pytest.approx(2.0, abs=0.15)
        assert paused is False
        assert await tab.run("document.getElementById('player').hidden") is False
        assert await tab.run("document.getElementById('player-what').textContent") == "hall, 2.00–3.00 s"
        pressed = "[...document.querySelectorAll('.play[aria-pressed=true]')].map((b) => b.dataset.sound)"
        assert await tab.run(pressed) == ["r0s0", "r0s0"]
        shade = "document.querySelector('.shade[data-sound=\"r1s0\"]')"
        await tab.run(f"{shade}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))", gesture=True)
        assert (await tab.run(PLAYED))[2] is None
        assert await tab.run(pressed) == ["r1s0", "r1s0"]
        assert await tab.run(f"{shade}.classList.contains('current')") is True
        await tab.run("document.getElementById('player-close').click()")
        assert await tab.run("document.getElementById('player').hidden") is True
        assert await tab.run("document.getElementById('audio').paused") is True

    visit(browser, address, steps)


def test_it_is_worked_by_the_keyboard(browser: ModuleType, address: str) -> None:
    async def press(tab: Any, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "char", "keyUp"):
            text = {"text": "\r"} if kind == "char" and key == "Enter" else {}
            await tab.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    async def steps(tab: Any) -> None:
        await tab.run("document.querySelector('.shade').focus()")
        assert await tab.run("document.activeElement.getAttribute('aria-label')") == "Play hall, 2.00–3.00 s"
        await press(tab, "Enter", 13)
        seconds, _, error = await tab.run(PLAYED)
        assert error is None
        assert seconds > 1
        await tab.run("document.getElementById('player-next').click()", gesture=True)
        assert (
            await tab.run("document.getElementById('player-what').textContent") == "<b>yard</b>, 2.00–3.00 s"
        )

    visit(browser, address, steps)


def test_it_is_read_on_a_telephone_and_in_the_dark(browser: ModuleType, address: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"

    async def steps(tab: Any) -> None:
        assert await tab.run("document.documentElement.scrollWidth") <= 390
        width = "Math.min(...[...document.querySelectorAll('.play')].map((b) => b.offsetWidth))"
        assert await tab.run(width) >= 40  # a finger hits it
        await tab.prefer(prefers_color_scheme="light")
        light = await tab.run(ground)
        await tab.prefer(prefers_color_scheme="dark")
        dark = await tab.run(ground)
        assert dark != light
        await tab.run("document.getElementById('theme').click()")
        assert await tab.run(ground) == light
        await tab.run("document.getElementById('theme').click()")
        assert await tab.run(ground) == dark

    visit(browser, address, steps, width=390, height=844, phone=True)


def test_every_picture_is_one(browser: ModuleType, address: str) -> None:
    async def steps(tab: Any) -> None:
        sizes = await tab.run(
            "Promise.all([...document.querySelectorAll('img')].map(async (image) => "
            "{ image.loading = 'eager'; await image.decode(); return image.naturalWidth; }))"
        )
        assert len(sizes) == 3
        assert min(sizes) > 300

    visit(browser, address, steps)


def test_two_hundred_recordings_are_opened(
    browser: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its time is told, not judged: this machine may be busy with something else."""
    one = shown("r")
    path = tmp_path / "report.html"
    many = [
        shown(f"r{i:03d}", (), least_normal=one.events[0].clip, stretches=one.stretches) for i in range(200)
    ]
    size = write_page(page(many), path)

    async def steps(tab: Any) -> float:
        assert await tab.run("document.querySelectorAll('.recording').length") == 200
        return float(tab.loaded)

    seconds = visit(browser, path.as_uri(), steps)
    with capsys.disabled():
        sys.stdout.write(f"\n200 recordings, {size / 1e6:.1f} MB: opened in {seconds:.2f} s\n")
