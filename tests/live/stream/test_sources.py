"""Inputs: each named once, and a source of sound."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.live.stream.sources import StreamInputs, read_entry
from audiogmm.manifest import Entry
from tests.live.rooms import RATE, model


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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_entry_that_is_closed_unread_is_left_open_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(RATE), RATE)

    def is_open() -> bool:
        return any(link.is_symlink() and link.resolve() == path for link in Path("/proc/self/fd").iterdir())

    rate, chunks = read_entry(Entry(str(path), id="a"))
    assert rate == RATE and is_open()
    chunks.close()
    assert not is_open()
    assert sum(map(len, read_entry(Entry(str(path), id="a", offset=0.5))[1])) == RATE / 2
    events = ag.stream(model(), Entry(str(path), id="a"))
    events.close()
    assert not is_open()
