"""The back end: a speaker space, a cohort and calibrations, learned from background speakers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from audiogmm.errors import ModelFileError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.metadata import reading_part
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model
from audiogmm.types import FloatArray, Json
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.compensation import Compensation
from audiogmm.verification.normalization import MIN_COHORT, NORMALIZATIONS, normalize
from audiogmm.verification.plda import Plda
from audiogmm.verification.projection import Projection
from audiogmm.verification.space import Space
from audiogmm.verification.supervector import center_statistics

PREFIX = "speakers."
"""Prefix of the names of its arrays in a model file."""


@dataclass(frozen=True, eq=False)
class BackEnd:
    """A space in which speakers are compared, with a cohort of impostors, and calibrations.

    Attributes
    ----------
    background : Mixture
        The background model.
    space : Space
        From statistics to vectors and scores.
    cohort : ndarray of shape (n, n_coordinates), float32
        One vector of each of n background speakers.
    calibrations : mapping of str to Calibration
        By normalization.
    about : dict
        How it was learned: numbers of speakers, recordings and trials, and settings.
    """

    background: Mixture
    space: Space
    cohort: FloatArray
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    about: Json = field(default_factory=dict)

    def vector(self, statistics: SufficientStats) -> FloatArray:
        """Return the vector (n_coordinates,) of statistics under the background model."""
        return self.space.vector(*center_statistics(self.background, statistics))

    def scores(self, models: FloatArray, tests: FloatArray, normalization: str = "none") -> FloatArray:
        """Return scores (m, t) of vectors of speakers (m, n_coordinates) and tests (t, n_coordinates).

        Log-likelihood ratios of PLDA, nats; with a normalization, in deviations of impostors' scores.

        Raises
        ------
        ChoiceError
            If there is no such normalization, or the cohort is too small for it.
        """
        plain = self.space.plda.scores
        if normalization == "none":
            return plain(models, tests)
        cohort = self.cohort.astype(np.float64)
        return normalize(
            normalization,
            plain(models, tests),
            of_models=plain(models, cohort),
            of_tests=plain(cohort, tests),
            of_cohort=plain(cohort, cohort) if normalization == "zt" else None,
        )

    @property
    def normalizations(self) -> tuple[str, ...]:
        """The normalizations for which the cohort is large enough; "none" is always among them."""
        return NORMALIZATIONS if len(self.cohort) >= MIN_COHORT else NORMALIZATIONS[:1]

    def to_tensors(self) -> tuple[dict[str, np.ndarray], Json]:
        """Return arrays, named for a model file, and the rest as a JSON object."""
        plda, projection, compensation = self.space.plda, self.space.projection, self.space.compensation
        arrays: dict[str, np.ndarray] = {
            "mean": projection.mean,
            "basis": projection.basis,
            "plda.mean": plda.mean,
            "plda.transform": plda.transform,
            "plda.between": plda.between,
            "cohort": self.cohort,
        }
        if compensation is not None:
            arrays |= {
                "compensation.directions": compensation.directions,
                "compensation.spread": compensation.spread,
            }
        document = {
            "relevance": self.space.relevance,
            "compensation": None if compensation is None else compensation.kind,
            "calibrations": {name: found.to_json() for name, found in self.calibrations.items()},
            "about": self.about,
        }
        return {PREFIX + name: array for name, array in arrays.items()}, document

    @classmethod
    def from_tensors(cls, background: Mixture, arrays: Mapping[str, np.ndarray], document: Json) -> BackEnd:
        """Make it from what `to_tensors` returned.

        Raises
        ------
        ModelFileError
            If something is missing or does not fit the background model.
        """
        try:
            of = {name.removeprefix(PREFIX): array for name, array in arrays.items()}
            kind = document["compensation"]
            compensation = None
            if kind is not None:
                compensation = Compensation(kind, of["compensation.directions"], of["compensation.spread"])
            if of["basis"].shape[0] != background.means.size:
                raise ValueError(f"a basis of {of['basis'].shape[0]} rows for {background.means.size}")
            return cls(
                background,
                Space(
                    Projection(of["mean"], of["basis"]),
                    Plda(of["plda.mean"], of["plda.transform"], of["plda.between"]),
                    compensation,
                    float(document["relevance"]),
                ),
                of["cohort"],
                {name: Calibration.from_json(found) for name, found in document["calibrations"].items()},
                dict(document["about"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ModelFileError(
                f"a back end for speakers that cannot be read: {type(error).__name__}: {error}",
                needed="one that `train` or `enroll --background` wrote",
                remedy="learn it again: audiogmm enroll --background M",
            ) from error


def read_backend(model: Model) -> BackEnd | None:
    """Return the back end of a model file, or None."""
    document = model.metadata.speakers
    if document is None:
        return None
    arrays = {name: array for name, array in model.tensors.items() if name.startswith(PREFIX)}
    with reading_part("speakers' back end"):
        return BackEnd.from_tensors(model.mixture, arrays, document)


def with_backend(model: Model, backend: BackEnd | None) -> Model:
    """Return the model with this back end in place of its own."""
    arrays, document = ({}, None) if backend is None else backend.to_tensors()
    return model.with_part("speakers", PREFIX, document, arrays)
