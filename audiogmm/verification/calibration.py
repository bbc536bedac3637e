"""Calibration and fusion: from the scores of one or several systems to one log-likelihood ratio."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.checksum import sealed, unsealed
from audiogmm.documents import parse_document, parse_finite
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.files import replacing
from audiogmm.reading import parsing
from audiogmm.types import FloatArray, Json

UNCALIBRATED = (
    "the gallery is not calibrated: scores and posteriors give an order, not probabilities, and `verify` "
    "makes no decision; `enroll` learns a calibration where it can, and `fuse` does from trials whose truth "
    "is known"
)
"""What to say where a gallery has no calibration."""


@dataclass(frozen=True)
class Calibration:
    """An affine map of score columns and quality measures to a log-likelihood ratio.

    Attributes
    ----------
    names : tuple of str
        Columns that it reads: scores, and quality measures as side information. ``a*b`` is the product of
        two columns, so that a score may count for more where the quality is good.
    weights : tuple of float
        One for each column.
    offset : float
        Nats.
    prior : float
        Prior for which the training trials were weighted.
    n_targets, n_nontargets : int
        Trials that it was learned from; 0 where that is not known.

    Raises
    ------
    ChoiceError
        If the numbers of names and weights differ, or a number is not finite.

    Examples
    --------
    >>> calibration = Calibration(("score",), (2.0,), -1.0)
    >>> calibration.apply({"score": np.array([0.0, 3.0])})
    array([-1.,  5.])
    >>> Calibration.from_json(calibration.to_json()) == calibration
    True
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    offset: float
    prior: float = 0.1
    n_targets: int = 0
    n_nontargets: int = 0

    def __post_init__(self) -> None:
        if len(self.names) != len(self.weights) or not self.names:
            raise ChoiceError(
                f"a calibration of {len(self.names)} columns with {len(self.weights)} weights",
                needed="a weight for each column",
            )
        if not all(map(math.isfinite, (*self.weights, self.offset))):
            raise ChoiceError(f"weights {self.weights} and offset {self.offset}", needed="finite numbers")

    def apply(self, columns: Mapping[str, ArrayLike]) -> FloatArray:
        """Return log-likelihood ratios.

        Parameters
        ----------
        columns : mapping of str to array-like of shape (n,), float64
            At least those of `names` (or of the factors of a product).

        Returns
        -------
        ndarray of shape (n,), float64
            Natural logarithm.

        Raises
        ------
        MismatchError
            If a column is not there.
        ChoiceError
            If a column holds a number that is not finite, or the columns differ in length.
        """
        llr: FloatArray = stack_columns(columns, self.names) @ np.array(self.weights) + self.offset
        return llr

    def to_json(self) -> Json:
        """Return it as a JSON object."""
        return {
            "names": list(self.names),
            "weights": list(self.weights),
            "offset": self.offset,
            "prior": self.prior,
            "n_targets": self.n_targets,
            "n_nontargets": self.n_nontargets,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Make it from what `to_json` returned.

        Raises
        ------
        MismatchError
            If it is something else.
        """
        needed = "an object with names, weights, offset and prior, finite numbers"
        what = "is not a calibration"
        with parsing(str(content)[:80], MismatchError, needed=needed, remedy="learn it again", what=what):
            return cls._parse(content)

    @classmethod
    def _parse(cls, content: Mapping[str, Any]) -> Calibration:
        return cls(
            tuple(str(name) for name in content["names"]),
            tuple(parse_finite(weight) for weight in content["weights"]),
            parse_finite(content["offset"]),
            parse_finite(content["prior"]),
            int(content.get("n_targets", 0)),
            int(content.get("n_nontargets", 0)),
        )


@dataclass(frozen=True)
class GalleryCalibration:
    """The calibrations of a gallery's scores.

    Attributes
    ----------
    plain : Calibration or None
        Of scores that are not normalized; None where none was learned.
    learned : dict
        How it was learned: `method`, and numbers of speakers and trials; empty where that is not known.
    normalized : mapping of str to Calibration
        Of normalized scores, by normalization.
    """

    plain: Calibration | None = None
    learned: Json = field(default_factory=dict)
    normalized: Mapping[str, Calibration] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> GalleryCalibration:
        """Read what `write` wrote; one without calibrations if there is no file.

        Raises
        ------
        ModelFileError
            If the file is damaged.
        """
        if not path.exists():
            return cls()
        with parsing(
            path,
            needed="a calibration that `audiogmm enroll` wrote",
            remedy="enroll again, or remove it to get scores that are not calibrated",
        ):
            content = parse_document(path.read_text(encoding="utf-8"))
            unsealed(content, "format_version" in content, path, "enroll again")
            of = content.get("normalised", {})
            return cls(
                Calibration._parse(content),
                dict(content.get("learned", {})),
                {str(name): Calibration._parse(found) for name, found in of.items()},
            )

    def write(self, path: Path) -> None:
        """Write the file, over what is there; one that was not learned is not written."""
        if self.plain is None:
            return
        content = self.plain.to_json() | ({"learned": self.learned} if self.learned else {})
        if self.normalized:
            content["normalised"] = {name: of.to_json() for name, of in self.normalized.items()}
        with replacing(path, force=True) as temporary:
            text = json.dumps(sealed(content | {"format_version": 2}), indent=1)
            temporary.write_text(text + "\n", encoding="utf-8")


def stack_columns(columns: Mapping[str, ArrayLike], names: tuple[str, ...]) -> FloatArray:
    """Return the columns side by side, shape (n, n_columns); `a*b` is the product of two.

    Raises
    ------
    MismatchError
        If a column is missing.
    ChoiceError
        If a number is not finite, or the columns differ in length.
    """
    if not names:
        raise ChoiceError("no columns", needed="at least one column of scores")
    parts = [_column(columns, name) for name in names]
    if len({part.shape for part in parts}) > 1:
        raise ChoiceError(
            ", ".join(f"{name}: {part.shape}" for name, part in zip(names, parts, strict=True)),
            needed="columns of one length",
        )
    return np.column_stack(parts)


def _column(columns: Mapping[str, ArrayLike], name: str) -> FloatArray:
    if name not in columns and "*" in name:
        product: FloatArray = np.prod([_column(columns, factor) for factor in name.split("*")], axis=0)
        return product
    if name not in columns:
        raise MismatchError(
            f"the columns {', '.join(sorted(columns))} without {name!r}",
            needed="every column that the calibration was learned with",
            remedy="give it, or learn the calibration again",
        )
    values = np.asarray(columns[name], dtype=np.float64).ravel()
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ChoiceError(
            f"{name!r} is {values[bad[0]]} in trial {bad[0]} ({len(bad)} such in all)",
            needed="finite numbers",
        )
    return values
