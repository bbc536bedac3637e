"""A background model with a back end, for what is learned from recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.audio.added_noise import AddedNoise, NoiseStream
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers


@pytest.fixture(scope="session")
def noisy_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A background model with a back end; others to be enrolled, with tests as they are and in noise."""
    folder = tmp_path_factory.mktemp("noisy")
    write_corpus(folder / "background", make_speakers(seed=11, count=24, train=1, test=0, duration=8.0))
    write_corpus(folder / "people", make_speakers(seed=12, count=10, train=3, test=4, duration=3.0))
    entries = ag.read_manifest(folder / "background" / "train.jsonl")
    ag.train(entries, ag.FrontEnd.preset("speech"), n_components=16, passes=4, seed=0, speakers="yes").save(
        folder / "ubm.agmm"
    )
    rows = ["model,audio_filepath,target"]
    for i, entry in enumerate(ag.read_manifest(folder / "people" / "test.jsonl")):
        samples, rate = soundfile.read(entry.path, dtype="float32")
        power = float(np.mean(np.square(samples)))
        heard = NoiseStream(AddedNoise((25.0, 8.0, 4.0)[i % 3], 0.3, i), power).push(samples)
        soundfile.write(folder / f"{entry.id}.wav", heard, rate, subtype="FLOAT")
        rows += [f"speaker_{k},{entry.id}.wav,{int(entry.speaker == f'speaker_{k}')}" for k in range(10)]
    (folder / "noisy.csv").write_text("\n".join(rows) + "\n")
    return folder
