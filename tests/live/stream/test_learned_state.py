"""Learning from a stream goes on after a kill: of a recording to the same bytes, else with what comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import MismatchError, ModelFileError, OutputError
from audiogmm.jobs.stream_learn import learn_from_stream
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.learned_state import LearnedState
from audiogmm.live.stream.sources import StreamInputs
from audiogmm.mixture.store import load
from audiogmm.training import checkpoint_file
from audiogmm.training.checkpoint_file import CheckpointFile
from tests.fuzz.run_files import make_state, read_state
from tests.live.rooms import RATE, room
from tests.live.streams import set_standard_input, wav

HOW: dict[str, Any] = {"n_components": 2, "cold_start": 5.0, "heartbeat": 2.0, "save_every": 0.1}


@pytest.fixture(autouse=True)
def kept_with_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_file, "SHARE", np.inf)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "long.wav"
    silence = np.zeros(RATE // 3 + 7, np.float32)  # which a front end without a scale leaves out
    soundfile.write(path, np.concatenate([silence, room(40.0, seed=3)]), RATE)
    return path


def learned(output: Path, input: str, preset: str, resume: bool = False, **how: Any) -> list[dict[str, Any]]:
    settings = LearnSettings(**(HOW | {"frontend": FrontEnd.preset(preset), "resume": resume} | how))
    lines: list[str] = []
    learn_from_stream(output, StreamInputs((input,)), lines.append, settings=settings, progress=False)
    return [json.loads(line) for line in "".join(lines).splitlines()]


def killed(monkeypatch: pytest.MonkeyPatch, number: int, *given: Any, **named: Any) -> None:
    """Learn until the state was kept so many times."""
    plain, kept = LearnedState.save, []

    def save(state: LearnedState, file: CheckpointFile) -> None:
        plain(state, file)
        kept.append(state)
        if len(kept) == number:
            raise MemoryError

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(LearnedState, "save", save)
        learned(*given, **named)


@pytest.mark.parametrize("preset", ["ambient", "speech"])
def test_a_recording_is_learned_to_the_same_bytes(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    whole = learned(tmp_path / "whole.agmm", str(recording), preset)
    output = tmp_path / "m.agmm"
    killed(monkeypatch, 2, output, str(recording), preset)
    killed(monkeypatch, 2, output, str(recording), preset, resume=True)
    with pytest.raises(OutputError, match=r"m\.agmm exists already"):
        learned(output, str(recording), preset)
    rest = learned(output, str(recording), preset, resume=True)
    assert output.read_bytes() == (tmp_path / "whole.agmm").read_bytes()
    saved = [line["learned"] for line in whole if line["type"] == "saved"]
    assert [line["learned"] for line in rest if line["type"] == "saved"] == saved[4:]  # not said again
    assert rest[-1]["saved"] == whole[-1]["saved"] == len(saved)
    beats, of_rest = (
        [line["frames"] for line in lines if line["type"] == "heartbeat"] for lines in (whole, rest)
    )
    assert of_rest == beats[-len(of_rest) :]
    assert not list(tmp_path.glob("*checkpoint*"))


def test_another_input_is_learned_on_top(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a pipe has given is gone: it goes on with what comes now."""
    output = tmp_path / "m.agmm"
    killed(monkeypatch, 2, output, str(recording), "ambient")
    set_standard_input(monkeypatch, wav(room(20.0, seed=4)))
    learned(output, "-", "ambient", resume=True)
    data = load(output).metadata.data
    assert data["n_frames"] == 2 * 600 + 1998
    assert data["seconds"] == pytest.approx(12.0 + 19.98)


def test_other_settings_do_not_go_on(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(monkeypatch, 1, tmp_path / "m.agmm", str(recording), "ambient")
    with pytest.raises(MismatchError, match=r"n_components 2.*needed: n_components 3"):
        learned(tmp_path / "m.agmm", str(recording), "ambient", resume=True, n_components=3)


@pytest.mark.parametrize(
    ("name", "value"), [("n_heard", -1), ("n_cold", 0.5), ("steps", "NaN"), ("input", 3), ("constant", "0")]
)
def test_a_state_with_the_right_checksum_is_checked(tmp_path: Path, name: str, value: object) -> None:
    path = make_state(tmp_path)
    document, arrays = read_state(path)
    file = CheckpointFile(path, document["settings"])
    file.save(arrays, document | {name: value})
    with pytest.raises(ModelFileError, match="is not a checkpoint"):
        file.load(LearnedState.checked)


def test_arrays_of_a_state_belong_together(tmp_path: Path) -> None:
    path = make_state(tmp_path)
    document, arrays = read_state(path)
    file = CheckpointFile(path, document["settings"])
    for changed in ({"waiting": np.zeros((4, 3))}, {"floor": np.zeros(2)}, {"latest.voiced": np.zeros(90)}):
        file.save(arrays | changed, document)
        with pytest.raises(ModelFileError, match="is not a checkpoint"):
            file.load(LearnedState.checked)
