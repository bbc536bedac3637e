"""The back end of a background model, and its channel, learned from recordings whose speakers are named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from audiogmm.errors import TrainingError
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress
from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.verification import channel
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import BackEnd
from audiogmm.verification.backend_learning import MIN_SPEAKERS, learn_backend, select_tests
from audiogmm.verification.compensation import Kind
from audiogmm.verification.recordings.background_reader import (
    LabeledRecordings,
    count_speakers,
    read_background,
)
from audiogmm.verification.space import SpaceSettings
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model

BackEndChoice = Literal["auto", "yes", "no"]
"""Learn a back end where there are speakers enough; or raise where there are not; or learn none."""

SPEAKER_COMPONENTS = 128
"""Default number of components of a background model for speakers."""

CHANNEL_RECORDINGS = 50
"""Of each enrolled speaker, from which the channel is estimated."""

N_CHANNELS = 200
"""Synthetic channels to draw from."""


def has_background_speakers(entries: Iterable[Entry] | None, choice: BackEndChoice) -> bool:
    """Tell whether a back end will be learned from the recordings of these entries."""
    return choice != "no" and count_speakers(entries) >= MIN_SPEAKERS


def train_backend(
    mixture: Mixture,
    inputs: Inputs | None,
    choice: BackEndChoice,
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
    choice : {"auto", "yes", "no"}
        ``auto``: where at least `MIN_SPEAKERS` different speakers are named.
    compensation : {"nap", "isv"} or None
        See `Compensation`.
    reducer : Reducer
        Reads the recordings.
    progress : Progress
        Receives the stage and notes.
    adaptation : Adaptation, optional
        How speakers' models will be computed.

    Raises
    ------
    TrainingError
        If there are too few speakers, and a back end was asked for.
    """
    if choice == "no":
        return None
    recordings = None if inputs is None else LabeledRecordings(inputs)
    count = count_speakers(None if inputs is None else inputs.entries)
    is_required = choice == "yes" or compensation is not None
    if recordings is None or count < MIN_SPEAKERS:
        if is_required:
            raise TrainingError(
                f"a back end from {amount(count, 'speaker')}",
                needed=f"a manifest that names at least {MIN_SPEAKERS} different ones (key `speaker`)",
                remedy="name them, or leave out --speakers yes and --compensation",
            )
        return None
    progress.begin("learning to tell speakers apart", None, "recordings")
    spool = RowSpool()
    try:
        background = read_background(recordings, mixture.n_features, spool, reducer)
        channels, noisy = None, {}
        if recordings.inputs.frontend is not None:
            from audiogmm.audio.channels import channel_offsets

            channels = channel_offsets(recordings.inputs.frontend, N_CHANNELS)
            tests = LabeledRecordings(recordings.inputs, noisy=frozenset(select_tests(background)))
            with_noise = read_background(tests, mixture.n_features, spool, reducer, min_frames=1)
            noisy = {recording.id: recording for recording in with_noise}
        return learn_backend(
            mixture,
            background,
            channels=channels,
            settings=SpaceSettings(compensation),
            adaptation=adaptation,
            reducer=reducer if isinstance(reducer, LocalReducer) else LocalReducer(),
            noisy=noisy,
        )
    except TrainingError as error:
        if is_required:
            raise
        progress.say(
            f"no back end for speakers was learned ({error.what}); verify will use plain likelihood ratios"
        )
        return None
    finally:
        spool.close()
        progress.end()


def move_to_channel(model: Model, inputs: Inputs, reducer: LocalReducer, progress: Progress) -> Model:
    """Move the background model to the channel that the speakers of a manifest share.

    It is returned as it is where there are fewer than `channel.MIN_SPEAKERS`: the offset of a few voices is
    not that of their channel.
    """
    recordings = LabeledRecordings(inputs)
    if (count := count_speakers(inputs.entries)) < channel.MIN_SPEAKERS:
        if count:
            progress.say(
                f"the background model is not moved to the channel of {amount(count, 'speaker')}: that takes "
                f"{channel.MIN_SPEAKERS} or more"
            )
        return model
    progress.begin("estimating the channel", None, "recordings")
    with RowSpool() as spool:
        enrolled = read_background(
            recordings,
            model.mixture.n_features,
            spool,
            reducer,
            max_recordings=CHANNEL_RECORDINGS,
            min_frames=1,
        )
        progress.end()
        if not enrolled:
            return model
        return channel.shift_means(model, channel.estimate_offset(model.mixture, enrolled, reducer))
