"""Normal scores for a detector: recordings held out, scored by models of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from audiogmm.anomaly.detector import Detector, learn
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, MismatchError
from audiogmm.jobs.calibrate import TrackTask
from audiogmm.jobs.holdout import Chosen, turns
from audiogmm.jobs.inputs import Inputs
from audiogmm.jobs.progress import Progress
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.scoring.track import ScoreTrack
from audiogmm.training import Reducer, TrainingResult
from audiogmm.types import Seconds

SHORT: Seconds = 600.0
"""Where there is less audio than this, every recording takes its turn to be held out."""


class Fit(Protocol):
    """Trains on some recordings."""

    def __call__(self, part: Iterable[Shard], name: str, stage: str) -> TrainingResult:
        """Train; `name` is that of the checkpoint, `stage` what a person is told."""
        ...


def cross_fit(
    fit: Fit, kept: Iterable[Shard], held: Iterable[Shard], inputs: Inputs | None, seed: int
) -> Iterator[tuple[TrainingResult, Iterable[Shard]]]:
    """A model of the recordings that are kept, and those held out; in turns, where the audio is short.

    A tenth of three minutes says little about what is rare. There, every recording is held out once, each
    time from a model of the others, so that all of the audio tells how normal audio scores (cross-fitting).

    Yields
    ------
    result : TrainingResult
        The first one is of `kept`.
    held : iterable of Shard
        What it did not see.
    """
    first = fit(kept, "part", "training, some held out")
    yield first, held
    if inputs is None or not isinstance(held, Chosen) or first.seconds >= SHORT:
        return
    others = turns(inputs.entries, held.held, seed)
    for i, turn in enumerate(others):
        stage = f"training, others held out ({i + 2} of {len(others) + 1})"
        result = fit(Chosen(held.shards, turn, wanted=False), f"part{i + 2}", stage)
        yield result, Chosen(held.shards, turn, wanted=True)


def learn_from(
    fitted: Iterable[tuple[TrainingResult, Iterable[Shard]]],
    reducer: Reducer,
    inputs: Inputs | None,
    progress: Progress,
) -> Detector | None:
    """What held-out recordings score under models of the others; None if none can be scored."""

    def tracks() -> Iterator[ScoreTrack]:
        for result, held in fitted:
            progress.begin("scoring the held-out part", None, "recordings")
            task = TrackTask(Evaluator(result.mixture))
            yield from reducer.map(held, task, None if inputs is None else _met_again)
            progress.end()

    try:
        return learn(tracks())
    except MismatchError as error:
        progress.say(
            f"no normal scores were learnt ({error.what}); detect needs calibrate, or a model of more audio"
        )
        return None
    finally:
        progress.end()


def _met_again(_: str, __: AudioGMMError) -> None:
    """A recording that cannot be scored here is set aside when the model is estimated on all."""
