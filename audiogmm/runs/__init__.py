"""What every run over recordings shares, whatever its verb.

`Batch` is the frame of such a run: it opens the recordings of a manifest as `Inputs` (re-iterable, lazy,
behind one front end), applies a task to each in threads or processes, reports to a `Progress`, and lets a
`Journal` note what is finished, so that a run that was stopped continues. One bad recording never ends a run:
it goes `Aside` with its reason, unless the `RunSettings` are strict. `HoldOut` draws the recordings that a
training keeps back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.runs.aside import Aside as Aside
    from audiogmm.runs.batch import Batch as Batch
    from audiogmm.runs.holdout import HoldOut as HoldOut
    from audiogmm.runs.inputs import Inputs as Inputs
    from audiogmm.runs.inputs import open_inputs as open_inputs
    from audiogmm.runs.journal import Journal as Journal
    from audiogmm.runs.progress import Progress as Progress
    from audiogmm.runs.progress import Silent as Silent
    from audiogmm.runs.settings import RunSettings as RunSettings

__getattr__, __dir__ = exports(__name__)
