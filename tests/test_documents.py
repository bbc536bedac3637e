"""JSON that is read back holds finite numbers."""

from __future__ import annotations

import pytest

from audiogmm.documents import parse_document, parse_finite


@pytest.mark.parametrize("text", ["[1]", "null", '{"a": NaN}', '{"a": -Infinity}', '{"a": [1e999]}', "{"])
def test_what_is_no_object_of_finite_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an object|no finite number|Expecting"):
        parse_document(text)


def test_numbers_are_kept_to_the_last_digit() -> None:
    assert parse_document('{"a": 0.1, "b": 12345678901234567890, "c": -5e-324}') == {
        "a": 0.1,
        "b": 12345678901234567890,
        "c": -5e-324,
    }


@pytest.mark.parametrize("value", [True, None, [], {}, "", "x", "nan", "1e999", float("inf")])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no finite number|could not convert"):
        parse_finite(value)
