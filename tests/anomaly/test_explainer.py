"""Reasons: the right kind and band on frames whose change is known; the same for any chunks."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.explainer import MOST_LOSSES, PART
from tests.anomaly.explained import (
    CLOCK,
    HERTZ,
    N_BANDS,
    blocks,
    columns_explainer,
    explainer,
    moments,
    sound,
)

FIRST, LAST = 600, 899


def explained(
    frames: np.ndarray,
    first: int = FIRST,
    last: int = LAST,
    cuts: tuple[int, ...] = (),
    over: bool = False,
    **kind,
):
    explaining = explainer(**kind).open(CLOCK)
    for block in blocks(frames, cuts):
        explaining.push(block)
    return explaining.explain(first, last, over=over)


def changed(seed: int, low: int, stop: int, decibels: float) -> np.ndarray:
    frames = sound(1200, seed)
    frames[FIRST : LAST + 1, low:stop] += decibels
    return frames


@pytest.mark.parametrize("form", ["full", "diag"])
@pytest.mark.parametrize("decibels", [-9.0, 9.0])
@pytest.mark.parametrize("seed", range(5))
def test_all_bands_together_are_a_level(seed: int, decibels: float, form: str) -> None:
    reasons, found = explained(changed(seed, 0, N_BANDS, decibels), form=form)
    assert found["kind"] == "level"
    assert math.copysign(1, found["bands"][0]["db"]) == math.copysign(1, decibels)
    assert ("louder" if decibels > 0 else "quieter") in reasons[0]
    assert found["parts"]["level"] > found["parts"]["colour"]


@pytest.mark.parametrize("form", ["full", "diag"])
@pytest.mark.parametrize(("low", "stop", "decibels"), [(5, 6, 8.0), (2, 6, -6.0), (8, 12, 7.0)])
@pytest.mark.parametrize("seed", range(5))
def test_some_bands_are_a_colour_and_named(
    seed: int, low: int, stop: int, decibels: float, form: str
) -> None:
    reasons, found = explained(changed(seed, low, stop, decibels), form=form)
    named = found["bands"][0]
    assert found["kind"] == "colour"
    assert (named["low_hz"], named["high_hz"]) == (HERTZ[low, :2].mean(), HERTZ[stop - 1, 1:].mean())
    assert named["db"] == pytest.approx(decibels, abs=1.5)
    assert named["tone"] == (stop - low == 1)
    assert named["share"] > 0.5 and found["parts"]["colour"] > found["parts"]["level"]
    assert reasons[0].startswith("spectrum: a tone at about 1,200 Hz" if stop - low == 1 else "spectrum: ")


@pytest.mark.parametrize(
    ("low", "stop", "decibels"), [(0, N_BANDS, 9.0), (0, N_BANDS, -9.0), (8, N_BANDS, -15.0)]
)
@pytest.mark.parametrize("n", [1200, 20_000])
def test_a_change_alike_in_a_whole_recording_asks_for_its_gain(
    n: int, low: int, stop: int, decibels: float
) -> None:
    frames = sound(n, 1)
    frames[:, low:stop] += decibels
    reasons, found = explained(frames, 0, n - 30, over=True)
    whole = found["whole"]
    assert (whole["low_hz"], whole["high_hz"]) == (HERTZ[low, :2].mean(), HERTZ[stop - 1, 1:].mean())
    assert whole["db"] == pytest.approx(decibels, abs=1.5)
    loudness = f"{abs(whole['db']):.0f} dB {'louder' if decibels > 0 else 'quieter'} than expected at"
    assert reasons[0].startswith(f"the whole recording is alike, {loudness}")
    assert reasons[0].endswith(": another gain, codec or microphone?") and len(reasons) == 4
    assert explained(frames, 0, n - 30, over=True, cuts=(7, 900, 1100)) == (reasons, found)
    for part in ({"last": n // 2}, {"first": n // 5}):  # an event in it; one that has not ended
        assert "whole" not in explained(frames, **({"first": 0, "last": n - 1} | part), over=True)[1]
    assert "whole" not in explained(frames, 0, n - 1, over=False)[1]


@pytest.mark.parametrize("n", [1200, 20_000])
def test_what_changes_within_a_recording_is_no_other_gain(n: int) -> None:
    half, ramp = sound(n, 1), sound(n, 2)
    half[: n // 2, :N_BANDS] += 8.0
    half[n // 2 :, :N_BANDS] += 16.0
    ramp[:, :N_BANDS] += np.linspace(6, 20, n, dtype=np.float32)[:, None]
    for frames in (half, ramp):
        assert "whole" not in explained(frames, 0, n - 1, over=True)[1]
    assert "whole" not in explained(half[:400] + 1.0, 0, 399, over=True)[1]  # four seconds say little


def test_two_changes_are_both_named() -> None:
    frames = changed(0, 1, 3, 12.0)
    frames[FIRST : LAST + 1, 9:11] -= 8.0
    _, found = explained(frames)
    assert [band["db"] > 0 for band in found["bands"][:2]] == [True, False]
    assert found["bands"][0]["share"] > found["bands"][1]["share"] > 0.1
    assert sum(band["share"] for band in found["bands"]) <= 1 + 1e-6


@pytest.mark.parametrize("rate", [0.0, 4.0, 8.0])
def test_another_pace_of_usual_frames_is_a_rhythm(rate: float) -> None:
    frames = sound(1200, 3)
    frames[FIRST : LAST + 1] = sound(LAST + 1 - FIRST, 4, rate)
    reasons, found = explained(frames)
    assert found["kind"] == "rhythm" and found["unusual"] < 1 < found["rhythm"]["unusual"]
    assert "modulation at " in reasons[0]
    stronger = found["rhythm"]["stronger"]
    if rate:
        assert stronger["low"] <= rate <= stronger["high"] and stronger["db"] > 3
    else:
        weaker = found["rhythm"]["weaker"]
        assert weaker["low"] <= 2.0 <= weaker["high"] and weaker["db"] < -3


def test_normal_sound_has_usual_modulation() -> None:
    _, found = explained(sound(1200, 5))
    assert found["unusual"] < 1 and found["rhythm"]["unusual"] < 1


def test_the_moments_of_a_loss_sum_to_it() -> None:
    for seed, decibels in ((0, 9.0), (1, -9.0), (2, 0.0)):
        _, found = explained(changed(seed, 0, 4, decibels))
        assert sum(found["parts"].values()) == pytest.approx(found["loss"], rel=1e-4, abs=1e-4)
        assert sum(found["moments"].values()) == pytest.approx(found["loss"], rel=1e-4, abs=1e-4)


def test_a_shift_and_a_scatter_are_told_apart() -> None:
    _, shifted = explained(changed(0, 0, 6, 9.0))
    frames = sound(1200, 1)
    frames[FIRST : LAST + 1, :6] += np.random.default_rng(0).normal(0, 4, (300, 6)).astype(np.float32)
    _, scattered = explained(frames)
    assert shifted["moments"]["mean"] > 5 * shifted["moments"]["spread"]
    assert scattered["moments"]["spread"] > scattered["moments"]["mean"]
    frames = sound(1200, 1)
    frames[FIRST : LAST + 1, N_BANDS:] *= 4
    _, moved = explained(frames)
    assert moved["moments"]["dynamics"] > 0.9 * moved["loss"] and moved["kind"] == "rhythm"


def test_components_and_worst_instants_are_named() -> None:
    frames = sound(1200, 0, rate=0.0)
    frames[FIRST : LAST + 1, :N_BANDS] += 6.0 - frames[FIRST : LAST + 1, :N_BANDS].mean()
    frames[700, :N_BANDS] += 15.0
    reasons, found = explained(frames)
    assert found["components"][0]["component"] == 1 and found["components"][0]["share"] > 0.9
    assert found["mix"] == pytest.approx(math.log(2), abs=0.2)
    assert found["worst"][0]["time"] == pytest.approx(CLOCK.center(700))
    assert reasons[1] == f"lowest score at {CLOCK.center(700):.2f} s"
    times = [worst["time"] for worst in found["worst"]]
    assert min(abs(a - b) for i, a in enumerate(times) for b in times[:i]) >= 0.25


def test_the_nearest_normal_moment_is_the_same_sound() -> None:
    original = sound(2000, 103)  # a normal recording, whose moments are kept
    frames = np.concatenate([sound(600, 0), original[350:400], sound(600, 1)])
    reasons, found = explained(frames, 600, 649)
    near = found["nearest"][0]
    assert (near["id"], near["audio_filepath"]) == ("n3", "/normal/n3.wav")
    assert (near["start"], near["end"]) == (3.5, 4.0)
    assert near["distance"] < 1e-2 < found["nearest"][1]["distance"]
    assert reasons[2] == "nearest normal sound: n3.wav at 3.5 s"


def test_without_normal_moments_there_is_no_comparison() -> None:
    reasons, found = explained(changed(0, 5, 6, 9.0), with_moments=False)
    assert found["kind"] == "colour" and len(reasons) == 2
    assert not {"nearest", "unusual", "rhythm"} & set(found)


def finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(finite(part) for part in value.values())
    if isinstance(value, list):
        return all(finite(part) for part in value)
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("size", [0.0, 20.0, 1e6])
def test_an_explanation_is_json_of_finite_numbers(size: float) -> None:
    frames = sound(1200, 0)
    frames[FIRST : LAST + 1] += np.float32(size)
    reasons, found = explained(frames)
    assert json.loads(json.dumps(found, allow_nan=False)) == found and finite(found)
    assert 1 <= len(reasons) <= 3 and all(isinstance(sentence, str) for sentence in reasons)


@settings(max_examples=25)
@given(cuts=st.sets(st.integers(1, 1199), max_size=12), first=st.integers(0, 900), n=st.integers(1, 290))
def test_chunks_leave_no_trace(cuts: set[int], first: int, n: int) -> None:
    frames = changed(0, 5, 8, 9.0)
    whole = explained(frames, first, first + n - 1)
    assert explained(frames, first, first + n - 1, tuple(cuts)) == whole


@pytest.mark.parametrize("cut", [1, 137, 9_000])
def test_a_long_event_is_explained_by_its_last_part_however_it_came(cut: int) -> None:
    frames = sound(20_000, 0)
    frames[1_000:19_000, :N_BANDS] += 9.0
    explaining, kept = explainer().open(CLOCK), 0
    for block in blocks(frames, tuple(range(cut, 20_000, max(cut, 100)))):
        explaining.push(block)
        kept = max(kept, sum(len(piece) for piece in explaining._blocks))
    n = round(PART * 100)
    found = explaining.explain(1_000, 18_999)
    assert found == explained(frames, 19_000 - n, 18_999)
    assert found[1]["frames"] == min(n, MOST_LOSSES)
    assert kept <= 2 * n + 300 + 2 * max(cut, 100)


def test_the_end_of_a_recording_may_be_all_there_is() -> None:
    assert explained(sound(40, 0), 0, 39)[1]["frames"] == 40  # shorter than a span of modulation
    assert "rhythm" not in explained(sound(40, 0), 0, 39)[1]


def test_frames_that_are_not_voiced_do_not_count() -> None:
    explaining = columns_explainer().open(CLOCK)
    (block,) = blocks(np.tile(np.float32([0, 9, 2]), (50, 1)))
    block.voiced[:] = False
    explaining.push(block)
    assert explaining.explain(10, 30) == ((), {})
    block.voiced[12] = True
    assert explaining.explain(10, 30)[1]["frames"] == 1


def test_columns_are_named_where_there_are_no_bands() -> None:
    explaining = columns_explainer().open(CLOCK)
    for block in blocks(np.tile(np.float32([0, 13, 2]), (50, 1))):
        explaining.push(block)
    reasons, found = explaining.explain(0, 49)
    assert found["columns"][0]["column"] == 1 and found["columns"][0]["deviations"] == 6.0
    assert reasons[0].startswith("column 1 is 6.0 standard deviations higher than expected")


def test_an_explainer_travels() -> None:
    there = pickle.loads(pickle.dumps(explainer()))
    explaining = there.open(CLOCK)
    frames = changed(0, 5, 6, 9.0)
    for block in blocks(frames):
        explaining.push(block)
    assert explaining.explain(FIRST, LAST) == explained(frames)
    assert len(moments()) == len(there.moments)
