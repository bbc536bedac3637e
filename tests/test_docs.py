"""The documentation is true: its code runs, its names exist, and its site builds and needs no network."""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import click
import numpy as np
import pytest
from markdown_it import MarkdownIt

import audiogmm as ag
from audiogmm.cli.main import cli
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_scenes, make_speakers
from tests.cli.calls import Audiogmm

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(p for p in DOCS.rglob("*.md") if "reference" not in p.parts and "_build" not in p.parts),
]
BIN = Path(sys.executable).parent


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield language, text, and why it is not run ("" if it is) of the code blocks of a page."""
    before = None
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            marked = before is not None and re.match(r"<!-- not run: (.+) -->", before.content)
            yield token.info.split(" ")[0], token.content, marked[1] if marked else ""
        before = token if token.type == "html_block" else None


RUN = {page: found for page in PAGES if (found := [b for b in blocks(page) if b[0] in ("sh", "python")])}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages name, made small."""
    folder = tmp_path_factory.mktemp("docs")
    scenes = (r for r in make_scenes(seed=0, train=6, test=2, duration=5.0) if r.site == "fan")
    write_corpus(folder / "scenes", scenes)
    write_corpus(folder / "voices", make_speakers(seed=0, count=12, train=2, test=1, duration=1.5))
    (folder / "recordings").mkdir()
    (folder / "scenes/train").rename(folder / "recordings/normal")
    (folder / "scenes/test").rename(folder / "recordings/new")
    shutil.copy(folder / "recordings/new/fan_test_01.wav", folder / "today.wav")
    shutil.copy(folder / "today.wav", folder / "new.wav")
    normal, new = (json_lines(folder / f"scenes/{split}.jsonl") for split in ("train", "test"))
    write_lines(folder / "week.jsonl", [row | {"audio_filepath": moved(row, "new")} for row in new])
    labeled = [
        row | {"audio_filepath": moved(row, "normal"), "label": "ab"[i % 2]} for i, row in enumerate(normal)
    ]
    write_lines(folder / "labeled.jsonl", labeled)
    shutil.copy(folder / "labeled.jsonl", folder / "today.jsonl")
    shutil.copy(folder / "week.jsonl", folder / "tomorrow.jsonl")
    voices = {split: json_lines(folder / f"voices/{split}.jsonl") for split in ("train", "test")}
    for row in (*voices["train"], *voices["test"]):
        row["audio_filepath"] = f"voices/{row['audio_filepath']}"
    people = [f"speaker_{k}" for k in range(0, 12, 3)]
    write_lines(folder / "others.jsonl", [row for row in voices["train"] if row["speaker"] not in people])
    write_lines(folder / "people.jsonl", [row for row in voices["train"] if row["speaker"] in people])
    unknown = [row for row in voices["test"] if row["speaker"] in people]
    write_lines(folder / "unknown.jsonl", unknown)
    with (folder / "trials.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["model", "audio_filepath", "target"])
        rows.writerows(
            (name, row["audio_filepath"], int(name == row["speaker"])) for name in people for row in unknown
        )
    table = np.random.default_rng(0).normal(size=(300, 2))
    lines = [f"{day},{rpm:.3f},{temperature:.3f}" for day, (rpm, temperature) in enumerate(table)]
    (folder / "table.csv").write_text("day,rpm,temperature\n" + "\n".join(lines) + "\n")
    return folder


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def moved(row: dict[str, Any], folder: str) -> str:
    return f"recordings/{folder}/{Path(row['audio_filepath']).name}"


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs(
    page: Path, material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audiogmm: Audiogmm
) -> None:
    """Block after block, in one folder; commands in this process, pipes and other programs in a shell."""
    folder = shutil.copytree(material, tmp_path / "here")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    for language, text, why_not in RUN[page]:
        if why_not:
            continue
        if language == "python":
            exec(compile(text, str(page), "exec"), names)
            continue
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "audiogmm" and "|" not in words:
                ran = audiogmm(*words[1:])
                assert ran.status == 0, f"{line}\n{ran.err}"
            elif words:
                subprocess.run(["bash", "-ec", line], env=os.environ | {"PATH": path}, check=True)


def test_few_blocks_are_not_run() -> None:
    every = [block for found in RUN.values() for block in found]
    assert len([why for *_, why in every if why]) <= len(every) / 3


# names


def code_of_tables(page: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the heading above, the column and the text of every piece of code in the tables of a page."""
    section = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        for column, cell in enumerate(line.split("|")[1:-1]):
            yield from ((section, column, code) for code in re.findall("`([^`]+)`", cell))


def check_python(code: str) -> None:
    """Fail unless the attributes that an expression names exist, and take its keywords."""
    tree = ast.parse(code, mode="eval").body
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and "." in (dotted := ast.unparse(node)):
            found = look_up(dotted)
            if call := calls.get(id(node)):
                taken = inspect.signature(found).parameters
                any_keyword = any(p.kind is p.VAR_KEYWORD for p in taken.values())
                for keyword in call.keywords:
                    fields = getattr(ag.FrontEnd, "__dataclass_fields__", {})
                    known = fields if dotted.startswith("ag.FrontEnd") else taken
                    assert keyword.arg in known or (any_keyword and known is taken), f"{code}: {keyword.arg}"


def look_up(dotted: str) -> Any:
    """Import the longest module that a dotted name begins with, and return its attribute."""
    parts = (
        dotted.replace("ag.", "audiogmm.", 1).split(".") if dotted.startswith("ag.") else dotted.split(".")
    )
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for name in parts[n:]:
            fields = getattr(found, "__dataclass_fields__", {})
            found = fields[name] if name in fields else getattr(found, name)
        return found
    raise AssertionError(f"{dotted} cannot be imported")


def check_command(line: str) -> None:
    """Fail unless a command line names a command, and options that it has."""
    command: click.Command = cli
    context = click.Context(cli)
    words = shlex.split(line)[1:]
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    command.make_parser(click.Context(command)).parse_args(words)


PEERS = ("librosa", "sklearn", "lhotse")


def test_what_becomes_what_exists_on_both_sides() -> None:
    checked = dict.fromkeys(("ag", "audiogmm", *PEERS), 0)
    for section, column, code in code_of_tables(DOCS / "coming-from.md"):
        root = re.split(r"[ .(]", code)[0]
        if root == "audiogmm":
            check_command(code)
        elif root in checked:
            check_python(code)
        else:
            assert column != 1, f"{code}: not of audiogmm"
            assert column == 2 or section == "Kaldi", f"{code}: not of {section}"
            continue
        checked[root] += 1
    assert min(checked.values()) >= 8, checked


@pytest.mark.parametrize(
    "code", ["ag.Fronted", "ag.FrontEnd(n_mel=3)", "librosa.feature.mfccs", "ag.select(k=1)"]
)
def test_a_wrong_name_is_noticed(code: str) -> None:
    with pytest.raises((AssertionError, AttributeError)):
        check_python(code)


@pytest.mark.parametrize("line", ["audiogmm trane m.jsonl", "audiogmm train m.jsonl --tau 1"])
def test_a_wrong_command_is_noticed(line: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check_command(line)


# the site


class Links(HTMLParser):
    """The ids of a page, the addresses that it links to, and those that it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.linked: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.ids.add(value)
            elif name == "href" and value and tag == "a":
                self.linked.append(value)
            elif (
                name in ("src", "href", "srcset", "poster")
                and value
                and dict(attributes).get("rel") != "canonical"
            ):
                self.loaded.append(value)


def check_links(site: Path) -> None:
    """Fail unless every link leads somewhere within the site, and nothing is loaded from the network."""
    pages = {page: Links(page) for page in site.rglob("*.html")}
    assert len(pages) > 60
    for page, links in pages.items():
        assert [address for address in links.loaded if urlparse(address).scheme not in ("", "data")] == []
        for address in (*links.linked, *links.loaded):
            parsed = urlparse(address)
            if parsed.scheme or parsed.netloc:
                continue
            target = (page.parent / unquote(parsed.path)).resolve() if parsed.path else page
            assert target.exists(), f"{page.relative_to(site)}: {address}"
            if parsed.fragment and target in pages:
                assert unquote(parsed.fragment) in pages[target].ids, f"{page.relative_to(site)}: {address}"
    for style in (*site.rglob("*.css"), *site.rglob("*.js")):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", style.read_text(encoding="utf-8")), style


def check_reference(site: Path) -> None:
    """Fail unless every command and every public name has a page with its text."""
    for folder, names in (("commands", list(cli.list_commands(click.Context(cli)))), ("python", ag.__all__)):
        for name in names:
            text = (site / "reference" / folder / f"{name}.html").read_text(encoding="utf-8")
            assert len(re.sub("<[^>]+>", "", text)) > 1000, name
    train = (site / "reference/commands/train.html").read_text(encoding="utf-8")
    assert "--covariance" in train


def check_notebooks(site: Path) -> None:
    """Fail unless the notebooks show what they computed."""
    for name in (
        "tutorials/machines",
        "tutorials/speech",
        "tutorials/animals",
        "tutorials/tables",
        "how-it-works",
    ):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        assert "_images/" in text, name
        assert 'class="cell_output' in text or "cell_output" in text, name


def test_the_site_is_whole(tmp_path: Path) -> None:
    """Built as `scripts/docs` does, warnings as errors, notebooks executed. In one test: it is slow."""
    site = tmp_path / "html"
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j2", str(DOCS), str(site)],
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    check_links(site)
    check_reference(site)
    check_notebooks(site)
