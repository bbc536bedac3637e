"""Settings of approximate training, and its loss against exact likelihood."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

from audiogmm.errors import ChoiceError
from audiogmm.types import Json

Kind = Literal["top", "truncated"]
"""Components chosen for each frame and then kept (Kaldi's gselect), or truncated variational EM."""

NEIGHBORHOOD = 8
"""G by default. At 5 components a frame, 5 lost a little more likelihood, and 10 took longer."""

_LETTERS = {"n_components": "C", "neighborhood": "G", "every": "EVERY"}

EXACT_PASSES = 4
"""Passes before the sets are chosen, where training begins from scratch: posteriors are broad at first, and
what is cut off then is lost."""


@dataclass(frozen=True, slots=True)
class Approximation:
    """Settings of approximate posteriors.

    Parameters
    ----------
    kind : {"top", "truncated"}
        ``"top"``: the C best components of each frame are chosen by an exact pass, and EM runs over these
        only. ``"truncated"``: after such a choice, every pass looks for better ones among the neighbors of
        those that a frame has and one at random (Forster and Luecke 2018, arXiv 1711.03431; Salwig et al.
        2025, arXiv 2501.12299). In both, the free energy never falls.
    n_components : int
        Components of a frame, C; those of the mixture if it has fewer.
    neighborhood : int
        Truncated only: components of a neighborhood, itself included, G.
    every : int
        Top only: passes after which components are chosen again; 0: never.

    Raises
    ------
    ChoiceError
        If one is outside its range, or does not belong to the kind.

    Examples
    --------
    >>> Approximation.parse("truncated:5")
    Approximation(kind='truncated', n_components=5, neighborhood=8, every=0)
    >>> print(Approximation.parse("top:30:4"))
    top, C=30, chosen every 4 passes
    """

    kind: Kind
    n_components: int
    neighborhood: int = NEIGHBORHOOD
    every: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ChoiceError(
                f"approximation {self.kind!r}",
                needed="one of " + ", ".join(get_args(Kind)),
                remedy="top:30 or truncated:5",
            )
        for name, least in (("n_components", 1), ("neighborhood", 1), ("every", 0)):
            if getattr(self, name) < least:
                raise ChoiceError(
                    f"approximation {self.kind!r}: {_LETTERS[name]}={getattr(self, name)}",
                    needed=f"at least {least}",
                    remedy="top:30 or truncated:5",
                )
        if self.kind == "truncated" and self.every:
            raise ChoiceError(f"every={self.every} for truncated EM", needed="0: it searches in every pass")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``top:C``, ``top:C:EVERY``, ``truncated:C`` or ``truncated:C:G``.

        Raises
        ------
        ChoiceError
            If it is none of these.
        """
        kind, *numbers = text.split(":")
        if (
            kind not in get_args(Kind)
            or len(numbers) not in (1, 2)
            or not all(n.isdecimal() for n in numbers)
        ):
            raise ChoiceError(
                f"approximation {text!r}",
                needed="top:C, top:C:EVERY, truncated:C or truncated:C:G, all but the word whole numbers",
                remedy="top:30 or truncated:5",
            )
        more = {("neighborhood" if kind == "truncated" else "every"): int(n) for n in numbers[1:]}
        try:
            return cls(kind, int(numbers[0]), **more)  # type: ignore[arg-type]
        except ChoiceError as error:
            what = error.what.removeprefix(f"approximation {kind!r}: ")
            raise ChoiceError(
                f"approximation {text!r}: {what}", needed=error.needed, remedy=error.remedy
            ) from error

    def __str__(self) -> str:
        if self.kind == "truncated":
            return f"truncated, C={self.n_components}, G={self.neighborhood}"
        return f"top, C={self.n_components}, chosen " + (
            f"every {self.every} passes" if self.every else "once"
        )

    def to_json(self) -> Json:
        """All that decides the course of training; files spell the neighborhood as version 0.1 did."""
        return {name.replace("bor", "bour"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class ApproximationLoss:
    """The loss of an approximate training: its free energy beside the exact log-likelihood.

    Both are of the final mixture, nats a frame, measured by one more pass. How much better an exact
    training from the same start would be is not known.

    Attributes
    ----------
    approximation : Approximation
        Which.
    free_energy : float
        What training maximized: of the final mixture with the sets that it ended with.
    log_likelihood : float
        Exact.
    evaluations : float
        Joint densities evaluated per frame in the last pass.

    Examples
    --------
    >>> print(ApproximationLoss(Approximation("truncated", 5), -74.21, -74.18, 30.0))
    truncated, C=5, G=8: free energy -74.2100, exact log-likelihood -74.1800 nats a frame
    """

    approximation: Approximation
    free_energy: float
    log_likelihood: float
    evaluations: float

    def __str__(self) -> str:
        return (
            f"{self.approximation}: free energy {self.free_energy:.4f}, "
            f"exact log-likelihood {self.log_likelihood:.4f} nats a frame"
        )

    @classmethod
    def from_json(cls, content: Json) -> Self:
        """Read what `to_json` wrote."""
        how = Approximation(
            content["kind"], content["n_components"], content["neighbourhood"], content["every"]
        )
        return cls(how, content["free_energy"], content["log_likelihood"], content["evaluations"])

    def to_json(self) -> Json:
        """For a model file and for `--json`."""
        return self.approximation.to_json() | {
            "free_energy": self.free_energy,
            "log_likelihood": self.log_likelihood,
            "loss": self.log_likelihood - self.free_energy,
            "evaluations": self.evaluations,
        }
