"""The official score of DCASE Task 2, with its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.evaluation.detection.dcase import MAX_FPR, figures_of, harmonic_mean, mean_of, official_score
from audiogmm.evaluation.detection.evaluated_site import CLIP_COUNTS, EvaluatedSite, Replicates
from audiogmm.evaluation.detection.event_figures import Rates
from audiogmm.evaluation.detection.recording import COUNTS
from audiogmm.evaluation.detection.summaries import fill_undefined
from audiogmm.evaluation.intervals import Coverage, Interval, fields_to_json, percentile_interval
from audiogmm.types import FloatArray, Json


@dataclass(frozen=True)
class DcaseSection:
    """The official figures of one section of a machine.

    Attributes
    ----------
    machine, section : str
        Their names.
    figures : mapping from str to Interval
        By the organizers' names.
    decisions : mapping from str to Rates
        Precision, recall and F1 of each domain: a clip is called anomalous if anything was found in it.
    reason : str
        Why it is left out of the score; empty if it is not.
    """

    machine: str
    section: str
    figures: dict[str, Interval]
    decisions: dict[str, Rates]
    reason: str = ""

    def to_json(self) -> Json:
        """Return a JSON object."""
        return {
            "machine": self.machine,
            "section": self.section,
            "figures": {name: figure.to_json() for name, figure in self.figures.items()},
            "decisions": {domain: fields_to_json(rates) for domain, rates in self.decisions.items()},
            "left_out": self.reason or None,
        }


@dataclass(frozen=True)
class DcaseScore:
    """The official score of DCASE Task 2.

    Attributes
    ----------
    year : int
        Of the challenge.
    mean : {"arithmetic", "harmonic"}
        How figures are averaged.
    score : Interval
        Of the system; NaN where no section could be measured.
    sections : tuple of DcaseSection
        By machine and section.
    machines : mapping from str to mapping from str to Interval
        The mean of each figure over the sections of a machine, of the kind that the year takes.
    """

    year: int
    mean: str
    score: Interval
    sections: tuple[DcaseSection, ...]
    machines: dict[str, dict[str, Interval]]

    def to_json(self) -> Json:
        """Return a JSON object."""
        return {
            "year": self.year,
            "official_score": self.score.to_json(),
            "mean": self.mean,
            "machines": {
                machine: {name: figure.to_json() for name, figure in figures.items()}
                for machine, figures in self.machines.items()
            },
            "sections": [section.to_json() for section in self.sections],
        }


def make_dcase_score(
    year: int,
    sections: Mapping[str, tuple[str, str]],
    sites: Sequence[EvaluatedSite],
    replicates: Sequence[Replicates] | None,
    confidence: float,
) -> DcaseScore:
    """Compute the official score and its table.

    Parameters
    ----------
    year : int
        Of the challenge.
    sections : mapping from str to (str, str)
        Machine and section of each site.
    sites : sequence of EvaluatedSite
        With the figures of that year.
    replicates : sequence of Replicates or None
        Of each site.
    confidence : float
        Of the intervals.
    """
    figures = figures_of(year)
    partial = [int(figure.partial) for figure in figures]
    rows, values, draws, machines, sizes = [], [], [], [], []
    for i, site in enumerate(sites):
        machine, section = sections[site.name]
        coverage = Coverage(confidence, site.n_recordings)
        lacking = [
            f"{figure.name} has {found.n_anomalous} anomalous clips among {len(found)}"
            for figure, found in zip(figures, site.figures, strict=True)
            if not found.both_kinds
        ]
        drawn = alone = None
        if replicates is not None:
            drawn = replicates[i].figures[:, np.arange(len(figures)), partial]
            alone = replicates[i] if site.n_recordings > 1 else None
        measured = [
            float(found.areas(MAX_FPR)[place]) if found.both_kinds else np.nan
            for found, place in zip(site.figures, partial, strict=True)
        ]
        named = {
            figure.name: percentile_interval(
                value, None if alone is None or drawn is None else drawn[:, k], coverage
            )
            for k, (figure, value) in enumerate(zip(figures, measured, strict=True))
        }
        rows.append(
            DcaseSection(machine, section, named, _decisions(site, alone, coverage), "; ".join(lacking))
        )
        if not lacking:
            machines.append(machine)
            sizes.append(site.n_recordings)
            values.append(measured)
            draws.append(None if drawn is None else fill_undefined(drawn))
    table = np.array(values).reshape(len(values), len(figures))
    stacked = (
        None if replicates is None or not draws else np.stack([d for d in draws if d is not None], axis=1)
    )
    return DcaseScore(
        year=year,
        mean=mean_of(year),
        score=_score(year, machines, table, stacked, Coverage.over(confidence, sizes)),
        sections=tuple(rows),
        machines={
            machine: _of_machine(
                year, chosen, table, stacked, Coverage.over(confidence, [sizes[k] for k in chosen])
            )
            for machine in dict.fromkeys(machines)
            for chosen in [[k for k, name in enumerate(machines) if name == machine]]
        },
    )


def _score(
    year: int, machines: Sequence[str], table: FloatArray, drawn: FloatArray | None, coverage: Coverage
) -> Interval:
    if not len(table):
        return Interval(float("nan"))
    replicates = None if drawn is None else official_score(year, machines, drawn)
    return percentile_interval(float(official_score(year, machines, table)), replicates, coverage)


def _of_machine(
    year: int, chosen: Sequence[int], table: FloatArray, drawn: FloatArray | None, coverage: Coverage
) -> dict[str, Interval]:
    """The mean of each figure over the sections of one machine."""

    def mean(values: FloatArray) -> FloatArray:
        return harmonic_mean(values) if mean_of(year) == "harmonic" else np.asarray(values.mean(axis=-1))

    found = {}
    for k, figure in enumerate(figures_of(year)):
        replicates = None if drawn is None else mean(drawn[:, chosen, k])
        found[figure.name] = percentile_interval(float(mean(table[chosen, k])), replicates, coverage)
    return found


def _decisions(site: EvaluatedSite, replicates: Replicates | None, coverage: Coverage) -> dict[str, Rates]:
    """Clips in which anything was found, of each domain, or of all where there are no domains."""
    if site.domains:
        return {
            domain: Rates.of(
                counts.sum(axis=0), None if replicates is None else replicates.domains[domain], coverage
            )
            for domain, counts in site.domains.items()
        }
    place = [COUNTS.index(name) for name in CLIP_COUNTS]
    drawn = None if replicates is None else replicates.counts[:, place]
    return {"": Rates.of(site.counts[:, place].sum(axis=0), drawn, coverage)}
