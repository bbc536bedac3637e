"""The first pass: what it keeps, what it sets aside, and that bad recordings leave no trace."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import AudioDataError, AudioFileError, FeatureError, OutputError, TrainingError
from audiogmm.reduce import LocalReducer
from audiogmm.training import Monitor, train_mixture
from audiogmm.training.first_pass import TrainingData, read_training_data
from audiogmm.training.frames.packing import Packer, pack_frames
from audiogmm.training.frames.reservoir import Reservoir
from audiogmm.training.frames.spool import Spool
from tests.training.shards import Recording, blobs, recordings


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def look(shards: object, resources: ExitStack, **options: object) -> TrainingData:
    options = {"sample_size": 50, "seed": 0, "max_spool_bytes": 1 << 30, "reducer": LocalReducer(2)} | options
    return read_training_data(shards, resources=resources, **options)  # type: ignore[arg-type]


def all_frames(found: TrainingData) -> np.ndarray:
    """What later passes see, in order."""
    rows: list[np.ndarray] = []

    def gather(shard: object) -> int:
        rows.extend(array.copy() for array in pack_frames(shard))  # type: ignore[arg-type]
        return 0

    found.source.reduce(LocalReducer(1), gather)  # type: ignore[arg-type]
    return np.concatenate(rows)


@pytest.mark.parametrize("max_spool_bytes", [1 << 30, 0])
def test_later_passes_see_the_voiced_frames_in_order(scratch: Path, max_spool_bytes: int) -> None:
    frames = blobs(30_000)
    voiced = np.arange(len(frames)) % 3 > 0
    shards = [
        Recording("a", frames[:20_000], block=777, voiced=voiced[:20_000]),
        Recording("b", frames[20_000:], block=999, voiced=voiced[20_000:]),
    ]
    with ExitStack() as resources:
        found = look(shards, resources, max_spool_bytes=max_spool_bytes)
        assert np.array_equal(all_frames(found), frames[voiced])
        assert found.source.n_frames == found.moments.n == voiced.sum()
        np.testing.assert_allclose(found.moments.mean, frames[voiced].mean(axis=0, dtype=float), rtol=1e-12)
        np.testing.assert_allclose(
            found.moments.variance, frames[voiced].var(axis=0, dtype=float), rtol=1e-12
        )
        assert found.seconds == pytest.approx(300.0)
        assert len(shards[0].reads) == (1 if max_spool_bytes else 2)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("max_spool_bytes", [1 << 30, 0, 20_000])
def test_a_recording_that_fails_in_its_middle_leaves_no_trace(scratch: Path, max_spool_bytes: int) -> None:
    frames = blobs(3000)
    good = recordings(frames, 1000)
    nan = frames[:500].copy()
    nan[321, 1] = np.nan
    bad = [
        Recording("cut", frames[:900] + 50, fails_at=850),
        Recording("nan", nan + 50),
        Recording("silent", frames[:10] + 50, voiced=np.zeros(10, bool)),
        Recording("empty", frames[:0]),
        Recording("wide", np.ones((10, 5), np.float32)),
    ]
    heard: list[tuple[str, Exception]] = []
    with ExitStack() as resources:
        found = look(
            [good[0], *bad, *good[1:]],
            resources,
            max_spool_bytes=max_spool_bytes,
            on_error=lambda name, error: heard.append((name, error)),
        )
        assert np.array_equal(all_frames(found), frames)
        assert found.sample.max() < 40
        assert (found.n_recordings, found.moments.n) == (3, 3000)
        assert list(scratch.glob("*/*.part")) == []
    assert [name for name, _ in heard] == [row.id for row in found.set_aside]
    assert [name for name, _ in heard] == ["cut", "nan", "silent", "empty", "wide"]
    errors = dict(heard)
    assert isinstance(errors["cut"], AudioFileError)
    assert isinstance(errors["nan"], FeatureError)
    assert isinstance(errors["silent"], AudioDataError)
    assert "nan: frame 321 at 3.215 s holds nan" in str(errors["nan"])
    assert "silent: none of 10 frames is voiced" in str(errors["silent"])
    assert "empty: it has no frame" in str(errors["empty"])
    assert "wide: frames of 5 features; needed: 3 features" in str(errors["wide"])


def test_nan_in_an_unvoiced_frame_does_no_harm() -> None:
    frames = blobs(100)
    frames[7] = np.nan
    voiced = np.arange(100) != 7
    [array] = pack_frames(Recording("a", frames, voiced=voiced))
    assert np.array_equal(array, frames[voiced])


def test_nothing_to_train_on_names_the_first_reason(scratch: Path) -> None:
    with pytest.raises(TrainingError, match="0 frames: there is no recording"):
        train_mixture([], n_components=1)
    with pytest.raises(TrainingError, match=r"all 2 recordings were set aside.*r0\.wav is truncated"):
        train_mixture(recordings(blobs(20), 10, fails_at=5, block=2), n_components=1)
    assert list(scratch.iterdir()) == []


def test_an_iterator_that_does_not_fit_the_spool_is_refused() -> None:
    shards = iter(recordings(blobs(2000), 1000))
    with pytest.raises(TrainingError, match=r"2000 frames do not fit the spool of 100 bytes.*as a list"):
        train_mixture(shards, n_components=2, max_spool_bytes=100)
    once = iter(recordings(blobs(2000), 1000))
    assert train_mixture(once, n_components=2, passes=2).n_frames == 2000


def test_a_listener_that_raises_ends_the_training(scratch: Path) -> None:
    """`--strict`: the first bad recording is fatal."""

    def strict(name: str, error: Exception) -> None:
        raise error

    with pytest.raises(AudioFileError, match="truncated"):
        train_mixture([Recording("a", blobs(10), fails_at=0)], n_components=1, on_error=strict)
    assert list(scratch.iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_recording(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, frames: np.ndarray) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audiogmm.training.frames.extraction.write_rows", full)
    with pytest.raises(OutputError, match=r"No space left on device.*TMPDIR"):
        train_mixture(recordings(blobs(100), 50), n_components=1)
    monkeypatch.undo()
    monkeypatch.setattr("audiogmm.training.frames.spool.write_rows", full)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(OutputError, match=r"No space left on device.*TMPDIR"):
        train_mixture(recordings(blobs(100), 50), n_components=1)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_a_recording_that_fails_in_a_later_pass_is_set_aside_from_then_on(threads: int) -> None:
    class Fading(Recording):
        def __iter__(self):  # type: ignore[no-untyped-def]
            blocks = super().__iter__()
            yield next(blocks)
            if len(self.reads) > 2:
                raise AudioFileError(f"{self.id} is gone")
            yield from blocks

    frames = blobs(3000)
    shards = [Recording("a", frames[:1000]), Fading("b", frames[1000:2000]), Recording("c", frames[2000:])]
    options = {"n_components": 2, "tol": 0.0, "init": "random", "max_spool_bytes": 0}
    result = train_mixture(shards, passes=4, reducer=LocalReducer(threads), **options)  # type: ignore[arg-type]
    assert [report.n_frames for report in result.history] == [3000, 2000, 2000, 2000]
    assert [report.gain is None for report in result.history] == [True, True, False, False]
    assert [(row.id, str(row.error)) for row in result.set_aside] == [("b", "b is gone")]
    # the later passes are those of the two good recordings alone
    one = train_mixture(shards[:1] + shards[2:], passes=3, reducer=LocalReducer(1), **options)  # type: ignore[arg-type]
    assert one.n_frames == result.n_frames == 2000


def test_the_monitor_hears_every_frame_of_every_stage() -> None:
    class Counter(Monitor):
        def __init__(self) -> None:
            self.stages: list[tuple[str, int, int | None]] = []
            self.frames: list[int] = []
            self.seconds: list[float] = []

        def on_stage(self, stage, number, n_frames):  # type: ignore[no-untyped-def]
            self.stages.append((stage, number, n_frames))
            self.frames.append(0)
            self.seconds.append(0.0)

        def on_frames(self, n_frames, seconds):  # type: ignore[no-untyped-def]
            self.frames[-1] += n_frames
            self.seconds[-1] += seconds

    heard = Counter()
    frames = blobs(20_000)
    half = np.arange(20_000) % 2 == 0
    train_mixture([Recording("a", frames, voiced=half)], n_components=2, passes=2, tol=0, monitor=heard)
    assert heard.stages == [("read", 0, None), ("seed", 0, None), ("pass", 1, 10_000), ("pass", 2, 10_000)]
    assert heard.frames == [10_000, 0, 10_000, 10_000]
    assert heard.seconds == pytest.approx([200.0, 0, 200.0, 200.0])


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 40), max_size=12), rows=st.integers(1, 17))
def test_packing_does_not_depend_on_the_cuts(sizes: list[int], rows: int) -> None:
    frames = np.arange(2 * sum(sizes), dtype=np.float32).reshape(-1, 2)
    packer = Packer(rows)
    arrays = [array.copy() for part in np.split(frames, np.cumsum(sizes)) for array in packer.push(part)] + [
        array.copy() for array in packer.flush()
    ]
    assert [len(array) for array in arrays[:-1]] == [rows] * max(0, len(arrays) - 1)
    assert np.array_equal(np.concatenate([frames[:0], *arrays]), frames)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), max_size=12), size=st.integers(1, 60), seed=st.integers(0, 5))
def test_the_sample_does_not_depend_on_the_cuts(sizes: list[int], size: int, seed: int) -> None:
    frames = np.arange(sum(sizes), dtype=np.float32)[:, None]
    whole, cut = Reservoir(size, seed), Reservoir(size, seed)
    whole.offer(frames)
    for part in np.split(frames, np.cumsum(sizes)):
        cut.offer(part)
    sample = whole.sample().ravel()
    assert np.array_equal(sample, cut.sample().ravel())
    assert len(sample) == len(set(sample)) == min(size, len(frames))
    assert np.array_equal(sample, np.sort(sample))


def test_the_sample_is_uniform() -> None:
    frames = np.arange(100, dtype=np.float32)[:, None]
    hits = np.zeros(100)
    for seed in range(400):
        reservoir = Reservoir(20, seed)
        reservoir.offer(frames)
        hits[reservoir.sample().astype(int).ravel()] += 1
    expected = 400 * 0.2
    chi_square = ((hits - expected) ** 2 / (expected * 0.8)).sum()
    assert 60 < chi_square < 150  # 100 degrees of freedom, four deviations either way
    assert not np.array_equal(_drawn(0, frames), _drawn(1, frames))


def _drawn(seed: int, frames: np.ndarray) -> np.ndarray:
    reservoir = Reservoir(20, seed)
    reservoir.offer(frames)
    return reservoir.sample()


def test_a_spool_that_was_cut_short_is_noticed(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", 1 << 20) as spool:
        spool.append(blobs(100))
        with (tmp_path / "spool").open("r+b") as file:
            file.truncate(500)
        with pytest.raises(OSError, match="ends at byte 500, before row 100"):
            spool.reduce(LocalReducer(1), lambda shard: sum(map(len, shard)))
