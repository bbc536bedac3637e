"""Sound of each component of a model, from the recordings that a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.errors import AudioGMMError
from audiogmm.reporting.page.content import ComponentClips
from audiogmm.reporting.page.markup import Markup
from audiogmm.reporting.page.model import component_section
from audiogmm.reporting.page.sound import Clip
from audiogmm.reporting.run.excerpt import cut_sound
from audiogmm.reporting.run.panels import EXAMPLE_SECONDS, EXAMPLES, MOST_COMPONENTS
from audiogmm.reporting.run.rescoring import Rescored
from audiogmm.scoring.assignment import ComponentTally
from audiogmm.scoring.component_segments import ComponentSegment, StrongestSegments

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


class ComponentSounds:
    """Tally of the frames of each component over recordings, with the stretches that it explains best.

    Parameters
    ----------
    n_components : int
        Number of components of the model, K.
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components
        self._tally = ComponentTally.zero(n_components)
        self._strongest = StrongestSegments(n_components, EXAMPLES)
        self._entries: dict[str, Entry] = {}

    def add(self, rescored: Rescored) -> None:
        """Add a recording, if components were looked for in it."""
        if rescored.tally is None or rescored.segments is None or rescored.entry is None:
            return
        self._tally = self._tally + rescored.tally
        self._strongest.merge(rescored.segments)
        self._entries[rescored.shown.id] = rescored.entry

    def panel(self, unit: str) -> Markup | None:
        """Return the panel of the heaviest components, each with its sound; None if nothing was added."""
        if not self._tally.n_frames:
            return None
        weights = self._tally.weights
        heaviest = sorted(range(self.n_components), key=lambda k: (-weights[k], k))[:MOST_COMPONENTS]
        found = [
            ComponentClips(
                k,
                float(weights[k]),
                [(c.id, sound) for c in self._strongest.of(k) if (sound := self._cut(c))],
            )
            for k in heaviest
            if weights[k] > 0
        ]
        caption = (
            f"The {len(found)} heaviest of {self.n_components} components in the recordings shown, each with "
            "what it explains best."
        )
        return component_section(found, caption, unit)

    def _cut(self, segment: ComponentSegment) -> Clip | None:
        """Cut the sound of a segment, with some around a short one; None where it cannot be read."""
        short = max(0.0, 0.6 - segment.segment.duration) / 2
        start = segment.segment.start - short
        end = min(segment.segment.end + short, start + EXAMPLE_SECONDS)
        try:
            return cut_sound(self._entries[segment.id], start, end)
        except AudioGMMError:  # removed since it was scored
            return None
