"""Trials between background recordings."""

from __future__ import annotations

import numpy as np

from audiogmm.verification.background_trials import IMPOSTORS, TrialSide, choose_trials


def test_false_claims_are_made_of_the_same_kind_where_there_is_one() -> None:
    kinds = {speaker: "F" if speaker < 20 else "M" for speaker in range(40)} | {40: "alone"}
    sides = [TrialSide(speaker, kind, 1.0, np.zeros(2)) for speaker, kind in kinds.items()]
    model, test = choose_trials(sides, sides, np.random.default_rng(0))
    for t, tested in enumerate(sides):
        claimed = [sides[m] for m in model[test == t]]
        others = [side for side in claimed if side.speaker != tested.speaker]
        assert len(claimed) == IMPOSTORS + 1 and len({side.speaker for side in others}) == IMPOSTORS
        assert {side.kind for side in others} == {tested.kind} or tested.kind == "alone"
