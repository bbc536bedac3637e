"""Progress of a training: calls while it runs, and a report of each pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from audiogmm.types import Json, Seconds

Stage = Literal["read", "seed", "pass"]
"""The first pass that reads every recording; the choice of a start; one pass of EM or k-means."""

CERTIFIED = 1e-6
"""Error of a pass's mean log-likelihood at most, as a share of it, or in nats where it is below 1."""


@dataclass(frozen=True, slots=True)
class PassReport:
    """One pass over the frames: the likelihood of the mixture before it, and what its update did.

    Attributes
    ----------
    number : int
        Which pass, counted from 1.
    n_frames : int
        Frames that trained.
    log_likelihood : float
        Mean log-likelihood per frame, nats, of the mixture that entered the pass. For k-means, that of
        each frame under the Gaussian of its own cluster, all of one spherical variance.
    gain : float or None
        Rise of `log_likelihood` since the pass before; None in the first pass, and after a pass that
        rescued a component or lost a recording, since the two figures do not compare.
    movement : float
        How far the update moved the parameters (`schedule.convergence.movement`), in standard
        deviations.
    floored : int
        Variances (or eigenvalues) that the update raised to the floor.
    emptied : tuple of int
        Components that have no frames.
    rescued : tuple of int
        Those of the emptied that were replaced by half of another component; such a pass is exempt from
        the promise that EM never lowers the likelihood.
    skipped : float
        Share of the pairs of frame and component that the E-step proved negligible and skipped, 0 to 1.
    inertia : float or None
        k-means only: sum over the frames of the squared distance to the nearest center.
    stepwise : bool
        Whether the mixture changed within the pass, so that `log_likelihood` is not that of one mixture:
        each batch counts under the mixture of its step.
    free_energy : bool
        Approximate training only: `log_likelihood` is a lower bound, with posteriors on a few components of
        each frame (`audiogmm.training.schedule.approximation`).
    fell_back : bool
        SQUAREM only: the extrapolation that entered this pass was no better, so the pass is lost;
        `log_likelihood` is the last one known.
    seconds : float
        Time that the pass took. Neither compared nor stored, so that the same training gives the same
        bytes.

    Examples
    --------
    >>> PassReport(number=2, n_frames=100, log_likelihood=-3.5, gain=0.25, movement=0.1).to_json()["gain"]
    0.25
    """

    number: int
    n_frames: int
    log_likelihood: float
    gain: float | None
    movement: float
    floored: int = 0
    emptied: tuple[int, ...] = ()
    rescued: tuple[int, ...] = ()
    skipped: float = 0.0
    inertia: float | None = None
    stepwise: bool = False
    free_energy: bool = False
    fell_back: bool = False
    seconds: float = field(default=0.0, compare=False)

    @property
    def fell(self) -> float:
        """Nats by which `log_likelihood` fell since the pass before; 0 within the certified error."""
        drop = -(self.gain or 0.0)
        return drop if drop > CERTIFIED * max(1.0, abs(self.log_likelihood)) else 0.0

    def to_json(self) -> Json:
        """Everything but the time it took, as a JSON object; version 0.1 wrote two numbers more."""
        content = asdict(self) | {"e_steps": 1, "lost": 0}
        del content["seconds"]
        content["emptied"] = list(self.emptied)
        content["rescued"] = list(self.rescued)
        return content

    @classmethod
    def from_json(cls, content: Json) -> PassReport:
        """The report that `to_json` wrote, in this version or in 0.1."""
        known: dict[str, Any] = {
            each.name: content[each.name] for each in fields(cls) if each.name in content
        }
        lists = {name: tuple(content[name]) for name in ("emptied", "rescued")}
        return cls(**(known | lists))


class Monitor:
    """A training's progress; override the methods that are wanted. Called from the calling thread only.

    Examples
    --------
    >>> class Printer(Monitor):
    ...     def on_pass(self, report):
    ...         print(report.number, report.log_likelihood)
    >>> Printer().on_pass(PassReport(1, 100, -3.5, None, 0.1))
    1 -3.5
    """

    def on_stage(self, stage: Stage, number: int, n_frames: int | None) -> None:
        """Called as a stage begins, of `n_frames` frames (None: unknown); `number` is 0 but for passes."""

    def on_frames(self, n_frames: int, seconds: Seconds) -> None:
        """Called after `n_frames` more frames of this stage, that is `seconds` of audio."""

    def on_pass(self, report: PassReport) -> None:
        """Called after a pass."""

    def on_note(self, note: str) -> None:
        """Called with what a user should know."""
