"""What both verbs of `evaluate` write and print: the result as JSON, a picture, and the closing lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from audiogmm.escapes import ESCAPED
from audiogmm.evaluation.settings import EvaluationSettings
from audiogmm.files import replacing, together
from audiogmm.runs.aside import SHOWN, Aside, errors_path
from audiogmm.runs.outputs import check_output
from audiogmm.types import Json


class Evaluation(Protocol):
    """An evaluation of any kind."""

    @property
    def aside(self) -> Aside:
        """Inputs that were not used."""
        ...

    def to_dict(self) -> Json:
        """Return the result as one JSON object."""
        ...


E = TypeVar("E", bound=Evaluation)


@dataclass(frozen=True)
class EvaluationResult(Generic[E]):
    """An evaluation, and the files that were written of it."""

    evaluation: E
    text: tuple[str, ...]  # the evaluation in words and tables
    output: Path | None  # the files
    picture: Path | None

    def summary(self) -> Json:
        """Return what `--json` prints."""
        aside = self.evaluation.aside
        return self.evaluation.to_dict() | {
            "output": None if self.output is None else str(self.output),
            "picture": None if self.picture is None else str(self.picture),
            **aside.summary(),
            "reasons": [f"{row.id}: {row.reason}" if row.id else row.reason for row in aside.rows[:SHOWN]],
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield from self.text
        if self.output is not None:
            yield f"result: {self.output}"
        if self.picture is not None:
            yield f"picture: {self.picture}"


def open_evaluation(output: Path | None, settings: EvaluationSettings, *inputs: object) -> Aside:
    """Refuse files that cannot be written, before the work begins, and open the list of what is set aside.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), is an input, or cannot be written.
    ChoiceError
        If pictures have no such suffix.
    """
    for path in (output, settings.plot):
        if path is not None:
            check_output(path, settings.force, *inputs)
    if settings.plot is not None:
        from audiogmm.reporting.figure import check_suffix

        check_suffix(settings.plot)
    return Aside(None if output is None else errors_path(output), strict=settings.strict, quiet=True)


def write_evaluation(
    found: E,
    text: Iterable[str],
    output: Path | None,
    settings: EvaluationSettings,
    draw: Callable[..., None],
) -> EvaluationResult[E]:
    """Draw an evaluation and write it as JSON, where these are wanted.

    Parameters
    ----------
    found : VerificationEvaluation or DetectionEvaluation
    text : iterable of str
        The evaluation in words and tables.
    output : Path or None
        The JSON.
    settings : EvaluationSettings
    draw : callable
        Draws an evaluation into a file.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    """
    with together():
        if settings.plot is not None:
            draw(found, settings.plot, force=settings.force)
        if output is not None:
            with replacing(output, force=settings.force) as temporary:
                content = json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)
                temporary.write_text(content + "\n", encoding="utf-8", errors=ESCAPED)
    return EvaluationResult(found, tuple(text), output, settings.plot)
