"""Long lists are read an item at a time, and no item is larger than its file says."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiogmm import items
from audiogmm.errors import ManifestError
from audiogmm.items import json_items, yaml_items
from audiogmm.manifest import read_manifest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=9,
)


class Dribbling(io.StringIO):
    """Gives a few characters at a time, as a slow stream does."""

    def read(self, size: int | None = -1) -> str:
        return super().read(3)


@given(st.lists(VALUES), st.sampled_from([None, 1]))
def test_an_array_has_the_items_that_json_finds(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    assert list(json_items(io.StringIO(text))) == values
    assert list(json_items(Dribbling(text))) == values


@pytest.mark.parametrize(
    "text", ["", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[] x", "nul", "[1}"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(json_items(io.StringIO(text)))


@pytest.mark.parametrize("text", ["3", '{"a": [1]}', "12345678", '"a"', "[]", " [ ] "])
def test_other_values_are_one_item(text: str) -> None:
    value = json.loads(text)
    assert list(json_items(io.StringIO(text))) == ([] if value == [] else [value])


def test_yaml_has_the_items_that_pyyaml_finds() -> None:
    yaml = pytest.importorskip("yaml", reason="pip install pyyaml")
    shared = [0, 1]
    values = [{"id": f"r{i}", "channels": shared, "custom": {"text": "ü\n- x"}} for i in range(30)]
    for flow in (False, True):
        text = yaml.dump(values, default_flow_style=flow)
        assert "*id001" in text
        assert list(yaml_items(io.StringIO(text))) == values
    assert list(yaml_items(io.StringIO(""))) == []
    assert list(yaml_items(io.StringIO("a: 1"))) == [{"a": 1}]


LAUGHS = "- &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"- &{name} [{', '.join([f'*{before}'] * 8)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('- !!python/object/apply:os.system ["touch x"]', "could not determine a constructor"),
        (LAUGHS, "an item of more than 262144 values"),
        ("- &a [*a]", "an alias to what it stands in"),
        ("- {a: &a {b: *a}}", "an alias to what it stands in"),
        ("- *a", "undefined alias"),
        ("[" * 5000, "nested too deep"),
        ("- 1\n---\n- 2\n", "several documents"),
        ("- 2001-13-45", "month must be"),
        ("- !!binary x", "base64"),
        ("a: [1, 2\nb: }", "ParserError"),
    ],
)
def test_hostile_yaml_is_refused(text: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install pyyaml")
    (tmp_path / "cuts.yaml").write_text(text)
    with pytest.raises(ManifestError, match=rf"cuts\.yaml is not YAML: (.|\n)*{said}"):
        list(read_manifest(tmp_path / "cuts.yaml", on_error=lambda _: None))


def test_no_more_is_read_than_an_item_needs() -> None:
    pytest.importorskip("yaml", reason="pip install pyyaml")
    for find, text in ((json_items, "[" + "{},\n" * 200_000), (yaml_items, "- {}\n" * 200_000)):
        file = io.StringIO(text)
        assert next(find(file)) == {}
        assert file.tell() < len(text) / 8


def test_a_text_that_is_held_whole_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiogmm.lines.LONGEST_TEXT", 5000)
    with gzip.open(tmp_path / "a.TextGrid.gz", "wb") as file:
        file.write(b'"ooTextFile"\n"TextGrid"\n' + b"1\n" * 5000)
    with pytest.raises(ManifestError, match=r"a\.TextGrid\.gz has a text of more than"):
        list(read_manifest(tmp_path / "a.TextGrid.gz", "textgrid"))


def test_a_value_of_an_array_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "LONGEST_LINE", 1000)
    monkeypatch.setattr(items, "_PIECE", 100)
    with pytest.raises(ValueError, match="a value of more than"):
        list(json_items(io.StringIO('["' + "x" * 5000)))
