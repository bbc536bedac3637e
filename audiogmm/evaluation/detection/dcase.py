"""The official score of DCASE Task 2, year by year: which clips are compared, and which mean is taken.

What the organizers' evaluators compute (`dcase2020_task2_evaluator` to `dcase2024_task2_evaluator`), of one
anomaly score a clip:

- 2020 (Koizumi et al. 2020): AUC and pAUC of each machine ID, and their arithmetic means over the IDs of a
  machine type. Teams were ranked by the average of their ranks; a system by itself has no rank, so its score
  is here the arithmetic mean of AUC and pAUC over machine types.
- 2021 (Kawaguchi et al. 2021): AUC and pAUC of each section and domain, of the normal and anomalous clips of
  that domain; the harmonic mean of all.
- 2022 to 2024 (Dohi et al. 2022 and 2023, Nishida et al. 2024): AUC of each section and domain, of the normal
  clips of that domain against the anomalous clips of both, and one pAUC a section, of all of its clips; the
  harmonic mean of all.

pAUC is up to a false-alarm rate of 0.1, standardized (McClish 1989).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray

MAX_FPR = 0.1
"""False-alarm rate up to which pAUC is taken, in all years."""

DOMAINS = ("source", "target")


@dataclass(frozen=True, slots=True)
class DcaseFigure:
    """One of the areas that are averaged."""

    name: str  # as the organizers' tables have it
    partial: bool = False  # whether it is the pAUC
    normal: str = ""  # domain of the normal and of the anomalous clips; empty for all
    anomalous: str = ""

    def chosen(self, anomalous: BoolArray, domains: Sequence[str]) -> BoolArray:
        """Mark the clips that are compared.

        Parameters
        ----------
        anomalous : ndarray of shape (n_clips,), bool
            Their truth.
        domains : sequence of str
            Of each clip.

        Examples
        --------
        >>> truth = np.array([False, False, True, True])
        >>> figure = DcaseFigure("AUC (source)", normal="source")
        >>> figure.chosen(truth, ["source", "target", "source", "target"])
        array([ True, False,  True,  True])
        """
        names = np.asarray(domains)
        wanted = np.where(anomalous, self.anomalous, self.normal)
        return np.asarray((wanted == "") | (wanted == names))


_WHOLE = (DcaseFigure("AUC"), DcaseFigure("pAUC", True))
_WITHIN = tuple(
    DcaseFigure(f"{name} ({domain})", name == "pAUC", domain, domain)
    for domain in DOMAINS
    for name in ("AUC", "pAUC")
)
_ACROSS = (*(DcaseFigure(f"AUC ({domain})", normal=domain) for domain in DOMAINS), DcaseFigure("pAUC", True))

FIGURES: dict[int, tuple[DcaseFigure, ...]] = {
    2020: _WHOLE,
    2021: _WITHIN,
    2022: _ACROSS,
    2023: _ACROSS,
    2024: _ACROSS,
}
"""What is measured on each section, by year."""


def figures_of(year: int) -> tuple[DcaseFigure, ...]:
    """Return what is measured on each section.

    Raises
    ------
    ChoiceError
        If the score of that year is not known.

    Examples
    --------
    >>> [figure.name for figure in figures_of(2023)]
    ['AUC (source)', 'AUC (target)', 'pAUC']
    """
    if year not in FIGURES:
        raise ChoiceError(
            f"the DCASE Task 2 score of {year}", needed=f"a year of {min(FIGURES)} to {max(FIGURES)}"
        )
    return FIGURES[year]


def mean_of(year: int) -> str:
    """Return how the figures are averaged: arithmetic in 2020, harmonic since."""
    return "arithmetic" if year == 2020 else "harmonic"


def harmonic_mean(values: FloatArray) -> FloatArray:
    """Compute the harmonic mean along the last axis; a 0 counts as the smallest step from 1, as officially.

    Examples
    --------
    >>> float(harmonic_mean(np.array([0.5, 1.0])))
    0.6666666666666666
    """
    floored = np.maximum(values, sys.float_info.epsilon)
    return np.asarray(values.shape[-1] / np.sum(1 / floored, axis=-1))


def official_score(year: int, machines: Sequence[str], values: FloatArray) -> FloatArray:
    """Compute the score of a system.

    Parameters
    ----------
    year : int
        Of the challenge.
    machines : sequence of str
        Machine type of each section.
    values : ndarray of shape (..., n_sections, n_figures), float64
        What was measured, in the order of `figures_of`.

    Returns
    -------
    ndarray of shape (...), float64
        NaN where a value is.

    Examples
    --------
    >>> values = np.array([[0.8, 0.6], [0.6, 0.6], [0.5, 0.5]])
    >>> round(float(official_score(2020, ["fan", "fan", "valve"], values)), 6)
    0.575
    >>> round(float(official_score(2021, ["fan", "fan", "valve"], values)), 6)
    0.585366
    """
    if mean_of(year) == "harmonic":
        return harmonic_mean(values.reshape(*values.shape[:-2], -1))
    names = np.asarray(machines)
    means = [values[..., names == name, :].mean(axis=-2) for name in dict.fromkeys(machines)]
    return np.asarray(np.mean(means, axis=0).mean(axis=-1))
