"""What a process has done is counted where it is done, in worker processes, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.blocks import Shard
from audiogmm.manifest.entry import Entry
from audiogmm.reduce import LocalReducer
from audiogmm.telemetry.meter import counts
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.training import train_mixture


def length(shard: Shard) -> int:
    return sum(len(block) for block in shard)


def recording(folder: Path, seconds: float) -> Recording:
    path = folder / f"{seconds}.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(round(16000 * seconds)), 16000)
    return Recording(Entry(str(path), id=path.stem), FrontEnd.preset("kaldi"))


@pytest.mark.parametrize("how", [{"threads": 1}, {"threads": 3}, {"threads": 1, "workers": 2}], ids=str)
def test_frames_are_counted_wherever_they_are_read(how: dict[str, int], tmp_path: Path) -> None:
    recordings = [recording(tmp_path, seconds) for seconds in (1.0, 2.0, 0.5)]
    before = counts()
    with LocalReducer(**how) as reducer:
        frames = sum(reducer.map(recordings, length))
    assert frames == 98 + 198 + 48
    assert counts() - before == {
        "frames": frames,
        "audio_seconds": pytest.approx(frames / 100),
        "recordings": 3,
    }


def test_a_recording_that_is_left_early_is_not_done(tmp_path: Path) -> None:
    before = counts()
    next(iter(recording(tmp_path, 60.0)))
    done = counts() - before
    assert done["frames"] > 0 and "recordings" not in done


def test_rows_of_a_table_are_frames_without_seconds(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((7, 2), np.float32))
    before = counts()
    assert length(Recording(Entry(None, features_filepath=str(tmp_path / "a.npy"), id="a"))) == 7
    assert counts() - before == {"frames": 7, "recordings": 1}


@pytest.mark.parametrize("algorithm", ["em", "stepwise"])
def test_passes_over_the_spool_count_their_frames(algorithm: str) -> None:
    frames = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    before = counts()
    train_mixture([ArraySlice("a", frames)], n_components=2, algorithm=algorithm, passes=4, tol=0.0)
    assert (counts() - before)["frames"] == 4 * 500
