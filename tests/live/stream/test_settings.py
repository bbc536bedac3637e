"""Settings of streams, for analysis and for training."""

from __future__ import annotations

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.settings import parse_emit


@pytest.mark.parametrize("text", ["noise", "", "events,,x"])
def test_unknown_kinds_of_lines_are_refused(text: str) -> None:
    with pytest.raises(ChoiceError, match="some of events, clusters, speakers, scores"):
        parse_emit(text)


@pytest.mark.parametrize(
    ("name", "value"), [("cold_start", 0.0), ("cold_start", 4000.0), ("save_every", -1.0), ("half_life", 0.0)]
)
def test_settings_outside_their_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ChoiceError, match=f"{name}={value}"):
        LearnSettings(**{name: value})
