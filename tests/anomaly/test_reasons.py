"""Sentences: short, with numbers and units."""

from __future__ import annotations

import pytest

from audiogmm.anomaly.reasons import between, describe_reasons, hertz

BAND = {"low_hz": 1705.0, "high_hz": 2120.0, "db": 14.2, "share": 0.62, "steady": 1.0, "tone": False}


def said(**found: object) -> str:
    return describe_reasons({"kind": "colour", "bands": [BAND]} | found)[0]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({}, "spectrum: 1.7 to 2.1 kHz is 14 dB louder than expected (62 % of the low score)"),
        (
            {"bands": [BAND | {"tone": True}]},
            "spectrum: a tone at about 1,900 Hz, 14 dB louder than expected (62 % of the low score)",
        ),
        (
            {"bands": [BAND, BAND | {"low_hz": 200.0, "high_hz": 310.0, "db": -6.4, "share": 0.2}, BAND]},
            "spectrum: 1.7 to 2.1 kHz is 14 dB louder than expected (62 % of the low score), "
            "200 to 310 Hz is 6 dB quieter than expected (20 % of the low score)",
        ),
        (
            {"kind": "level", "bands": [BAND | {"db": -9.7}]},
            "level: all frequencies are 10 dB quieter than expected (62 % of the low score)",
        ),
        (
            {"bands": [BAND | {"db": 0.2, "steady": 0.1}]},
            "spectrum: 1.7 to 2.1 kHz is at times louder, at times quieter than expected "
            "(62 % of the low score)",
        ),
        (
            {
                "kind": "rhythm",
                "rhythm": {
                    "unusual": 3.0,
                    "stronger": {"low": 2.9, "high": 4.0, "db": 9.1},
                    "weaker": {"low": 1.4, "high": 2.0, "db": -5.2},
                },
            },
            "rhythm: mostly between 1.7 and 2.1 kHz, modulation at 2.9 to 4.0 Hz is 9 dB stronger, "
            "at 1.4 to 2.0 Hz 5 dB weaker than normal",
        ),
        ({"kind": "rhythm"}, "rhythm: the change from frame to frame is not as in normal data"),
        (
            {"columns": [{"column": 3, "amount": -2.0, "deviations": -4.2, "share": 0.9, "steady": 1.0}]},
            "column 3 is 4.2 standard deviations lower than expected (90 % of the low score)",
        ),
    ],
)
def test_what_is_said(found: dict[str, object], sentence: str) -> None:
    found = dict(found)
    if "columns" in found:
        assert describe_reasons({"kind": "colour"} | found) == (sentence,)
    else:
        assert said(**found) == sentence


def test_there_are_at_most_three_sentences() -> None:
    near = {"id": "day3", "audio_filepath": None, "start": 41.2, "end": 41.7, "distance": 2.0}
    worst = [{"time": 12.3525, "loss": 80.0}, {"time": 13.0, "loss": 70.0}]
    found = {"kind": "colour", "bands": [BAND], "worst": worst, "nearest": [near, near]}
    assert describe_reasons(found)[1:] == ("lowest score at 12.35 s", "nearest normal sound: day3 at 41.2 s")
    in_rows = describe_reasons(found, in_rows=True)
    assert in_rows[1:] == ("lowest score in row 12", "nearest normal row: day3 at row 41")


def test_a_wide_range_is_no_place_of_a_rhythm() -> None:
    rhythm = {"stronger": {"low": 2.9, "high": 4.0, "db": 9.1}, "weaker": None}
    wide = BAND | {"low_hz": 40.0, "high_hz": 3900.0}
    sentence = "rhythm: modulation at 2.9 to 4.0 Hz is 9 dB stronger than normal"
    assert said(kind="rhythm", rhythm=rhythm, bands=[wide]) == sentence


def test_frequencies_have_few_digits() -> None:
    assert [hertz(f) for f in (84.3, 997.0, 12_345.0)] == ["84 Hz", "997 Hz", "12,300 Hz"]
    assert between(84.3, 260.0) == "84 to 260 Hz" and between(950.0, 1010.0) == "0.9 to 1.0 kHz"
