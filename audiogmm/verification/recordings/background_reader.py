"""Reading the recordings of background speakers: some voiced frames of each, in bounded memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, AudioGMMError
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.runs.inputs import Inputs
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.types import BoolArray, Frames, Samples
from audiogmm.verification.background import BackgroundRecording, StoredRecording

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

MAX_BYTES = 192 << 20
"""Of frames that are kept, at most, on disk."""

MAX_SPEAKERS = 1000
"""Speakers whose recordings are read; of more, those whose names hash lowest."""

MAX_RECORDINGS = 8
"""Recordings of a speaker that are read; of more, evenly spaced ones."""

MAX_SECONDS = 60.0
"""Voiced seconds that are kept of a recording, at most."""

MIN_FRAMES = 50
"""Voiced frames of a recording; one with fewer is left out."""

KINDS = ("sex", "gender")
"""Keys of a manifest that name the kind of a speaker; impostors are of the same kind."""

DECIBELS, COLORS = (3.0, 25.0), (0.0, 0.95)
"""Of the noise with which calibrations are learned; see `AddedNoise`."""


def speaker_kind(entry: Entry) -> str:
    """Return the kind of speaker that an entry names; "" where it names none."""
    return next((str(entry.extra[key]) for key in KINDS if key in entry.extra), "")


@dataclass(frozen=True)
class LabeledRecording:
    """A recording with its speaker, the kind of speaker, and the bytes of its frames that may be kept."""

    speaker: str
    kind: str
    shard: Shard
    max_bytes: int = MAX_BYTES

    @property
    def id(self) -> str:
        """The recording's id."""
        return self.shard.id


@dataclass(frozen=True)
class LabeledRecordings:
    """The recordings of a manifest whose speaker is named, re-iterable.

    Attributes
    ----------
    inputs : Inputs
        All recordings.
    noisy : frozenset of str or None
        Only the recordings of these ids, those of feature matrices excepted, with noise added to each.
    """

    inputs: Inputs
    noisy: frozenset[str] | None = None

    def __iter__(self) -> Iterator[LabeledRecording]:
        for recording in self.inputs:
            entry = recording.entry
            if entry.speaker is None:
                continue
            if self.noisy is not None:
                if recording.id not in self.noisy or entry.audio_filepath is None:
                    continue
                recording = add_noise(recording)
            yield LabeledRecording(entry.speaker, speaker_kind(entry), recording)


def count_speakers(entries: Iterable[Entry] | None) -> int:
    """Return the number of different speakers that a manifest names."""
    return len({entry.speaker for entry in entries or () if entry.speaker is not None})


def add_noise(recording: Recording) -> Recording:
    """Return a recording with noise, which is drawn by its id."""
    from audiogmm.audio.added_noise import AddedNoise

    rng = np.random.default_rng(list(recording.id.encode(errors="surrogatepass")))
    noise = AddedNoise(rng.uniform(*DECIBELS), rng.uniform(*COLORS), int(rng.integers(2**31)))
    return replace(recording, noise=noise)


def share_memory(recordings: Mapping[str, int], max_recordings: int) -> dict[str, tuple[int, int]]:
    """Choose the speakers to read: of each, every n-th recording, and how many bytes of it to keep.

    Parameters
    ----------
    recordings : mapping of str to int
        How many recordings there are of each speaker.
    max_recordings : int
        Recordings to read of each.

    Examples
    --------
    >>> share_memory({"ann": 1, "bob": 16}, 8)["bob"]
    (2, 12582912)
    """

    def place(name: str) -> bytes:
        return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()

    names = list(recordings)
    if len(names) > MAX_SPEAKERS:
        chosen = set(sorted(names, key=place)[:MAX_SPEAKERS])
        names = [name for name in names if name in chosen]
    found = {}
    for name in names:
        stride = -(-recordings[name] // max_recordings)
        n_read = -(-recordings[name] // stride)
        found[name] = (stride, MAX_BYTES // len(names) // n_read)
    return found


def select_recordings(
    recordings: Iterable[LabeledRecording], max_recordings: int = MAX_RECORDINGS
) -> Iterator[LabeledRecording]:
    """Yield those of re-iterable recordings that are to be read, each with its share of the memory."""
    plan = share_memory(Counter(recording.speaker for recording in recordings), max_recordings)
    met: Counter[str] = Counter()
    for recording in recordings:
        if recording.speaker in plan:
            stride, share = plan[recording.speaker]
            if met[recording.speaker] % stride == 0:
                yield replace(recording, max_bytes=share)
            met[recording.speaker] += 1


def read_frames(recording: LabeledRecording, n_features: int, min_frames: int) -> BackgroundRecording:
    """Read the first voiced frames of a recording.

    Raises
    ------
    AudioDataError
        If fewer than `min_frames` frames are voiced.
    """
    parts: list[Frames] = []
    levels: list[Samples | None] = []
    marks: list[BoolArray] = []
    rate, size, most = 100.0, 0, recording.max_bytes // (4 * n_features)
    for block in recording.shard:
        frames = voiced_frames(recording.id, block, n_features)
        rate = block.clock.frame_rate
        most = min(most, int(MAX_SECONDS * rate))
        parts.append(np.array(frames[: most - size], dtype=np.float32))
        passed = len(block)
        if len(frames) >= most - size:  # up to the last one that is kept, however blocks are cut
            passed = int(np.flatnonzero(block.voiced)[most - size - 1]) + 1
        marks.append(np.array(block.voiced[:passed]))
        levels.append(None if block.levels is None else np.array(block.levels[:passed]))
        size += len(parts[-1])
        if size >= most:
            break
    if size < min_frames:
        raise AudioDataError(
            f"{recording.id}: {size} voiced frames",
            needed=f"at least {min_frames} to learn from",
            remedy="a longer recording",
        )
    known = [part for part in levels if part is not None]
    return BackgroundRecording(
        recording.id,
        recording.speaker,
        recording.kind,
        np.concatenate(parts),
        rate,
        np.concatenate(known) if len(known) == len(parts) else None,
        np.concatenate(marks),
    )


def read_background(
    recordings: Iterable[LabeledRecording],
    n_features: int,
    spool: RowSpool,
    reducer: Reducer | None = None,
    *,
    max_recordings: int = MAX_RECORDINGS,
    min_frames: int = MIN_FRAMES,
) -> list[StoredRecording]:
    """Read some frames of every speaker, in one pass. Recordings that cannot be used are left out.

    Parameters
    ----------
    recordings : iterable of LabeledRecording
        Re-iterable; each is read once, and only as far as needed.
    n_features : int
        Of their frames.
    spool : RowSpool
        Takes the frames.
    reducer : Reducer, optional
        Does the work.
    max_recordings : int
        Of each speaker.
    min_frames : int
        Voiced, of a recording.

    Returns
    -------
    list of StoredRecording
        At most `MAX_BYTES` of frames.
    """
    task = partial(read_frames, n_features=n_features, min_frames=min_frames)
    chosen = select_recordings(recordings, max_recordings)
    found = (reducer or LocalReducer()).map(chosen, task, _leave_out)
    return [StoredRecording.of(recording, spool) for recording in found]


def _leave_out(_: str, __: AudioGMMError) -> None:
    """Training has set aside what cannot be read, and one that is only too short was good enough for it."""
