"""The scores of several systems, matched by trial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiogmm.errors import ManifestError
from audiogmm.evaluation.verification.score_table import ScoreTable
from audiogmm.runs.aside import Aside


def match_trials(tables: Sequence[ScoreTable], aside: Aside) -> list[ScoreTable]:
    """Return the rows of the trials that all tables have, in the order of the first.

    Parameters
    ----------
    tables : sequence of ScoreTable
        One a system; where both of two have the column `target`, they must agree.
    aside : Aside
        Takes the trials that one of them lacks.

    Raises
    ------
    ManifestError
        If they have no trial in common, or do not agree which trials are targets; the first trial that one
        lacks, unless `aside` takes it.
    """
    first, *others = tables
    places = [{key: i for i, key in enumerate(table.keys)} for table in tables]
    for table in tables:
        for key, line in zip(table.keys, table.lines, strict=True):
            for other, place in zip(tables, places, strict=True):
                if key not in place:
                    aside.put("", table.path, _missing(table, line, key, other))
                    break
    kept = [i for i, key in enumerate(first.keys) if all(key in place for place in places)]
    if not kept:
        raise ManifestError(
            f"{' and '.join(table.path for table in tables)} have no trial in common",
            needed="scores of the same trials: the same model, audio_filepath, offset and duration",
        )
    first = first.take(np.array(kept, dtype=np.int64))
    found = [first]
    for table, place in zip(others, places[1:], strict=True):
        found.append(table.take(np.array([place[key] for key in first.keys], dtype=np.int64)))
        _refuse_disagreement(first, found[-1])
    return found


def _missing(table: ScoreTable, line: int, key: tuple[str, ...], other: ScoreTable) -> ManifestError:
    return ManifestError(
        f"{table.path}:{line} ({key[0]}, {key[1]}) is not a trial of {other.path}",
        needed="the same trials for all systems",
    )


def _refuse_disagreement(first: ScoreTable, second: ScoreTable) -> None:
    if not ("target" in first.columns and "target" in second.columns):
        return
    for i in np.flatnonzero(first.targets() != second.targets())[:1]:
        raise ManifestError(
            f"{first.path}:{first.lines[i]} and {second.path}:{second.lines[i]} do not agree whether "
            f"{first.keys[i][0]} speaks in {first.keys[i][1]}",
            needed="the same truth for all systems",
        )
