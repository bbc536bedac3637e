"""Identification: posterior probabilities of the enrolled speakers, and of none of them, in a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.errors import ChoiceError
from audiogmm.reprs import short_repr
from audiogmm.types import FloatArray, Json, Seconds

PRIOR = 0.5
"""Default prior probability that the speaker is one of those enrolled."""

INDEPENDENT_RATE = 10.0
"""Frames a second that are taken for independent where there is no calibration.

Neighboring frames share samples, and deltas share more. Speech recognizers scale the likelihood of 100 frames
a second by about a tenth for the same reason.
"""


@dataclass(frozen=True, slots=True)
class SpeakerCandidate:
    """A speaker with the probability of being the one in a recording.

    Attributes
    ----------
    speaker : str
    posterior : float
    llr : float
        Log-likelihood ratio against any other speaker, nats.
    """

    speaker: str
    posterior: float
    llr: float


@dataclass(frozen=True, slots=True)
class Identification:
    """The likeliest speakers of a recording.

    Attributes
    ----------
    audio_filepath : str or None
        The recording's file, where known.
    id : str
        The recording's id.
    speaker : str or None
        The likeliest outcome; None if that is none of the enrolled speakers.
    posterior : float
        Probability of that outcome.
    nobody : float
        Probability that it is none of the enrolled speakers; 0 in a closed set.
    candidates : tuple of SpeakerCandidate
        The likeliest speakers, the likeliest first.
    voiced_seconds : Seconds
        Voiced length of the recording.
    flag : str
        ``short``: few or no frames were voiced, and the loudest were scored. Else empty.
    truth : str or None
        The speaker that the manifest names, if it does.

    Examples
    --------
    >>> found = Identification("a.wav", "a", "ann", 0.9, 0.1, (SpeakerCandidate("ann", 0.9, 4.0),), 3.0)
    >>> Identification.from_dict(found.to_dict()) == found
    True
    """

    audio_filepath: str | None
    id: str
    speaker: str | None
    posterior: float
    nobody: float
    candidates: tuple[SpeakerCandidate, ...]
    voiced_seconds: Seconds
    flag: str = ""
    truth: str | None = None

    __repr__ = short_repr

    def to_dict(self) -> Json:
        """Return it as a JSON object; `truth` only where it is known."""
        row: Json = {name: getattr(self, name) for name in self.__slots__}
        row["candidates"] = [
            {"speaker": c.speaker, "posterior": c.posterior, "llr": c.llr} for c in self.candidates
        ]
        if self.truth is None:
            del row["truth"]
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Identification:
        """Make it from what `to_dict` returned."""
        return cls(**{**row, "candidates": tuple(SpeakerCandidate(**c) for c in row["candidates"])})


def compute_posteriors(llr: ArrayLike, priors: ArrayLike) -> FloatArray:
    """Return the posterior probabilities of the speakers, and of none of them.

    By Bayes' theorem, with l_i the log-likelihood ratio of speaker i against any other, p_i the prior, and
    p_0 = 1 - sum of p_i that of none of them, whose ratio is 1:

        P(i) = p_i exp(l_i) / (p_0 + sum over j of p_j exp(l_j))

    (Brümmer and de Villiers 2010, "The speaker partitioning problem", for a set of one.)

    Parameters
    ----------
    llr : array-like of shape (n_speakers,), float64
        Calibrated log-likelihood ratios, nats.
    priors : array-like of shape (n_speakers,), float64
        Their sum is at most 1; where it is 1 the set is closed.

    Returns
    -------
    ndarray of shape (n_speakers + 1,), float64
        None of them is last. The sum is 1.

    Raises
    ------
    ChoiceError
        If a ratio is not finite, or the priors are not probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> compute_posteriors([np.log(3), 0.0], [0.25, 0.25]).round(3)
    array([0.5  , 0.167, 0.333])
    """
    ratio, p = np.asarray(llr, dtype=np.float64), np.asarray(priors, dtype=np.float64)
    if ratio.shape != p.shape or ratio.ndim != 1 or not len(ratio):
        raise ChoiceError(f"ratios of shape {ratio.shape} with priors of shape {p.shape}", needed="one each")
    if not np.all(np.isfinite(ratio)):
        raise ChoiceError(
            f"a log-likelihood ratio of {ratio[~np.isfinite(ratio)][0]}", needed="finite numbers"
        )
    total = float(p.sum())
    if not (np.all(p >= 0) and 0 < total <= 1 + 1e-9):
        raise ChoiceError(f"priors that sum to {total:g}", needed="probabilities of at most 1 in all")
    nobody = 0.0 if total > 1 - 1e-12 else 1 - total
    with np.errstate(divide="ignore"):
        joint = np.log(np.append(p, nobody)) + np.append(ratio, 0.0)
    joint = np.exp(joint - joint.max())
    found: FloatArray = joint / joint.sum()
    return found


def share_prior(n_speakers: int, prior: float = PRIOR) -> FloatArray:
    """Share the prior probability that the speaker is enrolled equally: shape (n_speakers,).

    Raises
    ------
    ChoiceError
        If it is not above 0 and at most 1, or no speaker is enrolled.

    Examples
    --------
    >>> share_prior(4, 0.5)
    array([0.125, 0.125, 0.125, 0.125])
    """
    if not n_speakers:
        raise ChoiceError("no speaker is enrolled", needed="a speaker", remedy="audiogmm enroll UBM M -o DIR")
    if not 0 < prior <= 1:
        raise ChoiceError(
            f"a prior of {prior}",
            needed="a probability above 0, under 1 for an open set and 1 for a closed one",
        )
    return np.full(n_speakers, prior / n_speakers)


def rank_speakers(
    names: Sequence[str], llr: FloatArray, prior: float = PRIOR, top: int = 5
) -> tuple[str | None, float, float, tuple[SpeakerCandidate, ...]]:
    """Return the likeliest outcome (None: no enrolled speaker), its probability, None's, and candidates.

    Parameters
    ----------
    names : sequence of str
        The enrolled speakers.
    llr : ndarray of shape (n_speakers,), float64
        Log-likelihood ratios, nats.
    prior : float
        Probability that it is one of them; 1 for a closed set.
    top : int
        Candidates to return, at most.

    Raises
    ------
    ChoiceError
        As of `compute_posteriors` and `share_prior`; or if `top` is below 1.

    Examples
    --------
    >>> outcome, posterior, nobody, candidates = rank_speakers(["ann", "bob"], np.array([-3.0, -5.0]), top=1)
    >>> outcome is None, round(posterior, 2), round(nobody, 2), candidates[0].speaker
    (True, 0.97, 0.97, 'ann')
    """
    if top < 1:
        raise ChoiceError(f"top={top}", needed="at least 1 candidate")
    found = compute_posteriors(llr, share_prior(len(names), prior))
    order = np.argsort(-llr, kind="stable")[:top].tolist()
    candidates = tuple(SpeakerCandidate(names[i], float(found[i]), float(llr[i])) for i in order)
    best, nobody = candidates[0], float(found[-1])
    if nobody > best.posterior:
        return None, nobody, nobody, candidates
    return best.speaker, best.posterior, nobody, candidates


def approximate_llr(raw: FloatArray, space: FloatArray, n_independent: float) -> FloatArray:
    """Approximate log-likelihood ratios where there is no calibration, shape (n_speakers,), nats.

    The score of the back end is one by its model. Where there is none, it is the mean ratio a frame times
    the number of independent frames.

    Parameters
    ----------
    raw : ndarray of shape (n_speakers,), float64
        Mean log-likelihood ratio a frame, nats.
    space : ndarray of shape (n_speakers,), float64
        Scores of the back end, NaN where there is none.
    n_independent : float
        Number of independent frames.

    Examples
    --------
    >>> approximate_llr(np.array([0.2, 0.1]), np.array([np.nan, 3.0]), 20.0)
    array([4., 3.])
    """
    return np.where(np.isnan(space), raw * max(n_independent, 1.0), space)
