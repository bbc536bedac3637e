"""The recordings of a manifest, for training or scoring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.audio.decoders.notices import Warn, warn_user
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.matrix.matrix import expand_archive
from audiogmm.audio.recording import Recording
from audiogmm.errors import FeatureError
from audiogmm.manifest.entry import Entry


@dataclass(frozen=True)
class RecordingSet:
    """The recordings of a manifest: lazy, re-iterable, and picklable if its entries and `warn` are.

    An entry that names a Kaldi archive of several matrices gives a recording for each of them. A damaged
    archive gives a recording that raises when it is iterated.

    Attributes
    ----------
    entries : re-iterable of Entry
        A `Manifest`, or a list.
    frontend, sample_rate, upsample, cache, warn
        As of each `Recording`.

    Examples
    --------
    >>> entries = [Entry("/data/a.wav", id="a"), Entry("/data/b.wav", id="b")]
    >>> [recording.id for recording in RecordingSet(entries, FrontEnd.preset("speech"))]
    ['a', 'b']
    """

    entries: Iterable[Entry]
    frontend: FrontEnd | None = None
    sample_rate: int | None = None
    upsample: bool = False
    cache: Path | None = None
    warn: Warn = field(default=warn_user, compare=False)

    def __iter__(self) -> Iterator[Recording]:
        for entry in self.entries:
            try:
                for piece in expand_archive(entry):
                    yield self._recording(piece)
            except FeatureError:
                yield self._recording(entry)

    def _recording(self, entry: Entry) -> Recording:
        return Recording(entry, self.frontend, self.sample_rate, self.upsample, self.cache, self.warn)
