"""Kinds of sound that are remembered: examples of each, its number and its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from audiogmm.anomaly.kinds.communities import find_communities
from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.likeness import N_COORDINATES, Likeness
from audiogmm.anomaly.kinds.recognizer import NONE, Recognition, Recognizer
from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray

MOST_EXAMPLES = 5000
"""Segments that are remembered; of the largest groups, examples are dropped at random."""

SURE_NONE = 0.99
"""Posterior of none of the groups above which a segment that was grouped with others is none of theirs."""


@dataclass(frozen=True, slots=True)
class Group:
    """A kind of sound.

    Attributes
    ----------
    name : str
        What the user calls it, "" for nothing yet.
    is_normal : bool
        Whether its events are no alarms.
    """

    name: str = ""
    is_normal: bool = False


@dataclass(frozen=True, eq=False)
class Kinds:
    """Remembered examples, by group.

    Attributes
    ----------
    vectors : ndarray of shape (n, n_values), float64
        Of the examples.
    labels : ndarray of shape (n,), int64
        The group of each.
    groups : dict of int to Group
        Numbers are never used again for another kind.
    scatter : ndarray of shape (n_values, n_values), float64
        Sum of the covariances of the pieces of all segments so far.
    n_scattered : int
        Segments in that sum.
    next_group : int
        Number of the next new group.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def some(center):
    ...     found = rng.normal(center, 0.1, (9, 5, 4))
    ...     return [Description(pieces.mean(axis=0), pieces) for pieces in found]
    >>> kinds, found = Kinds.empty().extended(some(0.0) + some(3.0))
    >>> [assignment.group for assignment in found]
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    >>> kinds.recognizer().assign(some(3.0)[0].vector).group
    2
    """

    vectors: FloatArray
    labels: np.ndarray
    scatter: FloatArray
    groups: dict[int, Group] = field(default_factory=dict)
    n_scattered: int = 0
    next_group: int = 1

    @classmethod
    def empty(cls) -> Kinds:
        """Return one that remembers nothing."""
        return cls(np.zeros((0, 0)), np.zeros(0, np.int64), np.zeros((0, 0)))

    def extended(self, described: Sequence[Description], *, seed: int = 0) -> tuple[Kinds, list[Recognition]]:
        """Group further segments together with those that are remembered.

        All are grouped again, but for those that are remembered already. A new group is the earlier one most
        of whose examples it holds (by the assignment that keeps most), so that groups keep their numbers and
        names. Examples of a named group stay in it.

        Parameters
        ----------
        described : sequence of Description
        seed : int

        Returns
        -------
        Kinds
        list of Recognition
            One for each segment.
        """
        if not described:
            return self, []
        grouped, known = self._grouped(described, seed)
        recognizer = grouped.recognizer()
        vectors = np.array([each.vector for each in described])
        own = np.array([known.get(vector.tobytes(), NONE) for vector in vectors])
        posteriors, places = recognizer.posteriors(vectors, own), [*recognizer.groups, NONE]
        assigned = []
        for label, row in zip(own.tolist(), posteriors, strict=True):
            if label == NONE:  # too many to be grouped: the most probable one
                label = places[int(np.argmax(row))]
            if row[-1] > SURE_NONE:
                label = NONE
            assigned.append(Recognition(label, float(row[places.index(label)])))
        return grouped._forgetting(seed), assigned

    def _grouped(self, described: Sequence[Description], seed: int) -> tuple[Kinds, dict[bytes, int]]:
        """Group what is new of them (a share, if that is a great many) with the rest; groups by vector."""
        remembered = {vector.tobytes() for vector in self.vectors}
        fresh = {each.vector.tobytes(): each for each in described if each.vector.tobytes() not in remembered}
        taken = list(fresh.values())
        if len(taken) > MOST_EXAMPLES:
            chosen = np.random.default_rng(seed).permutation(len(taken))[:MOST_EXAMPLES]
            taken = [taken[place] for place in np.sort(chosen)]
        if taken:
            size = len(taken[0].vector)
            scatters = [np.cov(each.pieces.T) for each in taken if len(each.pieces) > 1]
            before = self.scatter.reshape(-1, size) if len(self.vectors) else np.zeros((size, size))
            joined = replace(
                self,
                vectors=np.concatenate([self.vectors.reshape(-1, size), [each.vector for each in taken]]),
                labels=np.concatenate([self.labels, np.full(len(taken), NONE)]),
                scatter=before + sum(scatters, np.zeros((size, size))),
                n_scattered=self.n_scattered + len(scatters),
            )
            found = find_communities(joined.likeness().coordinates(joined.vectors), seed=seed)
            labels, next_group = _renumbered(found, joined.labels, set(self._named()), self.next_group)
            groups = {int(label): self.groups.get(int(label), Group()) for label in np.unique(labels)}
            groups = dict(sorted((self._named() | groups).items()))
            grouped = replace(joined, labels=labels, groups=groups, next_group=next_group)
        else:
            grouped = self
        labels = grouped.labels.tolist()
        return grouped, {v.tobytes(): label for v, label in zip(grouped.vectors, labels, strict=True)}

    def recognizer(self) -> Recognizer:
        """Return what tells the groups of further segments."""
        return Recognizer.learned(self.vectors, self.labels, self.likeness(None))

    def named(self, group: int, name: str = "", *, is_normal: bool = False) -> Kinds:
        """Give a group a name, or declare it normal.

        Raises
        ------
        ChoiceError
            If there is no such group, or another one has that name.
        """
        if group not in self.groups:
            raise ChoiceError(
                f"there is no group {group}",
                needed=f"one of {', '.join(map(str, self.groups)) or 'none'}",
                remedy="look in groups.jsonl",
            )
        for other, held in self.groups.items():
            if name and held.name == name and other != group:
                raise ChoiceError(
                    f"group {other} has the name {name!r} already",
                    needed="one name for each group",
                    remedy="another name",
                )
        return replace(self, groups={**self.groups, group: Group(name, is_normal)})

    def _named(self) -> dict[int, Group]:
        return {number: group for number, group in self.groups.items() if group.name or group.is_normal}

    def likeness(self, n_coordinates: int | None = N_COORDINATES) -> Likeness:
        """Return what the examples are compared by."""
        return Likeness.learned(self.vectors, self.scatter / max(self.n_scattered, 1), n_coordinates)

    def _forgetting(self, seed: int) -> Kinds:
        """Drop examples of the largest groups, down to `MOST_EXAMPLES`."""
        surplus = len(self.vectors) - MOST_EXAMPLES
        if surplus <= 0:
            return self
        counts = Counter(self.labels.tolist())
        random = np.random.default_rng(seed)
        keep = np.ones(len(self.labels), np.bool_)
        for _ in range(surplus):
            largest = max(counts, key=lambda label: (counts[label], -label))
            counts[largest] -= 1
        for label, count in counts.items():
            members = np.flatnonzero(self.labels == label)
            keep[random.permutation(members)[count:]] = False
        return replace(self, vectors=self.vectors[keep], labels=self.labels[keep])


def _renumbered(
    found: np.ndarray, earlier: np.ndarray, pinned: set[int], next_group: int
) -> tuple[np.ndarray, int]:
    """Give communities the numbers of the groups whose examples they hold, or new ones."""
    known = np.unique(earlier[earlier != NONE])
    shared = np.array(
        [[np.sum((found == f) & (earlier == k)) for k in known] for f in range(found.max() + 1)]
    )
    names: dict[int, int] = {}
    if len(known):
        for row, column in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[row, column]:
                names[int(row)] = int(known[column])
    for f in range(found.max() + 1):
        if f not in names:
            names[f], next_group = next_group, next_group + 1
    labels = np.array([names[f] for f in found.tolist()], dtype=np.int64)
    stays = np.isin(earlier, list(pinned))
    labels[stays] = earlier[stays]
    return labels, next_group
