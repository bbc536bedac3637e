"""What every run over recordings is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiogmm.audio.matrix.columns import ColumnChoice
from audiogmm.manifest.clock.streams import STREAM_KEY, StreamRule
from audiogmm.types import Seconds


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run over recordings takes; the settings of a verb are a subclass with its own fields.

    Attributes
    ----------
    upsample : bool
        Accept audio below the model's sample rate.
    resume : bool
        Continue a run that was stopped, in place of starting again.
    retry : bool
        Try again what a run that has ended set aside, and put it into its output.
    force : bool
        Overwrite an output that exists.
    strict : bool
        Fail on the first bad recording, in place of setting it aside.
    columns : sequence of str, or str with commas
        The columns of a table that are read, in that order; by default those that the model was trained on,
        and for a new model all but an index and times.
    exclude : sequence of str, or str with commas
        Columns of a table that are left out.
    id_column : str or None
        The column of a table that names its rows, and is left out too.
    threads : int or None
        Threads of this process; all cores by default.
    workers : int
        Processes that decode and extract; 0: threads of this process.
    """

    upsample: bool = False
    resume: bool = False
    retry: bool = False
    force: bool = False
    strict: bool = False
    columns: str | Sequence[str] = ()
    exclude: str | Sequence[str] = ()
    id_column: str | None = None
    threads: int | None = None
    workers: int = 0

    @property
    def replaces(self) -> bool:
        """Whether an output that exists is replaced."""
        return self.force or self.retry

    @property
    def key(self) -> str:
        """What results depend on, as text: all settings but those of files, threads and processes."""
        left_out = {*OF_FILES, *OF_PROCESSES}
        return str({name: value for name, value in vars(self).items() if name not in left_out})

    @property
    def choice(self) -> ColumnChoice:
        """The columns of tables."""
        return ColumnChoice.of(self.columns, self.exclude, self.id_column)


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """How recordings with a time follow one another; see `StreamRule`.

    Attributes
    ----------
    stream : str
        The key of the manifest that tells streams apart.
    max_gap : Seconds or None
        Longest gap that windows and events span; by default 60 s, or 2.5 usual steps from one recording to
        the next. 0 takes each recording alone.
    """

    stream: str = STREAM_KEY
    max_gap: Seconds | None = None

    @property
    def streams(self) -> StreamRule:
        """The rule."""
        return StreamRule(self.stream, self.max_gap)


OF_FILES = ("resume", "retry", "force", "strict")
"""Settings of runs that write files; a run in memory has none of them."""

OF_PROCESSES = ("threads", "workers")
"""Settings of runs over several recordings; a run over one has none of them."""
