"""Worker processes: where they may be started, and how each begins and ends."""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing import current_process, parent_process
from pathlib import Path
from typing import Any

from audiogmm.errors import ChoiceError
from audiogmm.telemetry.json_log import log_json_in_worker
from audiogmm.threads import keep_one_blas_thread


def begin_worker() -> None:
    """Begin a worker process: one BLAS thread, the log of its parent, and an end with it, even if killed."""
    keep_one_blas_thread()
    log_json_in_worker()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="audiogmm-parent", daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()  # until its end of a pipe is closed, by whatever ended it
    os._exit(1)


def refuse_unguarded(workers: int) -> None:
    """Refuse to start processes from a script that each of them would run again from its first line.

    Raises
    ------
    ChoiceError
        If the program is a script that asks nowhere for its `__name__`.
    """
    if getattr(current_process(), "_inheriting", False):  # a worker that runs the script
        raise SystemExit(1)
    script = sys.modules["__main__"]
    path = getattr(script, "__file__", None)
    if path is None or getattr(script, "__spec__", None) is not None:
        return
    try:
        guarded = "__name__" in Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if not guarded:
        raise ChoiceError(
            f"workers={workers} in {path}, which every worker process runs again from its first line",
            needed="the call below a line that they skip",
            remedy="put the call below if __name__ == '__main__':, or take workers=0",
        )
