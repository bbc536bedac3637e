"""Sound of each component, or class, of a model, from the recordings that a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioGMMError
from audiogmm.reporting.page.content import ComponentClips
from audiogmm.reporting.page.markup import Markup
from audiogmm.reporting.page.model import component_section
from audiogmm.reporting.page.sound import Clip
from audiogmm.reporting.run.excerpt import cut_sound
from audiogmm.reporting.run.panels import EXAMPLES, MOST_COMPONENTS, describe_components
from audiogmm.reporting.run.rescoring import Rescored
from audiogmm.scoring.classes import Classes
from audiogmm.scoring.clustering import ClusterSummary
from audiogmm.scoring.component_segments import ComponentSegment
from audiogmm.scoring.distinctness import measure_distinctness

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


class ComponentSounds:
    """Tally of the frames of each component over recordings, with its most typical and longest segments.

    Parameters
    ----------
    model : Model
        Whose components, or classes, they are.
    """

    def __init__(self, model: Model) -> None:
        self.clusters = Classes.of_model(model)
        self._model = model
        self._sums = ClusterSummary.zero(len(self.clusters.names), EXAMPLES)
        self._entries: dict[str, Entry] = {}

    def add(self, rescored: Rescored) -> None:
        """Add a recording, if components were looked for in it."""
        if rescored.clusters is None or rescored.entry is None:
            return
        self._sums.add(rescored.clusters)
        self._entries[rescored.shown.id] = rescored.entry

    def panel(self, unit: str) -> Markup | None:
        """Return the panel of the most distinct components, with their sound; None if nothing was added."""
        if not self._sums.tally.n_frames:
            return None
        weights, distinct = (
            self._sums.tally.weights,
            measure_distinctness(self._model.mixture, self.clusters.groups),
        )
        present = np.flatnonzero(self._sums.tally.hard)
        first = present[np.argsort(-distinct[present], kind="stable")][:MOST_COMPONENTS].tolist()
        found = [
            ComponentClips(
                self.clusters.names[k],
                float(weights[k]),
                float(distinct[k]) if np.isfinite(distinct[k]) else None,
                [(each.id, sound) for each in self._sums.examples(k) if (sound := self._cut(each))],
            )
            for k in first
        ]
        heading = "Components" if Classes.of(self._model) is None else "Classes"
        return component_section(found, describe_components(len(found), len(weights), unit), unit, heading)

    def _cut(self, found: ComponentSegment) -> Clip | None:
        """Cut the sound of a segment; None where it cannot be read."""
        try:
            return cut_sound(self._entries[found.id], found.excerpt.start, found.excerpt.end)
        except AudioGMMError:  # removed since it was scored
            return None
