"""Moments of normal sound: cut the same from any chunks, chosen by hash, and kept in a model file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.moment import ARRAYS, MomentCutter
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.timeline import FrameClock
from tests.anomaly.explained import PLAN, blocks, moments, rows, sound


def same(ours: object, theirs: object) -> bool:
    return all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ARRAYS)


@settings(max_examples=30)
@given(cuts=st.sets(st.integers(1, 999), max_size=10), most=st.sampled_from([3, 500]))
def test_chunks_leave_no_trace(cuts: set[int], most: int) -> None:
    frames = sound(1000, 0)
    whole, cut = rows("a", frames, most=most), rows("a", frames, tuple(cuts), most=most)
    assert same(whole, cut) and len(whole) == min(20, most) and whole.n_seen == cut.n_seen == 20


def test_a_moment_is_what_its_frames_are() -> None:
    frames = sound(1000, 0)
    found = rows("a", frames)
    piece = frames[350:400, :12].astype(np.float64)
    np.testing.assert_allclose(found.mean[7], piece.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.spread[7], np.log(piece.std(axis=0) + 1e-3), rtol=1e-5)
    np.testing.assert_allclose(found.modulation[7], PLAN.modulation(frames[100:400]).ravel(), rtol=1e-5)
    assert found.score[7] == pytest.approx(-np.abs(frames[350:400, 0]).mean(), rel=1e-5)
    assert found.frame[7].tolist() == frames[375].tolist()
    assert found.start.tolist() == [0.5 * i for i in range(20)]
    assert found.has_span.tolist() == [False] * 5 + [True] * 15


def test_a_part_of_a_recording_has_its_moments() -> None:
    frames = sound(1000, 0)
    windower = MomentCutter(PLAN, "a", "", True, 500)
    for block in blocks(frames, (620,)):
        if block.start:
            windower.push(block, np.zeros(len(block)))
    found = windower.flush()
    assert found.number.tolist() == list(range(13, 20))
    np.testing.assert_array_equal(found.mean, rows("a", frames).mean[13:])


def test_what_is_hardly_voiced_is_no_moment() -> None:
    from dataclasses import replace

    frames = sound(200, 0)
    (block,) = blocks(frames)
    block.voiced[50:80] = False
    block.voiced[100:110] = False
    windower = MomentCutter(replace(PLAN, every_frame=False), "a", "", True, 500)
    windower.push(block, np.zeros(200))
    found = windower.flush()
    assert found.number.tolist() == [0, 2, 3]
    np.testing.assert_allclose(found.mean[1], frames[110:150, :12].astype(np.float64).mean(axis=0), rtol=1e-6)
    assert MomentCutter(PLAN, "a", "", True, 500).flush() is None


def test_the_sample_does_not_depend_on_the_order() -> None:
    found = [rows(id, sound(1000, i)) for i, id in enumerate("abcd")]
    forth, back = NormalMoments.of(found, most=30), NormalMoments.of(found[::-1], most=30)
    assert same(forth, back) and forth.ids == back.ids == tuple("abcd")
    assert len(forth) == 30 and forth.n_seen == 80
    assert forth.recording.tolist() == sorted(forth.recording.tolist())
    everything = NormalMoments.of(found)
    known = set(zip(everything.recording.tolist(), everything.start.tolist(), strict=True))
    assert set(zip(forth.recording.tolist(), forth.start.tolist(), strict=True)) <= known


def test_a_round_through_a_model_file_keeps_everything() -> None:
    kept = moments()
    back = NormalMoments.from_parts(json.loads(json.dumps(kept.metadata())), kept.tensors())
    assert same(kept, back) and back.ids == kept.ids and back.paths == kept.paths
    assert back.usual_score == kept.usual_score and back.usual_modulation[2] == kept.usual_modulation[2]
    assert np.array_equal(back.tracks, kept.tracks) and back.n_seen == kept.n_seen
    assert sum(array.nbytes for array in kept.tensors().values()) < 1_000_000


def test_bad_moments_are_refused() -> None:
    kept = moments()
    tensors = kept.tensors()
    with pytest.raises(ModelFileError, match="lack 'moments/frame'"):
        NormalMoments.from_parts(
            kept.metadata(), {name: a for name, a in tensors.items() if name != "moments/frame"}
        )
    with pytest.raises(ModelFileError, match="'mean': 5"):
        NormalMoments.from_parts(kept.metadata(), tensors | {"moments/mean": tensors["moments/mean"][:5]})
    with pytest.raises(ModelFileError, match="lack 'paths'"):
        NormalMoments.from_parts({name: v for name, v in kept.metadata().items() if name != "paths"}, tensors)


def test_recordings_of_another_rate_are_refused() -> None:
    windower = MomentCutter(PLAN, "b", "", True, 500)
    (block,) = blocks(sound(200, 0))
    from dataclasses import replace

    windower.push(replace(block, clock=FrameClock(8000, 160, 200)), np.zeros(200))
    with pytest.raises(MismatchError, match="b has 50 frames a second, others 100"):
        NormalMoments.of([rows("a", sound(200, 0)), windower.flush()])
    with pytest.raises(MismatchError, match="no normal recording with half a second"):
        NormalMoments.of([None])


def test_scores_of_what_was_held_out_tell_what_is_usual() -> None:
    from dataclasses import replace

    kept = moments()
    held = np.zeros(len(kept), bool)
    held[:30] = True
    fewer = replace(kept, held_out=held)
    assert fewer.usual_score[0] == np.median(kept.score[:30].astype(np.float64))
    few = replace(kept, held_out=np.arange(len(kept)) < 5)
    assert few.usual_score == kept.usual_score
