"""Figures of a long run in a file, in the text format of Prometheus (`--metrics FILE`).

The file is replaced as a whole every few seconds, and at the end. It is not synced: after a power failure its
figures are old anyway. Where it cannot be written, the run goes on.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from audiogmm.cli.console import Console
from audiogmm.errors import OutputError
from audiogmm.files import exclusive, refuse_folder, refuse_overwrite
from audiogmm.run_id import run_id
from audiogmm.system import resident_bytes
from audiogmm.telemetry.meter import counts, figures, forget_figures
from audiogmm.temporaries import owner_mark, remove, sweep
from audiogmm.types import Seconds
from audiogmm.version import __version__

_LOG = logging.getLogger("audiogmm")

EVERY: Seconds = 5.0
"""Time between two writes."""

HELP = {
    "audiogmm_run_info": ("gauge", "The run: its id, its command, and the version of audiogmm."),
    "audiogmm_run_start_timestamp_seconds": ("gauge", "When the run began."),
    "audiogmm_last_update_timestamp_seconds": ("gauge", "When this file was written."),
    "audiogmm_last_progress_timestamp_seconds": ("gauge", "When the run last got ahead."),
    "audiogmm_run_finished": ("gauge", "1 once the run has ended, else 0."),
    "audiogmm_exit_status": ("gauge", "Exit status of a run that has ended: 0 done, 3 some set aside."),
    "audiogmm_frames_total": ("counter", "Frames read, in all passes over them."),
    "audiogmm_frames_per_second": ("gauge", "Frames a second since the last write; at the end, of the run."),
    "audiogmm_audio_seconds_total": ("counter", "Seconds of audio decoded, or read from a frame cache."),
    "audiogmm_recordings_total": ("counter", "Recordings read to their end in a stage, or set aside."),
    "audiogmm_events_total": ("counter", "Anomalous events found."),
    "audiogmm_events_delivered_total": ("counter", "Events that a receiver has taken."),
    "audiogmm_events_refused_total": (
        "counter",
        "Events that were set aside, since a receiver refused them.",
    ),
    "audiogmm_stage_info": ("gauge", "The stage that runs now."),
    "audiogmm_progress_ratio": ("gauge", "Share of the stage that is done, where its size is known."),
    "audiogmm_pass": ("gauge", "Passes of the training that are complete."),
    "audiogmm_log_likelihood": ("gauge", "Log-likelihood of the last pass, nats per frame."),
    "audiogmm_memory_bytes": ("gauge", "Resident memory, with that of worker processes."),
}
"""Type and help of each metric, in the order of the file."""

Samples = list[tuple[str, dict[str, str], float]]


@dataclass
class Moment:
    """When something was, and how many frames there were then."""

    time: Seconds
    frames: int


class RunFigures:
    """What there is to say of a run of this process, from now on.

    Parameters
    ----------
    command : str
        The command that runs.

    Examples
    --------
    >>> next(value for name, _, value in RunFigures("score").samples() if name == "audiogmm_run_finished")
    0
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._before = counts()
        self._started = time.time()
        self._progressed = self._started
        self._latest = self._begun = Moment(time.monotonic(), 0)
        self._rate = 0.0
        self._seen: object = None
        self.status: int | None = None
        """Exit status of a run that has ended."""

    def samples(self) -> Samples:
        """Return the figures as they are now."""
        done, latest, stage = counts() - self._before, figures(), Console.stage
        now, moment = time.time(), Moment(time.monotonic(), int(done["frames"]))
        since = self._begun if self.status is not None else self._latest
        if moment.time > since.time:
            self._rate = (moment.frames - since.frames) / (moment.time - since.time)
        self._latest = moment
        if self._seen != (seen := (done, latest, stage and (stage.name, stage.done))):
            self._seen, self._progressed = seen, now
        memory = resident_bytes()
        info = {"run": run_id(), "command": self._command, "version": __version__}
        known: dict[str, float | None] = {
            "exit_status": self.status,
            "progress_ratio": None if stage is None else stage.ratio,
            "pass": latest.get("passes"),
            "log_likelihood": latest.get("log_likelihood"),
            "memory_bytes": memory,
        }
        return [
            ("audiogmm_run_info", info, 1),
            ("audiogmm_run_start_timestamp_seconds", {}, self._started),
            ("audiogmm_last_update_timestamp_seconds", {}, now),
            ("audiogmm_last_progress_timestamp_seconds", {}, self._progressed),
            ("audiogmm_run_finished", {}, int(self.status is not None)),
            ("audiogmm_frames_total", {}, done["frames"]),
            ("audiogmm_frames_per_second", {}, self._rate),
            ("audiogmm_audio_seconds_total", {}, done["audio_seconds"]),
            ("audiogmm_recordings_total", {"state": "done"}, done["recordings"]),
            ("audiogmm_recordings_total", {"state": "set_aside"}, done["set_aside"]),
            ("audiogmm_events_total", {}, done["events"]),
            *(
                (f"audiogmm_events_{name}_total", {}, done[name])
                for name in ("delivered", "refused")
                if done[name]
            ),
            *([("audiogmm_stage_info", {"stage": stage.name}, 1)] if stage else []),
            *((f"audiogmm_{name}", {}, value) for name, value in known.items() if value is not None),
        ]


class Metrics:
    """Keep the figures of this process in a file, from a thread, until `finish`.

    Parameters
    ----------
    path : Path
        The file. All its samples have the label `name`, the stem of the file: what one machine collects of
        several files must differ.
    command : str
        The command that runs.
    every : Seconds
        Time between two writes.

    Raises
    ------
    OutputError
        If there is a folder, or a file of another kind; if its folder cannot be written, or another run
        writes it.
    """

    def __init__(self, path: Path, command: str, every: Seconds = EVERY) -> None:
        _refuse_other(path)
        self._path = path
        self._figures = RunFigures(command)
        self._every = every
        self._has_warned = False
        self._resources = ExitStack()
        self._resources.enter_context(exclusive(path))
        forget_figures()
        self._temporary = path.with_name(
            f".{path.name}.{owner_mark()}.part"
        )  # collectors read what ends in .prom
        sweep(path.parent)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audiogmm-metrics", daemon=True)
        self.write()
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self.write()

    def finish(self, status: int) -> None:
        """Write the last figures, with the exit status of the run."""
        self._over.set()
        self._thread.join()
        self._figures.status = status
        self.write()
        self._resources.close()

    def write(self) -> None:
        """Replace the file; an error is reported once."""
        try:
            self._temporary.write_text(render(self._figures.samples(), self._path.stem), encoding="utf-8")
            self._temporary.replace(self._path)
        except OSError as error:
            remove(self._temporary)
            if not self._has_warned:
                self._has_warned = True
                _LOG.warning(
                    "%s cannot be written: %s; the run goes on without new figures there",
                    self._path,
                    error.strerror or error,
                )


def render(samples: Samples, name: str) -> str:
    r"""Return samples as text, each with the label `name`.

    Examples
    --------
    >>> print(render([("audiogmm_events_total", {"state": 'a"b'}, 2)], "nightly"), end="")
    # HELP audiogmm_events_total Anomalous events found.
    # TYPE audiogmm_events_total counter
    audiogmm_events_total{name="nightly",state="a\"b"} 2
    """
    lines = []
    for metric, (kind, about) in HELP.items():
        found = [(labels, value) for each, labels, value in samples if each == metric]
        if found:
            lines += [f"# HELP {metric} {about}", f"# TYPE {metric} {kind}"]
        for labels, value in found:
            pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"name": name, **labels}.items())
            lines.append(f"{metric}{{{pairs}}} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _number(value: float) -> str:
    """A value of a sample."""
    return repr(value) if math.isfinite(value) else {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")


def _escaped(text: str) -> str:
    """A value of a label, in UTF-8."""
    return (
        text.encode("utf-8", "backslashreplace")
        .decode()
        .replace("\\", r"\\")
        .replace('"', r"\"")
        .replace("\n", r"\n")
    )


def _refuse_other(path: Path) -> None:
    """Refuse a name where something else is."""
    refuse_folder(path)
    refuse_overwrite(path, force=True)
    if not path.parent.is_dir():
        raise OutputError(
            f"{path} cannot be written: there is no folder {path.parent}",
            needed="the folder that the metrics are collected from",
            remedy=f"mkdir {path.parent}, or another name",
        )
    if path.exists():
        head = b"?"
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(16)
        if head and not head.startswith(b"# HELP audiogmm_"):
            raise OutputError(
                f"{path} exists, and holds no metrics of audiogmm",
                needed="a new file, or one that an earlier run wrote",
                remedy="another name",
            )
