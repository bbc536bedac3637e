"""The page of a detection run: one HTML file to look at and to listen to, which loads nothing.

`write_page` writes a `Page`. Its content is described by frozen dataclasses (content.py: `ReportedRecording`,
`ReportedEvent`, `DetectorSummary` and others), and turned into `Markup` by a function for each part: the list
of events (events.py), a recording with its figures (recording.py, figure.py), the sections on the model
(model.py), charts (charts.py). All text is escaped. Sound is MP3 and spectrograms are WebP, inside the file;
style and script are page.css and page.js. Nothing here reads a recording or a model: that is
`audiogmm.reporting.run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.reporting.page.content import DetectorSummary as DetectorSummary
    from audiogmm.reporting.page.content import ReportedEvent as ReportedEvent
    from audiogmm.reporting.page.content import ReportedRecording as ReportedRecording
    from audiogmm.reporting.page.document import Page as Page
    from audiogmm.reporting.page.document import write_page as write_page
    from audiogmm.reporting.page.envelope import Envelope as Envelope
    from audiogmm.reporting.page.markup import Markup as Markup
    from audiogmm.reporting.page.recording import recording_card as recording_card
    from audiogmm.reporting.page.sound import Clip as Clip

__getattr__, __dir__ = exports(__name__)
