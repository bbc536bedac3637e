"""Checks of a front end's settings: kinds, choices, ranges, contradictions."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from audiogmm.audio.frontend.mel import MEL_NORMS, MEL_SCALES, MEL_TRIANGLES
from audiogmm.audio.frontend.windows import WINDOWS
from audiogmm.errors import ChoiceError, FrontEndError

CHOICES: dict[str, tuple[str, ...]] = {
    "length_unit": ("seconds", "samples"),
    "window": tuple(WINDOWS),
    "spectrum": ("power", "magnitude"),
    "mel_scale": MEL_SCALES,
    "mel_triangles": MEL_TRIANGLES,
    "mel_norm": MEL_NORMS,
    "log_scale": ("ln", "db"),
    "feature": ("mfcc", "logmel"),
    "energy": ("none", "raw", "windowed"),
    "cmvn": ("none", "utterance", "sliding", "online", "global", "warping"),
    "vad": ("none", "energy"),
}
"""Settings that are one of a few words."""

LOWEST: dict[str, float] = {
    "sample_rate": 1,
    "n_fft": 0,
    "dither": 0.0,
    "dither_seed": 0,
    "sample_scale": 0.0,
    "preemphasis": 0.0,
    "n_mels": 1,
    "fmin": 0.0,
    "n_mfcc": 1,
    "lifter": 0.0,
    "deltas": 0,
    "delta_window": 1,
    "vad_margin": 0.0,
    "vad_depth": 0.0,
    "vad_before": 0.0,
    "vad_after": 0.0,
}
"""Smallest values allowed."""

ABOVE: dict[str, float] = {
    "frame_length": 0.0,
    "hop_length": 0.0,
    "log_floor": 0.0,
    "cmvn_window": 0.0,
    "vad_window": 0.0,
}
"""Settings that must be larger than a value."""

HIGHEST: dict[str, float] = {
    "sample_rate": 10_000_000,
    "n_fft": 1 << 20,
    "n_mels": 4096,
    "n_mfcc": 4096,
    "deltas": 8,
    "delta_window": 1000,
    "dither_seed": (1 << 63) - 1,
    "frame_length": 1 << 20,
    "hop_length": 1 << 24,
    "cmvn_window": 86400.0,
    "vad_window": 86400.0,
    "vad_before": 3600.0,
    "vad_after": 3600.0,
}
"""Largest values allowed, far above those of use: what a file says may not ask for any memory it likes."""

_LARGEST_ARRAY = 1 << 25
"""Numbers in an array that a front end keeps, at most: 268 MB of the largest type."""

_KINDS = {"bool": bool, "int": int, "float": float, "Seconds": float, "str": str}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known word, or all of them.

    Examples
    --------
    >>> nearest("n_mell", ["n_mels", "n_mfcc"]), nearest("x", ["a", "b"])
    ("'n_mels'", 'one of a, b')
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return repr(close[0]) if close else f"one of {', '.join(known)}"


def checked_value(name: str, kind: str, value: Any) -> Any:
    """Return the value of a setting in its own kind, within its range.

    Whole numbers given for real ones become real, and lists tuples, so that equal settings are equal objects.

    Parameters
    ----------
    name, kind : str
        The setting, and its type as its annotation says.
    value : object
        What was given.

    Raises
    ------
    ChoiceError
        If it has the wrong kind, is not one of the choices, or out of range.

    Examples
    --------
    >>> checked_value("preemphasis", "float", 0), checked_value("fmin", "float | None", None)
    (0.0, None)
    """
    kind, _, optional = kind.partition(" | ")
    if value is None and optional:
        return None
    if kind.startswith("tuple"):
        if not isinstance(value, (tuple, list)) or not all(_is_number(x) for x in value):
            raise ChoiceError(f"{name} = {value!r}", needed="a list of finite numbers")
        return tuple(float(x) for x in value)
    if _KINDS.get(kind) is float and _is_number(value):
        value = float(value)
    if type(value) is not _KINDS[kind] or (type(value) is float and not math.isfinite(value)):
        raise ChoiceError(
            f"{name} = {value!r}", needed=f"a value of type {kind}{' or none' * bool(optional)}"
        )
    _check_range(name, value)
    return value


def _check_range(name: str, value: Any) -> None:
    """Refuse a value that is not one of its choices, or too small."""
    if name in CHOICES and value not in CHOICES[name]:
        raise ChoiceError(
            f"{name} = {value!r}",
            needed=f"one of {', '.join(CHOICES[name])}",
            remedy=nearest(value, CHOICES[name]),
        )
    if name in LOWEST and value < LOWEST[name]:
        raise ChoiceError(f"{name} = {value}", needed=f"at least {LOWEST[name]}")
    if name in HIGHEST and value > HIGHEST[name]:
        raise ChoiceError(f"{name} = {value}", needed=f"at most {HIGHEST[name]}")
    if name in ABOVE and value <= ABOVE[name]:
        raise ChoiceError(f"{name} = {value}", needed=f"more than {ABOVE[name]}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def refuse_contradictions(settings: Mapping[str, Any], n_features: int) -> None:
    """Refuse settings of which one makes the other meaningless.

    Parameters
    ----------
    settings : mapping of str to object
        All of them, each in its own kind.
    n_features : int
        Numbers in the feature vector that they give.

    Raises
    ------
    FrontEndError
        With both settings.
    """
    n_mfcc, n_mels, energy = settings["n_mfcc"], settings["n_mels"], settings["energy"]
    lowest = 0 if settings["include_c0"] else 1
    if settings["feature"] == "mfcc" and n_mfcc + lowest > n_mels:
        raise FrontEndError(
            f"n_mfcc = {n_mfcc} (c{lowest} to c{n_mfcc - 1 + lowest}) from n_mels = {n_mels}",
            needed="as many mel bands as cepstra, c0 counted",
            remedy=f"n_mels = {n_mfcc + lowest} or more",
        )
    if energy != "none" and lowest == 1 and settings["feature"] == "mfcc":
        raise FrontEndError(
            f"energy = {energy!r} with include_c0 = False",
            needed="a place for the energy, which is that of c0",
            remedy="include_c0 = True, or energy = 'none'",
        )
    fmin, fmax = settings["fmin"], settings["fmax"]
    if fmin is not None and fmax is not None and 0 < fmax <= fmin:
        raise FrontEndError(f"fmin = {fmin} and fmax = {fmax}", needed="fmin below fmax, both in hertz")
    length, hop = settings["frame_length"], settings["hop_length"]
    if settings["length_unit"] == "samples" and not (length.is_integer() and hop.is_integer()):
        raise FrontEndError(
            f"frame_length = {length} and hop_length = {hop} in samples",
            needed="whole numbers of samples",
            remedy="length_unit = 'seconds', if seconds are meant",
        )
    given = len(settings["cmvn_mean"]), len(settings["cmvn_scale"])
    if given != (0, 0) and settings["cmvn"] != "global":
        raise FrontEndError(
            f"cmvn = {settings['cmvn']!r} with global statistics of {given[0]} dimensions",
            needed="cmvn = 'global' for cmvn_mean and cmvn_scale",
        )
    if given not in ((0, 0), (n_features, n_features)):
        raise FrontEndError(
            f"cmvn_mean and cmvn_scale of {given[0]} and {given[1]} dimensions",
            needed=f"{n_features} dimensions, as the features have",
        )


def refuse_large(settings: Mapping[str, Any], n_features: int, n_fft: int, frame_rate: float) -> None:
    """Refuse settings that would take gigabytes at a sample rate.

    Parameters
    ----------
    settings : mapping of str to object
        All of them.
    n_features : int
        Numbers in a feature vector.
    n_fft : int
        Length of the transform, samples.
    frame_rate : float
        Frames a second.

    Raises
    ------
    FrontEndError
        With the settings and the number of values.
    """
    seconds = max(settings[name] for name in ("vad_window", "vad_before", "vad_after"))
    window = settings["cmvn_window"] if settings["cmvn"] in ("sliding", "warping") else 0.0
    for what, size in (
        ("n_fft", n_fft),
        ("n_mels bands of n_fft // 2 + 1 bins", settings["n_mels"] * (n_fft // 2 + 1)),
        ("a vad_window, vad_before or vad_after in frames", seconds * frame_rate),
        ("a cmvn_window in frames, times features", window * frame_rate * n_features),
    ):
        if size > (HIGHEST["n_fft"] if what == "n_fft" else _LARGEST_ARRAY):
            raise FrontEndError(
                f"{what}: {size:,.0f} values",
                needed=f"at most {HIGHEST['n_fft'] if what == 'n_fft' else _LARGEST_ARRAY:,.0f}",
                remedy="shorter frames or windows, or fewer bands",
            )


def refuse_unknown(settings: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is no setting.

    Raises
    ------
    ChoiceError
        With the nearest known name.
    """
    known = list(known)
    for name in settings:
        if name not in known:
            raise ChoiceError(
                f"front-end setting {name!r}",
                needed="a setting that a front end has",
                remedy=nearest(name, known),
            )
