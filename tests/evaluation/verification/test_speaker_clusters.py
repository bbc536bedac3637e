"""The speakers of trials, against a slow twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.evaluation.verification.speaker_clusters import cluster_speakers
from tests.naive import verification as naive


@settings(max_examples=40, deadline=None)
@given(
    trials=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("12345"), st.booleans()), min_size=1, max_size=12
    )
)
def test_target_trials_say_who_speaks(trials: list[tuple[str, str, bool]]) -> None:
    models, recordings, target = (list(column) for column in zip(*trials, strict=True))
    found = cluster_speakers(models, recordings, np.array(target))
    expected = naive.speakers(models, recordings, target)
    same = {
        (found.speakers.ravel()[i] == found.speakers.ravel()[j]) == (a == b)
        for i, a in enumerate(np.ravel(expected))
        for j, b in enumerate(np.ravel(expected))
    }
    assert same == {True}
    assert found.n_speakers == len(np.unique(expected))
    claimed = {r for r, t in zip(recordings, target, strict=True) if t}
    assert found.n_unknown == len(set(recordings) - claimed)
    contradictory = [a == b and not t for (a, b), t in zip(expected, target, strict=True)]
    assert found.n_contradictory == sum(contradictory)


def test_a_list_that_names_speakers_is_believed() -> None:
    models, recordings = ["ann", "ann", "bob", "bob"], ["1", "2", "1", "3"]
    target = np.array([True, False, False, False])
    named = cluster_speakers(models, recordings, target, ["ann", "carl", "ann", "carl"])
    assert named.n_speakers == 3 and named.n_unknown == 0
    assert named.speakers[1, 1] == named.speakers[3, 1]
    half = cluster_speakers(models, recordings, target, ["ann", "", "ann", "bob"])
    assert half.n_unknown == 1
    assert half.speakers[3, 1] == half.speakers[3, 0]  # recording 3 is bob's, whose model is bob
    assert half.n_contradictory == 1


def test_a_piece_that_nobody_claims_is_of_who_claims_the_file() -> None:
    models, target = ["ann", "bob", "bob", "bob", "ann"], np.array([True, False, False, False, True])
    pieces = [("1.wav", "0"), ("1.wav", "3"), ("2.wav", "0"), ("3.wav", "0"), ("3.wav", "5")]
    apart = cluster_speakers(models, pieces, target)
    assert apart.n_unknown == 3
    found = cluster_speakers(models, pieces, target, None, [file for file, _ in pieces])
    assert found.n_unknown == 1  # 2.wav
    assert found.speakers[1, 1] == found.speakers[0, 1] == found.speakers[3, 1]
    both = np.array([True, False, False, False, True])
    claimed_twice = cluster_speakers(
        ["ann", "x", "bob"], ["1", "2", "3"], both[[0, 1, 4]], None, ["f", "f", "f"]
    )
    assert claimed_twice.n_unknown == 1
