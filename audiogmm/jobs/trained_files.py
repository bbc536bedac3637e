"""Training from the files of a manifest to a model file, with a checkpoint and a ledger beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.files import exclusive, refuse_folder, refuse_overwrite
from audiogmm.jobs.aside import Aside, errors_path
from audiogmm.jobs.checkpoints import checkpoints, drop
from audiogmm.jobs.models import load_model
from audiogmm.jobs.outputs import keep_apart
from audiogmm.jobs.progress import Progress
from audiogmm.jobs.train import train
from audiogmm.jobs.trained import TrainResult
from audiogmm.training import Reducer, TrainingInterrupted
from audiogmm.training.ledger import beside, replacing_ledger

if TYPE_CHECKING:
    from audiogmm.audio.frontend import FrontEnd


def train_to_file(
    source: str,
    output: Path,
    frontend: FrontEnd | None,
    *,
    start: Path | None = None,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    ledger: bool = False,
    dask: str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> TrainResult:
    """Train as `train` does, and save the model; a checkpoint lies beside it until it is saved.

    Parameters
    ----------
    dask : str, optional
        Address of a Dask scheduler, whose workers then read the recordings by the same absolute paths.

    Raises
    ------
    ChoiceError
        If nobody answers at the address.
    OutputError
        If the model file exists (and not `force`), cannot be written, or another run is writing it.
    TrainingInterrupted
        On Ctrl-C; `resume` goes on from the last complete pass.
    """
    keep_apart(output, source)
    refuse_folder(output)
    checkpoint = output.with_name(output.name + ".checkpoint")
    book = beside(output) if ledger else None
    with exclusive(output):
        refuse_overwrite(output, force)
        if book is not None:
            refuse_overwrite(book, force)
        aside = Aside(errors_path(output), strict=strict)
        if not resume:
            drop(checkpoint)
        try:
            with (
                replacing_ledger(book, force) as temporary,
                _cluster(dask) as reducer,
                aside.explaining(),
            ):
                model = train(
                    source if dask is None or not Path(source).exists() else str(Path(source).absolute()),
                    frontend,
                    reducer=reducer,
                    start=None if start is None else load_model(start),
                    checkpoint=checkpoint,
                    ledger=temporary,
                    aside=aside,
                    progress=progress,
                    **settings,
                )
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt(
                f"Training was {stopped.what}; go on with the same command and --resume"
                if any(checkpoints(checkpoint))
                else f"Training was {stopped.what}; nothing was written"
            ) from stopped
        model.save(output, force=force)
        drop(checkpoint)
    return TrainResult(output, model, aside)


@contextmanager
def _cluster(address: str | None) -> Iterator[Reducer | None]:
    """The reducer of the Dask cluster at an address; None for None."""
    if address is None:
        yield None
        return
    from audiogmm.dask_reduce import connected

    with connected(address) as reducer:
        yield reducer
