"""The picture of detection: a file of its kind, the same for the same data, that says what it shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiogmm.errors import ChoiceError, OutputError
from audiogmm.evaluation.intervals import Interval
from audiogmm.reporting.detection import MOST_NAMED, DetectionPicture, EventMeasures, SiteRoc, draw_detection


def roc(name: str = "attic") -> SiteRoc:
    rates = np.linspace(0, 1, 50)
    return SiteRoc(name, rates, np.sqrt(rates), Interval(0.667, 0.6, 0.7), Interval(0.58))


PICTURE = DetectionPicture(
    curves=[roc(), roc("cellar")],
    what="frames",
    mean="0.667, 0.580 (mean of 2)",
    max_fpr=0.1,
    measures=[
        EventMeasures("events", Interval(0.5, 0.4, 0.6), Interval(0.7, 0.5, 0.8), Interval(0.583, 0.5, 0.7)),
        EventMeasures("recordings", Interval(float("nan")), Interval(0.0), Interval(0.0)),
    ],
    delays=np.array([-0.2, 0.1, 0.3, 0.9]),
    n_true=5,
    false_alarms="12 (3 to 30) false alarms an hour",
    intervals="95% over 24 recordings",
)


def test_a_picture_says_what_it_shows_and_is_the_same_file_again(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_detection(PICTURE, tmp_path / name)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    for words in (
        "attic: 0.667, 0.580",
        "cellar: 0.667, 0.580",
        "AUC, pAUC: 0.667, 0.580 (mean of 2)",
        "Hit rate (anomalous frames)",
        "precision",
        "recall",
        "0.58<",
        "95% over 24 recordings",
        "median 0.10 s",
        "90 % 0.90 s",
        "12 (3 to 30) false alarms an hour",
    ):
        assert words in text, words


def test_of_many_sites_the_mean_is_drawn(tmp_path: Path) -> None:
    many = [roc(f"machine-{i}") for i in range(MOST_NAMED + 1)]
    draw_detection(replace(PICTURE, curves=many), tmp_path / "many.svg")
    text = (tmp_path / "many.svg").read_text()
    assert f"mean of {MOST_NAMED + 1} sites" in text
    assert "machine-0" not in text
    draw_detection(replace(PICTURE, curves=many[1:]), tmp_path / "few.svg")
    assert "machine-1: " in (tmp_path / "few.svg").read_text()


@pytest.mark.parametrize(
    "picture",
    [
        replace(PICTURE, curves=[]),
        replace(PICTURE, delays=np.empty(0)),
        replace(PICTURE, delays=np.empty(0), n_true=0),
        replace(PICTURE, measures=PICTURE.measures[1:]),
        replace(PICTURE, curves=[roc("x" * 60)], delays=np.array([700.0]), n_true=1),
    ],
    ids=["no scores", "nothing caught", "no places", "nothing found", "long names"],
)
def test_what_is_not_known_is_left_out(picture: DetectionPicture, tmp_path: Path) -> None:
    draw_detection(picture, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_refused_as_others_are(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"a picture cannot be written to .*a\.txt"):
        draw_detection(PICTURE, tmp_path / "a.txt")
    (tmp_path / "a.png").touch()
    with pytest.raises(OutputError, match=r"a\.png exists"):
        draw_detection(PICTURE, tmp_path / "a.png")
    draw_detection(PICTURE, tmp_path / "a.png", force=True)
    assert (tmp_path / "a.png").stat().st_size > 10_000
