"""A mixture of classes: a mixture for each label, fitted to its own frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiogmm.errors import AudioGMMError, TrainingError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import OnError, Reducer
from audiogmm.training.first_pass import ExcludedRecording
from audiogmm.training.frames.labeled import ClassMoments, LabeledShard, NumberedLabels, measure_classes
from audiogmm.training.frames.moments import FrameMoments
from audiogmm.training.result import TrainingResult
from audiogmm.training.schedule.monitor import Monitor, PassReport
from audiogmm.training.settings import MixtureSettings
from audiogmm.training.training import train_mixture
from audiogmm.words import amount

FRAMES_EACH = 50
"""Frames for each component of a class, at least: a class of few frames has fewer components."""

FEWEST = 20
"""Frames of a class, at least."""


@dataclass(frozen=True)
class ClassResult(TrainingResult):
    """A mixture trained on labeled frames.

    Attributes
    ----------
    sizes : tuple of int
        Components of each class, in the order of their numbers; 0 for one that was left out.
    class_frames : tuple of int
        Frames of each class.
    """

    sizes: tuple[int, ...] = ()
    class_frames: tuple[int, ...] = ()


def train_classes(
    shards: Iterable[LabeledShard],
    names: Sequence[str],
    *,
    settings: MixtureSettings,
    reducer: Reducer,
    optional: Sequence[str] = (),
    monitor: Monitor | None = None,
    checkpoint: Path | None = None,
    on_error: OnError | None = None,
) -> ClassResult:
    """Train a mixture for each class, and join them: ``p(x) = sum_c P(c) p(x | c)``.

    Each class is fitted by itself, with the variance floor of all labeled frames. P(c) is its share of them.
    This maximizes the likelihood of frames and labels together, ``sum_n log P(c_n) p(x_n | c_n)``, which is
    what `log_likelihood` reports, per frame.

    Parameters
    ----------
    shards : iterable of LabeledShard
        Re-iterable.
    names : sequence of str
        Of the classes, by their numbers.
    settings : MixtureSettings
        `n_components` is the most that a class gets, one for each `FRAMES_EACH` frames.
    reducer : Reducer
        Threads and workers.
    optional : sequence of str
        Classes that are left out if they have too few frames.
    monitor, checkpoint, on_error
        As for `train_mixture`.

    Returns
    -------
    ClassResult
        The components of the first class come first.

    Raises
    ------
    TrainingError
        If a class has fewer than `FEWEST` frames.
    """
    set_aside: list[ExcludedRecording] = []

    def refuse(id: str, error: AudioGMMError) -> None:
        set_aside.append(ExcludedRecording(id, error))
        if on_error is not None:
            on_error(id, error)

    numbered = (NumberedLabels(place, shard) for place, shard in enumerate(shards))
    measured = {each.place: each for each in reducer.map(numbered, measure_classes, refuse)}
    totals = _totals(measured.values(), len(names))
    numbers = _usable(totals, measured.values(), names, optional)
    moments = sum_of([totals[number] for number in numbers])
    floor = settings.variance_floor(moments.statistics)
    results = []
    for number in numbers:
        total = totals[number]
        assert total is not None
        own = [
            replace(shard, only=number)
            for place, shard in enumerate(shards)
            if place in measured and number in measured[place].moments
        ]
        size = min(settings.n_components, max(1, total.n // FRAMES_EACH))
        results.append(
            train_mixture(
                own,
                settings=replace(settings, n_components=size, floor=floor.variances),
                reducer=reducer,
                monitor=monitor,
                checkpoint=checkpoint and checkpoint.with_name(f"{checkpoint.name}.{number}"),
                on_error=refuse,
            )
        )
    shares = np.array([result.n_frames for result in results], dtype=np.float64)
    shares /= shares.sum()
    sizes, frames = np.zeros(len(names), int), np.zeros(len(names), int)
    sizes[numbers] = [result.mixture.n_components for result in results]
    frames[numbers] = [result.n_frames for result in results]
    return ClassResult(
        mixture=join_mixtures([result.mixture for result in results], shares),
        statistics=join_statistics([result.statistics for result in results], shares),
        history=join_histories([result.history for result in results], shares),
        converged=results[0].converged if all(result.converged for result in results) else "",
        n_frames=int(frames.sum()),
        n_recordings=sum(bool(each.moments) for each in measured.values()),
        seconds=sum(each.seconds for each in measured.values()),
        set_aside=tuple(set_aside),
        mean=moments.mean,
        variance=moments.variance,
        floor=floor.variances,
        constant=floor.constant,
        spooled=all(result.spooled for result in results),
        sizes=tuple(sizes.tolist()),
        class_frames=tuple(frames.tolist()),
    )


def sum_of(parts: Sequence[FrameMoments | None]) -> FrameMoments:
    """Sum moments, in their order."""
    first, *others = (part for part in parts if part is not None)
    for other in others:
        first = first + other
    return first


def _totals(measured: Iterable[ClassMoments], n: int) -> list[FrameMoments | None]:
    totals: list[FrameMoments | None] = [None] * n
    for each in measured:
        for number, part in each.moments.items():
            total = totals[number]
            totals[number] = part if total is None else total + part
    return totals


def _usable(
    totals: Sequence[FrameMoments | None],
    measured: Iterable[ClassMoments],
    names: Sequence[str],
    optional: Sequence[str],
) -> list[int]:
    """Return the numbers of the classes with enough frames."""
    numbers = []
    for number, total in enumerate(totals):
        n = 0 if total is None else total.n
        if n >= FEWEST:
            numbers.append(number)
        elif names[number] not in optional:
            places = [each.id for each in measured if number in each.moments]
            where = f", in {', '.join(places[:3])}" if places else ""
            raise TrainingError(
                f"the class {names[number]!r} has {amount(n, 'voiced frame')}{where}",
                needed=f"at least {FEWEST}, and better {FRAMES_EACH} for each component",
                remedy="label more of it, or rename its labels to another class",
            )
    if not numbers:
        raise TrainingError(
            f"no class has {FEWEST} voiced frames",
            needed="labels on what the front end takes for voiced",
            remedy="look at the times of the labels, or --preset ambient, where all frames count",
        )
    return numbers


def join_mixtures(parts: Sequence[Mixture], shares: np.ndarray) -> Mixture:
    """Join mixtures by their shares of the frames; a covariance that all share is the mean one.

    Examples
    --------
    >>> one = Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> join_mixtures([one, one], np.array([0.25, 0.75])).weights
    array([0.25, 0.75])
    """
    form = parts[0].covariance_type
    covariances = [part.covariances for part in parts]
    return Mixture(
        np.concatenate([share * part.weights for share, part in zip(shares, parts, strict=True)]),
        np.concatenate([part.means for part in parts]),
        np.tensordot(shares, covariances, 1) if form_of(form).shared else np.concatenate(covariances),
        form,
    )


def join_statistics(parts: Sequence[SufficientStats | None], shares: np.ndarray) -> SufficientStats | None:
    """Join statistics of mixtures as `join_mixtures` joins these; None where one has none."""
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    first = found[0]
    moved = [part.shifted(first.origin) for part in found]
    second = [part.second for part in moved]
    return SufficientStats(
        first.covariance_type,
        origin=first.origin,
        counts=np.concatenate([part.counts for part in moved]),
        first=np.concatenate([part.first for part in moved]),
        second=np.sum(second, axis=0) if form_of(first.covariance_type).shared else np.concatenate(second),
        n_frames=sum(part.n_frames for part in moved),
        log_likelihood=sum(
            part.log_likelihood + part.n_frames * float(np.log(share))
            for part, share in zip(moved, shares, strict=True)
        ),
        skipped=sum(part.skipped for part in moved),
    )


def join_histories(parts: Sequence[tuple[PassReport, ...]], shares: np.ndarray) -> tuple[PassReport, ...]:
    """Join the passes of classes: the likelihood of frames and labels, in which one that ended stays."""
    if not all(parts):
        return ()
    joined: list[PassReport] = []
    for i in range(max(map(len, parts))):
        now = [part[min(i, len(part) - 1)] for part in parts]
        likelihood = float(
            sum(
                share * (report.log_likelihood + np.log(share))
                for share, report in zip(shares, now, strict=True)
            )
        )
        joined.append(
            PassReport(
                number=i + 1,
                n_frames=sum(report.n_frames for report in now),
                log_likelihood=likelihood,
                gain=likelihood - joined[-1].log_likelihood if joined else None,
                movement=max(report.movement for report in now),
                floored=sum(report.floored for report in now),
                skipped=float(np.dot(shares, [report.skipped for report in now])),
            )
        )
    return tuple(joined)
