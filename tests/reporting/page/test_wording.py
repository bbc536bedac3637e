"""Names are short and still apart; times and numbers are rounded once."""

from __future__ import annotations

from audiogmm.reporting.page.wording import brief_names, moment, number


def test_names_are_brief_and_still_apart() -> None:
    assert brief_names(["a--b--1", "a--b--2", "a--c"]) == {"a--b--1": "b--1", "a--b--2": "b--2", "a--c": "c"}
    ids = ["x--y", "x--y--z"]
    assert len(set(brief_names(ids).values())) == 2
    assert (moment(59.999), moment(3599.99), moment(0.0)) == ("1:00.0", "1:00:00", "0.00 s")
    assert number(-0.001, 2) == "0.00"
