"""Which class a recording is of: the posterior of each class of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.scoring.classes import Classes
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class Classification:
    """The class of a recording.

    Attributes
    ----------
    id : str
        The recording.
    label : str
        The class of the highest posterior.
    posterior : float
        That posterior.
    posteriors : dict of str to float
        Of each class, the mean over the frames; they sum to 1.
    n_frames : int
        Voiced frames (all, where none is voiced).
    """

    id: str
    label: str
    posterior: float
    posteriors: dict[str, float]
    n_frames: int

    def to_json(self) -> Json:
        """Return what a row says of it."""
        return {"label": self.label, "posterior": self.posterior, "posteriors": self.posteriors}


class Classifier:
    """Classifies recordings by the classes of a model.

    The posterior of a class is the mean of P(c | x) over the voiced frames: the share of the recording that
    the class explains, as `cluster` says it of a segment. (The product over frames, which takes these to be
    independent, is certain of whatever it says: see ``docs/clusters.md`` for the figures.)

    Parameters
    ----------
    model : Model
        With classes.

    Raises
    ------
    MismatchError
        If the model has no classes.
    """

    def __init__(self, model: Model) -> None:
        classes = Classes.of(model)
        if classes is None:
            raise MismatchError(
                "the model has no classes",
                needed="a model trained on labels",
                remedy="audiogmm train M --label label -o classes.agmm",
            )
        self.classes = classes
        self.evaluator = Evaluator(model.mixture)

    def __call__(self, shard: Shard) -> Classification:
        """Classify a recording."""
        sums = ClassSums(self)
        for block in shard:
            sums.push(block)
        return sums.result(shard.id)


class ClassSums:
    """The posteriors of the classes, summed over the frames of a recording as they come."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._n = [0, 0]  # unvoiced, voiced frames
        self._sums = np.zeros((2, len(classifier.classes.names)))

    def push(self, block: FrameBlock) -> None:
        """Add the next frames."""
        classifier = self._classifier
        posteriors = classifier.classes.sums(classifier.evaluator.posteriors(block.frames))
        for voiced in (0, 1):
            chosen = posteriors[block.voiced == bool(voiced)]
            self._n[voiced] += len(chosen)
            # one by one from what came before, so that the sum does not depend on how blocks are cut
            self._sums[voiced] = np.cumsum([self._sums[voiced], *chosen], axis=0)[-1]

    def result(self, id: str) -> Classification:
        """Return the class of the recording.

        Raises
        ------
        MismatchError
            If it has no frame.
        """
        voiced = int(self._n[1] > 0)
        if not self._n[voiced]:
            raise MismatchError(f"{id} has no frame", needed="at least one")
        posteriors = self._sums[voiced] / self._n[voiced]
        best, names = int(posteriors.argmax()), self._classifier.classes.names
        by_name = dict(zip(names, posteriors.tolist(), strict=True))
        return Classification(id, names[best], by_name[names[best]], by_name, self._n[voiced])
