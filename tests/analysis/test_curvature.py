"""The curvature of models under a protocol, and the comparison of threats on the same examples."""

import numpy as np
import pytest
import torch
from torch import nn

from moat.analysis import CurvatureSettings, Lanczos, curvature, loss_curvature
from moat.errors import InputError
from moat.threats import PGD, RT

FEW = CurvatureSettings(threats=("rt", "flow"), examples=4, products=8)


def test_the_numbers_are_those_of_each_model_and_threat(network, batch, protocol):
    found = curvature({"a": network(0), "b": network(1)}, batch, protocol, settings=FEW)
    assert found["lowest"].shape == (2, 2, 2, 4)
    ids = found.coordinates("example")
    own = loss_curvature(
        network(1),
        RT(epsilon=0.2, step_size=0.1, steps=2),
        batch[0][ids],
        batch[1][ids],
        at="end",
        settings=Lanczos(steps=8),
    )
    np.testing.assert_allclose(found["highest"][1, 0, 1], own.highest.numpy(), rtol=1e-3)
    np.testing.assert_allclose(found["negative"][1, 0, 1], 100 * own.negative.numpy())
    np.testing.assert_allclose(found["median_lowest"], np.median(found["lowest"], axis=-1))
    shares = found["negative"] + found["positive"]
    assert (shares <= 100 + 1e-9).all()


def test_convexity_is_1_for_a_convex_loss_and_compares_threats_by_example(network, batch, protocol):
    """The loss of a linear model is convex in additive noise; in a warp it need not be."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    how = CurvatureSettings(threats=("rt", "pgd"), examples=6, products=8)
    found = curvature({"linear": linear}, batch, protocol, settings=how)
    np.testing.assert_allclose(found["convexity"][0, 1], 1, atol=1e-3)
    assert (found["convexity"][0, 0] < 1).any()
    (start, end) = found.findings
    assert start.text == "linear, start: convexity (1 convex, -1 concave), pgd minus rt"
    apart = found["convexity"][0, 1, 1] - found["convexity"][0, 0, 1]
    assert end.value == pytest.approx(apart.mean())
    assert end.low <= end.value <= end.high


def test_a_flat_loss_has_no_convexity_and_no_finding(batch):
    """Logits that do not depend on the image have no curvature of either sign."""

    class Flat(nn.Module):
        def forward(self, x):
            return torch.zeros(len(x), 10) + 0 * x.flatten(1)[:, :10]

    pgd = PGD(epsilon=0.1, step_size=0.1, steps=1)
    found = curvature({"flat": Flat()}, batch, pgd, settings=CurvatureSettings(examples=2))
    assert found["highest"].max() == 0
    assert np.isnan(found["convexity"]).all()
    assert np.isnan(found["median_convexity"]).all()


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="products is 0"):
        CurvatureSettings(products=0)
