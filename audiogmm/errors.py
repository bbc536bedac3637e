"""Every error that audiogmm raises on purpose: what came, what was needed, what to try."""

from __future__ import annotations

import shlex


class AudioGMMError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    what : str
        What arrived, with its file, line, time or value.
    needed : str
        What was required instead.
    remedy : str
        What to try.

    Examples
    --------
    >>> print(AudioGMMError("a.wav holds 3 samples", needed="a frame of 400 samples", remedy="drop it"))
    a.wav holds 3 samples; needed: a frame of 400 samples; try: drop it
    """

    def __init__(self, what: str, *, needed: str = "", remedy: str = "") -> None:
        self.what = what
        self.needed = needed
        self.remedy = remedy
        super().__init__(
            "; ".join(
                part
                for part in (what, f"needed: {needed}" * bool(needed), f"try: {remedy}" * bool(remedy))
                if part
            )
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.needed, self.remedy)


def _rebuild(kind: type[AudioGMMError], what: str, needed: str, remedy: str) -> AudioGMMError:
    """Unpickle an error with its keyword arguments (errors travel back from worker processes)."""
    return kind(what, needed=needed, remedy=remedy)


class ChoiceError(AudioGMMError, ValueError):
    """An option outside its choices or its range."""


class KindError(AudioGMMError, TypeError):
    """An argument of a type that is not taken."""


class ManifestError(AudioGMMError, ValueError):
    """A manifest, or a line of one, that cannot be used."""


class LongLineError(ManifestError):
    """A line of text that is too long to be read: what comes behind it is not read either."""


class AudioFileError(AudioGMMError, OSError):
    """A recording that is missing, unreadable, truncated, or not audio."""


class AudioDataError(AudioGMMError, ValueError):
    """A recording that was read, but whose samples cannot be used: empty, too short, NaN or infinite."""


class FeatureError(AudioGMMError, ValueError):
    """A feature matrix that cannot be used: wrong shape, not numbers, NaN or infinite."""


class FrontEndError(AudioGMMError, ValueError):
    """Front-end settings that contradict each other, or cannot do what was asked."""


class MixtureError(AudioGMMError, ValueError):
    """Parameters that are no Gaussian mixture, or frames that do not fit one."""


class TrainingError(AudioGMMError, ValueError):
    """Data from which the model asked for cannot be estimated."""


class ModelFileError(AudioGMMError, ValueError):
    """A file that is not a model of ours, or not a whole one."""


class MismatchError(AudioGMMError, ValueError):
    """Two things that do not belong together: a model and a recording, a front end or a detector."""


class BudgetError(MismatchError):
    """Too little normal audio for a budget of alarms; its remedy begins with the option that would work.

    Examples
    --------
    >>> error = BudgetError("2 alarms an hour", remedy="--alarms-per-hour 60, or more normal audio")
    >>> error.with_command("detect", "my room.agmm", "day.jsonl").remedy
    "audiogmm detect 'my room.agmm' day.jsonl --alarms-per-hour 60, or more normal audio"
    """

    def with_command(self, verb: str, model: object, *words: object) -> BudgetError:
        """Return the same with commands that can be pasted, where the remedy has an option and `MODEL`."""
        command = shlex.join(map(str, ("audiogmm", verb, model, *words)))
        remedy = self.remedy.replace(" MODEL ", f" {shlex.quote(str(model))} ")
        return BudgetError(self.what, needed=self.needed, remedy=f"{command} {remedy}")


class OutputError(AudioGMMError, OSError):
    """A result that cannot be written."""
