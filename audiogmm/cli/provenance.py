"""The run manifest beside what a command writes, and which of its parameters are inputs and outputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

ARGUMENTS, IS_RERUN = "audiogmm.arguments", "audiogmm.rerun"
"""Where the root context has the arguments, and that a command is repeated."""

REPEATABLE = (
    "train",
    "features",
    "score",
    "detect",
    "cluster",
    "group",
    "select",
    "calibrate",
    "update",
    "enroll",
    "verify",
    "identify",
    "fuse",
    "report",
    "manifest convert",
    "manifest scan",
)
"""Commands that leave a run manifest, and that `rerun` repeats: no others."""

OUTPUTS = ("output", "plot", "save")
"""Parameters that name what is written; the first also names the manifest."""

NOT_REPEATED = ("checkpoint", "dask")
"""Parameters left out in a rerun: what is written while a run goes on, and a cluster to connect to."""

ADDED_TO = ("enroll", "features", "group")
"""Commands whose output is an input, too, where it exists."""


@contextmanager
def recording() -> Iterator[None]:
    """Write the manifest of the command that runs inside the block, if it is one that leaves one.

    Until it is written, the output is kept to this run, so that it is not the manifest of another's output.
    """
    context = click.get_current_context(silent=True)
    name = "" if context is None else name_of(context)
    if context is None or name not in REPEATABLE or IS_RERUN in context.find_root().meta:
        yield
        return
    with _kept(context.params.get("output")):
        yield from _recorded(context)


def _recorded(context: click.Context) -> Iterator[None]:
    from audiogmm.runs.run_manifest import begin, end, is_recorded

    given = context.params
    arguments = context.find_root().meta[ARGUMENTS]
    manifest = begin(arguments, inputs_of(context), threads=given.get("threads"), seed=given.get("seed"))
    yield
    output = given.get("output")
    if output is not None and is_recorded(output):
        outputs = [given[each] for each in OUTPUTS if isinstance(given.get(each), Path)]
        outputs = [path for path in outputs if is_recorded(path)]
        beside = output.with_name(output.name + ".ledger")
        goes_on = bool(given.get("resume") or given.get("retry"))
        outputs += [beside] if beside.is_dir() else []
        end(manifest, outputs, goes_on=goes_on).write(output)


def _kept(output: Path | None) -> AbstractContextManager[None]:
    """Keep an output to this run, by its manifest: the job has, and gives back, locks of its own.

    Of a folder that is not there or cannot be written, the job says what is to be said.
    """
    from audiogmm.files import exclusive
    from audiogmm.runs.run_manifest import is_recorded, manifest_path

    if output is None or str(output) == "-" or not os.access(output.parent, os.W_OK | os.X_OK):
        return nullcontext()
    if output.exists() and not is_recorded(output):
        return nullcontext()
    return exclusive(manifest_path(output), of=output)


def name_of(context: click.Context) -> str:
    """Return the name of a command: two words of one in a group."""
    return context.command_path.partition(" ")[2]


def inputs_of(context: click.Context) -> list[Path]:
    """Return the files and folders that a command reads, as far as its parameters name them."""
    found: list[Path] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in NOT_REPEATED or (name in OUTPUTS and name_of(context) not in ADDED_TO):
            continue
        value = context.params.get(name)
        for each in value if isinstance(value, tuple | list) else [value]:
            if isinstance(each, Path) or (isinstance(each, str) and _may_be_path(parameter, each)):
                found.append(Path(each))
    return [path for path in found if path.is_file() or (path.is_dir() and any(path.iterdir()))]


def _may_be_path(parameter: click.Parameter, value: str) -> bool:
    is_text = isinstance(parameter.type, click.types.StringParamType)
    return is_text and (isinstance(parameter, click.Argument) or any(each in value for each in "./"))


def without_metrics(arguments: list[str]) -> list[str]:
    """Leave out the file of figures, which would be opened where the arguments name it.

    Examples
    --------
    >>> without_metrics(["score", "--metrics", "/etc/passwd", "m.agmm", "--metrics=b"])
    ['score', 'm.agmm']
    """
    left: list[str] = []
    skip = False
    for each in arguments:
        if not skip and each != "--metrics" and not each.startswith("--metrics="):
            left.append(each)
        skip = not skip and each == "--metrics"
    return left


def repeat(root: click.Context, arguments: list[str], output: Path, others: dict[str, Path]) -> int:
    """Run a command of `REPEATABLE` again with another output; return its exit status.

    The arguments are parsed as if they were typed; nothing else is made of them.
    """
    arguments = without_metrics(arguments)
    words = 2 if arguments[:1] == ["manifest"] else 1
    command: Any = root.command
    parent = root
    for word in arguments[:words]:
        command = command.get_command(parent, word)
        if isinstance(command, click.Group):
            parent = click.Context(command, info_name=word, parent=root)
    context = command.make_context(arguments[words - 1], list(arguments[words:]), parent=parent)
    given = context.params
    given |= {"output": output, **{name: others.get(name) for name in OUTPUTS[1:] if given.get(name)}}
    given |= {name: None for name in NOT_REPEATED if name in given}
    given |= {name: False for name in ("force", "resume", "retry", "as_json") if name in given}
    with context:
        try:
            command.invoke(context)
        except click.exceptions.Exit as done:
            return done.exit_code
    return 0
