"""A model file comes back as it was, or says what is wrong with it."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from audiogmm.errors import ModelFileError, OutputError
from audiogmm.mixture import container
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.store import FORMAT_VERSION, Model, load
from tests.mixture.test_gaussian import draw
from tests.mixture.test_statistics import measured

forms = pytest.mark.parametrize("form", FORMS)


def build(form="diag", **metadata):
    """A model with everything in it."""
    return Model(
        draw(form, K=2, D=3),
        statistics=measured(0, form),
        metadata={"frontend": {"n_mfcc": 20, "window": "hann"}, "sample_rate": 16000, "seed": 3} | metadata,
        tensors={"normal.scores": np.linspace(-9, 0, 7), "normal.lengths": np.array([3, 4])},
    )


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.agmm"
    build().save(path)
    return path


def rewrite(path, drop=(), document=None, **changes):
    """Change tensors, or the metadata document, of a model file."""
    held, arrays = container.read(path)
    arrays = {name: array for name, array in (arrays | changes).items() if name not in drop}
    path.write_bytes(container.pack(arrays, held if document is None else document(held)))


@forms
def test_a_model_comes_back_as_it_was(form, tmp_path):
    model = build(
        form, training={"passes": 4, "log_likelihood": np.float64(-1.5)}, path=Path("a/b"), extra=[1]
    )
    model.save(tmp_path / "m.agmm")
    again = load(tmp_path / "m.agmm")
    assert again.mixture == model.mixture
    assert again.statistics == model.statistics
    assert again.metadata == model.metadata
    assert again.metadata.training == {"passes": 4, "log_likelihood": -1.5}
    assert again.metadata.extra["path"] == "a/b"
    assert again.metadata.covariance_type == form
    assert again.fingerprint == model.fingerprint
    assert again.tensors.keys() == model.tensors.keys()
    for name, array in model.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], array)
        assert again.tensors[name].dtype == array.dtype
    again.save(tmp_path / "again.agmm")
    assert (tmp_path / "again.agmm").read_bytes() == (tmp_path / "m.agmm").read_bytes()


def test_a_bare_model_has_all_keys(tmp_path):
    Model(draw("full")).save(tmp_path / "m.agmm")
    model = load(tmp_path / "m.agmm")
    assert model.statistics is None
    assert model.tensors == {}
    assert model.metadata.format_version == FORMAT_VERSION
    document = model.metadata.to_dict()
    assert document.keys() >= {"frontend", "sample_rate", "seed", "training", "data", "versions"}
    assert "audiogmm" in model.metadata.versions
    json.dumps(model.summary())
    assert model.summary()["n_parameters"] == model.mixture.n_parameters


def test_the_fingerprint_is_of_what_decides_scores():
    model = build()
    assert dataclasses.replace(
        model, metadata=dataclasses.replace(model.metadata, seed=9), tensors={}
    ).fingerprint == (model.fingerprint)
    others = (
        dataclasses.replace(model, mixture=draw("diag", K=2, D=3, seed=1)),
        build(sample_rate=8000),
        build(frontend={"n_mfcc": 13, "window": "hann"}),
    )
    assert len({model.fingerprint, *(other.fingerprint for other in others)}) == 4
    assert build(frontend={"window": "hann", "n_mfcc": 20}).fingerprint == model.fingerprint


def test_the_same_model_makes_the_same_file(tmp_path):
    model = build(a=1, b=2)
    other = Model(
        model.mixture,
        model.statistics,
        dict(reversed(model.metadata.to_dict().items())),
        dict(reversed(model.tensors.items())),
    )
    model.save(tmp_path / "a")
    other.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_existing_file_is_kept_unless_forced(saved):
    before = saved.read_bytes()
    with pytest.raises(OutputError, match=r"m\.agmm exists already.*--force"):
        build(seed=8).save(saved)
    assert saved.read_bytes() == before
    build(seed=8).save(saved, force=True)
    assert load(saved).metadata.seed == 8
    assert [file.name for file in saved.parent.iterdir()] == ["m.agmm"]


def test_a_file_cut_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    for size in [0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1]:
        saved.write_bytes(whole[:size])
        with pytest.raises(
            ModelFileError, match=r"m\.agmm is (truncated: it ends|empty|a file of)"
        ) as caught:
            load(saved)
        if size > 8:
            assert f"ends after {size} bytes" in str(caught.value)
    assert f"needed: {len(whole)} bytes" in str(caught.value)


def test_other_parameters_than_were_saved_are_found(saved):
    _, arrays = container.read(saved)
    means = arrays["means"].copy()
    means.view(np.uint8).flat[0] ^= 1
    rewrite(saved, means=means)
    with pytest.raises(ModelFileError, match=r"holds other parameters than were saved; .*copy it again"):
        load(saved)


def test_a_newer_format_is_refused(saved):
    rewrite(saved, document=lambda d: d | {"format_version": 7, "versions": {"audiogmm": "9.1"}})
    with pytest.raises(ModelFileError, match=r"format version 7 .*'9.1'.*needed: format version 2 .*upgrade"):
        load(saved)


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was run')",)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_named_and_not_run(tmp_path, protocol):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(
        ModelFileError, match=r"m\.pkl is a pickle, which could run any program.*never loaded"
    ):
        load(path)


def test_files_of_other_programs_are_named(tmp_path):
    path = tmp_path / "other"
    save_file({"layer.weight": np.zeros(3, dtype=np.float32)}, path, metadata={"format": "pt"})
    with pytest.raises(
        ModelFileError, match=r"safetensors file of another program \(tensors layer\.weight\)"
    ):
        load(path)
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    with pytest.raises(ModelFileError, match=r"other\.npz is a zip archive"):
        load(path.with_suffix(".npz"))
    path.write_bytes(b"RIFF....WAVEfmt ")
    with pytest.raises(ModelFileError, match="is a wav recording"):
        load(path)
    path.write_text("not a model at all")
    with pytest.raises(ModelFileError, match="begins with b'not a mo'"):
        load(path)
    for text, kind in (("{", "JSONDecodeError"), ("[]", "TypeError: list")):
        save_file({"weights": np.zeros(3)}, path, metadata={container.KEY: text})
        with pytest.raises(ModelFileError, match=f"other is damaged: it cannot be read: {kind}"):
            load(path)
    path.write_bytes((40).to_bytes(8, "little") + b"{" + b"x" * 60)
    with pytest.raises(ModelFileError, match="a header that is not safetensors'"):
        load(path)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.agmm does not exist"):
        load(tmp_path / "none.agmm")
    with pytest.raises(ModelFileError, match="is a folder"):
        load(tmp_path)


def test_damaged_contents_are_named(saved):
    whole = saved.read_bytes()

    def refused(message, **changes):
        saved.write_bytes(whole)
        rewrite(saved, **changes)
        with pytest.raises(ModelFileError, match=message) as caught:
            load(saved)
        assert str(saved) in str(caught.value)

    refused("lacks the tensor 'means'", drop=["means"])
    refused("lacks the tensor 'statistics.first'", drop=["statistics.first"])
    refused("'statistics.second' that is not finite", **{"statistics.second": np.full((2, 3), np.nan)})
    refused("has 2 sums in its statistics", **{"statistics.scalars": np.zeros(2)})
    refused(r"no valid mixture: means of component 0 hold nan at \[0, 0\]", means=np.full((2, 3), np.nan))
    refused(r"no valid mixture: weights of shape \(3,\)", weights=np.full(3, 1 / 3))
    refused(
        r"no valid mixture: diag statistics with origin of shape \(5,\)", **{"statistics.origin": np.zeros(5)}
    )
    refused("metadata that cannot be read: KeyError: 'format_version'", document=lambda d: {})
    refused(
        "no valid mixture: covariance type 'odd'",
        document=lambda d: d | {"covariance_type": "odd"},
    )


def test_what_cannot_be_written_is_refused_at_once():
    for name in ("means", "statistics.first", "__metadata__"):
        with pytest.raises(ModelFileError, match=f"a tensor named '{name}'"):
            Model(draw("diag"), tensors={name: np.zeros(1)})
    with pytest.raises(ModelFileError, match="tensor 'x' of dtype <U1; needed: one of float64"):
        Model(draw("diag"), tensors={"x": np.array(["a"])})
    with pytest.raises(ModelFileError, match="metadata that is no JSON: Out of range float values"):
        build(training={"log_likelihood": float("nan")})
    with pytest.raises(ModelFileError, match="metadata that is no JSON: set"):
        build(data={1, 2})


def test_a_model_does_not_change(saved):
    metadata = {"data": {"n": 1}}
    scores = np.zeros(3)
    model = Model(draw("diag"), metadata=metadata, tensors={"scores": scores})
    metadata["data"]["n"], scores[0] = 2, 5.0
    assert model.metadata.data == {"n": 1}
    assert model.tensors["scores"][0] == 0
    with pytest.raises(ValueError, match="read-only"):
        load(saved).tensors["normal.scores"][0] = 1.0


def test_importing_the_room_imports_no_safetensors():
    program = (
        "import sys, audiogmm.mixture.store; print({'safetensors', 'scipy', 'numba'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"
