"""Opened recordings: those of an archive, and what is said of the ones that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import FeatureError, TrainingError
from audiogmm.manifest import Entry
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import say_nothing


def test_a_damaged_archive_is_a_recording_that_raises_and_the_others_go_on(tmp_path: Path) -> None:
    ark, wav = tmp_path / "bad.ark", tmp_path / "good.wav"
    ark.write_bytes(b"utt1 \0BFM \4\x05\0\0\0\4\x02\0\0\0abc")
    soundfile.write(wav, np.random.default_rng(0).normal(size=8000) * 0.1, 8000)
    entries = [Entry(None, features_filepath=str(ark), id="bad"), Entry(str(wav), id="good")]
    bad, good = Inputs(entries, FrontEnd.preset("kaldi"), Aside(), say_nothing)
    assert (bad.id, good.id) == ("bad", "good")
    with pytest.raises(FeatureError, match=r"bad\.ark is truncated: it ends in the middle of utt1"):
        list(bad)
    assert sum(map(len, good)) > 0


@pytest.mark.parametrize(
    ("n_samples", "said"),
    [
        (
            20,
            "could be opened: {}/a.wav: 20 samples (0.0025 s) are shorter than a frame (the same for all 3)",
        ),
        (8000, "could be used: a has no voiced frame (the same for 2 of 3)"),
    ],
)
def test_the_first_reason_is_said_and_how_many_share_it(tmp_path: Path, n_samples: int, said: str) -> None:
    entries = []
    for name in "abc":
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.zeros(n_samples if name != "c" else 20), 8000)
        entries.append(Entry(str(path), id=name))
    frontend = FrontEnd.preset("speech", cmvn="global")
    with pytest.raises(TrainingError) as refused:
        ag.train(entries, frontend, aside=Aside())
    assert str(refused.value).startswith(f"none of the recordings {said.format(tmp_path)}; needed: ")
