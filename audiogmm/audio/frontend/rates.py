"""What a front end's settings come to at a sample rate: samples, and hertz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.errors import FrontEndError, MismatchError

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

TELEPHONE_RATE = 8000
"""Hertz: up to here speech is taken for telephone speech, whose band begins at 100 Hz."""


def analysis_rate(frontend: FrontEnd, sample_rate: int) -> int:
    """Hertz at which a recording of `sample_rate` is analysed.

    Raises
    ------
    MismatchError
        If the recording's rate is below the front end's.
    """
    if frontend.sample_rate is None or frontend.sample_rate == sample_rate:
        return sample_rate
    if frontend.sample_rate > sample_rate:
        raise MismatchError(
            f"audio at {sample_rate} Hz for a front end at {frontend.sample_rate} Hz",
            needed=f"{frontend.sample_rate} Hz or more",
            remedy="--upsample, or a front end at the lower rate",
        )
    return frontend.sample_rate


def sizes(frontend: FrontEnd, rate: int) -> tuple[int, int, int]:
    """Frame length, hop and transform length in samples, at an analysis rate in hertz.

    Raises
    ------
    FrontEndError
        If a frame has less than two samples, a hop none, or a frame does not fit into the transform.

    Examples
    --------
    >>> from audiogmm.audio.frontend.frontend import FrontEnd
    >>> sizes(FrontEnd(), 44100)
    (1102, 441, 2048)
    """
    unit = 1.0 if frontend.length_unit == "samples" else float(rate)
    # rounded down, as in Kaldi, but not by the last digit of a product such as 0.025 * 16000
    length, hop = (int(unit * size + 1e-6) for size in (frontend.frame_length, frontend.hop_length))
    if length < 2 or hop < 1:
        raise FrontEndError(
            f"frames of {frontend.frame_length} {frontend.length_unit} every {frontend.hop_length} "
            f"at {rate} Hz",
            needed="at least two samples a frame and one a hop",
        )
    enough = 1 << (length - 1).bit_length()
    n_fft = frontend.n_fft or enough
    if n_fft < length:
        raise FrontEndError(
            f"n_fft = {n_fft} for frames of {length} samples ({rate} Hz)",
            needed="a transform that holds a frame",
            remedy=f"n_fft = {enough}, or 0 for the next power of two",
        )
    return length, hop, n_fft


def band(frontend: FrontEnd, rate: int) -> tuple[float, float]:
    """Lower edge of the lowest mel band and upper edge of the highest, hertz, at an analysis rate.

    Raises
    ------
    FrontEndError
        If they do not lie, in this order, between 0 and the Nyquist frequency.

    Examples
    --------
    >>> from audiogmm.audio.frontend.frontend import FrontEnd
    >>> band(FrontEnd(), 8000), band(FrontEnd(), 16000)
    ((100.0, 3800.0), (20.0, 7600.0))
    """
    nyquist = rate / 2
    fmin = 100.0 if rate <= TELEPHONE_RATE else 20.0
    fmax = min(7600.0, 0.95 * nyquist)
    if frontend.fmin is not None:
        fmin = frontend.fmin
    if frontend.fmax is not None:
        fmax = frontend.fmax if frontend.fmax > 0 else nyquist + frontend.fmax
    if not 0 <= fmin < fmax <= nyquist:
        raise FrontEndError(
            f"mel bands from {fmin:g} to {fmax:g} Hz at a sample rate of {rate} Hz",
            needed=f"0 <= fmin < fmax <= {nyquist:g} Hz",
            remedy="another fmin or fmax, or a higher sample_rate",
        )
    return fmin, fmax
