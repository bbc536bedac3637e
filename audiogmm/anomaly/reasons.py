"""An explanation in sentences for people."""

from __future__ import annotations

from pathlib import Path

from audiogmm.types import Json

AGREES = 0.5
"""Decibels under which nothing is called louder or quieter."""


def describe_reasons(explanation: Json) -> tuple[str, ...]:
    """At most three short sentences: what changed, when it was worst, and what to compare with.

    Parameters
    ----------
    explanation : dict
        See `audiogmm.anomaly.explainer.EventExplainer`.

    Examples
    --------
    >>> band = {"low_hz": 1705.0, "high_hz": 2120.0, "db": 14.2, "share": 0.62, "steady": 1.0, "tone": False}
    >>> near = {"id": "day3", "audio_filepath": "/x/day3.wav", "start": 41.2, "end": 41.7, "distance": 2.0}
    >>> for sentence in describe_reasons({"kind": "colour", "bands": [band],
    ...                             "worst": [{"time": 12.3525, "loss": 80.0}], "nearest": [near]}):
    ...     print(sentence)
    colour: 1.7 to 2.1 kHz is 14 dB louder than expected (62 % of the loss)
    worst at 12.35 s
    nearest normal sound: day3.wav at 41.2 s
    """
    sentences = [f"{explanation['kind']}: {_what(explanation)}"]
    if explanation.get("worst"):
        sentences.append(f"worst at {explanation['worst'][0]['time']:.2f} s")
    if explanation.get("nearest"):
        near = explanation["nearest"][0]
        name = Path(near["audio_filepath"]).name if near["audio_filepath"] else near["id"]
        sentences.append(f"nearest normal sound: {name} at {near['start']:.1f} s")
    return tuple(sentences)


def _what(explanation: Json) -> str:
    if explanation["kind"] == "rhythm":
        return _rhythm(explanation)
    if "columns" in explanation:
        return ", ".join(_column(column) for column in explanation["columns"])
    bands = explanation["bands"]
    if explanation["kind"] == "level":
        return f"all bands are {_decibels(bands[0]['db'])} than expected {_share(bands[0])}"
    return ", ".join(_band(band) for band in bands[:2])


def _rhythm(explanation: Json) -> str:
    rhythm = explanation.get("rhythm")
    told = []
    if rhythm is not None:
        for name in ("stronger", "weaker"):
            rate, other = rhythm[name], rhythm["stronger"]
            again = name == "weaker" and rate and other and rate["low"] == other["low"]
            if rate is not None and not again:  # in other bands; once is enough
                told.append(
                    f"movements {rate['low']:.1f} to {rate['high']:.1f} times a second are "
                    f"{abs(rate['db']):.0f} dB {name} than normal"
                )
    if told:
        return ", ".join(told)
    return "sounds change from moment to moment in another way than normal"


def _band(band: Json) -> str:
    changed = f"{_decibels(band['db'])} than expected {_share(band)}"
    if band["tone"]:
        return f"a tone at about {hertz((band['low_hz'] * band['high_hz']) ** 0.5)}, {changed}"
    return f"{between(band['low_hz'], band['high_hz'])} is {changed}"


def _share(found: Json) -> str:
    return f"({found['share'] * 100:.0f} % of the loss)"


def _column(column: Json) -> str:
    side = "higher" if column["deviations"] > 0 else "lower"
    return (
        f"column {column['column']} is {abs(column['deviations']):.1f} deviations {side} than expected "
        f"{_share(column)}"
    )


def _decibels(amount: float) -> str:
    if abs(amount) < AGREES:
        return "now louder, now quieter"
    return f"{abs(amount):.0f} dB {'louder' if amount > 0 else 'quieter'}"


def hertz(frequency: float) -> str:
    """A frequency with three digits.

    Examples
    --------
    >>> hertz(1841.2), hertz(84.3)
    ('1,840 Hz', '84 Hz')
    """
    return f"{float(f'{frequency:.3g}'):,.0f} Hz"


def between(low: float, high: float) -> str:
    """A range of frequencies.

    Examples
    --------
    >>> between(1705, 2120), between(310, 820), between(820, 1310)
    ('1.7 to 2.1 kHz', '310 to 820 Hz', '0.8 to 1.3 kHz')
    """
    if high < 1000:
        return f"{float(f'{low:.2g}'):.0f} to {float(f'{high:.2g}'):.0f} Hz"
    return f"{low / 1000:.1f} to {high / 1000:.1f} kHz"
