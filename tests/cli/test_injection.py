"""Markup, scripts and formulas in what is read: a page, a notebook and a table show them, and none acts."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.event import EventList
from audiogmm.blocks import FrameBlock
from audiogmm.evaluation.verification.fusion import FusedScores
from audiogmm.evaluation.verification.score_table import read_score_table
from audiogmm.jobs import detect_to_file, train_to_file
from audiogmm.jobs.fuse import write_fused
from audiogmm.jobs.report import report
from audiogmm.reporting.figure import figure_at
from audiogmm.reporting.run.record import RunRecord
from audiogmm.runs.aside import Aside
from audiogmm.scoring.track_file import TrackWriter
from audiogmm.timeline import FrameClock
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.decision import OperatingPoint
from audiogmm.verification.trials import TrialList
from tests.live.rooms import RATE, model, with_whistles
from tests.reporting.page.reader import Reader
from tests.reporting.page.test_browser import browser, visit

__all__ = ["browser"]  # a fixture

PACKAGE = Path(ag.__file__).parent

EVIL = "\u202e\"'></style></script><owned onload=x><img src=x onerror=document.title=7>$\\frac{$"
"""A name that closes what it stands in, starts an element that runs, and a formula of TeX that has no end."""

PLAIN = "x " * (len(EVIL) // 2) + "x"  # an id has no blank: like the other, it names no recording
FORMULAS = ("=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "'=1", '=HYPERLINK("http://x")')


@pytest.fixture(scope="module")
def run(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the recordings, and the events of one."""
    folder = tmp_path_factory.mktemp("evil") / "site"
    shutil.copytree(recordings, folder)
    ambient = ag.FrontEnd.preset("ambient")
    train_to_file(str(folder / "train.jsonl"), folder / "room.agmm", ambient, n_components=2)
    detect_to_file(folder / "room.agmm", str(folder / "test.jsonl"), folder / "events.jsonl", quantile=0.9)
    return folder


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def page_of(run: Path, folder: Path, text: str) -> Path:
    """The page of the run, with a text wherever a file of it has one."""
    shutil.copytree(run, folder)
    first, *_ = (json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines())
    sound = folder / f"{text.replace('/', '|')}.wav"  # the file system has no slash in a name
    shutil.copy(folder / "test" / Path(first["audio_filepath"]).name, sound)
    said = {"reasons": [text, text], "group": text, "group_name": text, text: text, "wall": text}
    here = first | said | {"audio_filepath": str(sound), "id": "here"}
    write(
        folder / "events.jsonl", here, here | {"id": text}, here | {"id": f"{text}2", "audio_filepath": text}
    )
    write(folder / "all.jsonl", {"audio_filepath": str(sound), "id": "here", "label": text, "speaker": text})
    write(folder / "aside.jsonl", {"id": text, "path": text, "reason": text})
    row = {"events": 1, "hours": 1.0, "events_per_hour": 1.0}
    record = RunRecord.read(folder / "events.jsonl.run.json")
    changed = replace(
        record,
        source=text,
        source_path=str(folder / "all.jsonl"),
        model_path=str(folder / "room.agmm"),
        detector=record.detector | {text: text, "note": text, "budget": {text: [text, text]}},
        set_aside=1,
        errors="aside.jsonl",
        times={"zone": text, "by_hour": {text: row}, "by_day": {text: row}},
        version=text,
        finished=text,
    )
    changed.write(folder / "events.jsonl")
    segment = {"id": text, "start": 0.0, "end": 1.0, "sound": sound.name, "sound_start": 0.0}
    component = {"component": 1, "class": text, "label": text, "weight": 1.0, "distinctness": 1.0}
    write(folder / "components.jsonl", component | {"segments": [segment]})
    kind = {"covariance_type": "diag", text: text, "n_components": 2, "bic": 1.0, "recommended": True}
    (folder / "table.csv").write_text(",".join(kind) + "\n")
    with (folder / "table.csv").open("a", newline="") as file:
        csv.writer(file).writerow(kind.values())
    page = folder / "page.html"
    report(folder / "events.jsonl", page, title=text, clusters=folder, table=folder / "table.csv", threads=1)
    return page


def structure(html: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """How often each element is there, with the names of its attributes."""
    return Counter((name, tuple(attributes)) for name, attributes in Reader(html).tags)


def assert_inert(html: str, plain: str) -> None:
    """No element or attribute that a plain name does not have, no address but the page's own."""
    assert structure(html) == structure(plain)
    for _, attributes in Reader(html).tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert "\u202e" not in html
    assert "document.title=7" in Reader(html).text + str(Reader(html).tags)  # shown all the same


@pytest.fixture(scope="module")
def pages(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return page_of(run, folder / "evil", EVIL), page_of(run, folder / "plain", PLAIN)


def test_a_page_has_no_element_of_a_name(pages: tuple[Path, Path]) -> None:
    evil, plain = (path.read_text(encoding="utf-8") for path in pages)
    assert evil.count("document.title=7") > 30
    assert_inert(evil, plain)


def test_a_browser_runs_nothing_of_a_name(browser: Any, pages: tuple[Path, Path]) -> None:
    """`visit` refuses any request, and what the policy of the page had to stop."""

    async def steps(tab: Any) -> None:
        assert await tab.run("document.title") == EVIL.replace("\u202e", "\\u202e")
        assert await tab.run("document.querySelectorAll('owned, [onerror], [onload]').length") == 0
        await tab.run(
            "document.querySelectorAll('.play, .shade').forEach((b) => b.dispatchEvent(new Event('click')))"
        )
        assert await tab.run("document.title") == EVIL.replace("\u202e", "\\u202e")
        assert "Page.javascriptDialogOpening" not in tab._events

    visit(browser, pages[0].as_uri(), steps)


def test_a_notebook_has_no_element_of_a_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", with_whistles(4.0, (2.0,)), RATE)
    track = ag.score(model(), tmp_path / "a.wav")
    event = ag.Event("a.wav", "a", 1.0, 2.0, -60.0, -70.0, 1.5, -55.0, severity=1.0)

    def shown(text: str) -> list[str]:
        named = replace(event, id=text, audio_filepath=text, reasons=(text,))
        return [
            replace(track, id=text)._repr_html_(),
            EventList([named], {text: ag.Entry(str(tmp_path / "a.wav"), id="a")})._repr_html_(),
            named._repr_html_(),
        ]

    for evil, plain in zip(shown(EVIL), shown(PLAIN), strict=True):
        assert_inert(evil, plain)


def formulas_in(path: Path) -> list[str]:
    """The cells of a table that a spreadsheet would compute; numbers are none."""
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    return [cell for cell in cells if cell[:1] in tuple("=+-@") and not re.fullmatch(r"-[\d.]+", cell)]


def test_no_table_has_a_formula(tmp_path: Path) -> None:
    """What fills a cell from a list is behind an apostrophe, which reading the table takes away again."""
    scores, fused, track = tmp_path / "a.csv", tmp_path / "fused.csv", tmp_path / "t.csv"
    with scores.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["model", "audio_filepath", "score", "target", "=note"])
        rows.writerows((text, text, -1.5, 1, text) for text in FORMULAS)
    table = read_score_table(scores, aside=Aside(strict=True))
    write_fused(
        FusedScores(table, np.full(len(FORMULAS), -2.5), Calibration(("score",), (1.0,), 0.0), 2, 0.0, 0.0),
        OperatingPoint(),
        fused,
        force=False,
    )
    again = read_score_table(fused, aside=Aside(strict=True))
    assert [row[:2] for row in again.rows] == [row[:2] for row in table.rows]
    assert [trial.model for trial in TrialList(str(fused))] == [row[0] for row in table.rows]
    assert "=note" in again.columns and "=note" in TrialList(str(fused)).columns

    with TrackWriter(track, "a") as writer:
        n = len(FORMULAS)
        writer.write(
            FrameBlock(np.zeros((n, 1), np.float32), np.ones(n, bool), 0, FrameClock.for_rows()),
            np.full(n, -1.0),
        )
        writer.names = "=name", FORMULAS
    for path in (fused, track):
        assert formulas_in(path) == []
    assert len(formulas_in(scores)) > len(FORMULAS)


def test_what_writes_tables_guards_their_cells() -> None:
    """Each file that makes a writer of CSV for cells from elsewhere calls `guarded`."""
    texts = {str(path): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    writing = [name for name, text in texts.items() if "csv.writer(" in text]
    assert len(writing) >= 7
    assert [name for name in writing if len(re.findall(r"\bguarded\b", texts[name])) < 2] == []


def test_a_picture_has_a_name_as_it_is(tmp_path: Path) -> None:
    """Matplotlib takes text between dollars for TeX, and refuses what is none."""
    with figure_at(tmp_path / "a.svg", (3, 2), force=False) as figure:
        figure.subplots().set_title(EVIL)
    tree = ElementTree.parse(tmp_path / "a.svg")
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not names & {"owned", "img", "script"}
    assert EVIL in ["".join(element.itertext()) for element in tree.iter() if element.tag.endswith("}text")]
