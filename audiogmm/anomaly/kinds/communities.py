"""Groups of points that are joined among themselves more than with others; their number is not given."""

from __future__ import annotations

import numpy as np

from audiogmm.types import FloatArray

N_NEIGHBORS = 5
"""Neighbors that a point is joined to."""

SCALE_NEIGHBOR = 7
"""The neighbor whose distance is a point's own scale (Zelnik-Manor and Perona 2004)."""

RESOLUTION = 2.0
"""Of modularity: above 1, more and smaller groups (Reichardt and Bornholdt 2006)."""

FEW = 40
"""Points from which on the resolution holds; it falls to 1 for a single one."""

TOGETHER = 0.6
"""Share, of how often points of one group are together under noise, from which two groups are joined."""

_BLOCK = 512  # rows of distances at a time
_ORDERS = 5  # in which points are looked at; the best modularity is kept
_NOISES = 20  # that are added


def find_communities(points: FloatArray, *, noise: float = 1.0, seed: int = 0) -> np.ndarray:
    """Group points by the communities of their graph of neighbors.

    Points i and j, if one is among the `N_NEIGHBORS` nearest of the other, are joined with the weight
    ``exp(-d_ij^2 / (s_i s_j))``, s the distance of the `SCALE_NEIGHBOR`-th neighbor (Zelnik-Manor and Perona
    2004, equation 2): groups may differ in density and need no shape. Communities maximize the modularity
    (Newman and Girvan 2004) by the method of Louvain (Blondel et al. 2008). Modularity also splits one cloud
    of points, but each time elsewhere: so communities are found again with noise added to the points, and
    those whose points are then as often together as the points of one are joined (compare Hennig 2007).

    Parameters
    ----------
    points : ndarray of shape (n, n_coordinates), float64
    noise : float
        Standard deviation of what a point may be off, in each coordinate.
    seed : int
        Of the noise, and of the orders in which points are looked at.

    Returns
    -------
    ndarray of shape (n,), int64
        The group of each, 0 the largest one.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = np.concatenate([rng.normal(center, 0.1, (9, 3)) for center in (0, 5, 9)])
    >>> np.bincount(find_communities(points, noise=0.1))
    array([9, 9, 9])
    """
    n = len(points)
    if n < 3:
        return np.zeros(n, np.int64)
    resolution = 1 + (RESOLUTION - 1) * min(n / FEW, 1.0)
    random = np.random.default_rng(seed)
    tries = [_louvain(points, resolution, seed + k) for k in range(_ORDERS)]
    first = max(tries, key=lambda found: found[1])[0]
    noisy = (points + random.normal(0.0, noise, points.shape) for _ in range(_NOISES))
    again = [_louvain(each, resolution, seed + k)[0] for k, each in enumerate(noisy)]
    found = _joined(first, again)
    _, places, counts = np.unique(found, return_index=True, return_counts=True)
    ranks = np.empty(len(counts), np.int64)
    ranks[np.lexsort((places, -counts))] = np.arange(len(counts))
    return np.asarray(ranks[np.unique(found, return_inverse=True)[1]])


def _louvain(points: FloatArray, resolution: float, seed: int) -> tuple[np.ndarray, float]:
    """The community of each point, and their modularity."""
    import networkx  # type: ignore[import-untyped]

    graph = networkx.Graph()
    graph.add_nodes_from(range(len(points)))
    graph.add_weighted_edges_from(_edges(points))
    found = networkx.community.louvain_communities(graph, resolution=resolution, seed=seed)
    labels = np.empty(len(points), np.int64)
    for label, members in enumerate(found):
        labels[list(members)] = label
    return labels, networkx.community.modularity(graph, found, resolution=resolution)


def _joined(labels: np.ndarray, again: list[np.ndarray]) -> np.ndarray:
    """Join communities that noise does not keep apart, those that are most together first."""
    labels = labels.copy()
    while True:
        groups, own = np.unique(labels, return_inverse=True)
        together = _together(own, again)
        within = np.diag(together)
        least = np.fmin(within[:, None], within)  # of a single point it is not known
        share = together / np.maximum(np.where(np.isnan(least), 1.0, least), 1e-9)
        share[np.tril_indices(len(groups))] = -1.0
        kept, gone = np.unravel_index(np.argmax(share), share.shape)
        if share[kept, gone] < TOGETHER:
            return labels
        labels[labels == groups[gone]] = groups[kept]


def _together(own: np.ndarray, again: list[np.ndarray]) -> FloatArray:
    """How often two points, one of each of two groups, are in one community, (n_groups, n_groups)."""
    sizes = np.bincount(own).astype(np.float64)
    pairs = np.zeros((len(sizes),) * 2)
    for found in again:
        table = np.zeros((len(sizes), found.max() + 1))
        np.add.at(table, (own, found), 1.0)
        pairs += table @ table.T
    share = pairs / len(again) / np.outer(sizes, sizes)
    several = sizes > 1
    same = np.full(len(sizes), np.nan)
    same[several] = (share.diagonal()[several] * sizes[several] - 1) / (sizes[several] - 1)
    np.fill_diagonal(share, same)
    return share


def _edges(points: FloatArray) -> list[tuple[int, int, float]]:
    """Return the pairs that are joined, with their weights, in order."""
    n = len(points)
    n_near = min(SCALE_NEIGHBOR, n - 1)
    near, distances = np.empty((n, n_near), np.int64), np.empty((n, n_near))
    squares = np.square(points).sum(axis=1)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        found = np.maximum(squares[rows, None] + squares - 2 * points[rows] @ points.T, 0.0)
        found[np.arange(len(rows)), rows] = np.inf
        order = np.argsort(found, axis=1, kind="stable")[:, :n_near]
        near[rows], distances[rows] = order, np.take_along_axis(found, order, axis=1)
    scales = np.sqrt(distances[:, -1]) + 1e-12
    weights = {}
    for i in range(n):
        for j, square in zip(near[i, :N_NEIGHBORS], distances[i, :N_NEIGHBORS], strict=False):
            weights[min(i, int(j)), max(i, int(j))] = float(np.exp(-square / (scales[i] * scales[j])))
    return [(i, j, weight + 1e-12) for (i, j), weight in sorted(weights.items())]
