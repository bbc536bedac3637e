"""The recordings of a page, laid out as long as there is room."""

from __future__ import annotations

from audiogmm.errors import AudioFileError
from audiogmm.escapes import ESCAPED
from audiogmm.reporting.page.content import DetectorSummary, ReportedRecording
from audiogmm.reporting.page.recording import RecordingCard, recording_card
from audiogmm.reporting.run.plan import PagePlan
from audiogmm.reporting.run.rescoring import Rescored
from audiogmm.runs.aside import Aside

ROOM = 21_000_000
"""Bytes for recordings; the rest of 25 MB is for lists, charts and components."""


class Layout:
    """The recordings of a page, laid out as long as there is room; first those whose place is not known.

    Parameters
    ----------
    plan : PagePlan
    detector : DetectorSummary
    aside : Aside
        Takes recordings that could not be scored again.
    """

    def __init__(self, plan: PagePlan, detector: DetectorSummary, aside: Aside) -> None:
        self.plan, self.detector, self.aside = plan, detector, aside
        self._kept: list[tuple[ReportedRecording, RecordingCard]] = []
        self._size = 0
        for shown in plan.missing:
            error = AudioFileError(shown.error, needed="the manifest of the run", remedy="--manifest M")
            self.add(Rescored(shown, error=error))

    def add(self, rescored: Rescored) -> bool:
        """Add a recording; False if there was no room for it.

        One that could not be scored again is set aside, and shown with its events if it has any.
        """
        shown = rescored.shown
        if rescored.error is not None:
            self.aside.put(shown.id, shown.path, rescored.error)
            if not shown.n_events:
                return True
        name = self.plan.names.get(shown.id, shown.id)
        card = recording_card(shown, f"r{len(self._kept)}", name, self.detector)
        size = len(card.html.encode("utf-8", ESCAPED))
        if self._size + size > ROOM:
            return False
        self._size += size
        self._kept.append((shown, card))
        return True

    def drop_milder(self) -> None:
        """Remove a tenth of the recordings, at least one: the least severe."""
        self._kept.sort(key=lambda kept: _rank(kept[0]))
        del self._kept[len(self._kept) - max(1, len(self._kept) // 10) :]

    @property
    def ids(self) -> set[str]:
        """Ids of the recordings that are shown."""
        return {shown.id for shown, _ in self._kept}

    @property
    def n_sounds(self) -> int:
        """Number of sounds that can be played."""
        return sum(
            sum(one.clip is not None for one in shown.events) + (shown.least_normal is not None)
            for shown, _ in self._kept
        )

    @property
    def has_truth(self) -> bool:
        """Whether a recording shows its true events."""
        return any(shown.truth for shown, _ in self._kept)

    @property
    def seconds(self) -> float:
        """Length of the recordings that are shown, seconds."""
        return sum(shown.seconds for shown, _ in self._kept)

    @property
    def cards(self) -> list[RecordingCard]:
        """Cards of the recordings, the most severe first; those without an event by their lowest score."""
        return [card for _, card in sorted(self._kept, key=lambda kept: _rank(kept[0]))]


def _rank(shown: ReportedRecording) -> tuple[object, ...]:
    if shown.events:
        return 0, *shown.events[0].rank
    return 1, shown.lowest, 0.0, shown.id, 0.0
