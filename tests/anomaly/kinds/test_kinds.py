"""Groups keep their numbers and names while more segments come, and what is remembered is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from audiogmm.anomaly.kinds import kinds as module
from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.recognizer import NONE
from audiogmm.errors import ChoiceError

SIZE, APART, OFF = 12, 5.0, 0.4
CENTERS = np.random.default_rng(9).normal(0, APART, (8, SIZE))


def sounds(which: list[int], n: int, seed: int) -> tuple[list[Description], np.ndarray]:
    """So many segments of each kind, with pieces that differ less than segments do, in any order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(which, n))
    vectors = CENTERS[labels] + random.normal(0, 1, (len(labels), SIZE))
    pieces = vectors[:, None] + random.normal(0, OFF, (len(labels), 4, SIZE))
    return [Description(each.mean(axis=0), each) for each in pieces], labels


def test_groups_keep_their_numbers_over_five_batches() -> None:
    kinds, truth, first = Kinds.empty(), np.empty(0, int), {}
    for week, which in enumerate(([0, 1, 2], [0, 1, 2, 3], [3, 4], [0, 5], [0, 1, 2, 3, 4, 5])):
        described, labels = sounds(which, 6, seed=week)
        kinds, found = kinds.extended(described)
        truth = np.concatenate([truth, labels])
        groups = np.array([each.group for each in found])
        for kind in which:
            held = np.bincount(groups[(labels == kind) & (groups != NONE)]).argmax()
            assert first.setdefault(kind, held) == held, (week, kind)
        if week == 0:
            kinds = kinds.named(first[1], "squeak", is_normal=True)
    assert adjusted_rand_score(truth, kinds.labels) > 0.9
    assert len(set(first.values())) == 6
    assert kinds.groups[first[1]].name == "squeak" and kinds.groups[first[1]].is_normal


def test_examples_of_a_named_group_stay_in_it() -> None:
    described, labels = sounds([0, 1], 5, seed=1)
    kinds, found = Kinds.empty().extended(described)
    named = found[int(np.argmax(labels == 0))].group
    kinds = kinds.named(named, "door")
    before = {vector.tobytes() for vector in kinds.vectors[kinds.labels == named]}
    # many more that lie between both
    random = np.random.default_rng(2)
    between = (CENTERS[0] + CENTERS[1]) / 2 + random.normal(0, 2, (40, SIZE))
    kinds, _ = kinds.extended([Description(v, v + random.normal(0, OFF, (4, SIZE))) for v in between])
    assert before <= {vector.tobytes() for vector in kinds.vectors[kinds.labels == named]}


def test_the_same_segments_again_change_nothing() -> None:
    described, _ = sounds([0, 1, 2], 5, seed=3)
    kinds, found = Kinds.empty().extended(described)
    again, same = kinds.extended(described)
    assert again is kinds
    assert [each.group for each in same] == [each.group for each in found]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXAMPLES", 30)
    described, _ = sounds([0], 60, seed=4)
    rare, _ = sounds([1], 4, seed=5)
    kinds, found = Kinds.empty().extended(rare)
    kinds = kinds.named(1, "rare")
    kinds, found = kinds.extended(described)
    assert len(found) == 60  # those that were not grouped have a group, too
    assert np.mean([each.group not in (NONE, 1) for each in found]) > 0.8
    for seed in range(3):
        kinds, _ = kinds.extended(sounds([0, 2], 20, seed=6 + seed)[0])
        assert len(kinds.vectors) == len(kinds.labels) == 30
        assert np.sum(kinds.labels == 1) == 4  # the largest are forgotten first


def test_a_number_is_never_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds, _ = Kinds.empty().extended(sounds([0, 1], 5, seed=1)[0])
    gone = max(kinds.groups)
    kept = kinds.labels != gone
    from dataclasses import replace

    kinds = replace(kinds, vectors=kinds.vectors[kept], labels=kinds.labels[kept])
    kinds, _ = kinds.extended(sounds([3], 6, seed=2)[0])
    assert gone not in kinds.groups and max(kinds.groups) > gone


def test_a_segment_like_no_other_is_of_none() -> None:
    described, _ = sounds([0, 1, 2], 8, seed=3)
    odd = np.full(SIZE, 60.0)
    described.append(Description(odd, odd + np.random.default_rng(0).normal(0, OFF, (4, SIZE))))
    recognizer = Kinds.empty().extended(described[:-1])[0].recognizer()
    found = recognizer.assign(odd)
    assert found.group == NONE and found.probability > 0.9


def test_naming_is_refused_with_what_there_is() -> None:
    kinds, _ = Kinds.empty().extended(sounds([0, 1], 5, seed=1)[0])
    kinds = kinds.named(1, "door")
    with pytest.raises(ChoiceError, match="no group 7; needed: one of 1, 2"):
        kinds.named(7, "window")
    with pytest.raises(ChoiceError, match="group 1 has the name 'door' already"):
        kinds.named(2, "door")
    assert kinds.named(1, "door").groups[1].name == "door"  # its own
    assert kinds.named(1).groups[1].name == ""


def test_nothing_to_add_changes_nothing() -> None:
    kinds, _ = Kinds.empty().extended(sounds([0], 3, seed=1)[0])
    assert kinds.extended([]) == (kinds, [])


def test_a_named_group_is_not_joined_with_another() -> None:
    earlier = np.array([1, 1, 1, 2, NONE])
    labels, next_group = module._renumbered(np.zeros(5, np.int64), earlier, {2}, 3)
    assert labels.tolist() == [1, 1, 1, 2, 1] and next_group == 3
