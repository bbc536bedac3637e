"""Excerpts of recordings: samples for a picture, and sound for a player."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioDataError
from audiogmm.reporting.page.content import ReportedEvent
from audiogmm.reporting.page.sound import Clip, clip
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

CONTEXT: Seconds = 1.0
"""Sound that is kept before and after an event."""

LONGEST: Seconds = 8.0
"""Longest excerpt of an event; of a longer event, the part around its lowest score is taken."""


def cut_event(entry: Entry, found: ReportedEvent) -> Clip | None:
    """Cut an event out of its recording, with some sound around it; None where the recording is shorter."""
    event = found.event
    last = event.end if entry.end is None else min(event.end, entry.end)  # it may span others behind it
    start, end = event.start - CONTEXT, last + CONTEXT
    if end - start > LONGEST:
        peak = (event.start + last) / 2 if event.peak_time is None else min(event.peak_time, last)
        start = min(max(start, peak - LONGEST / 2), end - LONGEST)
        end = start + LONGEST
    try:
        return cut_sound(entry, start, end)
    except AudioDataError:  # beyond the end of a recording that is shorter by now
        return None


def cut_sound(entry: Entry, start: Seconds, end: Seconds) -> Clip | None:
    """Cut a stretch out of a recording, as far as the recording goes; None for a feature matrix."""
    start = max(start, entry.offset)
    samples, rate = read_samples(entry, start, end)
    return clip(samples, rate, start) if len(samples) else None


def read_samples(entry: Entry, start: Seconds, end: Seconds) -> tuple[Samples, float]:
    """Read a stretch of a recording, as far as the recording goes; no samples of a feature matrix.

    Parameters
    ----------
    entry : Entry
    start, end : Seconds
        On the recording's clock.

    Returns
    -------
    samples : ndarray of shape (n,), float32
    sample_rate : float
        Hertz; 1 where there are no samples.
    """
    from audiogmm.audio.decode import open_audio

    if entry.end is not None:
        end = min(end, entry.end)
    if end <= start or entry.audio_filepath is None:
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
