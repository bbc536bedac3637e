"""Files of older versions still open, and mean what they meant."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.kinds.kinds_file import load_kinds
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reporting.run.record import RunRecord
from audiogmm.runs.journal import Journal
from audiogmm.synth import make_scenes, make_speakers
from audiogmm.training import train_mixture
from audiogmm.training.checkpoint import Checkpoint
from audiogmm.training.ledger import Ledger
from tests import golden_files as made
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


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The files with checksums: a copy, since opening some takes them over."""
    return Path(shutil.copytree(GOLDEN.with_name("v0_2"), tmp_path / "v0_2"))


def test_a_model_with_a_checksum_opens_and_scores(second: Path) -> None:
    found, right = ag.load(second / "model.agmm"), made.model()
    assert (found.mixture, found.fingerprint) == (right.mixture, right.fingerprint)
    scores = Evaluator(found.mixture).log_likelihood(made.FRAMES)
    x = made.FRAMES.astype(np.float64)[:, None] - found.mixture.means
    terms = -0.5 * (x**2 / found.mixture.covariances + np.log(2 * np.pi * found.mixture.covariances)).sum(2)
    np.testing.assert_allclose(scores, np.log(np.exp(terms) @ found.mixture.weights), rtol=1e-5, atol=1e-5)
    assert found.statistics == made.STATS
    np.testing.assert_array_equal(found.tensors["normal.scores"], np.linspace(-9, 0, 50))


def test_a_gallery_with_checksums_opens(second: Path) -> None:
    gallery = ag.Gallery(second / "gallery")
    speaker = gallery["ann"]
    stats = speaker.statistics  # about the origin of the background
    sums = stats.first + stats.counts[:, None] * stats.origin
    np.testing.assert_allclose(stats.counts, made.STATS.counts, rtol=1e-6)
    np.testing.assert_allclose(sums, made.STATS.first, rtol=1e-6, atol=1e-5)
    assert speaker.recordings == ("a",)
    assert gallery.calibration == made.CALIBRATION
    assert made.CALIBRATION.weights == (2.0, -0.5)


def test_what_training_keeps_opens(second: Path) -> None:
    state, marks = Checkpoint(second / "em.checkpoint", {"seed": 0}).load()  # type: ignore[misc]
    assert state.mixture == made.model().mixture and state.statistics == made.STATS
    assert tuple(marks) == (-3.0,)
    assert Ledger(second / "ledger").entry("a") == made.STATS


def test_what_runs_keep_opens(second: Path) -> None:
    assert RunRecord.read(second / "events.jsonl.run.json") == made.RECORD
    track = ag.read_track(second / "a.npz")
    np.testing.assert_array_equal(track.scores, made.SCORES)
    np.testing.assert_array_equal(track.voiced, made.BLOCK.voiced)
    assert track.clock == made.BLOCK.clock
    with Journal(second / "out", key="one", resume=True) as journal:
        assert list(journal.waiting(map(made.Named, "ab"))) == []  # type: ignore[type-var]
        assert list(journal.rows()) == made.ROWS


def test_kinds_open(second: Path) -> None:
    found, frontend = load_kinds(second / "kinds")
    assert frontend == {"sample_rate": 16000}
    assert next((g.name, g.is_normal) for g in found.groups.values()) == ("door", True)
    assert list(found.groups) == list(made.kinds().groups)
