"""Halves of a component stand in for one that has emptied."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.splitting import grow_mixture, rescue_components, split_component
from tests.mixture.test_gaussian import draw

forms = pytest.mark.parametrize("form", FORMS)


def _closest(mixture):
    """Least distance between two means."""
    distances = np.linalg.norm(mixture.means[:, None] - mixture.means, axis=2)
    return distances[~np.eye(mixture.n_components, dtype=bool)].min()


@forms
def test_a_split_keeps_the_weight_and_the_mean_of_its_whole(form):
    drawn = draw(form)
    mixture = Mixture([0.7, 0.3, 0.0], drawn.means, drawn.covariances, form)
    halves = split_component(mixture, component=0, into=2)
    np.testing.assert_allclose(halves.weights, [0.35, 0.3, 0.35])
    np.testing.assert_allclose((halves.means[0] + halves.means[2]) / 2, mixture.means[0])
    np.testing.assert_array_equal(halves.means[1], mixture.means[1])
    if form != "tied":
        np.testing.assert_array_equal(halves.covariances[[0, 2]], mixture.covariances[[0, 0]])
    np.testing.assert_array_equal(halves.covariances[1], mixture.covariances[1])


@pytest.mark.parametrize("form", ["full", "tied"])
def test_halves_part_along_the_longest_axis(form):
    covariance = np.array([[5.0, 4.0], [4.0, 5.0]])  # longest along (1, 1), with variance 9
    covariances = covariance if form == "tied" else [covariance, np.eye(2)]
    halves = split_component(Mixture([1.0, 0.0], np.zeros((2, 2)), covariances, form), 0, 1, step=1.0)
    np.testing.assert_allclose(halves.means, [[3 / np.sqrt(2)] * 2, [-3 / np.sqrt(2)] * 2])


@forms
def test_every_emptied_component_is_rescued(form):
    drawn = draw(form, K=4)
    mixture = Mixture([0.0, 1e-9, 0.4, 0.6 - 1e-9], drawn.means, drawn.covariances, form)
    rescued = rescue_components(mixture, [0, 1])
    np.testing.assert_allclose(rescued.weights, [0.3, 0.2, 0.2, 0.3], rtol=1e-6)
    assert _closest(rescued) > 0.05
    assert rescue_components(mixture, []) is mixture
    # the first to be replaced is the heaviest, and gives nothing: all comes from the one that is left
    np.testing.assert_allclose(rescue_components(mixture, [3, 0, 1]).weights, 0.25, rtol=1e-6)


@forms
def test_growing_splits_the_heaviest(form):
    mixture = draw(form, K=1)
    grown = grow_mixture(mixture, 5)  # so that halves of halves, along one axis, are among them
    np.testing.assert_allclose(np.sort(grown.weights), [0.125, 0.125, 0.25, 0.25, 0.25])
    assert grown.covariances.shape == FORMS[form].shape(5, 4)
    assert _closest(grown) > 0.05
    np.testing.assert_allclose(grown.weights @ grown.means, mixture.means[0])


def test_what_cannot_be_split_is_refused():
    mixture = Mixture([1.0, 0.0], np.zeros((2, 1)), np.ones(2), "spherical")
    with pytest.raises(MixtureError, match="component 1 has no weight"):
        split_component(mixture, component=1, into=0)
    with pytest.raises(
        MixtureError, match=r"component 0 split into component 0; needed: two different .* 0 to 1"
    ):
        split_component(mixture, component=0, into=0)
    with pytest.raises(MixtureError, match="component 2 split into"):
        split_component(mixture, component=2, into=0)
    with pytest.raises(ChoiceError, match="2 components grown to 1; needed: at least 2"):
        grow_mixture(mixture, 1)
