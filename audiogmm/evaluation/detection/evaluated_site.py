"""The recordings of one site, measured as they are, and again under draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.evaluation.detection.dcase import DOMAINS, MAX_FPR, DcaseFigure
from audiogmm.evaluation.detection.levels import LEVELS
from audiogmm.evaluation.detection.recording import COUNTS, EvaluatedRecording
from audiogmm.evaluation.detection.roc import Separation
from audiogmm.evaluation.intervals import Draws, draw_counts
from audiogmm.threads import one_blas_thread
from audiogmm.types import FloatArray, IntArray

CLIP_COUNTS = ("clips_both", "clips_found", "clips_true")


@dataclass(frozen=True, eq=False)
class Replicates:
    """The measurements of a site under draws of its recordings."""

    areas: dict[str, FloatArray]  # AUC and pAUC of each level that has both kinds; shape (n_draws, 2)
    figures: FloatArray  # those of DCASE, where asked for; shape (n_draws, n_figures)
    counts: FloatArray  # sums, in the order of `COUNTS`; shape (n_draws, n_counts)
    domains: dict[str, FloatArray]  # sums of `CLIP_COUNTS` in each domain; shape (n_draws, 3)
    delays: FloatArray  # how often each delay comes; shape (n_draws, n_caught)


@dataclass(frozen=True, eq=False)
class EvaluatedSite:
    """The recordings of one site."""

    name: str  # its name
    n_recordings: int  # recordings, and those with anything anomalous
    n_anomalous: int
    seconds: float  # their length
    levels: dict[str, Separation]  # scores of all frames, segments and clips, where there are scores
    figures: tuple[Separation, ...]  # the clips that each figure of DCASE compares, where asked for
    counts: FloatArray  # in the order of `COUNTS`; shape (n_recordings, n_counts)
    # `CLIP_COUNTS` of the recordings of each domain, 0 for others; shape (n_recordings, 3)
    domains: dict[str, FloatArray]
    delays: FloatArray  # of each true event that was found, seconds; shape (n_caught,)
    delay_of: IntArray  # number of the recording that it is in; shape (n_caught,)

    @classmethod
    def of(
        cls, name: str, cases: Sequence[EvaluatedRecording], figures: Sequence[DcaseFigure] = ()
    ) -> EvaluatedSite:
        """Gather the recordings of a site."""
        domains = [str(case.entry.extra.get("domain", "")) for case in cases]
        levels = {level: _gathered(cases, level) for level in LEVELS}
        clips = levels["clip"]
        compared = []
        for figure in figures:
            chosen = figure.chosen(clips.truth, [domains[i] for i in clips.recording])
            compared.append(Separation(clips.scores[chosen], clips.truth[chosen], clips.recording[chosen]))
        counts = np.array([[case.counts[key] for key in COUNTS] for case in cases])
        clip_counts = counts[:, [COUNTS.index(key) for key in CLIP_COUNTS]]
        of_domain = {domain: np.array([d == domain for d in domains]) for domain in DOMAINS}
        return cls(
            name=name,
            n_recordings=len(cases),
            n_anomalous=sum(case.anomalous for case in cases),
            seconds=sum(case.seconds for case in cases),
            levels={level: found for level, found in levels.items() if len(found)},
            figures=tuple(compared),
            counts=counts,
            domains={d: clip_counts * chosen[:, None] for d, chosen in of_domain.items() if chosen.any()},
            delays=np.concatenate([case.delays for case in cases]),
            delay_of=np.repeat(np.arange(len(cases)), [len(case.delays) for case in cases]),
        )

    def replicate(self, draws: Draws, stratum: int, max_fpr: float) -> Replicates:
        """Measure again under draws of the recordings; one seed and stratum give the same draws.

        Parameters
        ----------
        draws : Draws
            How many, and their seed.
        stratum : int
            Number of the site.
        max_fpr : float
            Of the pAUC of its levels; that of DCASE has its own.
        """
        n = self.n_recordings
        tables = {level: found.counts(n) for level, found in self.levels.items() if found.both_kinds}
        figures = [found.counts(n) if found.both_kinds else None for found in self.figures]
        parts = []
        # the products are small: more threads would cost more than they gain
        with one_blas_thread():
            for weights in draw_counts(n, draws.replicates, draws.seed, stratum):
                measured = [
                    np.full((len(weights), 2), np.nan) if table is None else table.areas(weights, MAX_FPR)
                    for table in figures
                ]
                parts.append(
                    (
                        {level: table.areas(weights, max_fpr) for level, table in tables.items()},
                        np.stack(measured, axis=1) if measured else np.empty((len(weights), 0, 2)),
                        weights @ self.counts,
                        {domain: weights @ counts for domain, counts in self.domains.items()},
                        weights[:, self.delay_of].astype(np.uint16),
                    )
                )
        areas, both, counts, domains, delays = zip(*parts, strict=True)
        return Replicates(
            {level: np.concatenate([part[level] for part in areas]) for level in tables},
            np.concatenate(both),
            np.concatenate(counts),
            {domain: np.concatenate([part[domain] for part in domains]) for domain in self.domains},
            np.concatenate(delays),
        )


def _gathered(cases: Sequence[EvaluatedRecording], level: str) -> Separation:
    parts = [(i, case.levels[level]) for i, case in enumerate(cases) if level in case.levels]
    if not parts:
        return Separation(np.empty(0), np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.int64))
    return Separation(
        np.concatenate([part.scores for _, part in parts]),
        np.concatenate([part.truth for _, part in parts]),
        np.repeat(np.array([i for i, _ in parts]), [len(part.scores) for _, part in parts]),
    )
