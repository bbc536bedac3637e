"""Frames of samples into log-mel energies or cepstra: a front end's settings, prepared for the kernels."""

from __future__ import annotations

import functools

import numpy as np

from audiogmm.audio.frontend.checks import CHOICES
from audiogmm.audio.frontend.mel import mel_filters
from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.audio.frontend.windows import window_weights
from audiogmm.kernels.front_end.cepstrum import BLOCK, CepstrumPlan, analyze, workspace_size
from audiogmm.kernels.front_end.fft import plan_transform
from audiogmm.kernels.front_end.spectrum import spectrum_plan
from audiogmm.types import FloatArray, Frames, Samples


def cosine_matrix(n_mfcc: int, n_mels: int) -> FloatArray:
    """Compute rows of the orthonormal discrete cosine transform, type II.

    Returns
    -------
    ndarray of shape (n_mfcc, n_mels), float64

    Examples
    --------
    >>> matrix = cosine_matrix(3, 3)
    >>> np.allclose(matrix @ matrix.T, np.eye(3))
    True
    """
    k = np.arange(n_mfcc)[:, None]
    matrix: FloatArray = np.sqrt(2.0 / n_mels) * np.cos(np.pi * k * (np.arange(n_mels) + 0.5) / n_mels)
    matrix[0] *= np.sqrt(0.5)
    return matrix


def lifter_weights(n_mfcc: int, lifter: float) -> FloatArray:
    """Compute the weights 1 + (L / 2) sin(pi k / L) of c_k (The HTK Book, eq. 5.14); ones for L = 0.

    Examples
    --------
    >>> lifter_weights(3, 22.0).round(3).tolist()
    [1.0, 2.565, 4.099]
    """
    if lifter == 0:
        return np.ones(n_mfcc)
    weights: FloatArray = 1.0 + 0.5 * lifter * np.sin(np.pi * np.arange(n_mfcc) / lifter)
    return weights


def cepstral_matrix(frontend: FrontEndSettings) -> FloatArray:
    """Compute the rows of the cosine transform that a front end keeps, its lifter multiplied in.

    Returns
    -------
    ndarray of shape (n_cepstra, n_mels), float64
        A log energy in place of c0 is not among them.

    Examples
    --------
    >>> cepstral_matrix(FrontEndSettings.preset("kaldi")).shape
    (12, 23)
    """
    has_energy = frontend.energy != "none"
    skipped = 0 if frontend.include_c0 and not has_energy else 1
    kept = frontend.n_mfcc + skipped - has_energy
    rows = cosine_matrix(kept, frontend.n_mels) * lifter_weights(kept, frontend.lifter)[:, None]
    return rows[skipped:]


class Analyzer:
    """Turns consecutive frames of samples into features and levels; it keeps nothing from call to call.

    Parameters
    ----------
    frontend : FrontEndSettings
        The settings.
    sample_rate : int
        Of the samples it will get, hertz.

    Raises
    ------
    FrontEndError
        If the settings cannot work at this sample rate.
    """

    def __init__(self, frontend: FrontEndSettings, sample_rate: int) -> None:
        length, hop, n_fft = frontend.sizes(sample_rate)
        fmin, fmax = frontend.band(sample_rate)
        self.hop = hop
        self.length = length
        shape = window_weights(frontend.window, length, frontend.window_periodic) * frontend.scale
        self._spectrum = spectrum_plan(
            shape,
            n_fft,
            plan_transform(n_fft // 2 if n_fft % 2 == 0 else n_fft),
            remove_dc=frontend.remove_dc,
            preemphasis=frontend.preemphasis,
            magnitude=frontend.spectrum == "magnitude",
        )
        filters = mel_filters(
            frontend.n_mels,
            n_fft,
            sample_rate,
            fmin,
            fmax,
            scale=frontend.mel_scale,
            norm=frontend.mel_norm,
            triangles=frontend.mel_triangles,
        )
        self._cepstrum = _cepstrum_plan(frontend, filters, halved=n_fft % 2 == 0)
        self.n_columns = frontend.n_static
        self._workspace_size = workspace_size(self._spectrum, self._cepstrum)

    def workspace(self) -> FloatArray:
        """Make an array that `run` needs, one for each thread."""
        return np.zeros(self._workspace_size)

    def run(
        self, samples: Samples, base: int, n_frames: int, workspace: FloatArray
    ) -> tuple[Frames, Samples]:
        """Compute features and levels of `n_frames` frames, the first one beginning at `samples[base]`.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            Must be readable 8 samples past the last frame's end.
        base, n_frames : int
            First sample, and number of frames.
        workspace : ndarray, float64
            From `workspace()`.

        Returns
        -------
        features : ndarray of shape (n_frames, n_columns), float32
        levels : ndarray of shape (n_frames,), float32
            Decibels.
        """
        features = np.empty((n_frames, self.n_columns), np.float32)
        levels = np.empty(n_frames, np.float32)
        analyze(samples, base, self.hop, self._spectrum, self._cepstrum, workspace, features, levels)
        return features, levels


@functools.lru_cache(maxsize=16)
def analyzer(frontend: FrontEndSettings, sample_rate: int) -> Analyzer:
    """Return the analyzer of a front end at a sample rate, made once."""
    return Analyzer(frontend, sample_rate)


def _cepstrum_plan(frontend: FrontEndSettings, filters: FloatArray, halved: bool) -> CepstrumPlan:
    """Sparse filters, and the cosine matrix with the lifter multiplied in."""
    first = filters.argmax(axis=1) * 0
    runs = []
    for band, row in enumerate(filters):
        used = np.flatnonzero(row)
        first[band] = used[0]
        runs.append(row[used[0] : used[-1] + 1])
    offsets = np.concatenate([[0], np.cumsum([len(run) for run in runs])]).astype(np.int64)
    matrix = np.zeros((0, frontend.n_mels))
    if frontend.feature == "mfcc":
        rows = cepstral_matrix(frontend)
        matrix = np.zeros((-(-len(rows) // BLOCK) * BLOCK, frontend.n_mels))
        matrix[: len(rows)] = rows
    # Kaldi's raw energy is that of the scaled samples; the windowed one has the scale, and perhaps a half, in
    # it.
    scale = frontend.scale**2 if frontend.energy == "raw" else 4.0 if halved else 1.0
    return CepstrumPlan(
        first=first.astype(np.int64),
        offsets=offsets,
        weights=np.concatenate(runs),
        log_floor=frontend.log_floor,
        log_factor=10.0 / np.log(10.0) if frontend.log_scale == "db" else 1.0,
        matrix=matrix,
        energy=CHOICES["energy"].index(frontend.energy),
        energy_scale=scale,
    )
