"""Of what kind the sound of an event is, by the groups that `group` remembers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.kinds.description import LONGEST, describe_segment, described_span
from audiogmm.anomaly.kinds.kinds import Group
from audiogmm.anomaly.kinds.kinds_file import FILE, load_kinds, require_described
from audiogmm.anomaly.kinds.recognizer import NONE, Recognizer
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.blocks import FrameBlock
from audiogmm.content_hash import hash_file
from audiogmm.errors import ChoiceError
from audiogmm.manifest.entry import STANDARD_INPUT, Entry
from audiogmm.runs.progress import say_nothing
from audiogmm.types import Frames, Json, Seconds


@dataclass(frozen=True)
class EventKinds:
    """Recognizes the kinds of events; picklable, for threads and workers.

    Attributes
    ----------
    frontend : FrontEnd
        That segments are described by.
    recognizer : Recognizer
    groups : mapping of int to Group
        Their names.
    hash : str
        Of the file.
    """

    frontend: FrontEnd
    recognizer: Recognizer
    groups: Mapping[int, Group]
    hash: str = ""

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> EventKinds:
        """Read what `group` wrote into a folder.

        Raises
        ------
        ModelFileError
            If there is nothing, or it is damaged.
        MismatchError
            If its segments were described in another way.
        """
        folder = Path(folder)
        kinds, stored = load_kinds(folder)
        require_described(kinds, folder)
        return cls(FrontEnd.from_dict(stored), kinds.recognizer(), kinds.groups, hash_file(folder / FILE))

    def recognize(self, frames: Frames) -> Json:
        """Return `group` (None: like none of them), `name` and `probability` of a sound.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, n_mels), float32
            By `frontend`.
        """
        if not len(frames):
            return {"group": None, "name": "", "probability": None}
        found = self.recognizer.assign(describe_segment(frames).vector)
        number = None if found.group == NONE else found.group
        name = "" if number is None else self.groups[number].name
        return {"group": number, "name": name, "probability": round(found.probability, 4)}

    def is_normal(self, event: Event) -> bool:
        """Whether an event is of a kind that was declared normal."""
        number = None if event.kind is None else event.kind["group"]
        return number is not None and self.groups[number].is_normal

    def of_event(self, event: Event, entry: Entry) -> Event:
        """Return an event with its kind, by its piece of the recording.

        Raises
        ------
        AudioGMMError
            If that cannot be read.
        """
        if entry.path == STANDARD_INPUT:
            raise ChoiceError(
                "standard input can be read only once, and the sounds of events are read again",
                needed="a file",
                remedy="audiogmm stream MODEL - --kinds DIR",
            )
        start, end = described_span(event.start, event.end)
        clock = self.frontend.clock(self.frontend.sample_rate or 0)
        start = int(start * clock.frame_rate + 1e-6) / clock.frame_rate  # where frames of a stream begin
        if entry.end is not None:
            end = min(end, entry.end)  # of an event that goes on in another entry
        piece = replace(entry, offset=start, duration=end - start)
        recording = Recording(piece, self.frontend, upsample=True, warn=say_nothing)
        return replace(event, kind=self.recognize(read_sound(recording)))


def read_sound(blocks: Iterable[FrameBlock], longest: Seconds = LONGEST) -> Frames:
    """Return the frames of blocks, up to a length."""
    kept: list[Frames] = []
    left = 1
    for block in blocks:
        left = left if kept else block.clock.count(longest)
        kept.append(block.frames[:left])
        left -= len(block)
        if left <= 0:
            break
    return np.concatenate(kept)
