"""An explanation in sentences."""

from __future__ import annotations

from pathlib import Path

from audiogmm.types import Json

AGREES = 0.5
"""Decibels under which nothing is called louder or quieter."""

WIDE = 8.0
"""Ratio of a range's edges from which it is not named as the place of a rhythm: most of the spectrum."""

_KINDS = {"level": "level", "colour": "spectrum", "rhythm": "rhythm"}
"""How a sentence calls the `kind` of an explanation."""


def describe_reasons(explanation: Json, in_rows: bool = False) -> tuple[str, ...]:
    """Describe an explanation in at most four sentences: what changed, when, and what to compare with.

    Where a whole recording changed alike, what it may come from is asked first.

    Parameters
    ----------
    explanation : dict
        See `audiogmm.anomaly.explainer.EventExplainer`.
    in_rows : bool
        Whether frames are rows of a table, and times their numbers.

    Examples
    --------
    >>> band = {"low_hz": 1705.0, "high_hz": 2120.0, "db": 14.2, "share": 0.62, "steady": 1.0, "tone": False}
    >>> near = {"id": "day3", "audio_filepath": "/x/day3.wav", "start": 41.2, "end": 41.7, "distance": 2.0}
    >>> for sentence in describe_reasons({"kind": "colour", "bands": [band],
    ...                                   "worst": [{"time": 12.3525, "loss": 80.0}], "nearest": [near]}):
    ...     print(sentence)
    spectrum: 1.7 to 2.1 kHz is 14 dB louder than expected (62 % of the low score)
    lowest score at 12.35 s
    nearest normal sound: day3.wav at 41.2 s
    """
    whole = explanation.get("whole")
    sentences = [_what(explanation)] if whole is None else [_alike(whole), _what(explanation)]
    if explanation.get("worst"):
        time = explanation["worst"][0]["time"]
        sentences.append(f"lowest score {f'in row {int(time)}' if in_rows else f'at {time:.2f} s'}")
    if explanation.get("nearest"):
        near = explanation["nearest"][0]
        name = Path(near["audio_filepath"]).name if near["audio_filepath"] else near["id"]
        at = f"row {near['start']:.0f}" if in_rows else f"{near['start']:.1f} s"
        sentences.append(f"nearest normal {'row' if in_rows else 'sound'}: {name} at {at}")
    return tuple(sentences)


def _what(explanation: Json) -> str:
    kind = explanation["kind"]
    if "columns" in explanation:
        columns = ", ".join(_column(column) for column in explanation["columns"])
        return f"rhythm: {_rhythm(explanation)}" if kind == "rhythm" else columns
    if kind == "rhythm":
        what = _rhythm(explanation)
    elif kind == "level":
        band = explanation["bands"][0]
        what = f"all frequencies are {_decibels(band['db'])} than expected {_share(band)}"
    else:
        what = ", ".join(_band(band) for band in explanation["bands"][:2])
    return f"{_KINDS[kind]}: {what}"


def _alike(band: Json) -> str:
    """What the whole recording has alike, and what that may come from.

    Examples
    --------
    >>> _alike({"low_hz": 2000.0, "high_hz": 4000.0, "db": -12.3}).split(':')[0]
    'the whole recording is alike, 12 dB quieter than expected at 2.0 to 4.0 kHz'
    """
    changed = f"{_decibels(band['db'])} than expected at {between(band['low_hz'], band['high_hz'])}"
    return f"the whole recording is alike, {changed}: another gain, codec or microphone?"


def _rhythm(explanation: Json) -> str:
    rhythm = explanation.get("rhythm")
    rates: list[str] = []
    if rhythm is not None:
        for name in ("stronger", "weaker"):
            rate, other = rhythm[name], rhythm["stronger"]
            repeated = name == "weaker" and rate and other and rate["low"] == other["low"]
            if rate is not None and not repeated:  # in other bands; once is enough
                verb = "" if rates else " is"
                at = f"at {rate['low']:.1f} to {rate['high']:.1f} Hz{verb}"
                rates.append(f"{at} {abs(rate['db']):.0f} dB {name}")
    if not rates:
        unit = "row" if "columns" in explanation else "frame"
        return f"the change from {unit} to {unit} is not as in normal data"
    return f"{_place(explanation)}modulation {', '.join(rates)} than normal"


def _place(explanation: Json) -> str:
    """Where in the spectrum most of the low score comes from, unless it is most of the spectrum."""
    for band in explanation.get("bands", ())[:1]:
        if band["high_hz"] < WIDE * max(band["low_hz"], 1.0):
            return f"mostly between {between(band['low_hz'], band['high_hz']).replace(' to ', ' and ')}, "
    return ""


def _band(band: Json) -> str:
    changed = f"{_decibels(band['db'])} than expected {_share(band)}"
    if band["tone"]:
        return f"a tone at about {hertz((band['low_hz'] * band['high_hz']) ** 0.5)}, {changed}"
    return f"{between(band['low_hz'], band['high_hz'])} is {changed}"


def _share(found: Json) -> str:
    return f"({found['share'] * 100:.0f} % of the low score)"


def _column(column: Json) -> str:
    side = "higher" if column["deviations"] > 0 else "lower"
    name = repr(column["name"]) if "name" in column else column["column"]
    return (
        f"column {name} is {abs(column['deviations']):.1f} standard deviations {side} than "
        f"expected {_share(column)}"
    )


def _decibels(amount: float) -> str:
    if abs(amount) < AGREES:
        return "at times louder, at times quieter"
    return f"{abs(amount):.0f} dB {'louder' if amount > 0 else 'quieter'}"


def hertz(frequency: float) -> str:
    """Format a frequency with three digits.

    Examples
    --------
    >>> hertz(1841.2), hertz(84.3)
    ('1,840 Hz', '84 Hz')
    """
    return f"{float(f'{frequency:.3g}'):,.0f} Hz"


def between(low: float, high: float) -> str:
    """Format a range of frequencies.

    Examples
    --------
    >>> between(1705, 2120), between(310, 820), between(820, 1310)
    ('1.7 to 2.1 kHz', '310 to 820 Hz', '0.8 to 1.3 kHz')
    """
    if high < 1000:
        return f"{float(f'{low:.2g}'):.0f} to {float(f'{high:.2g}'):.0f} Hz"
    return f"{low / 1000:.1f} to {high / 1000:.1f} kHz"
