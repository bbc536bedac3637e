"""The bands behind features: what a front end did is undone, and what is lost is said."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.learning.frontend_bands import band_maps, mel_bands
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import ChoiceError

NOISE = np.random.default_rng(3).normal(size=4000).astype(np.float32) * np.linspace(0.05, 1, 4000, dtype="f4")


def logmel(**changes: object) -> np.ndarray:
    return FrontEnd.preset(
        "ambient", feature="logmel", cmvn="none", sample_scale=1.0, log_floor=1e-12, deltas=1, **changes
    )(NOISE, 8000)


@pytest.mark.parametrize("changes", [{}, {"lifter": 22.0}, {"log_scale": "db"}, {"spectrum": "magnitude"}])
@pytest.mark.parametrize("standardized", [False, True])
def test_all_cepstra_give_the_bands_back(changes: dict, standardized: bool) -> None:
    common = {"sample_scale": 1.0, "log_floor": 1e-12, "n_mfcc": 40, "deltas": 1} | changes
    frontend = FrontEnd.preset("ambient", cmvn="none", **common)
    if standardized:
        rng = np.random.default_rng(1)
        frontend = frontend.with_global(rng.normal(size=80), rng.uniform(0.5, 2, 80))
    changes.pop("lifter", None)
    unit = 1.0 if "log_scale" in changes else 10 / np.log(10)
    unit *= 2 if "spectrum" in changes else 1
    wanted = logmel(**changes) * unit
    frames = frontend(NOISE, 8000)
    for order in (0, 1):
        bands = mel_bands(frontend, 8000, order)
        assert bands is not None and bands.absolute
        np.testing.assert_allclose(bands.levels(frames), wanted[:, 40 * order : 40 * (order + 1)], atol=2e-3)


def test_logmel_is_a_selection_and_the_energy_before_it_is_passed_over() -> None:
    frontend = FrontEnd.preset("ambient", feature="logmel", energy="raw", cmvn="none", sample_scale=1.0)
    bands = mel_bands(frontend, 8000)
    assert bands is not None and not bands.matrix[:, 0].any()
    np.testing.assert_allclose(bands.matrix[:, 1:41], np.eye(40) * 10 / np.log(10))


def test_without_c0_levels_are_relative_to_their_mean() -> None:
    frontend = FrontEnd.preset(
        "ambient", n_mfcc=39, include_c0=False, cmvn="none", sample_scale=1.0, log_floor=1e-12
    )
    bands = mel_bands(frontend, 8000)
    assert bands is not None and not bands.absolute
    wanted = logmel()[:, :40] * 10 / np.log(10)
    found = bands.levels(frontend(NOISE, 8000))
    np.testing.assert_allclose(found, wanted - wanted.mean(axis=1, keepdims=True), atol=2e-3)


def test_kaldi_has_an_energy_in_place_of_c0() -> None:
    bands = mel_bands(FrontEnd.preset("kaldi"), 8000)
    assert bands is not None and not bands.absolute and not bands.matrix[:, 0].any()
    assert np.abs(bands.matrix.mean(axis=0)).max() < 1e-12


def test_edges_are_those_of_the_filters() -> None:
    from audiogmm.audio.frontend.mel import mel_filters

    frontend = FrontEnd.preset("ambient", n_fft=4096)
    bands = mel_bands(frontend, 8000)
    assert bands is not None
    filters = mel_filters(40, 4096, 8000, 20.0, 4000.0)
    for (low, center, high), weights in zip(bands.hertz, filters, strict=True):
        used = np.flatnonzero(weights) * 8000 / 4096
        assert low < used[0] and used[-1] < high
        assert abs(np.argmax(weights) * 8000 / 4096 - center) <= 2


def test_warped_features_have_no_bands_and_orders_are_checked() -> None:
    assert band_maps(FrontEnd.preset("speech", cmvn="warping", sample_rate=8000)) == ()
    assert band_maps(None) == band_maps(FrontEnd.preset("ambient")) == ()
    assert len(band_maps(FrontEnd.preset("ambient", sample_rate=8000))) == 3
    with pytest.raises(ChoiceError, match="behind warped features"):
        mel_bands(FrontEnd.preset("speech", cmvn="warping"), 8000)
    with pytest.raises(ChoiceError, match=r"order 3.*\n?.*0 to 2"):
        mel_bands(FrontEnd.preset("ambient"), 8000, 3)


def test_a_frame_gets_the_same_bytes_in_any_block() -> None:
    rng = np.random.default_rng(0)
    bands = BandMap(rng.normal(size=(7, 39)), rng.normal(size=7), np.zeros((7, 3)), True)
    frames = rng.normal(size=(101, 39)).astype(np.float32)
    whole = bands.levels(frames)
    assert whole.tobytes() == np.concatenate([bands.levels(frame[None]) for frame in frames]).tobytes()
    np.testing.assert_allclose(whole, frames @ bands.matrix.T + bands.offset, rtol=1e-5, atol=1e-5)


def test_groups_are_means_of_neighbors() -> None:
    rng = np.random.default_rng(0)
    bands = BandMap(rng.normal(size=(7, 3)), rng.normal(size=7), np.arange(21.0).reshape(7, 3), True)
    frames = rng.normal(size=(5, 3)).astype(np.float32)
    levels = bands.levels(frames)
    wanted = np.stack([levels[:, :2].mean(1), levels[:, 2:5].mean(1), levels[:, 5:].mean(1)], axis=1)
    np.testing.assert_allclose(bands.grouped(3).levels(frames), wanted)
    with pytest.raises(ChoiceError, match="8 groups of 7 bands"):
        bands.grouped(8)
