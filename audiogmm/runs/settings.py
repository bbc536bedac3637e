"""What every run over recordings is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run over recordings takes; the settings of a verb are a subclass with its own fields.

    Attributes
    ----------
    upsample : bool
        Accept audio below the model's sample rate.
    resume : bool
        Continue a run that was stopped, in place of starting again.
    force : bool
        Overwrite an output that exists.
    strict : bool
        Fail on the first bad recording, in place of setting it aside.
    threads : int or None
        Threads of this process; all cores by default.
    workers : int
        Processes that decode and extract; 0: threads of this process.
    """

    upsample: bool = False
    resume: bool = False
    force: bool = False
    strict: bool = False
    threads: int | None = None
    workers: int = 0


OF_FILES = ("resume", "force", "strict")
"""Settings of runs that write files; a run in memory has none of them."""
