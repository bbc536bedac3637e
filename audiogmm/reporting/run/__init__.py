"""Pages and pictures of a detection run, and pictures of evaluations.

`detect` writes a record beside its events (`RunRecord`); from both and the model, a page can be made later
(`DetectionRun`, `make_page`). The recordings are read and scored again, one at a time. Memory and the size of
the page are bounded, however long the run was, and the page is the same for any number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.reporting.run.detection_picture import (
        draw_detection_evaluation as draw_detection_evaluation,
    )
    from audiogmm.reporting.run.files import DetectionRun as DetectionRun
    from audiogmm.reporting.run.page import ReportSettings as ReportSettings
    from audiogmm.reporting.run.page import RunPage as RunPage
    from audiogmm.reporting.run.page import make_page as make_page
    from audiogmm.reporting.run.pictures import draw_recordings as draw_recordings
    from audiogmm.reporting.run.record import RunRecord as RunRecord
    from audiogmm.reporting.run.verification_picture import (
        draw_verification_evaluation as draw_verification_evaluation,
    )

__getattr__, __dir__ = exports(__name__)
