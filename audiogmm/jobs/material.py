"""What a new model is made from: recordings behind a settled front end, or blocks of frames."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.jobs.aside import Aside
from audiogmm.jobs.frames import as_blocks
from audiogmm.jobs.inputs import Inputs, open_inputs
from audiogmm.jobs.progress import Progress
from audiogmm.jobs.standardise import with_global_statistics, with_scale
from audiogmm.training import Reducer

if TYPE_CHECKING:
    from audiogmm.audio.frontend import FrontEnd
    from audiogmm.manifest import Entry


def open_material(
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    frontend: FrontEnd | None,
    *,
    aside: Aside,
    progress: Progress,
    reducer: Reducer,
    sample_rate: int | None = None,
    upsample: bool = False,
) -> tuple[Inputs | None, Iterable[Shard]]:
    """Open what is to be learnt from, and measure what the front end leaves open.

    Parameters
    ----------
    source, frontend, aside, sample_rate, upsample
        As for `train`.
    progress : Progress
        Who listens.
    reducer : Reducer
        Who measures.

    Returns
    -------
    inputs : Inputs or None
        None for blocks of frames, which have no front end.
    shards : iterable of Shard
        The recordings, re-iterable.
    """
    blocks = as_blocks(source)
    if blocks is not None:
        return None, blocks
    inputs = open_inputs(
        source,  # type: ignore[arg-type]  # as_blocks has looked: these are entries
        frontend,
        aside=aside,
        say=progress.say,
        sample_rate=sample_rate,
        upsample=upsample,
    )
    inputs = with_global_statistics(with_scale(inputs, reducer, progress), reducer, progress)
    return inputs, inputs
