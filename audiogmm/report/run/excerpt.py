"""Excerpts of recordings: samples to look at, and sound to hear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioDataError
from audiogmm.report.page.shown import Found
from audiogmm.report.page.sound import Clip, clip
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

CONTEXT: Seconds = 1.0
"""Sound before and after an event."""

LONGEST: Seconds = 8.0
"""Sound of one event; of a longer one, what lies around its lowest score."""


def sound_of(entry: Entry, found: Found) -> Clip | None:
    """How an event sounds, with what comes before and after it."""
    event = found.event
    start, end = event.start - CONTEXT, event.end + CONTEXT
    if end - start > LONGEST:
        peak = (event.start + event.end) / 2 if event.peak_time is None else event.peak_time
        start = min(max(start, peak - LONGEST / 2), end - LONGEST)
        end = start + LONGEST
    try:
        return cut(entry, start, end)
    except AudioDataError:  # beyond the end of a recording that is shorter by now
        return None


def cut(entry: Entry, start: Seconds, end: Seconds) -> Clip | None:
    """A stretch of a recording to hear, as far as the recording goes; nothing of a feature matrix."""
    if entry.audio_filepath is None:
        return None
    start = max(start, entry.offset)
    samples, rate = samples_of(entry, start, end)
    return clip(samples, rate, start) if len(samples) else None


def samples_of(entry: Entry, start: Seconds, end: Seconds) -> tuple[Samples, float]:
    """What is heard from `start` to `end`, seconds on the recording's clock, as far as there is something."""
    from audiogmm.audio.decode import open_audio

    if entry.end is not None:
        end = min(end, entry.end)
    if end <= start:
        return np.zeros(0, dtype=np.float32), 1.0
    blocks, n = [], 0
    with open_audio(replace(entry, offset=start, duration=None), warn=say_nothing) as stream:
        wanted = max(1, round((end - start) * stream.info.sample_rate))
        for block in stream:  # not by duration: the last frame may reach past the last sample
            blocks.append(block[: wanted - n])
            n += len(blocks[-1])
            if n == wanted:
                break
        return np.concatenate(blocks), float(stream.info.sample_rate)
