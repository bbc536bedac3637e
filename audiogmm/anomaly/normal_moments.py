"""Moments of normal audio, kept with the model: what to compare with, and what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audiogmm.anomaly.counterfactual import covariance_of
from audiogmm.anomaly.moment import ARRAYS, WINDOW, MomentPlan, MomentRows, hash_of
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import BoolArray, FloatArray, Json

MOST_MOMENTS = 2_000
"""Moments kept, about 120 numbers each: under a megabyte."""

FEWEST = 20
"""Held-out moments from which the usual scores are estimated; with fewer, from all moments."""

LOWEST = 0.01
"""Share of normal moments that score lower than what still counts as usual."""

RIDGE = 0.1
"""Share of the variances that is added to the covariance of modulation, of which there are few samples."""


@dataclass(frozen=True, eq=False)
class NormalMoments:
    """A sample of moments of normal recordings: those with the smallest hashes of recording and place.

    Attributes
    ----------
    ids, paths : tuple of str
        The recordings, in order of their names, and their files.
    recording : ndarray of shape (n,), int64
        Which of them a moment is from.
    held_out : ndarray of shape (n,), bool
        Whether the model that gave the scores was not trained on it.
    number, start, mean, spread, modulation, has_span, score, frame
        As in `MomentRows`.
    tracks : ndarray of shape (n_tracks, n_features), float64
        What modulation is measured of, see `Modulation`.
    frame_rate : float
        Frames a second.
    n_seen : int
        Moments seen before any was left out.

    Examples
    --------
    >>> from audiogmm.anomaly.modulation import Modulation
    >>> from audiogmm.anomaly.moment import MomentCutter, MomentPlan
    >>> from audiogmm.blocks import FrameBlock
    >>> from audiogmm.timeline import FrameClock
    >>> plan = MomentPlan(Modulation(np.ones((1, 2)), 100.0), np.arange(2), every_frame=False)
    >>> windower = MomentCutter(plan, "a", "a.wav", held_out=True, most=10)
    >>> frames = np.random.default_rng(0).normal(size=(420, 2)).astype(np.float32)
    >>> windower.push(FrameBlock(frames, np.ones(420, bool), 0, FrameClock(8000, 80, 200)), np.zeros(420))
    >>> moments = NormalMoments.of([windower.flush()])
    >>> len(moments), moments.start.tolist()[:3], int(moments.has_span.sum())
    (8, [0.0, 0.5, 1.0], 3)
    """

    ids: tuple[str, ...]
    paths: tuple[str, ...]
    recording: NDArray[np.int64]
    held_out: BoolArray
    number: NDArray[np.int64]
    start: FloatArray
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    modulation: NDArray[np.float32]
    has_span: BoolArray
    score: NDArray[np.float32]
    frame: NDArray[np.float32]
    tracks: FloatArray
    frame_rate: float
    n_seen: int

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def of(cls, recordings: Iterable[MomentRows | None], most: int = MOST_MOMENTS) -> NormalMoments:
        """Collect the moments of recordings, one recording at a time, in bounded memory.

        Raises
        ------
        MismatchError
            If there is no moment, or two recordings have different frame rates.
        """
        kept: list[tuple[bytes, MomentRows, int]] = []
        n_seen = 0
        for rows in recordings:
            if rows is None:
                continue
            if kept and kept[0][1].frame_rate != rows.frame_rate:
                raise MismatchError(
                    f"{rows.id} has {rows.frame_rate:g} frames a second, others {kept[0][1].frame_rate:g}",
                    needed="normal recordings of one front end and sample rate",
                )
            n_seen += rows.n_seen
            kept += [(hash_of(rows.id, int(number)), rows, i) for i, number in enumerate(rows.number)]
            kept = sorted(kept, key=lambda entry: entry[0])[:most]
        if not kept:
            raise MismatchError(
                "no normal recording with half a second of voiced audio",
                needed="at least one, to compare with",
            )
        kept.sort(key=lambda entry: (entry[1].id, entry[1].number[entry[2]]))
        paths = {rows.id: rows.path for _, rows, _ in kept}
        ids = tuple(sorted(paths))
        places = {id: place for place, id in enumerate(ids)}
        arrays = {name: np.array([getattr(rows, name)[i] for _, rows, i in kept]) for name in ARRAYS}
        return cls(
            ids,
            tuple(paths[id] for id in ids),
            np.array([places[rows.id] for _, rows, _ in kept], dtype=np.int64),
            np.array([rows.held_out for _, rows, _ in kept], dtype=np.bool_),
            tracks=kept[0][1].tracks,
            frame_rate=kept[0][1].frame_rate,
            n_seen=n_seen,
            **arrays,
        )

    @cached_property
    def _is_reference(self) -> BoolArray:
        """The moments whose scores are the reference for what is usual."""
        return self.held_out if self.held_out.sum() >= FEWEST else np.ones(len(self), dtype=np.bool_)

    @cached_property
    def usual_score(self) -> tuple[float, float]:
        """Median of the moments' scores, and the lowest that still counts as usual, nats a frame."""
        scores = self.score[self._is_reference].astype(np.float64)
        return float(np.median(scores)), float(np.quantile(scores, LOWEST))

    @property
    def reference_frames(self) -> NDArray[np.float32]:
        """Frames of the reference moments, shape (m, n_features)."""
        return self.frame[self._is_reference]

    @cached_property
    def usual_modulation(self) -> tuple[FloatArray, FloatArray, float] | None:
        """Mean of the modulation, its inverse covariance, and the squared distance that 99 % stay within.

        None where fewer than `FEWEST` moments have a span, or the frame rate is too low for any.
        """
        known = self.modulation[self.has_span].astype(np.float64)
        if len(known) < FEWEST or not known.shape[1]:
            return None
        mean = known.mean(axis=0)
        deviations = known - mean
        covariance = np.einsum("ni,nj->ij", deviations, deviations) / len(known)
        variances = np.diag(covariance)
        covariance = (1 - RIDGE) * covariance + np.diag(RIDGE * variances + 0.1)  # squared decibels
        precision = np.linalg.inv(covariance)
        distances = np.einsum("ni,ij,nj->n", deviations, precision, deviations)
        return mean, precision, float(np.quantile(distances, 1 - LOWEST))

    def find_nearest(
        self, mixture: Mixture, plan: MomentPlan, mean: FloatArray, spread: FloatArray, count: int
    ) -> list[Json]:
        """Find the moments that an event resembles most.

        The squared distance of two moments is that of their means under the mixture's pooled covariance,
        ``sum w_k Sigma_k`` of the static features, plus that of the logarithms of their deviations, in units
        of how these vary over the normal moments.

        Parameters
        ----------
        mixture : Mixture
            The model, whose covariances measure.
        plan : MomentPlan
            Names the static features.
        mean, spread : ndarray of shape (n_static,), float64
            Of the event, as `MomentPlan.describe` gives them.
        count : int
            How many to give.

        Returns
        -------
        list of dict
            ``id``, ``audio_filepath`` (None where there is no file), ``start`` and ``end`` in seconds on the
            recording's clock, ``distance``; nearest first.
        """
        pooled = np.zeros((mixture.n_features, mixture.n_features))
        for k, weight in enumerate(mixture.weights.tolist()):
            pooled += weight * covariance_of(mixture, k)
        precision = np.linalg.inv(pooled[np.ix_(plan.static, plan.static)])
        away = self.mean.astype(np.float64) - mean
        spreads = self.spread.astype(np.float64)
        scatter = np.square((spreads - spread) / (spreads.std(axis=0) + 1e-3)).sum(axis=1)
        distance = np.sqrt(np.einsum("ni,ij,nj->n", away, precision, away) + scatter)
        return [
            {
                "id": self.ids[self.recording[i]],
                "audio_filepath": self.paths[self.recording[i]] or None,
                "start": float(self.start[i]),
                "end": float(self.start[i]) + WINDOW,
                "distance": float(distance[i]),
            }
            for i in np.lexsort((np.arange(len(self)), distance))[:count]
        ]

    def metadata(self) -> Json:
        """Return what `from_parts` needs in addition to the arrays, as JSON."""
        return {
            "recordings": list(self.ids),
            "paths": list(self.paths),
            "frame_rate": self.frame_rate,
            "n_seen": self.n_seen,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays to be kept in a model file, under names that begin with ``moments/``."""
        arrays = {name: getattr(self, name) for name in (*ARRAYS, *_OTHERS)}
        return {
            PREFIX + name: array.astype(np.uint8) if array.dtype == np.bool_ else array
            for name, array in arrays.items()
        }

    @classmethod
    def from_parts(cls, metadata: Json, tensors: Mapping[str, np.ndarray]) -> NormalMoments:
        """Undo `metadata` and `tensors`.

        Raises
        ------
        ModelFileError
            If something is missing, or arrays do not fit each other.
        """
        try:
            arrays = {name: tensors[PREFIX + name] for name in (*ARRAYS, *_OTHERS)}
            ids, paths = tuple(metadata["recordings"]), tuple(metadata["paths"])
            frame_rate, n_seen = float(metadata["frame_rate"]), int(metadata["n_seen"])
        except KeyError as error:
            raise ModelFileError(
                f"the model's normal moments lack {error}",
                needed="complete ones",
                remedy="audiogmm calibrate",
            ) from error
        lengths = {name: len(array) for name, array in arrays.items() if name != "tracks"}
        if len(set(lengths.values())) != 1 or len(ids) != len(paths):
            raise ModelFileError(
                f"normal moments of {lengths}, {len(ids)} recordings and {len(paths)} files",
                needed="arrays of one length",
                remedy="audiogmm calibrate",
            )
        for name in ("has_span", "held_out"):
            arrays[name] = arrays[name].astype(np.bool_)
        return cls(ids, paths, frame_rate=frame_rate, n_seen=n_seen, **arrays)


_OTHERS = ("recording", "held_out", "tracks")

PREFIX = "moments/"
"""How the names of the tensors begin."""
