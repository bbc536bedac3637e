"""What is kept of a background to learn a back end from: some voiced frames of each speaker, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError
from audiogmm.reduce import LocalReducer, OnError, Reducer
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.types import BoolArray, Frames, Samples
from audiogmm.verification.quality import SignalToNoise

MOST_BYTES = 192 << 20
"""Of frames that are kept, at most."""

MOST_SPEAKERS = 1000
"""Speakers that are listened to; of more, those whose names hash lowest."""

MOST_RECORDINGS = 8
"""Recordings of a speaker that are listened to; of more, evenly spaced ones."""

MOST_SECONDS = 60.0
"""Voiced seconds that are kept of a speaker, at most."""

LEAST_FRAMES = 50
"""A recording with fewer voiced frames tells nothing about its speaker."""


@dataclass(frozen=True)
class Voice:
    """The voiced frames that are kept of a recording.

    Attributes
    ----------
    id : str
        The recording's.
    speaker : str
        Who speaks.
    kind : str
        Speakers of one kind (such as a sex) are compared with each other; "" where it is not known.
    frames : ndarray of shape (n, n_features), float32
    frame_rate : float
        Frames a second.
    levels : ndarray of shape (m,), float32, or None
        Power of all frames that were passed, voiced or not, decibels; None where frames have none.
    voiced : ndarray of shape (m,), bool, or None
        Which of them are the n; None where all are.
    """

    id: str
    speaker: str
    kind: str
    frames: Frames
    frame_rate: float
    levels: Samples | None = None
    voiced: BoolArray | None = None

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(())

    @property
    def decibels(self) -> float:
        """The signal-to-noise ratio; NaN where levels are not known."""
        heard = SignalToNoise()
        heard.push(self.levels, self._voiced())
        return heard.decibels

    def place(self, n: int) -> int:
        """Which of all frames that were passed is the n-th voiced one; how many there are, if none is."""
        places = np.flatnonzero(self._voiced())
        return int(places[n]) if n < len(places) else len(self._voiced())

    def voiced_before(self, place: int) -> int:
        """How many of the frames that were passed before a place are voiced."""
        return int(np.count_nonzero(self._voiced()[:place]))

    def part(self, first: int, last: int) -> Voice:
        """The voiced frames from `first` up to `last`, and what lies between them.

        Examples
        --------
        >>> voiced = np.array([False, True, True, False, True])
        >>> voice = Voice("a", "ann", "", np.zeros((3, 1), np.float32), 100.0, None, voiced)
        >>> voice.part(1, 3).voiced.tolist(), len(voice.part(0, 1).frames)
        ([True, False, True], 1)
        """
        start, stop = (0 if first <= 0 else self.place(first)), self.place(last)
        return replace(
            self,
            frames=self.frames[first:last],
            levels=None if self.levels is None else self.levels[start:stop],
            voiced=None if self.voiced is None else self.voiced[start:stop],
        )

    def _voiced(self) -> BoolArray:
        return np.ones(len(self.frames), np.bool_) if self.voiced is None else self.voiced


def joined(voices: Sequence[Voice]) -> Voice:
    """Recordings of one speaker, one after the other."""
    if len(voices) == 1:
        return voices[0]
    levels = [voice.levels for voice in voices if voice.levels is not None]
    return replace(
        voices[0],
        frames=np.concatenate([voice.frames for voice in voices]),
        levels=np.concatenate(levels) if len(levels) == len(voices) else None,
        voiced=np.concatenate([voice._voiced() for voice in voices]),
    )


@dataclass(frozen=True)
class Known:
    """A recording, with who speaks, what kind of speaker that is, and how many bytes may be kept."""

    speaker: str
    kind: str
    shard: Shard
    most_bytes: int = MOST_BYTES

    @property
    def id(self) -> str:
        """The recording's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        return iter(self.shard)


def shares(recordings: Mapping[str, int], most: int = MOST_RECORDINGS) -> dict[str, tuple[int, int]]:
    """Who is listened to: every how manyth recording of each, and bytes to keep of each of these.

    Parameters
    ----------
    recordings : mapping of str to int
        How many recordings there are of each speaker.
    most : int
        Recordings to listen to of each.

    Examples
    --------
    >>> shares({"ann": 1, "bob": 16})["bob"]
    (2, 12582912)
    """

    def place(name: str) -> bytes:
        return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()

    names = list(recordings)
    if len(names) > MOST_SPEAKERS:
        chosen = set(sorted(names, key=place)[:MOST_SPEAKERS])
        names = [name for name in names if name in chosen]
    found = {}
    for name in names:
        stride = -(-recordings[name] // most)
        listened = -(-recordings[name] // stride)
        found[name] = (stride, MOST_BYTES // len(names) // listened)
    return found


def chosen(samples: Iterable[Known], most: int = MOST_RECORDINGS) -> Iterator[Known]:
    """Of re-iterable samples, those that `shares` says, with their share of the memory."""
    counts: dict[str, int] = {}
    for sample in samples:
        counts[sample.speaker] = counts.get(sample.speaker, 0) + 1
    plan = shares(counts, most)
    met: dict[str, int] = {}
    for sample in samples:
        if sample.speaker not in plan:
            continue
        place = met.get(sample.speaker, 0)
        met[sample.speaker] = place + 1
        stride, share = plan[sample.speaker]
        if place % stride == 0:
            yield Known(sample.speaker, sample.kind, sample.shard, share)


@dataclass(frozen=True)
class Listen:
    """Takes the first voiced frames of a recording."""

    n_features: int
    least: int = LEAST_FRAMES

    def __call__(self, sample: Known) -> Voice:
        """What is kept of it.

        Raises
        ------
        AudioDataError
            If fewer than `least` frames are voiced.
        """
        parts: list[Frames] = []
        levels: list[Samples | None] = []
        marks: list[BoolArray] = []
        rate, size, most = 100.0, 0, sample.most_bytes // (4 * self.n_features)
        for block in sample.shard:
            frames = voiced_frames(sample.id, block, self.n_features)
            rate = block.clock.frame_rate
            most = min(most, int(MOST_SECONDS * rate))
            parts.append(np.array(frames[: most - size], dtype=np.float32))
            passed = len(block)
            if len(frames) >= most - size:  # up to the last one that is kept, however blocks are cut
                passed = int(np.flatnonzero(block.voiced)[most - size - 1]) + 1
            marks.append(np.array(block.voiced[:passed]))
            levels.append(None if block.levels is None else np.array(block.levels[:passed]))
            size += len(parts[-1])
            if size >= most:
                break
        if size < self.least:
            raise AudioDataError(
                f"{sample.id}: {size} voiced frames",
                needed=f"at least {self.least} to learn a voice from",
                remedy="a longer recording",
            )
        known = [part for part in levels if part is not None]
        return Voice(
            sample.id,
            sample.speaker,
            sample.kind,
            np.concatenate(parts),
            rate,
            np.concatenate(known) if len(known) == len(parts) else None,
            np.concatenate(marks),
        )


def listen(
    samples: Iterable[Known],
    n_features: int,
    reducer: Reducer | None = None,
    on_error: OnError | None = None,
    *,
    most_recordings: int = MOST_RECORDINGS,
    least_frames: int = LEAST_FRAMES,
) -> list[Voice]:
    """Keep some frames of every speaker, in one pass.

    Parameters
    ----------
    samples : iterable of Known
        Re-iterable; the recordings are read once, and only as far as needed.
    n_features : int
        Of their frames.
    reducer : Reducer, optional
        Does the work.
    on_error : callable, optional
        Hears of each recording that is left out; by default the first error is raised.
    most_recordings : int
        Of each speaker.
    least_frames : int
        Voiced, of a recording.

    Returns
    -------
    list of Voice
        At most `MOST_BYTES` of frames.
    """
    task = Listen(n_features, least_frames)
    return list((reducer or LocalReducer()).map(chosen(samples, most_recordings), task, on_error))
