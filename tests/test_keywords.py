"""Keywords that are numbers refuse what is none, with what came and what is needed, whatever the verb."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.training.settings import MixtureSettings

ROWS = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_components": "2"}, "n_components='2'; needed: a whole number, or None; try: n_components=2"),
        ({"n_components": 2.5}, "n_components=2.5; needed: a whole number, or None; try: n_components=2"),
        ({"seed": "x"}, "seed='x'; needed: a whole number; try: seed=0"),
        ({"tol": "1e-2"}, "tol='1e-2'; needed: a number; try: tol=0.01"),
        ({"passes": None}, "passes=None; needed: a whole number; try: passes="),
        ({"restarts": True}, "restarts=True; needed: a whole number; try: restarts=1"),
        ({"threads": [1]}, r"threads=[1]; needed: a whole number, or None; try: threads=None"),
        ({"hold_out": float}, "needed: a number"),
    ],
)
def test_train_refuses_what_is_no_number(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        ag.train(ROWS, **given)
    assert message in str(refused.value)


def test_other_verbs_and_settings_refuse_it_too() -> None:
    model = ag.Model(ag.Mixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diag"))
    with pytest.raises(ChoiceError, match="min_duration='1'; needed: a number, or None; try: min_duration=1"):
        ag.detect(model, ROWS, min_duration="1")
    with pytest.raises(ChoiceError, match=r"n_components=2\.5; needed: a whole number; try: n_components=2$"):
        MixtureSettings(n_components=2.5)  # type: ignore[arg-type]


def test_numbers_of_libraries_are_numbers() -> None:
    made = ag.train(ROWS, n_components=np.int64(1), tol=np.float32(0.5), seed=np.int64(3), hold_out=0)
    assert made.fingerprint == ag.train(ROWS, n_components=1, tol=0.5, seed=3, hold_out=0).fingerprint
