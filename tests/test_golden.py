"""Files of version 0.1 still open, and mean what they meant."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.synth import make_scenes, make_speakers
from audiogmm.training import train_mixture
from tests.training.shards import blobs, recordings

GOLDEN = Path(__file__).parent / "golden" / "v0_1"


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, beside the recordings that they speak of, which are synthesized again."""
    folder = tmp_path_factory.mktemp("golden")
    shutil.copytree(GOLDEN, folder / "v0_1")
    for recording in make_scenes(seed=7, train=8, test=2, duration=5.0):
        if recording.site == "fan":
            write(folder / f"{recording.name}.wav", recording.samples, recording.sample_rate)
    for recording in make_speakers(seed=9, count=3, train=2, test=1, duration=3.0):
        write(folder / f"voices/new_{recording.name}.wav", recording.samples, recording.sample_rate)
    return folder


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["diag", "full", "tied", "spherical", "fusion"])
def test_a_model_opens_and_scores(golden: Path, name: str) -> None:
    model = ag.load(golden / "v0_1" / f"{name}.agmm")
    assert model.mixture.n_components == 2
    assert model.mixture.covariance_type == (name if name != "fusion" else "diag")
    track = ag.score(model, ag.Entry(str(golden / "fan_test_01.wav"), id="fan_test_01"))
    assert np.isfinite(track.scores).all()
    if name == "full":
        kept = ag.read_track(golden / "v0_1" / "tracks" / "fan_test_01.npz")
        np.testing.assert_allclose(track.scores, kept.scores, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(track.voiced, kept.voiced)


@pytest.mark.parametrize("name", ["full", "fusion"])
def test_a_detector_finds_what_it_found(golden: Path, name: str) -> None:
    model = ag.load(golden / "v0_1" / f"{name}.agmm")
    found = [
        event
        for wav in ("fan_test_00", "fan_test_01")
        for event in ag.detect(model, ag.Entry(str(golden / f"{wav}.wav"), id=wav))
    ]
    kept = rows(golden / "v0_1" / f"{name}_events.jsonl")
    assert [(event.id, event.start, event.end) for event in found] == [
        (row["id"], row["start"], row["end"]) for row in kept
    ]
    np.testing.assert_allclose([e.peak for e in found], [row["peak"] for row in kept], rtol=1e-6)


def test_a_model_is_updated_through_its_ledger(golden: Path, tmp_path: Path) -> None:
    model = ag.load(golden / "v0_1" / "diag.agmm")
    more = ag.update(model, [ag.Entry(str(golden / "fan_test_00.wav"), id="new")])
    assert more.statistics is not None and model.statistics is not None
    assert more.statistics.counts.sum() > model.statistics.counts.sum()


def test_a_gallery_opens_and_verifies(golden: Path) -> None:
    gallery = ag.Gallery(golden / "v0_1" / "gallery")
    assert list(gallery.names) == ["speaker_0", "speaker_1", "speaker_2"]
    with (golden / "v0_1" / "scores.csv").open() as file:
        kept = list(csv.DictReader(file))
    trials = [
        (row["model"], ag.Entry(str(golden / row["audio_filepath"]), id=Path(row["audio_filepath"]).stem))
        for row in kept
    ]
    found = ag.verify(gallery, trials)
    for name in ("score", "raw", "space", "voiced_seconds"):
        np.testing.assert_allclose(
            [getattr(score, name) for score in found],
            [float(row[name]) for row in kept],
            rtol=1e-5,
            atol=1e-6,
        )


def test_a_frame_cache_opens_and_has_the_frames(golden: Path) -> None:
    from audiogmm.audio.frame_cache.cache import FrameCache
    from audiogmm.audio.frame_cache.frame_file import open_frames

    (frontend,) = FrameCache(golden / "v0_1" / "frames").frontends()
    (file,) = list((golden / "v0_1" / "frames").glob("frames/*/*.frames"))[:1]
    assert open_frames(file) is not None
    assert frontend == ag.FrontEnd.preset("kaldi", sample_rate=8000)
    model = ag.train(golden / "v0_1" / "frames", n_components=1, hold_out=0, passes=1)
    assert model.metadata.training["n_frames"] == 498


def test_a_checkpoint_is_continued(golden: Path) -> None:
    resumed = train_mixture(
        recordings(blobs(2000), 4),
        n_components=3,
        tol=0,
        passes=6,
        seed=1,
        checkpoint=golden / "v0_1" / "em.checkpoint",
    )
    with np.load(GOLDEN / "em.npz") as kept:
        for name in ("weights", "means", "covariances"):
            np.testing.assert_allclose(getattr(resumed.mixture, name), kept[name], rtol=1e-9, atol=1e-12)
    assert [report.number for report in resumed.history][:3] == [1, 2, 3]
