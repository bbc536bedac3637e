"""Enrollment: from the recordings of a manifest to the speakers of a gallery."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import prod

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, ManifestError, TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.recording_identity import signature_of_shard
from audiogmm.types import Seconds
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import MeasuredFrames
from audiogmm.verification.speaker import Speaker

MAX_BYTES = 1 << 28
"""Of statistics in memory: more speakers than these take are enrolled one part after the other."""


def max_speakers(background: Mixture) -> int:
    """Return how many speakers' statistics fit into `MAX_BYTES`."""
    K, D = background.means.shape
    second = prod(form_of(background.covariance_type).second_shape(K, D))
    return max(1, int(MAX_BYTES // (8 * 3 * (K * D + second))))


def compute_mark(recording: Shard) -> str:
    """Return a digest of a recording's file and piece, which changes with them; see `Speaker.marks`."""
    return hashlib.blake2b(signature_of_shard(recording).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class EnrollmentRecording:
    """A recording of a speaker, its mark, and the model whose posteriors are taken."""

    shard: Shard
    speaker: str
    mark: str
    model: Mixture

    @property
    def id(self) -> str:
        """The recording's id."""
        return self.shard.id


def measure_recording(recording: EnrollmentRecording, background: str) -> tuple[Speaker, Seconds]:
    """Return a speaker with the statistics of one recording alone, and the recording's length.

    Parameters
    ----------
    recording : EnrollmentRecording
    background : str
        Fingerprint of the background model.

    Raises
    ------
    AudioDataError
        If no frame is voiced.
    FeatureError
        If frames cannot be used; see `voiced_frames`.
    """
    evaluator = _evaluator(recording.model)
    frames = MeasuredFrames(recording.shard, recording.model.n_features)
    statistics: SufficientStats | None = None
    for rows in frames:
        part = evaluator.accumulate(rows)
        statistics = part if statistics is None else statistics + part
    if statistics is None:
        raise AudioDataError(
            f"{recording.id}: none of its {frames.n_frames} frames is voiced",
            needed="at least one frame that the activity detector marks as voiced",
            remedy="a longer or a louder recording, or leave it out",
        )
    speaker = Speaker(
        recording.speaker,
        background,
        statistics,
        (recording.id,),
        frames.voiced_seconds,
        (recording.mark,),
        (frames.decibels,),
    )
    return speaker, frames.seconds


@lru_cache(maxsize=8)
def _evaluator(model: Mixture) -> Evaluator:
    return Evaluator(model)


class Enrollment:
    """Enrolls the speakers of a manifest in a gallery; recordings that were enrolled before are left out.

    Parameters
    ----------
    inputs : Inputs
        The recordings, through the front end of the gallery's background model.
    gallery : Gallery
        Locked while this runs.
    aside : Aside
        Takes entries without a speaker, and speakers without a recording that can be used.

    Attributes
    ----------
    gallery : Gallery
    names : list of str
        Speakers who have new recordings, in the order in which each appears first.
    several : set of str
        Those of them with more than one recording, and those enrolled before.
    recordings : int
        New recordings.
    seconds : Seconds
        Their voiced length.
    note : str
        Why scores are not calibrated; "" if they are.
    """

    def __init__(self, inputs: Inputs, gallery: Gallery, aside: Aside) -> None:
        self.gallery = gallery
        self.names: list[str] = []
        self.several: set[str] = set()
        self.recordings = 0
        self.seconds: Seconds = 0.0
        self.note = ""
        self._inputs = inputs
        self._aside = aside
        self._earlier: dict[str, Speaker | None] = {}
        self._left_out: set[tuple[str, str]] = set()

    @property
    def n_before(self) -> int:
        """Recordings of the manifest that were enrolled before."""
        return len(self._left_out)

    def run(self, reducer: Reducer, each: Callable[[Seconds], None] = lambda _: None) -> None:
        """Enroll all speakers; each is written to the gallery as soon as it is done.

        Parameters
        ----------
        reducer : Reducer
            Does the work; the same bytes for any number of threads and workers.
        each : callable
            Called with the length of each recording that is done, once a round of adaptation.
        """
        names = self._speakers()
        size = max_speakers(self.gallery.background.mixture)
        for part in (names[first : first + size] for first in range(0, len(names), size)):
            self._earlier = {name: self.gallery.get(name) for name in part}
            added = self._enroll(part, reducer, each)
            for name, speaker in added.items():
                earlier, whole = self._earlier[name], self._with_earlier(speaker)
                self.gallery.add(whole)
                self.names.append(name)
                self.recordings += speaker.n_recordings
                self.seconds += whole.voiced_seconds - (earlier.voiced_seconds if earlier else 0.0)
                if whole.n_recordings > 1:
                    self.several.add(name)
            before = {name for name, _ in self._left_out}
            self.several |= before
            for name in sorted(set(part) - set(added) - before):
                self._aside.put(
                    name,
                    "",
                    TrainingError(
                        f"none of the recordings of the speaker {name!r} could be enrolled",
                        needed="a recording that can be read and has a voiced frame",
                        remedy="see the reasons of its recordings",
                    ),
                )
        self._earlier.clear()

    def _speakers(self) -> list[str]:
        """The speakers, in the order in which each appears; entries that name none are set aside."""
        names: dict[str, None] = {}
        for entry in self._inputs.entries:
            if entry.speaker is None:
                error = ManifestError(
                    f"{entry.source or entry.id} names no speaker",
                    needed="a key `speaker`",
                    remedy="add it, or leave the recording out",
                )
                self._aside.put(entry.id, entry.path, error)
            else:
                names[entry.speaker] = None
        return list(names)

    def _enroll(
        self, names: Sequence[str], reducer: Reducer, each: Callable[[Seconds], None]
    ) -> dict[str, Speaker]:
        """The statistics of these speakers' new recordings, in rounds of adaptation."""
        background, adaptation = self.gallery.background.mixture, self.gallery.adaptation
        task = partial(measure_recording, background=self.gallery.fingerprint)
        sums: dict[str, Speaker] = {}
        for round in range(adaptation.iterations):
            models = dict.fromkeys(names, background)
            if round:
                models = {
                    name: self._with_earlier(speaker).adapted(background, adaptation)
                    for name, speaker in sums.items()
                }
            found: dict[str, Speaker] = {}
            for speaker, seconds in reducer.map(self._recordings(models), task, self._inputs.refuse):
                name = speaker.name
                found[name] = found[name].plus(speaker) if name in found else speaker
                each(seconds)
            if not round:
                sums = found
            else:
                sums = {name: replace(sums[name], refined=of.statistics) for name, of in found.items()}
        return sums

    def _with_earlier(self, speaker: Speaker) -> Speaker:
        earlier = self._earlier[speaker.name]
        return speaker if earlier is None else earlier.plus(speaker)

    def _recordings(self, models: Mapping[str, Mixture]) -> Iterator[EnrollmentRecording]:
        """The recordings of the speakers for whom there is a model, but for those enrolled before."""
        for recording in self._inputs:
            name = recording.entry.speaker
            if name is None or name not in models:
                continue
            mark, earlier = compute_mark(recording), self._earlier[name]
            if earlier is not None and mark in earlier.marks:
                self._left_out.add((name, mark))
            else:
                yield EnrollmentRecording(recording, name, mark, models[name])
