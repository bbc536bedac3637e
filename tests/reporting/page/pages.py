"""Pages made up for tests: recordings with known events, sound and pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.reporting.page.content import (
    DetectorSummary,
    NormalSummary,
    ReportedEvent,
    ReportedRecording,
    ScoreCurve,
    Stretch,
)
from audiogmm.reporting.page.document import Page
from audiogmm.reporting.page.image import spectrogram_image
from audiogmm.reporting.page.model import normal_section
from audiogmm.reporting.page.recording import recording_card
from audiogmm.reporting.page.sound import clip
from audiogmm.timeline import Segment

RATE = 16000
THRESHOLD = -60.0
DETECTOR = DetectorSummary(THRESHOLD, -55.0, 9000.0)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def found(id: str, start: float, peak: float, **changes: Any) -> ReportedEvent:
    """An event of one second with its sound."""
    event = Event(f"/data/{id}.wav", id, start, start + 1.0, peak + 2, peak, start + 0.4, THRESHOLD, 0.01,
                  changes.pop("reasons", ("more energy at 3 kHz",)))  # fmt: skip
    return ReportedEvent(event, clip=changes.pop("clip", clip(noise(2.0), RATE, start - 0.5)), **changes)


def shown(id: str, peaks: tuple[float, ...] = (-70.0,), **changes: Any) -> ReportedRecording:
    """A recording of ten seconds, with an event a peak."""
    scores = np.full(500, -50.0)
    samples = noise(10.0)
    curve = ScoreCurve(scores - 1, scores + 1, 0.02)
    events = [found(id, 2.0 + 3 * i, peak) for i, peak in enumerate(peaks)]
    settings: dict[str, Any] = {
        "path": f"/data/{id}.wav",
        "n_events": len(events),
        "events": events,
        "seconds": 10.0,
        "lowest": min([-51.0, *peaks]),
        "limits": (-80.0, -40.0),
        "stretches": [Stretch(0.0, 10.0, curve, spectrogram_image(samples, RATE), RATE / 2)],
        "truth": [Segment(2.0, 3.0)],
    }
    return ReportedRecording(id, **(settings | changes))


def page(recordings: list[ReportedRecording], **changes: Any) -> Page:
    """A page of these recordings."""
    cards = [recording_card(one, f"r{i}", one.id, DETECTOR) for i, one in enumerate(recordings)]
    events = sorted((event for one in recordings for event in one.events), key=lambda event: event.rank)
    windows = np.sort(np.random.default_rng(0).normal(-50, 2, 5000))
    normal = NormalSummary(windows, 120.0, 0.5, "a note on the threshold")
    settings: dict[str, Any] = {
        "title": "Events in test.jsonl",
        "facts": [("recordings", str(len(recordings)))],
        "n_events": len(events),
        "detector": DETECTOR,
        "events": events,
        "cards": cards,
        "panels": [normal_section(normal, DETECTOR, [-70.0])],
    }
    return Page(**(settings | changes))
