"""A monitor leaves steady sound alone, tells changes and slow faults, and takes bad clocks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiogmm.anomaly.drift.change import Change
from audiogmm.anomaly.drift.level_block import LevelBlock
from audiogmm.anomaly.drift.monitor import DriftMonitor, DriftState
from audiogmm.synth.wandering import STEP, wandering_levels
from audiogmm.types import FloatArray
from scripts.bench_drift import CHANGES, growing, learned, steady, stepping, watch


def push(monitor: DriftMonitor, levels: FloatArray, start: float) -> list[Change]:
    blocks = (LevelBlock(i, start + STEP * i, start + STEP * (i + 1), row) for i, row in enumerate(levels))
    return [change for block in blocks if (change := monitor.push(block)) is not None]


def test_steady_sound_is_left_alone() -> None:
    assert sum(steady(1, 30.0).values()) == 0


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_for_good_is_told_within_ten_minutes(name: str) -> None:
    for seed in range(3):
        found = stepping(seed, CHANGES[name])
        assert found is not None and found.verdict == "changed"
        assert found.at - 3600 <= 600
        assert abs(found.since - 3600) <= 60
        largest = float(np.abs(CHANGES[name]).max())
        assert 0.5 * largest < abs(found.decibels) < 1.5 * largest


def test_a_slow_fault_is_rising_and_never_normal() -> None:
    for seed in range(2):
        size, moved = growing(seed)
        assert size is not None and size < 3.6
        assert moved < 1.0


def test_a_new_fault_in_a_changed_state_is_told_again() -> None:
    levels = wandering_levels(5, 3.0)
    levels[300:] += 6.0
    levels[700:, 3] += 9.0
    found = watch(learned(6), levels)[1]
    assert [change.verdict for change in found] == ["changed", "changed"]
    assert found[1].bands == [[round(float(found[1].hertz[3, 0])), round(float(found[1].hertz[3, 2]))]]


def test_a_departure_that_ends_is_transient() -> None:
    levels = wandering_levels(7, 2.0)
    levels[300:320] += 8.0
    found = watch(learned(8), levels)[1]
    assert [change.verdict for change in found] == ["transient"]
    assert abs(found[0].since - 3000) <= 20 and abs(found[0].at - 3200) <= 60


def test_one_that_goes_on_at_the_end_is_told_by_flush() -> None:
    levels = wandering_levels(7, 1.0)
    levels[-20:] += 8.0
    monitor, found = watch(learned(8), levels)
    last = monitor.flush()
    assert not found and last is not None and last.verdict == "transient"
    assert monitor.flush() is None


def test_blocks_twice_or_out_of_order_change_nothing() -> None:
    levels = wandering_levels(9, 1.0)
    levels[200:] += 6.0
    _, once = watch(learned(10), levels)
    monitor, twice = DriftMonitor(learned(10)), []
    for i, row in enumerate(levels):
        for at in (i, i, max(0, i - 3)):
            change = monitor.push(LevelBlock(i, STEP * at, STEP * at + STEP, row))
            twice += [change] if change else []
    assert [one.line() for one in once] == [one.line() for one in twice] != []


def test_a_clock_that_jumps_back_does_not_stop_the_monitor() -> None:
    monitor = DriftMonitor(learned(10))
    assert push(monitor, wandering_levels(9, 1.0), 1e9) == []
    after = wandering_levels(11, 1.0)
    after[100:] += 6.0
    [change] = push(monitor, after, 5e8)  # the clock was set back by sixteen years
    assert change.verdict == "changed" and abs(change.since - (5e8 + 1000)) <= 60


def test_a_year_of_silence_ends_a_departure_without_a_verdict() -> None:
    monitor = DriftMonitor(learned(10))
    levels = wandering_levels(9, 1.0)
    levels[-20:] += 6.0
    assert push(monitor, levels, 0.0) == [] and monitor.is_departed
    assert push(monitor, wandering_levels(12, 0.2), 365 * 86400.0) == []
    assert not monitor.is_departed


def test_a_state_goes_on_from_json() -> None:
    levels = wandering_levels(9, 2.0)
    levels[300:] += 6.0
    _, whole = watch(learned(10), levels)
    first = DriftMonitor(learned(10))
    assert push(first, levels[:320], 0.0) == []
    state = DriftState.from_json(json.loads(json.dumps(first.state.to_json())))
    rest = push(DriftMonitor(learned(10), state=state), levels[320:], 3200.0)
    assert [one.to_dict() for one in rest] == [one.to_dict() for one in whole] != []
