"""The picture of an evaluation of verification."""

from __future__ import annotations

from pathlib import Path

from audiogmm.evaluation.verification.evaluation import VerificationEvaluation
from audiogmm.reporting.det import System, draw_det


def draw_verification_evaluation(found: VerificationEvaluation, path: Path, *, force: bool = False) -> None:
    """Draw an evaluation as `draw_det` does, with the system that it was compared with.

    Raises
    ------
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    name = Path(found.path).stem
    systems = [System(name, found.overall, found.curves)]
    if (other := found.against) is not None:
        stem = Path(other.path).stem
        systems.append(System(stem if stem != name else other.path, other.performance, other.curves))
    draw_det(systems, path, confidence=found.draws.confidence, force=force)
