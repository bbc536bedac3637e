"""The back end of a background model, learned from the recordings of a manifest that names speakers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from audiogmm.errors import AudioGMMError, TrainingError
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress
from audiogmm.verification import domain
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import BackEnd
from audiogmm.verification.background_frames import Known, listen
from audiogmm.verification.compensation import Kind
from audiogmm.verification.learning import FEWEST_SPEAKERS, learn_backend, tried_recordings
from audiogmm.verification.space import SpaceSettings
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model

Whether = Literal["auto", "yes", "no"]
"""Whether a back end is learned: where there are speakers enough, or else an error, or not."""

FOR_SPEAKERS = 128
"""Components of a background model for speakers, where nothing is said."""

KINDS = ("sex", "gender")
"""Keys of a manifest that say what kind of speaker it is; impostors are of the same kind."""

RECORDINGS = 50
"""Of each speaker enrolled, from which the channel is learned."""

CHANNELS = 200
"""Synthetic channels to draw from."""

DECIBELS, COLOURS = (3.0, 25.0), (0.0, 0.95)
"""Of the noise that calibrations are taught by; see `AddedNoise`."""


@dataclass(frozen=True)
class Speakers:
    """The recordings of a manifest whose speaker is named, re-iterable."""

    inputs: Inputs

    def __iter__(self) -> Iterator[Known]:
        for recording in self.inputs:
            entry = recording.entry
            if entry.speaker is not None:
                kind = next((str(entry.extra[key]) for key in KINDS if key in entry.extra), "")
                yield Known(entry.speaker, kind, recording)

    def count(self) -> int:
        """How many different speakers there are."""
        return len({entry.speaker for entry in self.inputs.entries if entry.speaker is not None})


@dataclass(frozen=True)
class ThroughNoise:
    """Some recordings of speakers, each with noise of its own added, re-iterable."""

    speakers: Speakers
    ids: frozenset[str]

    def __iter__(self) -> Iterator[Known]:
        from audiogmm.audio.added_noise import AddedNoise

        for known in self.speakers:
            recording = cast("Recording", known.shard)
            if known.id in self.ids and recording.entry.audio_filepath is not None:
                rng = np.random.default_rng(list(known.id.encode(errors="surrogatepass")))
                noise = AddedNoise(rng.uniform(*DECIBELS), rng.uniform(*COLOURS), int(rng.integers(2**31)))
                yield replace(known, shard=replace(recording, noise=noise))


def n_speakers(inputs: Inputs | None, whether: Whether) -> int:
    """How many speakers a back end will be learned from; 0 where none will be."""
    if inputs is None or whether == "no":
        return 0
    count = Speakers(inputs).count()
    return count if count >= FEWEST_SPEAKERS else 0


def learn_speakers(
    mixture: Mixture,
    inputs: Inputs | None,
    whether: Whether,
    compensation: Kind | None,
    reducer: Reducer,
    progress: Progress,
    adaptation: Adaptation | None = None,
) -> BackEnd | None:
    """Learn a back end in one more pass over the recordings.

    Parameters
    ----------
    mixture : Mixture
        The background model.
    inputs : Inputs or None
        The recordings; None for blocks of frames, which have no speakers.
    whether : {"auto", "yes", "no"}
        ``auto``: where at least `FEWEST_SPEAKERS` different speakers are named.
    compensation : {"nap", "isv"} or None
        See `Compensation`.
    reducer : Reducer
        Reads the recordings.
    progress : Progress
        Who listens.
    adaptation : Adaptation, optional
        How speakers' models will be made.

    Raises
    ------
    TrainingError
        If there are too few speakers, and one was asked for.
    """
    if whether == "no":
        return None
    speakers = None if inputs is None else Speakers(inputs)
    count = 0 if speakers is None else speakers.count()
    if speakers is None or inputs is None or count < FEWEST_SPEAKERS:
        if whether == "yes" or compensation is not None:
            raise TrainingError(
                f"a back end from {count} speakers",
                needed=f"a manifest that names at least {FEWEST_SPEAKERS} different ones (key `speaker`)",
                remedy="name them, or leave out --speakers yes and --compensation",
            )
        return None
    progress.begin("learning to tell speakers apart", None, "recordings")
    try:
        voices = listen(speakers, mixture.n_features, reducer, _left_out)
        channels, noisy = None, {}
        if inputs.frontend is not None:
            from audiogmm.audio.channels import channel_offsets

            channels = channel_offsets(inputs.frontend, CHANNELS)
            through = ThroughNoise(speakers, frozenset(tried_recordings(voices)))
            heard = listen(through, mixture.n_features, reducer, _left_out, least_frames=1)
            noisy = {voice.id: voice for voice in heard}
        return learn_backend(
            mixture,
            voices,
            channels=channels,
            settings=SpaceSettings(compensation),
            adaptation=adaptation,
            reducer=reducer if isinstance(reducer, LocalReducer) else LocalReducer(),
            noisy=noisy,
        )
    except TrainingError as error:
        if whether == "yes" or compensation is not None:
            raise
        progress.say(f"no back end for speakers was learned ({error.what}); verify will use plain ratios")
        return None
    finally:
        progress.end()


def in_shared_channel(model: Model, inputs: Inputs, reducer: LocalReducer, progress: Progress) -> Model:
    """The background model, moved to the channel that the speakers of a manifest share.

    As it is where there are fewer than `domain.FEWEST_SPEAKERS`: a channel cannot be told from a voice then.
    """
    speakers = Speakers(inputs)
    if (count := speakers.count()) < domain.FEWEST_SPEAKERS:
        if count:
            progress.say(
                f"{amount(count, 'speaker')}: too few to tell their channel from their voices (needed: "
                f"{domain.FEWEST_SPEAKERS}), so the background model stays where it is"
            )
        return model
    progress.begin("listening to the channel", None, "recordings")
    voices = listen(
        speakers, model.mixture.n_features, reducer, _left_out, most_recordings=RECORDINGS, least_frames=1
    )
    progress.end()
    return domain.moved(model, domain.shared_offset(model.mixture, voices, reducer)) if voices else model


def _left_out(_: str, __: AudioGMMError) -> None:
    """A recording too short to tell a voice was good enough to train on."""
