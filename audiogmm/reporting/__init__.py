"""Pictures and pages of results, for people.

A picture is described by a frozen dataclass that holds numbers and texts alone (`RecordingPicture`,
`CriteriaPicture`, `DetectionPicture`, `System`), and drawn by one function, as PNG, SVG or PDF; the same
description gives the same bytes. `audiogmm.reporting.page` makes an HTML page from the same kind of
descriptions, and `audiogmm.reporting.run` gathers what the pictures and the page of a detection run show.
This is the only room that imports matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.reporting.criteria import CriteriaPicture as CriteriaPicture
    from audiogmm.reporting.criteria import CriterionPanel as CriterionPanel
    from audiogmm.reporting.criteria import draw_criteria as draw_criteria
    from audiogmm.reporting.det import System as System
    from audiogmm.reporting.det import draw_det as draw_det
    from audiogmm.reporting.detection import DetectionPicture as DetectionPicture
    from audiogmm.reporting.detection import draw_detection as draw_detection
    from audiogmm.reporting.picture import RecordingPicture as RecordingPicture
    from audiogmm.reporting.picture import draw_picture as draw_picture

__getattr__, __dir__ = exports(__name__)
