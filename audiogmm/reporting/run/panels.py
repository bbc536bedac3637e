"""The panels of a page that describe the model: normal scores, training, selection and components."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.documents import parse_document, parse_finite
from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.reading import reading
from audiogmm.reporting.criteria import CriteriaPicture
from audiogmm.reporting.page.content import ComponentClips, DetectorSummary, NormalSummary
from audiogmm.reporting.page.markup import Markup
from audiogmm.reporting.page.model import (
    component_section,
    normal_section,
    selection_section,
    training_section,
)
from audiogmm.reporting.page.sound import Clip, clip
from audiogmm.runs.progress import say_nothing
from audiogmm.scoring.component_segments import LONGEST, SHORTEST
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector
    from audiogmm.mixture.store import Model

MOST_COMPONENTS = 24
"""Most components that are shown, the most distinct ones."""

EXAMPLES = 2
"""Most sounds of each."""

_SHOWN_ELSEWHERE = frozenset(
    ("window", "quantile", "release_quantile", "min_duration", "merge_gap", "frame_rate", "threshold",
     "release", "n_windows", "note", "recordings", "n_seen")
)  # fmt: skip


def normal_panel(detector: Detector, about: Json, summary: DetectorSummary, peaks: Sequence[float]) -> Markup:
    """Return the panel of normal scores and of the detector's settings.

    Parameters
    ----------
    detector : Detector
    about : dict
        The detector's metadata in the run.
    summary : DetectorSummary
        The detector in the run.
    peaks : sequence of float
        Lowest scores of events, nats.
    """
    settings = detector.settings

    def length(value: float) -> str:
        return f"{value:g} {summary.unit}" if summary.unit else amount(value, "row")

    facts = {
        "averaged over": length(settings.window),
        f"normal {'windows' if summary.unit else 'rows'} that may raise an alarm": (
            f"{100 * settings.quantile:.3g} %"
        ),
        "shortest event": length(settings.min_duration),
        "longest gap within an event": length(settings.merge_gap),
        **dict(_further(about)),
    }
    note = str(about.get("note", detector.note) or "")
    normal = NormalSummary(detector.windows, detector.n_independent, settings.window, note, facts)
    return normal_section(normal, summary, peaks)


def _further(about: Json) -> Iterator[tuple[str, str]]:
    """List what the metadata holds beyond what a page shows elsewhere, such as an alarm budget."""
    for key, value in about.items():
        if key not in _SHOWN_ELSEWHERE and (text := _text(value)):
            yield key, text


def _text(value: object) -> str:
    """Write a value of a few numbers as text; "" for anything longer.

    Examples
    --------
    >>> _text({"rate": 0.5, "interval": [0.1, 1.25]}), _text(None), _text(list(range(100)))
    ('rate 0.5, interval 0.1 to 1.25', '', '')
    """
    if value is None or isinstance(value, bool):
        return "" if value is None else "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.4g}"
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, (list, tuple)) and len(value) <= 4:
        parts = [_text(part) for part in value]
        return (" to " if len(parts) == 2 else ", ").join(part for part in parts if part)
    if isinstance(value, dict) and len(value) <= 6:
        pairs = ((str(key).replace("_", " "), _text(part)) for key, part in value.items())
        return ", ".join(f"{key} {part}" for key, part in pairs if part)
    return ""


def training_panel(model: Model) -> Markup | None:
    """Return the panel of the training; None for a model without a history."""
    training = model.metadata.training
    history = [
        (int(row["number"]), float(row["log_likelihood"]))
        for row in training.get("history") or ()
        if row.get("log_likelihood") is not None and math.isfinite(row["log_likelihood"])
    ]
    if not history:
        return None
    ending = {
        "likelihood": "It stopped because the likelihood no longer rose.",
        "parameters": "It stopped because the parameters no longer changed.",
    }.get(training.get("converged") or "", "It stopped at the largest number of passes allowed.")
    if len(history) > 400:
        kept = np.unique(np.linspace(0, len(history) - 1, 400).round().astype(int))
        history = [history[i] for i in kept]
    return training_section(history, ending)


def selection_panel(table: Path) -> Markup:
    """Return the panel of the criteria in a table that `audiogmm select` wrote.

    Raises
    ------
    ManifestError
        If the file cannot be read, or is not such a table.
    """
    columns = {"covariance_type", "n_components", "bic"}
    needed = f"a table that audiogmm select wrote, with the columns {', '.join(sorted(columns))}"
    remedy = "the table that `audiogmm select ... -o table.csv` wrote"
    with reading(table, ManifestError, needed=needed, remedy=remedy):
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or not columns <= set(rows[0]):
            found = f"has the columns {', '.join(map(str, rows[0]))[:200]}" if rows else "has no row"
            raise ManifestError(f"{table} {found}", needed=needed, remedy=remedy)
        return selection_section(CriteriaPicture.of_table(rows))


def clusters_of_folder(folder: Path, unit: str) -> Markup:
    """Return the panel of the components that `audiogmm cluster` wrote.

    Raises
    ------
    ManifestError
        If the folder has no `components.jsonl`, or a line of it is not what `cluster` writes.
    """
    path = folder / "components.jsonl"
    needed, remedy = "a folder that audiogmm cluster wrote", "audiogmm cluster MODEL M -o DIR"
    with reading(path, ManifestError, needed=needed, remedy=remedy):
        with path.open(encoding="utf-8") as file:
            rows = [parse_document(line) for line in file if line.strip()]
        # `cluster` writes the most distinct first; a folder of version 0.1 has no measure of it
        if not any("distinctness" in row for row in rows):
            rows.sort(key=lambda row: -parse_finite(row["weight"]))
        found = (
            ComponentClips(
                str(row.get("label", row.get("component"))),
                parse_finite(row["weight"]),
                None if row.get("distinctness") is None else parse_finite(row["distinctness"]),
                list(_sounds(folder, row["segments"][:EXAMPLES])),
            )
            for row in rows
        )
        shown = list(islice((one for one in found if one.clips or one.share), MOST_COMPONENTS))
        heading = "Classes" if any("class" in row for row in rows) else "Components"
        said = describe_components(len(shown), len(rows), unit)
        return component_section(shown, said, unit, heading)


def describe_components(n_shown: int, n: int, unit: str) -> str:
    """Say what the list of components shows.

    Examples
    --------
    >>> describe_components(24, 32, "")
    'The 24 most distinct of 32: share of the rows, and how little each overlaps with the others, nats.'
    """
    text = f"The {n_shown} most distinct of {n:,}" if n_shown < n else f"All {n:,}, the most distinct first"
    rows = "frames" if unit else "rows"
    text += f": share of the {rows}, and how little each overlaps with the others, nats."
    if not unit:
        return text
    return (
        f"{text} The buttons play the most typical and the longest segment as a whole: of a longer one the "
        f"first {LONGEST:g} s, around a shorter one {SHORTEST:g} s of sound."
    )


def _sounds(folder: Path, segments: Sequence[Json]) -> Iterator[tuple[str, Clip]]:
    from audiogmm.audio.decode import open_audio
    from audiogmm.manifest import Entry

    for segment in segments:
        if "sound" not in segment:
            continue
        path = (folder / str(segment["sound"])).resolve()
        if folder.resolve() not in path.parents:  # a path out of the folder is not one of its sounds
            continue
        try:
            with open_audio(Entry(str(path), id="sound"), warn=say_nothing) as stream:
                samples = np.concatenate(list(stream))
                rate = stream.info.sample_rate
        except AudioGMMError:  # the sound was removed
            continue
        start = parse_finite(segment.get("sound_start", segment["start"]))
        yield str(segment["id"]), clip(samples, rate, start)
