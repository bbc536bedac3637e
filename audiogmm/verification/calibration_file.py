"""A calibration as a file, with how it was learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.errors import ModelFileError
from audiogmm.files import replacing
from audiogmm.types import Json
from audiogmm.verification.calibration import Calibration


@dataclass(frozen=True)
class KeptCalibration:
    """A calibration, how it was learned (empty where that is not known), and those of normalized scores.

    Attributes
    ----------
    plain : Calibration
        Of scores that are not normalized.
    learned : dict
        Method, and numbers of speakers and trials.
    normalized : mapping of str to Calibration
        By normalization.
    """

    plain: Calibration
    learned: Json = field(default_factory=dict)
    normalized: Mapping[str, Calibration] = field(default_factory=dict)


def read_calibration(path: Path) -> KeptCalibration:
    """Read what `write_calibration` wrote.

    Raises
    ------
    ModelFileError
        If the file is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        of = content.get("normalised", {})  # the key of the file
        return KeptCalibration(
            Calibration.from_json(content),
            dict(content.get("learned", {})),
            {str(name): Calibration.from_json(found) for name, found in of.items()},
        )
    except (OSError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path} cannot be read: {error}",
            needed="a calibration that `audiogmm enroll` kept",
            remedy="enroll again, or remove it to get scores that are not calibrated",
        ) from error


def write_calibration(path: Path, kept: KeptCalibration) -> None:
    """Write a calibration, how it was learned, and those of normalized scores, over what is there."""
    content = kept.plain.to_json() | ({"learned": kept.learned} if kept.learned else {})
    if kept.normalized:
        content["normalised"] = {name: found.to_json() for name, found in kept.normalized.items()}
    with replacing(path, force=True) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
