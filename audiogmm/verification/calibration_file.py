"""A calibration as a file, with how it was learned."""

from __future__ import annotations

import json
from pathlib import Path

from audiogmm.errors import ModelFileError
from audiogmm.files import replacing
from audiogmm.types import Json
from audiogmm.verification.calibration import Calibration


def read_calibration(path: Path) -> tuple[Calibration, Json]:
    """Read a calibration, and how it was learned: empty where the file does not say.

    Raises
    ------
    ModelFileError
        If the file is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Calibration.from_json(content), dict(content.get("learned", {}))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path} cannot be read: {error}",
            needed="a calibration that `audiogmm enroll` kept",
            remedy="enroll again, or remove it to get scores that are not calibrated",
        ) from error


def write_calibration(path: Path, calibration: Calibration, learned: Json | None = None) -> None:
    """Write a calibration, and how it was learned, over what is there."""
    content = calibration.to_json() | ({"learned": learned} if learned else {})
    with replacing(path, force=True) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
