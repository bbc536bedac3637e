"""Another sample rate, as a stream: soxr, held to one output length whatever the chunks."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import Samples, Seconds

QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")
"""soxr's recipes, quick to very high. HQ is exact to 20 bits, up to 91 % of the lower Nyquist rate."""


class Resampler:
    """Mono samples at one rate in, at another rate out.

    Chunks may be of any size: the samples that come out are the same bytes. `n` samples in make
    `n_output(n)` = round(n * to_rate / from_rate) samples out in all, halves rounded up; sample `i` out
    lies at the time of sample `i * from_rate / to_rate` in (the filter is of linear phase, and its delay is
    taken out). Equal rates pass the samples through untouched.

    Parameters
    ----------
    from_rate, to_rate : int
        Hertz.
    quality : {"QQ", "LQ", "MQ", "HQ", "VHQ"}
        soxr's recipe.

    Raises
    ------
    ChoiceError
        If a rate is not a positive number or the quality is not one of `QUALITIES`.

    Notes
    -----
    An output sample is held back until the filter has seen what lies ahead of it: `latency` seconds at most.
    soxr computes in blocks of its own that are counted from the first sample, not from the chunk's edge,
    which is why any chunks give the same bytes (see https://sourceforge.net/p/soxr/).

    Examples
    --------
    >>> resampler = Resampler(48000, 16000)
    >>> len(resampler.push(np.zeros(48000, np.float32))) + len(resampler.flush())
    16000
    """

    def __init__(self, from_rate: int, to_rate: int, quality: str = "HQ") -> None:
        if not (from_rate > 0 and to_rate > 0):
            raise ChoiceError(
                f"resampling from {from_rate} Hz to {to_rate} Hz", needed="positive sample rates"
            )
        if quality not in QUALITIES:
            raise ChoiceError(f"resampling quality {quality!r}", needed=f"one of {', '.join(QUALITIES)}")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self.quality = quality
        self._n_in = 0
        self._n_out = 0
        self._finished = False
        self._stream = _open(from_rate, to_rate, quality) if from_rate != to_rate else None

    def n_output(self, n_samples: int) -> int:
        """Return how many samples come out for `n_samples` in: round(n * to_rate / from_rate), halves up.

        Examples
        --------
        >>> Resampler(16000, 8000).n_output(441), Resampler(44100, 16000).n_output(100001)
        (221, 36282)
        """
        return (2 * n_samples * self.to_rate + self.from_rate) // (2 * self.from_rate)

    @property
    def latency(self) -> Seconds:
        """Longest time that an output sample waits for samples ahead of it, seconds (0 for equal rates).

        Measured once for a pair of rates and a quality, by pushing two seconds a millisecond at a time: an
        upper bound, by at most that millisecond.

        Examples
        --------
        >>> Resampler(16000, 16000).latency
        0.0
        >>> 0.0 < Resampler(44100, 16000).latency < 0.2
        True
        """
        return _latency(self.from_rate, self.to_rate, self.quality)

    def push(self, samples: Samples) -> Samples:
        """Take samples; return those that can be computed now, maybe none.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The next samples, at `from_rate`.

        Returns
        -------
        ndarray of shape (m,), float32
            At `to_rate`. The input itself where the rates are equal.

        Raises
        ------
        ChoiceError
            After `flush`.
        """
        if self._finished:
            raise ChoiceError(
                "samples pushed into a resampler after its flush", remedy="make a new Resampler"
            )
        self._n_in += len(samples)
        if self._stream is None:
            return samples
        return self._counted(self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32)))

    def flush(self) -> Samples:
        """Return the rest, at the end of the recording: shape (m,), float32. Nothing may follow it."""
        nothing = np.zeros(0, np.float32)
        if self._finished:
            return nothing
        self._finished = True
        if self._stream is None:
            return nothing
        rest = self._counted(self._stream.resample_chunk(nothing, last=True))
        # soxr's own count is the same rounding; this holds it to the rule if a release should differ by one.
        missing = self.n_output(self._n_in) - self._n_out
        return rest if missing == 0 else np.concatenate([rest, np.zeros(missing, np.float32)])

    def _counted(self, samples: Samples) -> Samples:
        """Count what goes out, and never let out more than the rule allows for."""
        kept = samples[: self.n_output(self._n_in) - self._n_out]
        self._n_out += len(kept)
        return kept


def _open(from_rate: int, to_rate: int, quality: str) -> Any:
    """A soxr stream: imported here, since many jobs never resample."""
    import soxr

    return soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality=quality)


@functools.cache
def _latency(from_rate: int, to_rate: int, quality: str) -> Seconds:
    """The longest that a sample in waited for its sample out, seconds."""
    if from_rate == to_rate:
        return 0.0
    stream = _open(from_rate, to_rate, quality)
    piece = np.zeros(max(1, from_rate // 1000), np.float32)
    longest, n_in, n_out = 0.0, 0, 0
    while n_in < 2 * from_rate:
        n_in += len(piece)
        longest = max(longest, n_in / from_rate - n_out / to_rate)
        n_out += len(stream.resample_chunk(piece))
    return longest
