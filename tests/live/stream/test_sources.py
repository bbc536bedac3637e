"""Inputs: each named once, and a source of sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.stream.sources import StreamInputs
from tests.live.rooms import RATE


def test_inputs_are_named_once_and_are_audio(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio_filepath": "a.wav"}\n')
    with pytest.raises(ChoiceError, match="- is named twice"):
        StreamInputs(("-", "-")).open(RATE)
    with pytest.raises(ChoiceError, match=r"m.jsonl is not a recording \(jsonl\)"):
        StreamInputs((str(manifest),)).open(RATE)
    with pytest.raises(ChoiceError, match="no input"):
        StreamInputs(()).open(RATE)
    names = [source.name for source, _ in StreamInputs(("-",), ("3", "default", "USB")).open(RATE)]
    assert names == ["-", "device:3", "device", "device:USB"]
