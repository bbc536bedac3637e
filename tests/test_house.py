"""The house stands as drawn (docs/architecture.md): every rule is held, and can fail."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import house

PACKAGE = Path(__file__).parent.parent / "audiogmm"
TESTS = Path(__file__).parent

GROUND = (
    "errors checksum escapes contents system types version lazy methods reprs keywords words files threads "
    "temporaries moves processes protocols reading documents items lines timeline run_id wall_clock "
    "content_hash telemetry"
)
"""Every room may import these."""

RIGHTS = {
    **dict.fromkeys(GROUND.split(), ""),
    "kernels": "",
    "kernels/estep": "kernels",
    "kernels/front_end": "kernels",
    "blocks": "",
    "manifest": "",
    "manifest/segments": "manifest",
    "manifest/clock": "manifest",
    "manifest/archives": "manifest",
    "synth": "",
    "mixture": "kernels/estep",
    "reduce": "blocks",
    "dask_reduce": "reduce",
    "audio/frontend": "kernels/front_end blocks",
    "audio/decoders": "kernels/front_end manifest/archives manifest/clock",
    "audio/matrix": "audio/decoders",
    "audio/frame_cache": "audio/frontend audio/decoders",
    "audio": "audio/frame_cache audio/matrix",
    "scoring": "blocks mixture",
    "training/frames": "reduce mixture",
    "training/schedule": "training/frames",
    "training": "training/schedule",
    "training/selection": "training",
    "runs": "audio training manifest/segments manifest/clock",
    "estimator": "training scoring",
    "anomaly": "scoring manifest/segments",
    "anomaly/drift": "anomaly",
    "anomaly/scorers": "anomaly training",
    "anomaly/kinds": "mixture",
    "anomaly/learning": "anomaly/drift anomaly/scorers anomaly/kinds runs",
    "verification": "scoring training",
    "verification/recordings": "verification runs",
    "evaluation": "runs",
    "evaluation/detection": "evaluation anomaly",
    "evaluation/verification": "evaluation verification",
    "live": "audio",
    "live/deliver": "live",
    "live/stream": "live/deliver anomaly/learning verification/recordings",
    "reporting": "anomaly evaluation/detection evaluation/verification",
    "reporting/page": "reporting",
    "reporting/run": "reporting/page anomaly/learning",
    "reporting/notebook": "reporting/run",
    "jobs": "reporting/run live/stream training/selection synth dask_reduce",
    "jobs/demo": "jobs",
    "jobs/integrity": "jobs anomaly/kinds",
    "jobs/kinds": "jobs anomaly/kinds",
    "jobs/provenance": "jobs",
    "cli": "jobs jobs/demo jobs/integrity jobs/kinds jobs/provenance",
    "__init__": "jobs jobs/demo jobs/integrity jobs/kinds estimator reporting/notebook",
    "cli/kinds": "cli",
    "__main__": "cli",
}
"""What the files of each room may import besides the ground: these rooms, and what those may."""

ONLY_IN = {
    "numba": "kernels",
    "llvmlite": "kernels",
    "dask": "dask_reduce",
    "distributed": "dask_reduce",
    "click": "cli",
    "rich": "runs",
    "matplotlib": "reporting",
    "PIL": "reporting",
    "sklearn": "estimator",
    "sounddevice": "live",
    "paho": "live",
    "http": "live",
}


def test_there_are_no_circles_of_files() -> None:
    assert house.file_circles(PACKAGE) == []


def test_imports_point_down_and_stay_within_rights() -> None:
    assert house.circles({room: rights.split() for room, rights in RIGHTS.items()}) == []
    assert house.forbidden_imports(PACKAGE, RIGHTS, GROUND) == []


def test_methods_from_above_are_there() -> None:
    """A class names them, and `audiogmm/__init__` says where they are; it may import those rooms."""
    import audiogmm

    for name, home in audiogmm.METHODS.items():
        assert callable(getattr(importlib.import_module(home), name))


def test_heavy_packages_have_one_room_each() -> None:
    assert house.foreign_imports(PACKAGE, ONLY_IN) == []


def test_folders_and_rooms_are_small() -> None:
    assert house.large_folders(PACKAGE) == []
    assert house.large_rooms(PACKAGE) == []


def test_functions_take_few_parameters() -> None:
    # scikit-learn reads an estimator's parameters from the signature of its constructor
    constructor = "audiogmm.estimator.gaussian_mixture.__init__: 16 parameters"
    assert house.wide_functions(PACKAGE) == [constructor]


def test_a_class_name_stands_for_one_thing() -> None:
    assert house.classes_of_one_name(PACKAGE) == []


def test_rooms_have_faces() -> None:
    assert house.faceless_rooms(PACKAGE) == []


@pytest.mark.parametrize("room", sorted(path.parent for path in PACKAGE.rglob("__init__.py")), ids=str)
def test_exported_names_exist(room: Path) -> None:
    name = ".".join(room.relative_to(PACKAGE.parent).parts)
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        assert getattr(module, exported) is not None


def test_tests_follow_the_rooms() -> None:
    folders = {p.parent.relative_to(TESTS) for p in TESTS.rglob("test_*.py")} - {Path()}
    assert [str(folder) for folder in sorted(folders) if not (PACKAGE / folder).is_dir()] == []


def test_the_map_names_files_that_exist() -> None:
    text = (TESTS.parent / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", text))
    assert len(named) > 40
    assert [
        path for path in sorted(named) if not (PACKAGE / path).exists() and not (TESTS.parent / path).exists()
    ] == []


def test_the_command_line_is_light() -> None:
    """`audiogmm --help` and that of a command must not pay for what they do not use."""
    code = (
        "import sys, audiogmm, audiogmm.cli.main, audiogmm.cli.detect; "
        "heavy = {'numpy', 'scipy', 'numba', 'librosa', 'sklearn', 'rich', 'soundfile', 'distributed'}; "
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# Each rule can fail: small wrong packages.


def build(folder: Path, **sources: str) -> Path:
    """A package `p` of these files: `room__file="source"`."""
    package = folder / "p"
    for name, source in {"__init__": '"""P."""', **sources}.items():
        path = package.joinpath(*name.split("__") if name != "__init__" else [name]).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        face = path.parent / "__init__.py"
        if not face.exists():
            face.write_text('"""A room."""')
    return package


def test_a_circle_is_seen_even_for_types_alone(tmp_path: Path) -> None:
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a.x import X\n"
    package = build(tmp_path, a__x="import p.a.y\nclass X: ...\n", a__y=lazy)
    assert house.file_circles(package) == ["p.a.x <-> p.a.y"]


def test_an_arrow_up_is_seen_between_rooms_and_sub_rooms(tmp_path: Path) -> None:
    package = build(
        tmp_path,
        low__x="def f():\n    from p.high.y import Y\n",
        low__upper__z="",
        low__w="from p.low.upper import z\n",
        high__y="import p.low.x\nclass Y: ...\n",
    )
    rights = {"__init__": "", "low": "", "low/upper": "low", "high": "low"}
    assert house.forbidden_imports(package, rights, "") == [
        "p.low.w imports p.low.upper.z: low may not import low/upper",
        "p.low.x imports p.high.y: low may not import high",
    ]
    del rights["low/upper"]
    assert "p.low.upper: no rights are written down for the room low/upper" in house.forbidden_imports(
        package, rights, ""
    )


def test_rights_reach_through_rooms_and_end_there(tmp_path: Path) -> None:
    package = build(tmp_path, a__x="", b__y="import p.a.x\n", c__z="import p.a.x\nimport p.d.v\n", d__v="")
    rights = {"__init__": "", "a": "", "b": "a", "c": "b", "d": ""}
    assert house.forbidden_imports(package, rights, "") == ["p.c.z imports p.d.v: c may not import d"]
    assert house.forbidden_imports(package, rights, "d") == []
    assert house.circles({"a": ["b"], "b": ["c"], "c": ["a"]}) == [["a", "b", "c"]]


def test_a_heavy_package_elsewhere_is_seen(tmp_path: Path) -> None:
    package = build(tmp_path, a__x="import numba.core\n", b__y="from numba import njit\n")
    assert house.foreign_imports(package, {"numba": "b"}) == ["p.a.x imports numba.core: only b may"]


def test_a_large_folder_and_a_large_room_are_seen(tmp_path: Path) -> None:
    package = build(tmp_path, a__x="1\n" * 9, a__sub__y="1\n" * 9, b__z="1\n" * 9)
    assert house.large_folders(package, 1) == []
    (package / "a" / "w.py").write_text("")
    assert house.large_folders(package, 1) == ["p/a: 2 files"]
    assert house.large_rooms(package, 0.6) == ["a: 18 of 27 lines"]


def test_a_wide_function_and_a_second_class_are_seen(tmp_path: Path) -> None:
    source = "class C:\n    def f(self, a, /, b, *, c): ...\n"
    package = build(tmp_path, a__x=source, kernels__y="def g(a, b, c, d, e): ...\n", a__z="class C: ...\n")
    assert house.wide_functions(package, 3) == ["p.a.x.f: 4 parameters"]
    assert house.classes_of_one_name(package) == ["C: p.a.x, p.a.z"]


def test_a_room_without_a_face_is_seen(tmp_path: Path) -> None:
    package = build(tmp_path, a__x="", b__scan="")
    (package / "a" / "__init__.py").write_text("")
    (package / "b" / "__init__.py").write_text(
        '"""B."""\nif TYPE_CHECKING:\n    from p.b.scan import scan as scan\n'
    )
    assert house.faceless_rooms(package) == ["p.a: no docstring", "p.b: a file hides scan"]
