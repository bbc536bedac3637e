"""The lines of one input as an iterator, in the thread of the caller."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator

from audiogmm.audio.decoders.notices import Warn
from audiogmm.live.clock import Clock
from audiogmm.live.outlet import text_of
from audiogmm.live.source import Source
from audiogmm.live.stop import Stop
from audiogmm.live.stream.session import Pipeline, StreamSession
from audiogmm.live.stream.start_time import StartTime
from audiogmm.types import Json, Seconds


def iterate_session(
    source: Source,
    pipeline_of: Callable[[StreamSession], Pipeline],
    say: Warn,
    *,
    clock: Clock,
    patience: Seconds | None,
    start: StartTime | None = None,
) -> Iterator[Json]:
    """Yield the lines of one source as they come, in the thread of the caller.

    Parameters
    ----------
    source, pipeline_of, say, clock, patience
        As of `run_sessions`.
    start : StartTime, optional
        When the source began.

    Yields
    ------
    dict
        A line, with the numbers that its JSON has.

    Raises
    ------
    AudioGMMError
        If the source cannot be read to its end; after its lines.
    """
    stop, waiting = Stop(), _Waiting()
    session = StreamSession(source, waiting, stop, say, clock, patience, start)
    try:
        for _ in session.steps(pipeline_of(session)):
            yield from waiting.taken()
        yield from waiting.taken()
    finally:
        stop.close()
    if (failure := session.fault or session.error) is not None:
        raise failure


class _Waiting:
    """Lines that the caller has not taken yet."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()

    def put(self, line: Json, *, patient: bool = True) -> None:
        """Take a line."""
        self._texts.append(text_of(line))

    def taken(self) -> Iterator[Json]:
        """Take out the lines that wait."""
        while self._texts:
            yield json.loads(self._texts.popleft())
