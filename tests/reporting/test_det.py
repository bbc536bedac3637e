"""The picture of verification: a file of its kind, the same for the same data, that says what it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiogmm.errors import ChoiceError, OutputError
from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.verification.bootstrap import TrialSet
from audiogmm.evaluation.verification.performance import measure_performance
from audiogmm.reporting.det import System, draw_det, steps
from audiogmm.verification.decision import OperatingPoint
from tests.naive import verification as naive

POINTS = (OperatingPoint(0.01), OperatingPoint(0.3))


def system(
    name: str = "ours", n: int = 20, gap: float = 4.0, points: tuple[OperatingPoint, ...] = POINTS
) -> System:
    rng = np.random.default_rng(0)
    model, test = (a.ravel() for a in np.indices((n, n)))
    target = model == test
    scores = rng.normal(np.where(target, gap, -gap), np.sqrt(2 * gap))
    sample = TrialSet(scores, target, np.column_stack([model, test]), points)
    return System(name, *measure_performance(sample, Draws(replicates=100)))


def test_a_picture_says_what_it_shows_and_is_the_same_file_again(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_det([system(), system("theirs", gap=2.0)], tmp_path / name, confidence=0.9)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    found = system().performance
    eer = f"ours: EER {100 * found.eer.value:.3g} % ({100 * found.eer.low:.2g} to {100 * found.eer.high:.2g})"
    for words in (
        eer,
        "theirs: EER",
        "DET curve",
        "Calibration",
        "calibrated scores",
        "this system",
        "prior 0.01",
        "prior 0.3",
        "misses",
        "false alarms",
        "nats",
        "20 targets",
    ):
        assert words in text, words
    assert "bands: 90% over 20 speakers<" in text
    draw_det([system(n=19)], tmp_path / "few.svg")
    assert "bands: 95% over 19 speakers, indicative" in (tmp_path / "few.svg").read_text()


@pytest.mark.parametrize("gap", [0.01, 60.0])
def test_useless_and_perfect_scores_are_drawn(tmp_path: Path, gap: float) -> None:
    draw_det([system(gap=gap, n=5, points=())], tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_two_trials_of_one_speaker_are_drawn(tmp_path: Path) -> None:
    sample = TrialSet(np.array([1.0, 0.0]), np.array([True, False]), np.zeros((2, 2), np.int64), POINTS)
    draw_det([System("one", *measure_performance(sample, Draws(replicates=100)))], tmp_path / "a.svg")
    assert "one speaker: no bands" in (tmp_path / "a.svg").read_text()


def test_the_steps_are_the_thresholds(tmp_path: Path) -> None:
    curves = system(n=6).curves
    alarms, misses = steps(curves)
    rates = naive.rates(curves.scores[curves.target].tolist(), curves.scores[~curves.target].tolist())
    points = np.array([(far, frr) for _, frr, far in rates])
    drawn = np.column_stack([alarms[::2], misses[::2]])
    np.testing.assert_allclose(np.abs(drawn[:, None] - points).max(axis=2).min(axis=1), 0, atol=1e-12)
    assert np.all(np.diff(alarms) <= 0) and np.all(np.diff(misses) >= 0)
    assert len(steps(system(n=120).curves)[0]) < 1300  # a picture needs no more


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"det\.gif; needed: a name that ends in \.png"):
        draw_det([system(n=4)], tmp_path / "det.gif")
    (tmp_path / "det.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"det\.png exists already"):
        draw_det([system(n=4)], tmp_path / "det.png")
