"""Plans: models that cannot be used are refused before any sound arrives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audiogmm.errors import MismatchError
from audiogmm.live.stream.settings import StreamSettings
from tests.live.rooms import model, room
from tests.live.stream.analysis import analysis, lines_of


def test_an_uncalibrated_model_has_scores_but_no_events() -> None:
    plain = replace(model().metadata, detector=None)
    bare = replace(model(), metadata=plain, tensors={})
    with pytest.raises(MismatchError, match="no scores of normal audio"):
        analysis(StreamSettings(), bare)
    lines = lines_of(analysis(StreamSettings(("scores",), heartbeat=0), bare), [room(2.0)])
    assert [line.type for line in lines] == ["score", "score"]


def test_a_detector_of_another_front_end_is_refused() -> None:
    metadata = replace(model().metadata, frontend=model().metadata.frontend | {"hop_length": 0.02})
    with pytest.raises(MismatchError, match="50 frames a second; needed: 100"):
        analysis(StreamSettings(), replace(model(), metadata=metadata))


def test_a_model_without_a_front_end_is_refused() -> None:
    with pytest.raises(MismatchError, match="precomputed features"):
        analysis(StreamSettings(), replace(model(), metadata=replace(model().metadata, frontend=None)))
