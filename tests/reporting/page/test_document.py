"""The page: whole in one file, harmless whatever recordings are called, honest about what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from audiogmm.errors import OutputError
from audiogmm.reporting.page.content import RecordingRow
from audiogmm.reporting.page.document import page_html, size_of, write_page
from tests.reporting.page.pages import found, page, shown
from tests.reporting.page.reader import Reader

EVIL = '</script><script>alert("x")</script><img src=x onerror=alert(1)>\'"&lt;'


def test_a_page_is_one_file_that_fetches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    size = write_page(page([shown("a", (-70.0, -65.0)), shown("b")]), path)
    text = path.read_text(encoding="utf-8")
    assert size == path.stat().st_size == size_of(page([shown("a", (-70.0, -65.0)), shown("b")]))
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    read = Reader(text)
    for name, attributes in read.tags:
        for key in ("src", "href", "data", "action", "poster", "srcset"):
            value = attributes.get(key)
            assert value is None or value.startswith(("#", "data:")), (name, key, value)
        assert not any(key.startswith("on") or key == "style" for key in attributes), (name, attributes)
    assert "http://" not in text
    assert "https://" not in text
    with pytest.raises(OutputError, match=r"report\.html exists already"):
        write_page(page([]), path)


def test_its_policy_lets_its_own_script_and_style_run_and_nothing_else() -> None:
    text = page_html(page([shown("a")]))
    policy = next(a["content"] for name, a in Reader(text).tags if a.get("http-equiv") and name == "meta")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element in ("style", "script"):
        content = re.search(rf"<{element}>(.*?)</{element}>", text, re.S)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


def test_no_name_breaks_out() -> None:
    one = shown(EVIL, error=EVIL, note=EVIL, path=EVIL)
    event = found(EVIL, 1.0, -70.0, reasons=(EVIL, EVIL), further={EVIL: EVIL, "n": 2.0}, severity=3.0)
    made = page(
        [one],
        title=EVIL,
        facts=[(EVIL, EVIL)],
        notes=[EVIL],
        events=[event],
        rows=[RecordingRow(EVIL, 3, event)],
        omissions=[EVIL],
        aside=[(EVIL, EVIL)],
        n_aside=1,
        about={EVIL: EVIL},
        names={EVIL: EVIL},
    )
    text = page_html(made)
    read = Reader(text)
    kinds = [a.get("type") for name, a in read.tags if name == "script"]
    assert kinds.count(None) == 1  # the page's own
    assert set(kinds) <= {None, "text/plain"}
    assert sum(name == "img" for name, _ in read.tags) == len(one.stretches)
    assert read.text.count('<script>alert("x")</script>') >= 12
    anchors = [a["id"] for _, a in read.tags if "id" in a]
    assert len(anchors) == len(set(anchors))


def test_every_event_is_a_button_and_leads_to_its_sound() -> None:
    read = Reader(page_html(page([shown("a", (-70.0, -65.0)), shown("b")])))
    ids = {a["id"] for _, a in read.tags if "id" in a}
    sounds = {a["id"]: a for name, a in read.tags if name == "script" and a.get("type") == "text/plain"}
    buttons = [a for _, a in read.tags if a.get("data-sound")]
    assert len(sounds) == 3
    assert {b["data-sound"] for b in buttons} == set(sounds)
    for button in buttons:
        assert button.get("data-stretch", "r0w0") in ids
        assert (button["aria-label"] or "").startswith("Play ")
    shades = [a for _, a in read.tags if a.get("class") == "shade"]
    assert len(shades) == 3
    assert all(shade["tabindex"] == "0" and shade["role"] == "button" for shade in shades)
    pictures = [a for name, a in read.tags if name == "img"]
    assert all("Spectrogram of" in (picture["alt"] or "") for picture in pictures)
    links = {a["href"][1:] for name, a in read.tags if name == "a" and a.get("href")}
    assert links <= ids


def test_the_worst_comes_first_and_what_is_left_out_is_told() -> None:
    events = [found("a", float(i), -61.0 - i, clip=None) for i in range(60)]
    made = page([], events=sorted(events, key=lambda e: e.rank), n_events=12_000, names={"a": "hall"},
                rows=[RecordingRow("a", 60, events[-1])])  # fmt: skip
    text = Reader(page_html(made)).text
    assert text.index("60.0 nats below") < text.index("59.0 nats below") < text.index("1.0 nats below")
    assert "Show 20 more events" in text
    assert "Not listed: 11,940 less severe events" in text
    assert "1 further recording with events" in text


def test_nothing_found_is_said_and_what_is_there_is_shown() -> None:
    quiet = shown("calm", (), least_normal=found("calm", 1.0, -52.0).clip)
    text = Reader(page_html(page([quiet]))).text
    assert "No score is at or below the threshold of −60.0 nats" in text
    assert "lowest score 9.0 nats above the threshold" in text
    assert "Least normal moment" in text


def test_two_hundred_recordings_are_far_below_25_mb() -> None:
    assert size_of(page([shown(f"r{i:03d}") for i in range(20)])) * 10 < 25_000_000


def test_frames_of_ones_own_have_rows_and_no_sound() -> None:
    from audiogmm.reporting.page.content import DetectorSummary, Stretch
    from audiogmm.reporting.page.recording import recording_card

    one = shown("table", (), stretches=[Stretch(0.0, 500.0, shown("x").stretches[0].curve)], seconds=500.0)
    card = recording_card(one, "r0", "table", DetectorSummary(-60.0, unit=""))
    assert "<img" not in card.html
    assert "500 rows" in card.html
    assert 'class="plot bare"' in card.html
