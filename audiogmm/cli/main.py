"""The program `audiogmm`: finds the command, and turns errors into messages and exit statuses."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
import time
from difflib import get_close_matches

import click

from audiogmm.cli.ending import Ending
from audiogmm.cli.failures import SOME_SET_ASIDE, say_error
from audiogmm.cli.provenance import ARGUMENTS
from audiogmm.escapes import ESCAPED
from audiogmm.telemetry import json_log
from audiogmm.threads import default_to_one_blas_thread
from audiogmm.version import __version__

COMMANDS = {
    "demo": ("audiogmm.cli.demo", "Try all commands on a synthesized corpus."),
    "inspect": ("audiogmm.cli.inspect", "From a folder of normal recordings to the anomalies in another."),
    "manifest": ("audiogmm.cli.manifest", "Build, check and convert lists of recordings."),
    "features": ("audiogmm.cli.features", "Compute frames once, for later commands to read."),
    "train": ("audiogmm.cli.train", "Train a model on a manifest."),
    "select": ("audiogmm.cli.select", "Compare sizes and covariance forms, and recommend one."),
    "update": ("audiogmm.cli.update", "Add recordings to a model, or remove some; the others are not read."),
    "group": ("audiogmm.cli.kinds.group", "Group events, or recordings, by likeness."),
    "name": ("audiogmm.cli.kinds.name", "Give a group of sounds a name, or declare it normal."),
    "cluster": ("audiogmm.cli.cluster", "Assign every frame to components, and write examples of each."),
    "score": ("audiogmm.cli.score", "Write the log-likelihood of every frame."),
    "calibrate": ("audiogmm.cli.calibrate", "Set the threshold of a detector by normal audio."),
    "detect": ("audiogmm.cli.detect", "Find anomalous segments."),
    "stream": ("audiogmm.cli.stream", "Analyze sound as it arrives, or train a model on it."),
    "report": ("audiogmm.cli.report", "Make one HTML page of a detection run."),
    "enroll": ("audiogmm.cli.enroll", "Enroll speakers: a model of each, adapted from a background model."),
    "speakers": ("audiogmm.cli.speakers", "List the enrolled speakers, or remove some."),
    "verify": ("audiogmm.cli.verify", "Score trials: is this recording of that speaker?"),
    "identify": ("audiogmm.cli.identify", "Name the enrolled speaker of each recording, or none."),
    "fuse": ("audiogmm.cli.fuse", "Calibrate scores, or fuse those of several systems."),
    "evaluate": ("audiogmm.cli.evaluate", "Measure how good detection or verification is, with intervals."),
    "rerun": ("audiogmm.cli.rerun", "Repeat a run by the manifest beside its output, and compare."),
    "info": ("audiogmm.cli.info", "Describe a model and its latency."),
}
"""Each command's module, which is imported when the command is called, and its line of help."""


class Commands(click.Group):
    """A group that imports a command when it is called, so that `--help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments for the manifest of the run."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named first; where there is none, fail with the nearest name."""
        if args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, n=1)):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version")
def cli() -> None:
    """Gaussian mixture models of speech and audio.

    Train a model on recordings, score new ones frame by frame, and find anomalous segments.

    \b
    Example:
      audiogmm train train.jsonl --preset ambient -o room.agmm
      audiogmm detect room.agmm today.jsonl -o events.jsonl

    Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, but some inputs were set aside (each is named, with
    its reason, in the file OUTPUT.errors.jsonl); 130 stopped by Ctrl-C.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and exit with its status."""
    default_to_one_blas_thread()
    print_any_name()
    interrupt_on_signals()
    given = sys.argv[1:] if arguments is None else arguments
    if "--log-json" in given or os.environ.get(json_log.VARIABLE) == "json":
        name = " ".join(given[: 2 if given[:1] in (["manifest"], ["evaluate"]) else 1])
        with json_log.json_lines(name, until_exit=arguments is None):
            status = _run_in_json(arguments, given)
    else:
        status = run(arguments, verbose=is_verbose(given))
    sys.exit(status)


def _run_in_json(arguments: list[str] | None, given: list[str]) -> int:
    """Run a command between a first record and a last one, which has the exit status."""
    begun = time.monotonic()
    json_log.log_json("info", "begins", event="begin", version=__version__, arguments=given)
    status = run(arguments, verbose=is_verbose(given))
    level = {0: "info", SOME_SET_ASIDE: "warning"}.get(status, "error")
    seconds = round(time.monotonic() - begun, 3)
    json_log.log_json(level, f"ends with status {status}", event="end", status=status, seconds=seconds)
    return status


def is_verbose(arguments: list[str]) -> bool:
    """Return whether more is to be said."""
    return any(a in ("-v", "--verbose") for a in arguments)


def run(arguments: list[str] | None, *, verbose: bool) -> int:
    """Run a command, and say what it failed for; return the exit status."""
    ending = Ending()
    try:
        status = cli.main(args=arguments, prog_name="audiogmm", standalone_mode=False, obj=ending)
    except click.exceptions.Exit as done:
        status = done.exit_code
    except BaseException as error:  # noqa: BLE001 - a bug, too: one line, not a traceback
        status = say_error(error, verbose)
    status = status if isinstance(status, int) else 0
    ending(status)
    return status


def print_any_name() -> None:
    """Let standard output take names of files that are not UTF-8, as standard error does: escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=ESCAPED)


def interrupt_on_signals() -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C: what is done is kept, and temporary files are removed."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
            number = getattr(signal, name)
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _interrupt)


def _interrupt(number: int, _: object) -> None:
    raise KeyboardInterrupt(f"({signal.Signals(number).name})")
