"""A speaker: how the enrolled recordings differ from the background model, as sums that can be added to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reprs import short_repr
from audiogmm.types import Seconds
from audiogmm.verification.adaptation import Adaptation

_ROUNDING = 1e-9
"""Share of a count that subtraction may leave where nothing is left."""


@dataclass(frozen=True)
class Speaker:
    """The statistics of one speaker's recordings under the background model.

    Attributes
    ----------
    name : str
    background : str
        Fingerprint of the model under which the statistics were taken.
    statistics : SufficientStats
        Of all voiced frames, with the background's posteriors.
    recordings : tuple of str
        Ids of the enrolled recordings, in order.
    voiced_seconds : Seconds
        Their voiced length.
    marks : tuple of str
        A digest of each recording's file and piece, which changes with them; "" where that is not known.
    decibels : tuple of float
        Signal-to-noise ratio of each recording (see `SignalToNoise`); NaN where that is not known.
    refined : SufficientStats, optional
        Of the same frames, with the posteriors of the last round but one, if adaptation takes several rounds.

    Examples
    --------
    >>> import numpy as np
    >>> background = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> stats = SufficientStats.measure(
    ...     np.full((16, 1), 2.0), np.tile([1.0, 0.0], (16, 1)), origin=np.zeros(1), covariance_type="diag"
    ... )
    >>> ann = Speaker("ann", background.fingerprint, stats, ("a",), 0.16)
    >>> ann.adapted(background, Adaptation(tau=16)).means
    array([[ 1.],
           [10.]])
    >>> ann.plus(Speaker("ann", background.fingerprint, stats, ("b",), 0.16)).recordings
    ('a', 'b')
    """

    name: str
    background: str
    statistics: SufficientStats
    recordings: tuple[str, ...]
    voiced_seconds: Seconds
    marks: tuple[str, ...] = ()
    decibels: tuple[float, ...] = ()
    refined: SufficientStats | None = None

    __repr__ = short_repr

    @property
    def n_recordings(self) -> int:
        """Number of enrolled recordings."""
        return len(self.recordings)

    @property
    def signal_to_noise(self) -> float:
        """Mean over the recordings, decibels; NaN where none is known."""
        known = [ratio for ratio in self.decibels if not math.isnan(ratio)]
        return math.fsum(known) / len(known) if known else math.nan

    def plus(self, more: Speaker) -> Speaker:
        """Return this speaker with further recordings: sums are added, and no recording is read again.

        With one round of adaptation the result is that of enrolling all recordings at once, to rounding.
        With several, the earlier frames keep their posteriors, and the further ones have those of a model
        that was adapted to the earlier ones, too: a step of incremental EM (Neal and Hinton 1998).

        Raises
        ------
        MismatchError
            If the two are of different background models, or different speakers.
        """
        if self.background != more.background:
            raise background_mismatch(f"further recordings of {self.name}", more.background, self.background)
        if self.name != more.name:
            raise MismatchError(f"recordings of {more.name!r} added to {self.name!r}", needed="one speaker")
        refined = self.refined
        if more.refined is not None:
            refined = more.refined if refined is None else refined + more.refined
        return replace(
            self,
            statistics=self.statistics + more.statistics,
            recordings=self.recordings + more.recordings,
            voiced_seconds=self.voiced_seconds + more.voiced_seconds,
            marks=self.marks + more.marks,
            decibels=self._ratios() + more._ratios(),
            refined=refined,
        )

    def without(self, recording: Speaker) -> Speaker:
        """Return this speaker without one of the recordings: sums are subtracted.

        The result is that of enrolling the other recordings, to rounding.

        Parameters
        ----------
        recording : Speaker
            The statistics of that recording alone.

        Raises
        ------
        MismatchError
            If the recording was not enrolled exactly once, or adaptation takes several rounds.
        """
        marks = recording.marks
        if self.refined is not None or len(marks) != 1 or self.marks.count(marks[0]) != 1:
            raise MismatchError(
                f"{self.name!r} without {', '.join(recording.recordings)}",
                needed="a recording that was enrolled once, and one round of adaptation",
            )
        left = self.statistics - recording.statistics
        occupied = left.counts > _ROUNDING * self.statistics.counts
        place = self.marks.index(marks[0])
        return replace(
            self,
            statistics=replace(
                left,
                counts=np.where(occupied, left.counts, 0.0),
                first=np.where(occupied[:, None], left.first, 0.0),
            ),
            recordings=self.recordings[:place] + self.recordings[place + 1 :],
            voiced_seconds=self.voiced_seconds - recording.voiced_seconds,
            marks=self.marks[:place] + self.marks[place + 1 :],
            decibels=self._ratios()[:place] + self._ratios()[place + 1 :],
        )

    def _ratios(self) -> tuple[float, ...]:
        return self.decibels or (math.nan,) * self.n_recordings

    def adapted(self, background: Mixture, adaptation: Adaptation) -> Mixture:
        """Compute the speaker's model: the background model, adapted to the speaker's frames.

        Raises
        ------
        TrainingError
            If there are no frames.
        MismatchError
            If the statistics do not fit the background.
        """
        return adaptation(background, self.statistics if self.refined is None else self.refined)


def background_mismatch(what: str, came: str, needed: str) -> MismatchError:
    """Return the error for speakers of two background models; both fingerprints are named.

    Examples
    --------
    >>> print(background_mismatch("ann", "f0" * 32, "0f" * 32))
    ann: of the background model f0f0f0f0f0f0; needed: the background model 0f0f0f0f0f0f; try: ...
    """
    return MismatchError(
        f"{what}: of the background model {came[:12]}",
        needed=f"the background model {needed[:12]}",
        remedy="enroll the speaker again with this background model, or keep two folders",
    )
