"""Checks of a front end's settings: kinds, choices, ranges, contradictions; and their TOML."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.audio.frontend.cmvn import CMVN
from audiogmm.audio.frontend.framing import WINDOWS
from audiogmm.audio.frontend.mel import MEL_NORMS, MEL_SCALES, MEL_TRIANGLES
from audiogmm.audio.frontend.mfcc import ENERGIES
from audiogmm.audio.frontend.vad import VADS
from audiogmm.errors import ChoiceError, FrontEndError

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

CHOICES: dict[str, tuple[str, ...]] = {
    "length_unit": ("seconds", "samples"),
    "window": WINDOWS,
    "spectrum": ("power", "magnitude"),
    "mel_scale": MEL_SCALES,
    "mel_triangles": MEL_TRIANGLES,
    "mel_norm": MEL_NORMS,
    "log_scale": ("ln", "db"),
    "feature": ("mfcc", "logmel"),
    "energy": ENERGIES,
    "cmvn": CMVN,
    "vad": VADS,
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

_KINDS = {"bool": bool, "int": int, "float": float, "Seconds": float, "str": str}


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest known word, or all of them.

    Examples
    --------
    >>> nearest("n_mell", ["n_mels", "n_mfcc"]), nearest("x", ["a", "b"])
    ("'n_mels'", 'one of a, b')
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return repr(close[0]) if close else f"one of {', '.join(known)}"


def check(frontend: FrontEnd) -> None:
    """Refuse settings that are of the wrong kind, out of range, or contradict each other.

    Whole numbers given for real ones become real, and lists tuples, so that equal settings are equal objects.

    Raises
    ------
    ChoiceError
        If a setting has the wrong kind, is not one of its choices, or out of range.
    FrontEndError
        If two settings contradict each other.
    """
    for field in dataclasses.fields(frontend):
        value = _converted(field.name, str(field.type), getattr(frontend, field.name))
        object.__setattr__(frontend, field.name, value)
    _check_contradictions(frontend)


def _converted(name: str, kind: str, value: Any) -> Any:
    """The value in its own kind, within its range."""
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
    if name in ABOVE and value <= ABOVE[name]:
        raise ChoiceError(f"{name} = {value}", needed=f"more than {ABOVE[name]}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_contradictions(frontend: FrontEnd) -> None:
    """Refuse settings of which one makes the other meaningless."""
    lowest_cepstrum = 0 if frontend.include_c0 else 1
    if frontend.feature == "mfcc" and frontend.n_mfcc + lowest_cepstrum > frontend.n_mels:
        raise FrontEndError(
            f"n_mfcc = {frontend.n_mfcc} (c{lowest_cepstrum} to c{frontend.n_mfcc - 1 + lowest_cepstrum}) "
            f"from n_mels = {frontend.n_mels}",
            needed="as many mel bands as cepstra, c0 counted",
            remedy=f"n_mels = {frontend.n_mfcc + lowest_cepstrum} or more",
        )
    if frontend.energy != "none" and not frontend.include_c0 and frontend.feature == "mfcc":
        raise FrontEndError(
            f"energy = {frontend.energy!r} with include_c0 = False",
            needed="a place for the energy, which is that of c0",
            remedy="include_c0 = True, or energy = 'none'",
        )
    if frontend.fmin is not None and frontend.fmax is not None and 0 < frontend.fmax <= frontend.fmin:
        raise FrontEndError(
            f"fmin = {frontend.fmin} and fmax = {frontend.fmax}", needed="fmin below fmax, both in hertz"
        )
    if frontend.length_unit == "samples" and not (
        frontend.frame_length.is_integer() and frontend.hop_length.is_integer()
    ):
        raise FrontEndError(
            f"frame_length = {frontend.frame_length} and hop_length = {frontend.hop_length} in samples",
            needed="whole numbers of samples",
            remedy="length_unit = 'seconds', if seconds are meant",
        )
    given = len(frontend.cmvn_mean), len(frontend.cmvn_scale)
    if given != (0, 0) and frontend.cmvn != "global":
        raise FrontEndError(
            f"cmvn = {frontend.cmvn!r} with global statistics of {given[0]} dimensions",
            needed="cmvn = 'global' for cmvn_mean and cmvn_scale",
        )
    if given not in ((0, 0), (frontend.n_features(), frontend.n_features())):
        raise FrontEndError(
            f"cmvn_mean and cmvn_scale of {given[0]} and {given[1]} dimensions",
            needed=f"{frontend.n_features()} dimensions, as the features have",
        )


def from_settings(settings: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Settings that are all known ones.

    Raises
    ------
    ChoiceError
        If a name is unknown; the nearest known one is named.
    """
    known = list(fields)
    for name in settings:
        if name not in known:
            raise ChoiceError(
                f"front-end setting {name!r}",
                needed="a setting that a front end has",
                remedy=nearest(name, known),
            )
    return dict(settings)


def read_toml(text: str | Path) -> dict[str, Any]:
    """The settings in a TOML document: a string, or a file named by a Path.

    Raises
    ------
    FrontEndError
        If it is not TOML, or cannot be read.
    """
    import tomllib

    source = str(text) if isinstance(text, Path) else "front end"
    try:
        return tomllib.loads(text.read_text(encoding="utf-8") if isinstance(text, Path) else text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FrontEndError(f"{source}: {error}", needed="settings in TOML") from error
    except OSError as error:
        raise FrontEndError(f"{source}: {error.strerror or error}", needed="a readable TOML file") from error


def to_toml(settings: Mapping[str, Any]) -> str:
    """Write words, numbers, truth values and lists of numbers as TOML.

    Examples
    --------
    >>> print(to_toml({"window": "hann", "n_mels": 40, "remove_dc": True, "cmvn_mean": [1.0, -2.5]}), end="")
    window = "hann"
    n_mels = 40
    remove_dc = true
    cmvn_mean = [1.0, -2.5]
    """
    return "".join(f"{name} = {_toml_value(value)}\n" for name, value in settings.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml_value(x) for x in value)}]"
    return repr(value)
