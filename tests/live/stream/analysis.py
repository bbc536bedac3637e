"""Pipelines and sessions of the room's model, and their lines."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from audiogmm.audio.frontend.resample import Resampler
from audiogmm.live.line import Line
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.session import StreamSession, run_sessions
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.runs.progress import Silent
from tests.live.rooms import RATE, model
from tests.live.streams import FakeClock

ALL = ("events", "clusters", "scores")


class Played:
    """A source that plays a list of arrivals."""

    def __init__(self, *arrivals: Any, name: str = "played", drops: bool = False) -> None:
        self.name, self.drops, self.queued = name, drops, 0.0
        self._arrivals = arrivals

    def arrivals(self, waiting: WaitPolicy) -> Any:
        for arrival in self._arrivals:
            if callable(arrival):
                arrival(waiting)
            elif isinstance(arrival, Exception):
                raise arrival
            else:
                yield arrival


def analysis(settings: StreamSettings, trained: Any = None) -> AnalysisPipeline:
    plan = StreamPlan.of(trained or model(), settings, Silent())
    return AnalysisPipeline(plan, InputIdentity("played", "a", "/a.wav"), dict, lambda _: None)


def lines_of(analyzer: AnalysisPipeline, pieces: Any, rate: int = RATE) -> list[Line]:
    analyzer.begin(rate, 0.0)
    lines = [line for piece in pieces for line in analyzer.push(piece)]
    return lines + analyzer.flush()


def played(*arrivals: Any, how: StreamSettings | None = None, **source: Any) -> list[dict[str, Any]]:
    """The lines of a source that plays these arrivals."""
    return played_all([Played(*arrivals, **source)], how)


def played_all(sources: list[Any], how: StreamSettings | None = None) -> list[dict[str, Any]]:
    settings = how or StreamSettings(heartbeat=0)
    plan = StreamPlan.of(model(), settings, Silent())
    texts: list[str] = []

    def pipeline(session: StreamSession, identity: InputIdentity) -> AnalysisPipeline:
        return AnalysisPipeline(plan, identity, lambda: session.status, lambda _: None)

    both = [(source, InputIdentity(source.name, source.name, None)) for source in sources]
    run_sessions(both, pipeline, texts.append, lambda _: None, clock=FakeClock(), patience=5.0)
    return [json.loads(line) for line in "".join(texts).splitlines()]


def faster(samples: np.ndarray, times: int) -> np.ndarray:
    """The same sound at a rate so many times as high."""
    resampler = Resampler(RATE, times * RATE)
    return np.concatenate([resampler.push(samples), resampler.flush()])


def rows(lines: list[Line], type: str) -> list[Any]:
    return [line for line in lines if line.type == type]
