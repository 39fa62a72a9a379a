"""Skewness: of known laws, and of differences of maps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import expon, skew

from moat.analysis.map_skewness import fisher_pearson, saliency_skewness
from moat.errors import InputError


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=40), st.floats(-50, 50))
def test_it_is_scipys_wherever_values_differ(values, shift):
    each = np.array(values)
    if each.std() < 1e-6 * max(1, np.abs(each).max()):
        return
    ours = fisher_pearson(torch.tensor(each + shift)[None]).item()
    assert ours == pytest.approx(skew(each + shift), abs=1e-6)


def test_a_known_skewed_law_has_its_value():
    """The exponential law has skewness 2: of its quantiles, nearly so."""
    law = expon.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert fisher_pearson(torch.tensor(law)[None]).item() == pytest.approx(2, abs=0.02)


def test_a_difference_that_is_even_around_its_mean_has_none():
    generator = torch.Generator().manual_seed(0)
    half = torch.rand(5, 1, 4, 8, generator=generator)
    reference = torch.rand(5, 1, 8, 8, generator=generator)
    difference = torch.cat([half, -half], dim=2) + 3
    found = saliency_skewness(reference + difference, reference)
    assert found.abs().max() < 1e-5


@pytest.mark.parametrize("kind", ["signed", "absolute"])
@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_equal_maps_have_none_and_exchange_changes_the_sign(kind, scale):
    maps = torch.randn(2, 6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    there = saliency_skewness(maps[0], maps[1].exp(), kind=kind, scale=scale)
    back = saliency_skewness(maps[1].exp(), maps[0], kind=kind, scale=scale)
    torch.testing.assert_close(there, -back)
    assert there.abs().min() > 0
    assert torch.equal(
        saliency_skewness(maps[0], maps[0], kind=kind, scale=scale), torch.zeros(6).double()
    )


def test_a_sparse_reference_makes_it_negative():
    dense = torch.full((1, 1, 8, 8), 0.1)
    sparse = torch.zeros(1, 1, 8, 8)
    sparse[..., 2, 3] = 1
    assert saliency_skewness(dense, sparse).item() < -5
    assert saliency_skewness(sparse, dense).item() > 5


def test_at_unit_length_larger_logits_change_nothing():
    maps, other = torch.randn(2, 6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        saliency_skewness(30 * maps, other, scale="unit"),
        saliency_skewness(maps, other, scale="unit"),
    )
    dead = torch.zeros_like(maps)
    assert saliency_skewness(dead, other, scale="unit").isfinite().all()


def test_maps_of_other_images_are_refused():
    with pytest.raises(InputError, match="Make both of the same images"):
        saliency_skewness(torch.zeros(2, 1, 8, 8), torch.zeros(3, 1, 8, 8))
