"""Markup: any text is shown as it is, and cannot break out."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from audiogmm.reporting.page.markup import escape, tag
from tests.reporting.page.reader import Reader


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="￾￿")))
def test_any_text_is_shown_as_it_is_and_nothing_else(text: str) -> None:
    read = Reader(tag("p", text, title=text))
    assert [name for name, _ in read.tags] == ["p"]
    assert read.tags[0][1]["title"] == text
    assert read.text == text
    assert html.unescape(escape(text)) == text


def test_what_no_html_holds_is_replaced() -> None:
    assert escape("a\x00b\ud800c\x1b[31m") == "a�b\\ud800c�[31m"
