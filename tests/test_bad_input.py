"""Odd and bad frames, weights and models: the right result, or a message of values and a remedy. (The
estimator's own are in tests/estimator/test_estimator_refusals.py.)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.blocks import FrameBlock
from audiogmm.cli.main import main
from audiogmm.errors import AudioGMMError, MixtureError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring.likelihood import score_shard
from audiogmm.timeline import FrameClock
from audiogmm.training import train_mixture
from audiogmm.types import CovarianceType
from tests.naive import mixture as naive_mixture

FORMS = get_args(CovarianceType)
CLOCK = FrameClock(sample_rate=100.0, hop=1, length=1)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)).astype(np.float32)


@dataclass(frozen=True)
class Blocks:
    """A recording of two blocks of any array."""

    frames: Any
    id: str = "tape"

    def __iter__(self) -> Iterator[FrameBlock]:
        half = len(self.frames) // 2
        for first, rows in ((0, self.frames[:half]), (half, self.frames[half:])):
            yield FrameBlock(rows, np.ones(len(rows), np.bool_), first, CLOCK)


def spoiled(value: float) -> np.ndarray:
    frames = X.copy()
    frames[207, 1] = value
    return frames


def frozen(frames: np.ndarray) -> np.ndarray:
    frames = frames.copy()
    frames.flags.writeable = False
    return frames


def naive_scores(frames: np.ndarray, *parameters: Any) -> np.ndarray:
    return naive_mixture.log_likelihood(naive_mixture.log_joint(frames, *parameters))


def train(frames: Any, form: str, K: int) -> Mixture:
    return train_mixture([Blocks(frames)], n_components=K, covariance_type=form, passes=3).mixture  # type: ignore[arg-type]


def ag_train(frames: Any, form: str, K: int) -> Mixture:
    blocks = list(Blocks(frames))
    return ag.train(blocks, n_components=K, covariance_type=form, passes=3, hold_out=0).mixture  # type: ignore[arg-type]


TAKEN = {
    "D=1": X[:, :1],
    "D=500": RNG.normal(size=(30, 500)).astype(np.float32),
    "duplicates": np.repeat(X[:4], 30, axis=0),
    "a constant column": np.c_[X, np.full(len(X), 7, np.float32)],
    "constant": np.full((50, 3), 2, np.float32),
    "far": X + np.float32(1e5),
    "tiny": np.float32(1e-8) * X,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", TAKEN)
@pytest.mark.parametrize("K", [1, 3])
def test_odd_frames_make_a_model_that_scores_them(case: str, form: str, K: int) -> None:
    frames = TAKEN[case]
    mixture = train(frames, form, K)
    assert mixture == ag_train(frames, form, K)
    track = score_shard(Evaluator(mixture), Blocks(frames))
    naive = naive_scores(frames, mixture.weights, mixture.means, mixture.covariances, form)
    np.testing.assert_allclose(track.scores, naive, rtol=1e-6, atol=1e-6)
    if K == 1:  # the closed form
        atol = 1e-5 * frames.std(axis=0, dtype=float).max()
        np.testing.assert_allclose(mixture.means[0], frames.mean(axis=0, dtype=float), rtol=1e-9, atol=atol)


SAME = {
    "float64": X.astype(np.float64),
    "Fortran": np.asfortranarray(X),
    "read-only": frozen(X),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "reversed": X[::-1].copy()[::-1],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", SAME)
def test_the_same_numbers_give_the_same_model_and_scores(case: str, form: str) -> None:
    plain, other = train(X, form, 3), train(SAME[case], form, 3)
    np.testing.assert_allclose(other.means, plain.means, rtol=1e-6, atol=1e-6)
    if case != "float64":
        assert other == plain
    scores = [score_shard(Evaluator(plain), Blocks(frames)).scores for frames in (X, SAME[case])]
    np.testing.assert_allclose(*scores, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8, np.bool_])
def test_integers_are_the_numbers_they_are(dtype: type) -> None:
    whole = np.abs(20 * X).astype(dtype)
    if whole.itemsize > 2:
        whole += 1 << 24  # where float32 has no odd numbers any more
    as_floats = whole.astype(np.float64)
    ours, theirs = train(whole, "diag", 2), train(as_floats, "diag", 2)
    np.testing.assert_allclose(ours.means, theirs.means, rtol=1e-14 if whole.itemsize > 2 else 1e-5)
    np.testing.assert_allclose(
        score_shard(Evaluator(theirs), Blocks(whole)).scores,
        score_shard(Evaluator(theirs), Blocks(as_floats)).scores,
    )


UNTRAINABLE = {
    "N < K": (X[:2], r"2 frames for 3 components; needed: .*n_components of at most 2"),
    "NaN": (spoiled(np.nan), r"tape.*frame 207 at 2\.075 s holds nan; needed: finite.*try: repair"),
    "infinity": (spoiled(-np.inf), r"tape.*frame 207 at 2\.075 s holds -inf; needed: finite.*try: repair"),
    "empty": (X[:0], r"0 frames.*it has no frame.*try: leave it out"),
    "no columns": (X[:, :0], r"frames of shape \(150, 0\).*at least one column; try: "),
    "a vector": (X[:, 0], r"frames of shape \(150,\) and type float32.*reshape\(-1, 1\)"),
    "complex": (X.astype(complex), r"type complex128; needed: .* real numbers.*numpy\.asarray"),
    "objects": (X.astype(object), r"type object; needed: .* real numbers.*numpy\.asarray"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", UNTRAINABLE)
def test_frames_that_cannot_be_trained_on(case: str, form: str) -> None:
    frames, message = UNTRAINABLE[case]
    with pytest.raises(AudioGMMError, match=message):
        train(frames, form, 3)
    with pytest.raises(AudioGMMError, match=message.replace("tape", "frames-0")):
        ag_train(frames, form, 3)


def model_of(form: str) -> Mixture:
    return train(X, form, 2)


UNSCORABLE = {
    "NaN": (spoiled(np.nan), r"nan.*needed: finite features; try: "),
    "infinity": (spoiled(np.inf), r"inf.*needed: finite features; try: "),
    "other columns": (
        X[:, :2],
        r"frames of shape \(\d+, 2\); .*the mixture has 3 features; try: the front end",
    ),
    "a vector": (X[:, 0], r"frames of shape \(\d+,\); .*the mixture has 3 features"),
    "complex": (X.astype(complex), "type complex128; needed: real numbers; try: numpy"),
}

USES: dict[str, Callable[[Evaluator, Any], object]] = {
    "score": lambda evaluator, frames: score_shard(evaluator, Blocks(frames)),
    "log_likelihood": Evaluator.log_likelihood,
    "accumulate": Evaluator.accumulate,
    "posteriors": Evaluator.posteriors,
    "top": Evaluator.top,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("case", UNSCORABLE)
def test_frames_that_cannot_be_scored(case: str, use: str, form: str) -> None:
    frames, message = UNSCORABLE[case]
    with pytest.raises(AudioGMMError, match=message) as caught:
        USES[use](Evaluator(model_of(form)), frames)
    if case in ("NaN", "infinity"):  # its place in the recording, not in the block
        assert "frame 207" in str(caught.value)
        assert use != "score" or "at 2.075 s" in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_no_frames_score_nothing(form: str) -> None:
    evaluator = Evaluator(model_of(form))
    assert evaluator.log_likelihood(X[:0]).shape == (0,)
    assert evaluator.accumulate(X[:0]).n_frames == 0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([-0.5, 1.5], r"component 0 has weight -0\.5; needed: weights of at least 0; try: 0 for a component"),
        ([0.25, 0.5], r"weights of 2 components sum to 0\.75; .*try: weights / weights\.sum\(\)"),
        ([0.0, 0.0], r"weights of 2 components sum to 0; .*try: weights / weights\.sum\(\)"),
        ([np.nan, 1.0], "weight.*nan"),
        ([1.0], r"weights of shape \(1,\).*beside means of shape \(2, 3\)"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_weights_that_make_no_mixture(weights: list[float], message: str, form: str) -> None:
    good = model_of(form)
    with pytest.raises(MixtureError, match=message):
        Mixture(np.array(weights), good.means, good.covariances, good.covariance_type)


@pytest.mark.parametrize("form", FORMS)
def test_a_component_of_weight_zero_takes_no_part(form: str) -> None:
    good = model_of(form)
    mixture = Mixture(np.array([0.0, 1.0]), good.means, good.covariances, good.covariance_type)
    naive = naive_scores(
        X,
        np.ones(1),
        good.means[1:],
        good.covariances if form == "tied" else good.covariances[1:],
        form,
    )
    np.testing.assert_allclose(Evaluator(mixture).log_likelihood(X), naive, rtol=1e-6)
    trained = train_mixture(
        [Blocks(X)], n_components=2, covariance_type=good.covariance_type, init=mixture, passes=1
    )
    assert trained.statistics is not None
    assert trained.statistics.counts[0] == 0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.full(300, -1.0), r"frame 0 has weight -1\.0; needed: finite .* at least 0; try: 0 leaves"),
        (np.full(300, np.inf), "frame 0 has weight inf"),
        (
            np.ones(7),
            r"weights of shape \(7,\) for 300 frames; needed: shape \(300,\); try: one weight a frame",
        ),
    ],
)
def test_weights_of_frames(weights: np.ndarray, message: str) -> None:
    with pytest.raises(MixtureError, match=message):
        Evaluator(model_of("diag")).accumulate(X, weights)


def test_the_command_line_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, frames in {"good": X, "nan": spoiled(np.nan), "wide": np.c_[X, X], "few": X[:2]}.items():
        np.save(tmp_path / f"{name}.npy", frames)

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as done:
            main([str(tmp_path / a) if "." in a else a for a in arguments])
        return int(done.value.code or 0), "".join(capsys.readouterr())

    assert run("train", "good.npy", "-k", "3", "-o", "m.agmm")[0] == 0
    for arguments, status, message in (
        (["train", "few.npy", "-k", "3", "-o", "x.agmm"], 1, "2 frames for 3 components"),
        (["train", "nan.npy", "-k", "3", "-o", "x.agmm"], 1, "row 207 (counted from 0), column 1"),
        (["score", "m.agmm", "nan.npy", "-o", "x.d"], 3, "row 207 (counted from 0), column 1"),
        (["score", "m.agmm", "wide.npy", "-o", "y.d"], 3, "(300, 6)"),
        (["update", "m.agmm", "good.npy", "--remove", "-o", "x.agmm"], 1, "no ledger"),
    ):
        found = run(*arguments)
        assert (found[0], message in found[1]) == (status, True), found
