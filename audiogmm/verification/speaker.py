"""A speaker: how the recordings enrolled differ from the background model, as sums that can be added to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import Seconds
from audiogmm.verification.adaptation import Adaptation

_ROUNDING = 1e-9
"""Share of a count that subtraction may leave where nothing is left."""


@dataclass(frozen=True)
class Speaker:
    """What was heard of one speaker.

    Attributes
    ----------
    name : str
        Who it is.
    background : str
        Fingerprint of the model under which the statistics were taken.
    statistics : SufficientStats
        Of all voiced frames enrolled, with the background's posteriors.
    recordings : tuple of str
        Ids of the recordings enrolled, in order.
    voiced_seconds : Seconds
        What of them is voiced.
    marks : tuple of str
        What tells each recording from all others, and from itself once changed; "" where that is not known.
    decibels : tuple of float
        Signal-to-noise ratio of each recording (see `SignalToNoise`); NaN where that is not known.
    refined : SufficientStats, optional
        Of the same frames, with the posteriors of the last round but one, where adaptation takes several.

    Examples
    --------
    >>> import numpy as np
    >>> background = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> heard = SufficientStats.measure(
    ...     np.full((16, 1), 2.0), np.tile([1.0, 0.0], (16, 1)), origin=np.zeros(1), covariance_type="diag"
    ... )
    >>> ann = Speaker("ann", background.fingerprint, heard, ("a",), 0.16)
    >>> ann.adapted(background, Adaptation(tau=16)).means
    array([[ 1.],
           [10.]])
    >>> ann.plus(Speaker("ann", background.fingerprint, heard, ("b",), 0.16)).recordings
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

    @property
    def n_recordings(self) -> int:
        """How many recordings were enrolled."""
        return len(self.recordings)

    @property
    def signal_to_noise(self) -> float:
        """Mean over the recordings, decibels; NaN where none is known."""
        known = [ratio for ratio in self.decibels if not math.isnan(ratio)]
        return math.fsum(known) / len(known) if known else math.nan

    def plus(self, more: Speaker) -> Speaker:
        """This speaker with further recordings: sums are added, and nothing is read or computed again.

        With one round of adaptation this is what enrolling all recordings at once gives, to rounding. With
        several, the frames that were there keep the posteriors that they had, and the new ones have those
        of a model that knew the old ones: a step of incremental EM (Neal and Hinton 1998).

        Raises
        ------
        MismatchError
            If the two are of different background models, or different speakers.
        """
        if self.background != more.background:
            raise mixed_backgrounds(f"further recordings of {self.name}", more.background, self.background)
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
        """This speaker as if one of the recordings had not been enrolled: sums are subtracted.

        With one round of adaptation this is what enrolling the others gives, to rounding.

        Parameters
        ----------
        recording : Speaker
            A speaker of whom that recording is all that is known.

        Raises
        ------
        MismatchError
            If the recording was not enrolled, or not once, or models take several rounds.
        """
        marks = recording.marks
        if self.refined is not None or len(marks) != 1 or self.marks.count(marks[0]) != 1:
            raise MismatchError(
                f"{self.name!r} without {', '.join(recording.recordings)}",
                needed="a recording that was enrolled once, and one round of adaptation",
            )
        left = self.statistics - recording.statistics
        heard = left.counts > _ROUNDING * self.statistics.counts
        place = self.marks.index(marks[0])
        return replace(
            self,
            statistics=replace(
                left,
                counts=np.where(heard, left.counts, 0.0),
                first=np.where(heard[:, None], left.first, 0.0),
            ),
            recordings=self.recordings[:place] + self.recordings[place + 1 :],
            voiced_seconds=self.voiced_seconds - recording.voiced_seconds,
            marks=self.marks[:place] + self.marks[place + 1 :],
            decibels=self._ratios()[:place] + self._ratios()[place + 1 :],
        )

    def _ratios(self) -> tuple[float, ...]:
        return self.decibels or (math.nan,) * self.n_recordings

    def adapted(self, background: Mixture, adaptation: Adaptation) -> Mixture:
        """The speaker's model: the background, moved towards what was heard.

        Raises
        ------
        TrainingError
            If nothing was heard.
        MismatchError
            If the statistics do not fit the background.
        """
        return adaptation(background, self.statistics if self.refined is None else self.refined)


def mixed_backgrounds(what: str, came: str, needed: str) -> MismatchError:
    """The error for speakers of two background models; both fingerprints are named.

    Examples
    --------
    >>> print(mixed_backgrounds("ann", "f0" * 32, "0f" * 32))
    ann: of the background model f0f0f0f0f0f0; needed: the background model 0f0f0f0f0f0f; try: ...
    """
    return MismatchError(
        f"{what}: of the background model {came[:12]}",
        needed=f"the background model {needed[:12]}",
        remedy="enroll the speaker again with this background model, or keep two folders",
    )
