"""Frames and their weights, checked before kernels see them."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import MixtureError
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.types import FloatArray


def checked_frames(frames: AnyFrames, n_features: int) -> AnyFrames:
    """Return frames as kernels take them: contiguous, floating-point, of `n_features` columns."""
    frames = np.ascontiguousarray(frames)  # type: ignore[assignment]
    if frames.dtype not in (np.float32, np.float64):
        if frames.dtype.kind not in "fiub":
            raise MixtureError(
                f"frames of type {frames.dtype}",
                needed="real numbers",
                remedy="numpy.asarray(frames, numpy.float32)",
            )
        frames = frames.astype(np.float64)
    if frames.ndim != 2 or frames.shape[1] != n_features:
        raise MixtureError(
            f"frames of shape {frames.shape}",
            needed=f"shape (n_frames, {n_features}): the mixture has {n_features} features",
            remedy="the front end that the mixture was trained with",
        )
    return frames if frames.flags.writeable else _Writeable(frames).view()


def checked_weights(weights: FloatArray, n_frames: int) -> FloatArray:
    """Return the weights of frames, float64, after checks."""
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    if weights.shape != (n_frames,):
        raise MixtureError(
            f"weights of shape {weights.shape} for {n_frames} frames",
            needed=f"shape ({n_frames},)",
            remedy="one weight a frame, or none at all",
        )
    if n_frames and not (np.isfinite(weights).all() and weights.min() >= 0):
        n = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
        raise MixtureError(
            f"frame {n} has weight {weights[n]}",
            needed="finite weights of at least 0",
            remedy="0 leaves a frame out",
        )
    return weights


def refuse_rows(frames: AnyFrames) -> None:
    """Raise `MixtureError` if a frame is not finite."""
    finite = np.isfinite(frames).all(axis=1)
    if not finite.all():
        refuse(int(finite.argmin()), frames)


def refuse(fault: int, frames: AnyFrames) -> None:
    """Raise `MixtureError` for frame `fault`, which holds NaN or infinity; nothing if it is negative."""
    if fault < 0:
        return
    feature = int(np.flatnonzero(~np.isfinite(frames[fault]))[0])
    raise MixtureError(
        f"frame {fault} has the value {frames[fault, feature]} in feature {feature}",
        needed="finite features",
        remedy="set the recording aside, or repair its samples",
    )


class _Writeable:
    """Presents a read-only array as writeable: kernels would be compiled again for the other kind."""

    def __init__(self, array: AnyFrames) -> None:
        self._array = array  # keeps the memory alive
        interface = array.__array_interface__
        self.__array_interface__ = interface | {"data": (interface["data"][0], False)}

    def view(self) -> AnyFrames:
        return np.asarray(self)
