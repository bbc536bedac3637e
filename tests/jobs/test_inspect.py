"""From two folders to a page: the verbs one after another, and what the demo says to do next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm.jobs.inspect as module
from audiogmm import system
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import ManifestError, OutputError
from audiogmm.jobs.demo.sites import next_steps
from audiogmm.jobs.inspect import inspect
from audiogmm.jobs.score import score_to_folder
from audiogmm.jobs.trained_files import TrainResult, train_to_file
from tests.cli.calls import Audiogmm

RATE = 8000


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Noise, and noise with a whistle from 4 to 5 s."""
    rng = np.random.default_rng(0)
    for name, count in (("normal", 6), ("new", 2)):
        (tmp_path / name / "below").mkdir(parents=True)
        for i in range(count):
            sound = rng.normal(size=8 * RATE) * 0.1
            if name == "new" and i == 0:
                sound[4 * RATE : 5 * RATE] += 0.3 * np.sin(np.arange(RATE) * 2 * np.pi * 1500 / RATE)
            soundfile.write(tmp_path / name / "below" / f"{i}.wav", sound, RATE)
    return tmp_path / "normal", tmp_path / "new"


def test_two_folders_end_in_a_page(audiogmm: Audiogmm, folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = audiogmm("inspect", *folders, "-o", out)
    assert ran.status == 0, ran.err
    assert ran.out.splitlines()[-1] == f"look at, and listen to: {out / 'report.html'}"
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert [(round(e["start"]), round(e["end"]), Path(e["audio_filepath"]).name) for e in events] == [
        (4, 5, "0.wav")
    ]
    assert (out / "report.html").stat().st_size > 10_000
    assert audiogmm("inspect", *folders, "-o", out).status == 1  # and nothing is overwritten
    (folders[1] / "bad.wav").write_bytes(b"")
    again = audiogmm("inspect", *folders, "-o", out, "--force", "--json")
    assert again.status == 3
    assert json.loads(again.out)["set_aside"] == 1


def test_after_a_failed_or_stopped_run_the_same_command_works(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ManifestError, match=r"nothere does not exist"):
        inspect(folders[0], tmp_path / "nothere", out)
    assert not out.exists()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("the same command with --resume continues from there")

    def train_few(source: str, output: Path, frontend: FrontEnd, **given: Any) -> TrainResult:
        return train_to_file(source, output, frontend, n_components=1, **given)

    monkeypatch.setattr(module, "train_to_file", train_few)
    monkeypatch.setattr(module, "score_to_folder", stop)
    with pytest.raises(KeyboardInterrupt, match=r"out is not whole; the same command starts again$"):
        inspect(*folders, out)
    monkeypatch.setattr(module, "score_to_folder", score_to_folder)
    assert inspect(*folders, out).folder == out
    assert not (out / module.UNFINISHED).exists()
    with pytest.raises(OutputError, match=r"normal.jsonl exists already"):
        inspect(*folders, out)


def test_an_earlier_demo_is_named(audiogmm: Audiogmm, tmp_path: Path) -> None:
    for name in ("fan/report.html", "pump/report.html", "speakers/who.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ran = audiogmm("demo", "--out", tmp_path)
    assert ran.status == 0
    pages = [line.partition(": ")[2] for line in ran.out.splitlines() if line.startswith("look at")]
    assert pages == [str(tmp_path / "fan/report.html"), str(tmp_path / "pump/report.html")]
    assert "--force runs it again" in ran.out
    assert ran.out.splitlines()[-1] == "  audiogmm inspect NORMAL NEW -o inspected"


@pytest.mark.parametrize(
    ("name", "activated", "said"),
    [
        ("posix", False, '  . "/here/.venv/bin/activate"'),
        ("nt", False, '  "/here/.venv\\Scripts\\activate"'),
        ("posix", True, None),
    ],
)
def test_how_to_activate_is_said_where_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, name: str, activated: bool, said: str | None
) -> None:
    monkeypatch.setattr(system, "name", lambda: name)
    monkeypatch.setattr("sys.prefix", "/here/.venv")
    monkeypatch.setenv("VIRTUAL_ENV", "/here/.venv" if activated else "")
    assert list(next_steps())[1:-1] == ([] if said is None else [said])
