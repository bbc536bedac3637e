"""The document of a model: defaults for what older files lack, and the same JSON again."""

import dataclasses
import json

import pytest

from audiogmm.errors import ModelFileError
from audiogmm.mixture.metadata import FORMAT_VERSION, ModelMetadata, canonical_json

OLD = {"format_version": FORMAT_VERSION, "covariance_type": "diag", "versions": {"audiogmm": "0.0.1"}}


def test_missing_keys_have_defaults():
    metadata = ModelMetadata.of(OLD)
    assert metadata == ModelMetadata(versions={"audiogmm": "0.0.1"}, covariance_type="diag")
    assert (metadata.frontend, metadata.sample_rate, metadata.seed) == (None, None, None)
    assert (metadata.training, metadata.data, metadata.updates, metadata.extra) == ({}, {}, [], {})
    assert metadata.detector is metadata.scores is metadata.moments is None
    assert metadata.speakers is metadata.moved is None
    assert metadata.format_version == FORMAT_VERSION


@pytest.mark.parametrize("part", ["detector", "scores", "moments", "speakers", "moved", "room"])
def test_a_document_comes_back_as_it_was(part):
    document = {"frontend": None, "sample_rate": 8000, "seed": 0, "training": {"passes": 3}, "data": {}} | OLD
    document |= {part: {"b": [1, 2], "a": None}}
    assert canonical_json(ModelMetadata.of(document).to_dict()) == canonical_json(document)
    assert list(ModelMetadata.of(document).to_dict()) == sorted(document)


def test_parts_that_a_model_lacks_are_not_written():
    written = ModelMetadata(sample_rate=8000).to_dict()
    assert not written.keys() & {"detector", "scores", "moments", "speakers", "moved", "updates", "extra"}
    assert written["seed"] is None and written["data"] == {}


def test_it_is_frozen_and_a_copy():
    training = {"passes": 3}
    metadata = ModelMetadata(training=training)
    training["passes"] = 4
    assert metadata.training == {"passes": 3}
    with pytest.raises(dataclasses.FrozenInstanceError):
        metadata.seed = 3


def test_keys_of_the_old_dictionary_are_still_found():
    metadata = ModelMetadata.of({"seed": 4, "room": "B"})
    assert metadata["seed"] == 4 and metadata["room"] == "B"
    assert "detector" not in metadata and "training" in metadata
    with pytest.raises(KeyError):
        metadata["detector"]


def test_what_is_no_json_is_refused():
    with pytest.raises(ModelFileError, match="metadata that is no JSON: Out of range float values"):
        ModelMetadata(training={"floor": float("nan")})


def test_a_sample_rate_that_is_needed_and_missing():
    assert ModelMetadata(sample_rate=8000).required_sample_rate == 8000
    with pytest.raises(ModelFileError, match="without a sample rate"):
        _ = ModelMetadata(frontend=json.loads("{}")).required_sample_rate
