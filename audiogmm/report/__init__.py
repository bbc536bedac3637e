"""Pictures and pages of results, for people.

A picture is described by a frozen dataclass that holds numbers and texts alone (`RecordingPicture`,
`CriteriaPicture`, `DetectionPicture`, `System`), and drawn by one function, as PNG, SVG or PDF; the same
description gives the same bytes. `audiogmm.report.page` makes an HTML page from the same kind of
descriptions, and `audiogmm.report.run` gathers what the pictures and the page of a detection run show. This
is the only room that imports matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.report.criteria import CriteriaPicture as CriteriaPicture
    from audiogmm.report.criteria import CriterionPanel as CriterionPanel
    from audiogmm.report.criteria import draw_criteria as draw_criteria
    from audiogmm.report.det import System as System
    from audiogmm.report.det import draw_det as draw_det
    from audiogmm.report.detection import DetectionPicture as DetectionPicture
    from audiogmm.report.detection import draw_detection as draw_detection
    from audiogmm.report.picture import RecordingPicture as RecordingPicture
    from audiogmm.report.picture import draw_picture as draw_picture

__getattr__, __dir__ = exports(__name__)
