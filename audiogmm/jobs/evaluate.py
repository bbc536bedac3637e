"""Evaluate: how good is what was found, where the truth is known?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from audiogmm.evaluation.detection.evaluation import DetectionEvaluation
from audiogmm.evaluation.verification.evaluation import VerificationEvaluation
from audiogmm.jobs.evaluate_detect import evaluate_detect
from audiogmm.jobs.evaluate_verify import evaluate_verify

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


def evaluate(
    found: Any,
    manifest: str | os.PathLike[str] | Iterable[Entry] | None = None,
    **given: Any,
) -> DetectionEvaluation | VerificationEvaluation:
    """Evaluate events on the recordings of a manifest, or else the scores of trials.

    Parameters
    ----------
    found : path-like, or iterable of Event
        With a manifest: events, as for `evaluate_detect`. Without: a score file, as for `evaluate_verify`.
    manifest : path-like or iterable of Entry, optional
        The recordings, with their true events.
    **given
        Keywords of the one or the other.

    Raises
    ------
    ManifestError, ChoiceError
        As those two.

    Examples
    --------
    >>> from audiogmm.anomaly.event import Event
    >>> from audiogmm.manifest import Entry
    >>> from audiogmm.timeline import Segment
    >>> entries = [Entry("a.wav", id="a", duration=10.0, events=(Segment(2.0, 4.0),))]
    >>> evaluate([Event("a.wav", "a", 2.2, 4.1)], entries).detected.event.f1.value
    1.0
    """
    return evaluate_verify(found, **given) if manifest is None else evaluate_detect(found, manifest, **given)
