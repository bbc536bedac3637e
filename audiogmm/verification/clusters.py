"""Who speaks in a trial: the speakers that a bootstrap resamples."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.types import BoolArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Parties:
    """The speakers of trials.

    Attributes
    ----------
    speakers : ndarray of shape (n, 2), int64
        Speaker of the model and of the test of each trial, numbered from 0.
    n_speakers : int
        How many there are.
    n_unknown : int
        Recordings of which neither a target trial nor the list says who speaks: each counts as a speaker
        of its own.
    n_contradictory : int
        Nontarget trials whose model and test are, by other trials, one speaker.
    """

    speakers: IntArray
    n_speakers: int
    n_unknown: int
    n_contradictory: int


def speakers_of(
    models: Sequence[str],
    recordings: Sequence[Hashable],
    target: BoolArray,
    speakers: Sequence[str] | None = None,
) -> Parties:
    """Find out who speaks.

    A target trial says that its model and its recording are one speaker, and a speaker's name in the list
    says whose recording it is, and whose model, where a model has that name. What is joined so, directly or
    through others, is one speaker.

    Parameters
    ----------
    models : sequence of str
        Name of each trial's model, of length n.
    recordings : sequence of hashable
        What tells each trial's recording from others.
    target : ndarray of shape (n,), bool
        Whether it is a target trial.
    speakers : sequence of str, optional
        Who speaks in the recording, where known; empty where not.

    Examples
    --------
    >>> target = np.array([True, False, False])
    >>> found = speakers_of(["ann", "bob", "ann"], ["1.wav", "1.wav", "2.wav"], target)
    >>> found.speakers.tolist(), found.n_speakers, found.n_unknown
    ([[0, 0], [1, 0], [0, 2]], 3, 1)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names: dict[Hashable, int] = {}
    model = _number(models, names)
    said = None if speakers is None else _number(speakers, names)
    n_names = len(names)
    known: dict[Hashable, int] = {}
    recording = _number(recordings, known) + n_names
    ends = [model[target], recording[target]]
    if said is not None:
        told = said != names.get("", -1)
        ends = [np.append(ends[0], said[told]), np.append(ends[1], recording[told])]
    n_nodes = n_names + len(known)
    graph = coo_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(n_nodes, n_nodes))
    _, labels = connected_components(graph, directed=False)
    both = np.stack([labels[model], labels[recording]], axis=1)
    used, numbered = np.unique(both, return_inverse=True)
    unknown = np.setdiff1d(np.arange(n_names, n_nodes), ends[1])
    return Parties(
        speakers=numbered.reshape(both.shape).astype(np.int64),
        n_speakers=len(used),
        n_unknown=len(unknown),
        n_contradictory=int(np.count_nonzero((both[:, 0] == both[:, 1]) & ~target)),
    )


def _number(keys: Iterable[Hashable], known: dict[Hashable, int]) -> IntArray:
    """A number for each distinct key, in the order in which they come; `known` grows."""
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), dtype=np.int64)
