"""The classes of a model: which of its components stand for which label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring.assignment import Assignment
from audiogmm.types import FloatArray, IntArray, Json

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class Classes:
    """The classes of a mixture, each of which has consecutive components.

    Attributes
    ----------
    names : tuple of str
        Of the classes, C of them.
    sizes : tuple of int
        Components of each, at least 1; together all of the mixture.

    Examples
    --------
    >>> classes = Classes(("hum", "knock"), (2, 1))
    >>> classes.groups, classes.sums(np.array([[0.5, 0.2, 0.3]]))
    (array([0, 0, 1]), array([[0.7, 0.3]]))
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of_components(cls, mixture: Mixture) -> Classes:
        """Return each component as a class, named by its number.

        Examples
        --------
        >>> Classes.of_components(Mixture([0.5, 0.5], [[0.0], [1.0]], [1.0, 1.0], "spherical")).names
        ('c0', 'c1')
        """
        K = mixture.n_components
        return cls(tuple(f"c{k:0{len(str(K - 1))}d}" for k in range(K)), (1,) * K)

    @classmethod
    def of(cls, model: Model) -> Classes | None:
        """Return the classes of a model; None for a model without any."""
        document = model.metadata.classes
        return None if document is None else cls(tuple(document["names"]), tuple(document["components"]))

    @classmethod
    def of_model(cls, model: Model) -> Classes:
        """Return the classes of a model, or each of its components as one."""
        return cls.of(model) or cls.of_components(model.mixture)

    def to_json(self) -> Json:
        """Return what a model file says of them."""
        return {"names": list(self.names), "components": list(self.sizes)}

    @property
    def groups(self) -> IntArray:
        """The class of each component, shape (K,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def starts(self) -> IntArray:
        """The first component of each class, shape (C,)."""
        return np.cumsum((0, *self.sizes[:-1]))

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum over the components of each class: from shape (n, K) to (n, C)."""
        return np.add.reduceat(values, self.starts, axis=1)

    def assigned(self, found: Assignment) -> Assignment:
        """Return the assignment of frames to classes in place of components."""
        if max(self.sizes) == 1:
            return found
        posteriors = self.sums(found.posteriors)
        labels = posteriors.argmax(axis=1).astype(np.int32)
        surprise = -np.log(np.where(posteriors > 0, posteriors, 1.0))
        return replace(
            found,
            posteriors=posteriors,
            labels=labels,
            confidence=posteriors.max(axis=1),
            entropy=(posteriors * surprise).sum(axis=1),
        )

    def means(self, whole: Mixture) -> FloatArray:
        """Return the mean of each class, shape (C, n_features)."""
        weighted = np.add.reduceat(whole.weights[:, None] * whole.means, self.starts, axis=0)
        return weighted / np.add.reduceat(whole.weights, self.starts)[:, None]
