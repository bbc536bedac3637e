"""What a command says of the error that ends it, as lines or as a record of the log, and its exit status."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import click

from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.escapes import printable
from audiogmm.run_id import run_id
from audiogmm.telemetry.json_log import is_json, log_error, log_json

WRONG_USAGE = 2

SOME_SET_ASIDE = 3

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell reports it."""


def say_error(error: BaseException, verbose: bool) -> int:
    """Say what ended a command; return its exit status.

    Parameters
    ----------
    error : BaseException
        What came out of it.
    verbose : bool
        Say where it was raised, and in which run.

    Raises
    ------
    BaseException
        The error itself, if it is none that a command ends with.
    """
    match error:
        case click.ClickException():
            return _say_usage(error)
        case click.Abort() | KeyboardInterrupt():
            said = error.__cause__ if isinstance(error, click.Abort) else error
            _say(error, f"stopped. {said or ''}".rstrip(), event="stopped")
            return INTERRUPTED
        case BrokenPipeError():
            if is_json():
                log_json("warning", "stopped: nobody reads standard output", event="stopped")
            else:
                sys.stderr.close()
            return 1
        case AudioGMMError() | OSError() | MemoryError():
            what = error.what if is_json() and isinstance(error, AudioGMMError) else describe(error)
            _say(error, what, verbose=verbose, with_traceback=verbose)
            return WRONG_USAGE if isinstance(error, ChoiceError) else 1
        case Exception():
            fault = f"internal error ({type(error).__name__}: {error}); "
            _say(error, f"{fault}-v shows where; please report it", verbose=verbose, with_traceback=True)
            return 1
    raise error


def describe(error: BaseException) -> str:
    """Describe in one line an error that is not a bug.

    Examples
    --------
    >>> describe(FileNotFoundError(2, "No such file or directory", "a.wav"))
    'a.wav: No such file or directory; needed: ...'
    """
    if isinstance(error, OSError) and not isinstance(error, AudioGMMError) and error.strerror:
        from audiogmm.files import remedy_of  # brings numpy, which help does without

        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        return f"{what}; needed: a file that can be read, or written; try: {remedy_of(error)}"
    if isinstance(error, MemoryError):
        asked = f" ({error})" if str(error) else ""
        return (
            f"not enough memory{asked}; needed: what the model takes, and a block of frames for each thread; "
            "try: --threads 1, or a machine with more memory"
        )
    return str(error) or type(error).__name__


def _say(
    error: BaseException, message: str, *, verbose: bool = False, with_traceback: bool = False, **fields: Any
) -> None:
    """Say what came, and what is noted on it."""
    if is_json():
        log_error(error, message, with_traceback=with_traceback, **fields)
        return
    if verbose:
        traceback.print_exception(error)
    for line in (f"audiogmm: {message}", *(f"  {note}" for note in getattr(error, "__notes__", ()))):
        click.echo(printable(line), err=True)
    if verbose:
        click.echo(f"  run {run_id()}", err=True)


def _say_usage(error: click.ClickException) -> int:
    """Say what of the words typed was wrong."""
    if is_json():
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "audiogmm"
        fields: dict[str, Any] = {"try": f"{command} --help"}
        log_error(error, error.format_message(), **fields)
    else:
        error.show()
    return error.exit_code
