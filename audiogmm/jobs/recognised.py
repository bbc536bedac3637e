"""How often identification was right, where a manifest says who speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audiogmm.types import Json
from audiogmm.verification.identification import Identity


@dataclass
class Recognised:
    """Counts over the recordings whose speaker the manifest names.

    Attributes
    ----------
    n_enrolled, n_strangers : int
        Recordings of those enrolled, and of others.
    right, among : int
        Recordings of those enrolled that were given the right name, and that had it among the candidates.
    refused : int
        Recordings of others in which nobody was found.

    Examples
    --------
    >>> found = Recognised()
    >>> found.add(Identity("a.wav", "a", None, 0.5, 0.5, (), 1.0, truth="eve"), enrolled=False)
    >>> found.summary(closed=False)["accuracy"]
    1.0
    """

    n_enrolled: int = 0
    n_strangers: int = 0
    right: int = 0
    among: int = 0
    refused: int = 0

    def add(self, identity: Identity, *, enrolled: bool) -> None:
        """Count one recording; `enrolled` says whether its true speaker is."""
        if identity.truth is None:
            return
        if enrolled:
            self.n_enrolled += 1
            self.right += identity.speaker == identity.truth
            self.among += any(candidate.speaker == identity.truth for candidate in identity.candidates)
        else:
            self.n_strangers += 1
            self.refused += identity.speaker is None

    def accuracy(self, *, closed: bool) -> float | None:
        """Share of right outcomes; in a closed set strangers, of whom none can be right, are left out."""
        n = self.n_enrolled + (0 if closed else self.n_strangers)
        right = self.right + (0 if closed else self.refused)
        return right / n if n else None

    def summary(self, *, closed: bool) -> Json:
        """For `--json`."""
        return {
            "accuracy": self.accuracy(closed=closed),
            "of_enrolled": self.n_enrolled,
            "right": self.right,
            "among_candidates": self.among,
            "of_strangers": self.n_strangers,
            "refused": self.refused,
        }

    def lines(self, *, closed: bool) -> Iterator[str]:
        """For a person."""
        accuracy = self.accuracy(closed=closed)
        if accuracy is not None:
            yield f"right by the manifest: {accuracy:.1%}"
        if self.n_enrolled:
            yield (
                f"of {self.n_enrolled:,} recordings of those enrolled {self.right:,} were given the right "
                f"name; {self.among:,} have it among the candidates"
            )
        if self.n_strangers and closed:
            yield f"{self.n_strangers:,} recordings are of others, and were given a name all the same"
        elif self.n_strangers:
            yield f"of {self.n_strangers:,} recordings of others {self.refused:,} were given no name"
