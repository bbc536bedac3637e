"""The site of the documentation: `scripts/docs` builds it with Sphinx, from `docs/` and from the code itself.

Pages of commands and of public names are written to `docs/reference/` before Sphinx reads: each only names
the object, whose help or docstring is its text. The notebooks (`docs/tutorials/`, `docs/how-it-works.md`) are
executed.
"""

from __future__ import annotations

import dataclasses
import inspect
import shutil
from pathlib import Path
from typing import Any

import audiogmm
from audiogmm.cli.main import COMMANDS

project = "audiogmm"
version = release = audiogmm.__version__
project_copyright = "the authors of audiogmm"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]
default_role = "py:obj"
smartquotes = False  # they would make a dash of the two hyphens of an option

myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "show"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = f"audiogmm {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False

REFERENCE = Path(__file__).parent / "reference"


def heading(text: str, mark: str = "=") -> str:
    """Return a heading of reStructuredText."""
    return f"{text}\n{mark * len(text)}\n\n"


def settings_of(function: Any) -> list[type]:
    """Return the classes whose docstrings have a function's keywords: its settings, and what they extend."""
    inner = inspect.unwrap(function)
    name = inspect.get_annotations(inner).get("settings")
    kind = getattr(inspect.getmodule(inner), name, None) if isinstance(name, str) else None
    return [base for base in inspect.getmro(kind) if dataclasses.is_dataclass(base)] if kind else []


def page_of_name(name: str) -> str:
    """Return the page of a public name: its docstring, and those of the settings that are its keywords."""
    found = getattr(audiogmm, name)
    text = heading(f"ag.{name}")
    if not inspect.isclass(found):
        text += f".. autofunction:: audiogmm.{name}\n\n"
        for kind in settings_of(found):
            text += heading(f"Keywords: {kind.__name__}", "-")
            text += f".. autoclass:: {kind.__module__}.{kind.__qualname__}\n   :no-index:\n\n"
        return text
    return text + f".. autoclass:: audiogmm.{name}\n   :members:\n   :inherited-members: Exception\n\n"


def page_of_command(name: str) -> str:
    """Return the page of a command, and of the commands below it: their help."""
    module = COMMANDS[name][0]
    return f".. click:: {module}:command\n   :prog: audiogmm {name}\n   :nested: full\n\n"


def contents(title: str, folder: str, pages: dict[str, str]) -> str:
    """Return the page that lists the pages of a folder, each with one line."""
    rows = "".join(f"   * - :doc:`{name} <{folder}/{name}>`\n     - {line}\n" for name, line in pages.items())
    tree = "".join(f"   {folder}/{name}\n" for name in pages)
    return heading(title) + f".. list-table::\n\n{rows}\n.. toctree::\n   :hidden:\n\n{tree}"


def write_reference(_: object) -> None:
    """Write the pages of the reference."""
    shutil.rmtree(REFERENCE, ignore_errors=True)
    for folder, title, page, lines in (
        ("commands", "Commands", page_of_command, {name: line for name, (_, line) in COMMANDS.items()}),
        ("python", "Python", page_of_name, {name: first_line(name) for name in sorted(audiogmm.__all__)}),
    ):
        (REFERENCE / folder).mkdir(parents=True)
        (REFERENCE / f"{folder}.rst").write_text(contents(title, folder, lines), encoding="utf-8")
        for name in lines:
            (REFERENCE / folder / f"{name}.rst").write_text(page(name), encoding="utf-8")


def first_line(name: str) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(getattr(audiogmm, name)) or "").partition("\n")[0]


def skip_of_others(_app: Any, _kind: str, name: str, found: object, skip: bool, _options: Any) -> bool | None:
    """Leave out methods that scikit-learn adds to estimators: their docstrings link to its own site."""
    routing = name == "get_metadata_routing" or (name.startswith("set_") and name.endswith("_request"))
    return True if routing else None


def show_examples(_app: Any, _context: Any, lines: list[str]) -> None:
    """Show the command lines in a help text as code."""
    shown: list[str] = []
    inside = False
    for line in lines:
        bare = line.lstrip("| ")
        is_code = bare.startswith("audiogmm ") or (inside and line.lstrip("|").startswith("    "))
        if is_code and not inside:
            shown += ["", ".. code-block:: sh", ""]
        elif inside and not is_code:
            shown.append("")
        shown.append(f"   {bare}" if is_code else line)
        inside = is_code
    lines[:] = [*shown, ""]


def setup(app: Any) -> None:
    """Connect what is above."""
    app.connect("sphinx-click-process-description", show_examples)
    app.connect("autodoc-skip-member", skip_of_others)
    app.connect("builder-inited", write_reference)
