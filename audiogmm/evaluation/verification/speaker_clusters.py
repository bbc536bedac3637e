"""The speakers of trials, which a bootstrap resamples."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.types import BoolArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class TrialSpeakers:
    """The speakers of trials.

    Attributes
    ----------
    speakers : ndarray of shape (n, 2), int64
        Speaker of the model and of the test of each trial, numbered from 0.
    n_speakers : int
        Number of speakers.
    n_unknown : int
        Recordings without a speaker in target trials or in the list: each counts as a speaker of its own.
    n_contradictory : int
        Nontarget trials whose model and test are one speaker by other trials.
    """

    speakers: IntArray
    n_speakers: int
    n_unknown: int
    n_contradictory: int


def cluster_speakers(
    models: Sequence[str],
    recordings: Sequence[Hashable],
    target: BoolArray,
    speakers: Sequence[str] | None = None,
    files: Sequence[Hashable] | None = None,
) -> TrialSpeakers:
    """Find the speakers of trials: the connected components of a graph of models, recordings and names.

    A target trial connects its model and its recording, and a name in the list connects the recording with
    that name, and with the model of that name. A piece of a file that no target trial names is connected with
    the model of the target trials of the file's other pieces, where it is a single one.

    Parameters
    ----------
    models : sequence of str
        Name of each trial's model, of length n.
    recordings : sequence of hashable
        Identifies each trial's recording.
    target : ndarray of shape (n,), bool
        Which are target trials.
    speakers : sequence of str, optional
        Speaker of the recording; empty where not known.
    files : sequence of hashable, optional
        File of each trial's recording, which may be a piece of it.

    Examples
    --------
    >>> target = np.array([True, False, False])
    >>> found = cluster_speakers(["ann", "bob", "ann"], ["1.wav", "1.wav", "2.wav"], target)
    >>> found.speakers.tolist(), found.n_speakers, found.n_unknown
    ([[0, 0], [1, 0], [0, 2]], 3, 1)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names: dict[Hashable, int] = {}
    model = _number(models, names)
    named = None if speakers is None else _number(speakers, names)
    n_names = len(names)
    known: dict[Hashable, int] = {}
    recording = _number(recordings, known) + n_names
    ends = [model[target], recording[target]]
    if named is not None:
        has_name = named != names.get("", -1)
        ends = [np.append(ends[0], named[has_name]), np.append(ends[1], recording[has_name])]
    if files is not None:
        unnamed = np.flatnonzero(~np.isin(recording, ends[1])).tolist()
        claimed = _only_models(files, model, target) if unnamed else {}
        whose = {i: claimed[files[i]] for i in unnamed if claimed.get(files[i], -1) >= 0}
        lost = np.array(list(whose), dtype=np.int64)
        models_of_lost = np.array(list(whose.values()), dtype=np.int64)
        ends = [np.append(ends[0], models_of_lost), np.append(ends[1], recording[lost])]
    n_nodes = n_names + len(known)
    graph = coo_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(n_nodes, n_nodes))
    _, labels = connected_components(graph, directed=False)
    both = np.stack([labels[model], labels[recording]], axis=1)
    used, numbered = np.unique(both, return_inverse=True)
    unknown = np.setdiff1d(np.arange(n_names, n_nodes), ends[1])
    return TrialSpeakers(
        speakers=numbered.reshape(both.shape).astype(np.int64),
        n_speakers=len(used),
        n_unknown=len(unknown),
        n_contradictory=int(np.count_nonzero((both[:, 0] == both[:, 1]) & ~target)),
    )


def _only_models(files: Sequence[Hashable], model: IntArray, target: BoolArray) -> dict[Hashable, int]:
    """The model of each file's target trials; -1 where they name several."""
    found: dict[Hashable, int] = {}
    for i in np.flatnonzero(target).tolist():
        name = int(model[i])
        if found.setdefault(files[i], name) != name:
            found[files[i]] = -1
    return found


def _number(keys: Iterable[Hashable], known: dict[Hashable, int]) -> IntArray:
    """A number for each distinct key, in the order in which they come; `known` grows."""
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), dtype=np.int64)
