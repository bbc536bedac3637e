"""The types of lines: each named once, and known to the help of the command."""

from __future__ import annotations

from audiogmm.cli.stream import command
from audiogmm.live.line import LINE_TYPES, SPARED
from audiogmm.live.stream.pipeline import STAGES
from audiogmm.live.stream.settings import EMITTED


def test_every_type_is_in_the_help() -> None:
    text = command.help or ""
    assert [name for name in LINE_TYPES if name not in text] == []
    assert set(LINE_TYPES) >= SPARED


def test_every_word_of_emit_has_a_stage() -> None:
    assert {*STAGES, "events"} == set(EMITTED)
    assert {word.removesuffix("s") for word in STAGES} <= SPARED
