"""Normal by hour of day or by a key: levels by cell, shrunk where there is little normal audio."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiogmm.anomaly.cells import CellLevels, CellRule, LeveledScorer
from audiogmm.anomaly.scorer import NO_SCORES, FrameScores
from audiogmm.blocks import FrameBlock, StreamPiece
from audiogmm.errors import ChoiceError
from audiogmm.timeline import FrameClock
from audiogmm.wall_clock import parse_time

CLOCK = FrameClock(8000, 80, 200)


def cells(
    rule: CellRule, time: float | None, n: int, first: int = 0, **about: object
) -> list[tuple[int, str | None]]:
    return list(rule.cells(StreamPiece("a", None, 0, 0.0, time, about), first, n, CLOCK))


def test_hours_change_within_a_recording_by_the_clocks_of_the_zone() -> None:
    before = parse_time("2024-05-01T11:59:00Z")
    assert cells(CellRule("hour"), before, 12_000) == [(6000, "11"), (6000, "12")]
    assert cells(CellRule("hour", "+05:30"), before, 100) == [(100, "17")]
    assert cells(CellRule("hour"), before, 100, first=6000) == [(100, "12")]
    assert cells(CellRule("hour"), 30.0, 100) == [(100, None)]
    assert cells(CellRule("hour"), None, 100) == [(100, None)]


def test_a_key_of_the_manifest() -> None:
    assert cells(CellRule("site"), None, 5, site=3) == [(5, "3")]
    assert cells(CellRule("site"), None, 5) == [(5, None)]
    with pytest.raises(ChoiceError, match="time zone"):
        CellRule("hour", "Mars")


def levels(seconds: float) -> CellLevels:
    rng = np.random.default_rng(0)
    scores = {"day": rng.normal(-60, 4, 20_000), "night": rng.normal(-40, 1, 20_000)}
    return CellLevels.fit(CellRule("site"), scores, dict.fromkeys(scores, seconds))


def test_much_normal_audio_puts_cells_on_one_level_and_width() -> None:
    found, rng = levels(36_000), np.random.default_rng(1)
    day = found.level(rng.normal(-60, 4, 50_000), "day")
    night = found.level(rng.normal(-40, 1, 50_000), "night")
    for share in (0.01, 0.1, 0.5):
        assert np.quantile(day, share) == pytest.approx(np.quantile(night, share), abs=0.5)


def test_little_normal_audio_changes_little() -> None:
    assert levels(1e-3).level(np.array([-40.0]), "night")[0] == pytest.approx(-40.0, abs=2.0)
    assert levels(60.0).cells["night"][0] == pytest.approx((levels(60.0).median - 40) / 2, abs=0.1)
    assert levels(60.0).level(np.array([-40.0]), "elsewhere")[0] == -40.0


def test_a_model_keeps_levels() -> None:
    found = levels(100.0)
    again = CellLevels.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.rule, again.median, again.width, dict(again.cells)) == (
        found.rule,
        found.median,
        found.width,
        dict(found.cells),
    )


def test_less_normal_audio_costs_more() -> None:
    windows = np.sort(np.random.default_rng(0).normal(-50, 1, 10_000))
    assert levels(60.0).cost(windows, 0.5) > 10 * levels(3600.0).cost(windows, 0.5) > 0


class Late:
    """A scorer of the first feature, three frames late."""

    latency = 3

    def open(self, id: str) -> Late:
        self.kept: np.ndarray = np.empty(0)
        return self

    def push(self, block: FrameBlock) -> FrameScores:
        self.kept = np.concatenate([self.kept, block.frames[:, 0].astype(float)])
        n = max(0, len(self.kept) - 3)
        done, self.kept = self.kept[:n], self.kept[n:]
        return FrameScores(done, np.ones(n, bool)) if n else NO_SCORES

    def flush(self) -> FrameScores:
        return FrameScores(self.kept, np.ones(len(self.kept), bool))


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_scores_that_come_late_have_the_level_of_their_frame(size: int) -> None:
    found = levels(36_000)
    stream = LeveledScorer(Late(), found).open("a")
    raw = np.where(np.arange(40) < 20, -60.0, -40.0).astype(np.float32)
    scores = []
    for start in range(0, 40, size):
        for first, last, name in (
            (start, min(start + size, 20), "day"),
            (max(start, 20), start + size, "night"),
        ):
            part = raw[first : min(last, 40)]
            if len(part):
                piece = StreamPiece(name, None, 0, 0.0, None, {"site": name})
                block = FrameBlock(part[:, None], np.ones(len(part), bool), first, CLOCK, None, piece)
                scores.append(stream.push(block).scores)
    scores.append(stream.flush().scores)
    together = np.concatenate(scores)
    assert len(together) == 40
    assert np.allclose(together, found.median, atol=0.2)
