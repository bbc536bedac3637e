"""The back end of a background model, learned from the recordings of a manifest that names speakers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from audiogmm.errors import AudioGMMError, TrainingError
from audiogmm.jobs.inputs import Inputs
from audiogmm.jobs.progress import Progress
from audiogmm.training.reduce import LocalReducer, Reducer
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import BackEnd
from audiogmm.verification.compensation import Kind
from audiogmm.verification.learning import FEWEST_SPEAKERS, learn_backend
from audiogmm.verification.material import Known, listen
from audiogmm.verification.space import SpaceSettings

if TYPE_CHECKING:
    from audiogmm.mixture.gaussian import Mixture

Whether = Literal["auto", "yes", "no"]
"""Whether a back end is learned: where there are speakers enough, or else an error, or not."""

KINDS = ("sex", "gender")
"""Keys of a manifest that say what kind of speaker it is; impostors are of the same kind."""

CHANNELS = 200
"""Synthetic channels to draw from."""


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
    n_speakers = 0 if speakers is None else speakers.count()
    if speakers is None or inputs is None or n_speakers < FEWEST_SPEAKERS:
        if whether == "yes" or compensation is not None:
            raise TrainingError(
                f"a back end from {n_speakers} speakers",
                needed=f"a manifest that names at least {FEWEST_SPEAKERS} different ones (key `speaker`)",
                remedy="name them, or leave out --speakers yes and --compensation",
            )
        return None
    progress.begin("learning to tell speakers apart", None, "recordings")
    try:
        voices = listen(speakers, mixture.n_features, reducer, _left_out)
        channels = None
        if inputs.frontend is not None:
            from audiogmm.audio.channels import channel_offsets

            channels = channel_offsets(inputs.frontend, CHANNELS)
        return learn_backend(
            mixture,
            voices,
            channels=channels,
            settings=SpaceSettings(compensation),
            adaptation=adaptation,
            reducer=reducer if isinstance(reducer, LocalReducer) else LocalReducer(),
        )
    except TrainingError as error:
        if whether == "yes" or compensation is not None:
            raise
        progress.say(f"no back end for speakers was learned ({error.what}); verify will use plain ratios")
        return None
    finally:
        progress.end()


def _left_out(_: str, __: AudioGMMError) -> None:
    """A recording too short to tell a voice was good enough to train on."""
