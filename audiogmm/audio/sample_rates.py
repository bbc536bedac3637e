"""Recordings whose sample rate is not the front end's: refused, or resampled and said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.frontend.resample import Resampler
from audiogmm.errors import MismatchError
from audiogmm.types import Samples


def check_rate(name: str, own: int, wanted: int | None, upsample: bool, warn: Warn) -> None:
    """Warn that a recording is resampled, and refuse one whose rate is too low.

    Parameters
    ----------
    name : str
        The recording, for messages.
    own, wanted : int
        Its rate, and the front end's, hertz; None takes any.
    upsample : bool
        Allow a lower rate.
    warn : callable
        As of `Recording`.

    Raises
    ------
    MismatchError
        If the rate is lower than wanted, and not `upsample`.

    Examples
    --------
    >>> check_rate("a.wav", 48000, 16000, False, print)
    audio at 48000 Hz is resampled to 16000 Hz
    """
    if wanted is None or own == wanted:
        return
    if own > wanted:
        warn(f"audio at {own} Hz is resampled to {wanted} Hz")
    elif upsample:
        warn(f"audio at {own} Hz is resampled to {wanted} Hz: it has nothing above {own / 2:g} Hz")
    else:
        raise MismatchError(
            f"{name} has a sample rate of {own} Hz",
            needed=f"{wanted} Hz or more",
            remedy=f"--upsample, or a model at {own} Hz",
        )


def upsampled(audio: Iterable[Samples], own: int, rate: int) -> Iterator[Samples]:
    """Yield samples resampled from `own` to `rate` hertz; a front end itself resamples only down."""
    if own == rate:
        yield from audio
        return
    resampler = Resampler(own, rate)
    for samples in audio:
        yield resampler.push(samples)
    yield resampler.flush()
