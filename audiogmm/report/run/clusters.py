"""What the components of a model sound like in the recordings that a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.errors import AudioGMMError
from audiogmm.report.page.markup import Markup
from audiogmm.report.page.normal import clusters
from audiogmm.report.page.shown import Cluster
from audiogmm.report.page.sound import Clip
from audiogmm.report.run.excerpt import cut
from audiogmm.report.run.panels import EXAMPLE_SECONDS, EXAMPLES, MOST_COMPONENTS
from audiogmm.report.run.rescoring import Heard
from audiogmm.scoring.claims import Claim, StrongestClaims
from audiogmm.scoring.posterior import ComponentTally

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


class Listened:
    """Sums what the components claim, recording by recording.

    Parameters
    ----------
    n_components : int
        K.
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components
        self._tally = ComponentTally.zero(n_components)
        self._strongest = StrongestClaims(n_components, EXAMPLES)
        self._entries: dict[str, Entry] = {}

    def add(self, heard: Heard, entry: Entry | None) -> None:
        """Count one recording, if it was listened to for components."""
        if heard.tally is None or heard.claims is None or entry is None:
            return
        self._tally = self._tally + heard.tally
        self._strongest.merge(heard.claims)
        self._entries[heard.shown.id] = entry

    def panel(self, unit: str) -> Markup | None:
        """The heaviest components, each with the stretches that it claims most; None if nothing was heard."""
        if not self._tally.n_frames:
            return None
        weights = self._tally.weights
        heaviest = sorted(range(self.n_components), key=lambda k: (-weights[k], k))[:MOST_COMPONENTS]
        found = [
            Cluster(
                k,
                float(weights[k]),
                [(c.id, heard) for c in self._strongest.of(k) if (heard := self._hear(c))],
            )
            for k in heaviest
            if weights[k] > 0
        ]
        told = (
            f"The {len(found)} heaviest of {self.n_components} components in the recordings shown, each with "
            f"what it claims most."
        )
        return clusters(found, told, unit)

    def _hear(self, claim: Claim) -> Clip | None:
        """A claim's sound, with a little around a short one; None where it cannot be read."""
        short = max(0.0, 0.6 - claim.segment.duration) / 2
        start = claim.segment.start - short
        end = min(claim.segment.end + short, start + EXAMPLE_SECONDS)
        try:
            return cut(self._entries[claim.id], start, end)
        except AudioGMMError:  # gone since it was heard a moment ago
            return None
