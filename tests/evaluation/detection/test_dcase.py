"""The official score of DCASE Task 2, against the evaluators' procedure by scikit-learn and SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.dcase import FIGURES, figures_of, harmonic_mean, official_score
from audiogmm.evaluation.detection.roc import Separation

SECTIONS = [("fan", "00"), ("fan", "01"), ("fan", "02"), ("valve", "00"), ("valve", "02")]


def clips(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Anomaly scores, truth and domains of a section."""
    rng = np.random.default_rng(seed)
    truth = np.array([0, 1] * 20)
    target = np.repeat([0, 1], 20)
    return rng.normal(size=40) + (0.4 + 0.2 * seed) * truth + 0.5 * target, truth, target


def theirs(year: int) -> float:
    """What the organizers' evaluators do, from 2020 to 2024."""
    per_machine: dict[str, list[tuple[float, float]]] = {}
    pooled: list[float] = []
    for seed, (machine, _) in enumerate(SECTIONS):
        score, truth, target = clips(seed)
        if year == 2020:
            row = roc_auc_score(truth, score), roc_auc_score(truth, score, max_fpr=0.1)
            per_machine.setdefault(machine, []).append(row)
        elif year == 2021:
            for domain in (0, 1):
                chosen = target == domain
                pooled += [
                    roc_auc_score(truth[chosen], score[chosen]),
                    roc_auc_score(truth[chosen], score[chosen], max_fpr=0.1),
                ]
        else:
            for domain in (0, 1):
                chosen = (target == domain) | (truth != 0)
                pooled.append(roc_auc_score(truth[chosen], score[chosen]))
            pooled.append(roc_auc_score(truth, score, max_fpr=0.1))
    if year == 2020:
        averages = [np.mean(rows, axis=0) for rows in per_machine.values()]
        return float(np.mean(averages))
    return float(hmean(np.maximum(pooled, np.finfo(float).eps)))


@pytest.mark.parametrize("year", sorted(FIGURES))
def test_the_score_is_what_the_evaluator_of_the_year_gives(year: int) -> None:
    values = np.empty((len(SECTIONS), len(figures_of(year))))
    for (seed, _), (k, figure) in itertools.product(enumerate(SECTIONS), enumerate(figures_of(year))):
        score, truth, target = clips(seed)
        domains = np.where(target == 1, "target", "source").tolist()
        chosen = figure.chosen(truth == 1, domains)
        found = Separation(-score[chosen], truth[chosen] == 1, np.arange(int(chosen.sum())))
        values[seed, k] = found.areas(0.1)[int(figure.partial)]
    machines = [machine for machine, _ in SECTIONS]
    assert official_score(year, machines, values) == pytest.approx(theirs(year))
    twice = np.stack([values, 0.5 * values])
    np.testing.assert_allclose(official_score(year, machines, twice), theirs(year) * np.array([1, 0.5]))


def test_years_differ_where_their_rules_do() -> None:
    scores = [theirs(year) for year in (2020, 2021, 2022)]
    assert len({round(score, 6) for score in scores}) == 3
    assert theirs(2022) == theirs(2023) == theirs(2024)


def test_a_figure_of_nothing_does_not_divide_by_it() -> None:
    assert harmonic_mean(np.array([0.0, 1.0])) == pytest.approx(hmean([np.finfo(float).eps, 1.0]))


def test_a_year_without_rules_is_refused() -> None:
    with pytest.raises(ChoiceError, match="score of 2019; needed: a year of 2020 to 2024"):
        figures_of(2019)
