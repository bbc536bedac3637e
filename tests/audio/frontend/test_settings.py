"""A front end's settings: presets, files, and what is refused."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.presets import PRESETS
from audiogmm.errors import ChoiceError, FrontEndError, MismatchError


def test_presets_are_what_the_design_says():
    speech, ambient = FrontEnd.preset("speech"), FrontEnd.preset("ambient")
    assert speech == FrontEnd()
    assert speech.n_features(8000) == 40
    assert (speech.cmvn, speech.vad) == ("none", "energy")
    assert ambient.deltas == 2
    assert speech.sizes(16000) == (400, 160, 512)
    assert speech.band(8000) == (100.0, 3800.0)
    assert speech.band(44100) == (20.0, 7600.0)
    assert ambient.sizes(8000) == (200, 80, 256)
    assert (ambient.cmvn, ambient.vad) == ("global", "none")
    assert (
        FrontEnd.preset("librosa").sizes(8000) == FrontEnd.preset("librosa").sizes(48000) == (2048, 512, 2048)
    )
    assert FrontEnd.preset("kaldi").dither == 0


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_files_and_pickles(name):
    frontend = FrontEnd.preset(name, sample_rate=8000, fmax=-200.5)
    for copy in (
        FrontEnd.from_toml(frontend.to_toml()),
        FrontEnd.from_dict(frontend.to_dict()),
        pickle.loads(pickle.dumps(frontend)),
    ):
        assert copy == frontend
        assert copy.fingerprint == frontend.fingerprint
        assert hash(copy) == hash(frontend)


def test_global_statistics_survive_exactly(tmp_path):
    mean = [1 / 3 + i for i in range(39)]
    frontend = FrontEnd.preset("ambient").with_global(mean, [0.1 + i for i in range(38)] + [0.0])
    path = tmp_path / "frontend.toml"
    path.write_text(frontend.to_toml())
    assert FrontEnd.from_toml(path) == frontend
    assert frontend.cmvn_mean == tuple(mean)
    assert frontend.cmvn_scale[-1] == 1.0
    assert frontend.without_global().fingerprint == FrontEnd.preset("ambient").without_global().fingerprint
    assert frontend.without_global().cmvn == "none"


def test_every_setting_is_in_the_fingerprint():
    base = FrontEnd()
    others = {
        bool: lambda x: not x,
        int: lambda x: x + 1,
        float: lambda x: x * 1.5 + 0.125,
    }
    changed = 0
    for field in dataclasses.fields(base):
        value = getattr(base, field.name)
        if type(value) in others:
            other = dataclasses.replace(base, **{field.name: others[type(value)](value)})
            assert other.fingerprint != base.fingerprint, field.name
            assert len(base.difference(other)) == 1
            changed += 1
    assert changed > 20


def test_whole_numbers_count_as_real_ones():
    assert FrontEnd(preemphasis=0, cmvn_window=3).fingerprint == FrontEnd(preemphasis=0.0).fingerprint


def test_difference_names_both_values():
    assert FrontEnd(n_mfcc=13).difference(FrontEnd()) == ["n_mfcc: 13 != 20"]


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"window": "ham"}, ["window = 'ham'", "'hamming'"]),
        ({"feature": "mfc"}, ["feature = 'mfc'", "'mfcc'"]),
        ({"cmvn": "slide"}, ["'slide'", "'sliding'"]),
        ({"n_mels": 2.5}, ["n_mels = 2.5", "type int"]),
        ({"n_mels": True}, ["n_mels = True", "type int"]),
        ({"remove_dc": 1}, ["remove_dc = 1", "type bool"]),
        ({"hop_length": 0}, ["hop_length = 0.0", "more than 0"]),
        ({"hop_length": float("nan")}, ["hop_length = nan"]),
        ({"deltas": -1}, ["deltas = -1", "at least 0"]),
        ({"sample_rate": 0}, ["sample_rate = 0", "at least 1"]),
        ({"cmvn_mean": ["a"]}, ["cmvn_mean = ['a']", "finite numbers"]),
    ],
)
def test_wrong_values_are_refused_by_name(settings, needed):
    with pytest.raises(ChoiceError) as caught:
        FrontEnd(**settings)
    assert all(part in str(caught.value) for part in needed), caught.value


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"n_mfcc": 30}, ["n_mfcc = 30 (c1 to c30)", "n_mels = 30", "n_mels = 31 or more"]),
        ({"energy": "raw"}, ["energy = 'raw'", "include_c0 = False"]),
        ({"fmin": 400.0, "fmax": 300.0}, ["fmin = 400.0", "fmax = 300.0"]),
        ({"length_unit": "samples"}, ["frame_length = 0.025", "whole numbers"]),
        ({"cmvn_mean": (0.0,) * 40, "cmvn_scale": (1.0,) * 40}, ["'none'", "40 dimensions"]),
        ({"cmvn": "global", "cmvn_mean": (0.0,), "cmvn_scale": (1.0,)}, ["1 and 1 dim", "40 dim"]),
    ],
)
def test_contradictions_are_refused(settings, needed):
    with pytest.raises(FrontEndError) as caught:
        FrontEnd(**settings)
    assert all(part in str(caught.value) for part in needed), caught.value


@pytest.mark.parametrize(
    ("settings", "rate", "needed"),
    [
        ({"fmax": 5000.0}, 8000, ["5000 Hz", "8000 Hz", "4000 Hz"]),
        ({"n_fft": 256}, 16000, ["n_fft = 256", "400 samples", "n_fft = 512"]),
        ({"hop_length": 1e-5}, 8000, ["1e-05", "8000 Hz"]),
        ({"n_mels": 200}, 8000, ["mel band 0 of 200", "n_fft=256", "fewer n_mels"]),
    ],
)
def test_what_cannot_work_at_a_rate_is_refused_there(settings, rate, needed):
    frontend = FrontEnd(**settings)
    with pytest.raises(FrontEndError) as caught:
        frontend.stream(rate)
    assert all(part in str(caught.value) for part in needed), caught.value


def test_unknown_names_bring_the_nearest():
    with pytest.raises(ChoiceError, match=r"'n_mell'.*try: 'n_mels'"):
        FrontEnd.from_dict({"n_mell": 3})
    with pytest.raises(ChoiceError, match="'hop'"):
        FrontEnd.from_toml("hop = 3")
    with pytest.raises(ChoiceError, match=r"'ambiant'.*try: 'ambient'"):
        FrontEnd.preset("ambiant")


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("n_mels = ")
    with pytest.raises(FrontEndError, match=r"broken\.toml.*TOML"):
        FrontEnd.from_toml(path)
    with pytest.raises(FrontEndError, match=r"none\.toml"):
        FrontEnd.from_toml(tmp_path / "none.toml")


def test_a_lower_rate_is_refused_with_both_named():
    with pytest.raises(MismatchError, match=r"8000 Hz.*16000 Hz.*--upsample"):
        FrontEnd(sample_rate=16000).stream(8000)
