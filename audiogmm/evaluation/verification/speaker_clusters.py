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
    files: Sequence[Hashable] | None = None,
) -> Parties:
    """Find out who speaks.

    A target trial says that its model and its recording are one speaker, and a speaker's name in the list
    says whose recording it is, and whose model, where a model has that name. What is joined so, directly or
    through others, is one speaker. A piece of a file that no target trial names is taken to be of the one
    model that target trials of the file's other pieces name.

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
    files : sequence of hashable, optional
        The file that each trial's recording is a piece of.

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
    return Parties(
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
