"""Saliency maps of several models, side by side."""

import numpy as np
import pytest
from torch import nn

from moat.analysis import SaliencySettings, SmoothGrad, saliency, saliency_maps
from moat.errors import AnalysisError, InputError


def test_the_maps_are_those_of_each_model_for_the_same_images(network, batch, protocol):
    models = {"a": network(0), "b": network(1)}
    how = SaliencySettings(examples=(3, 8), copies=5)
    found = saliency(models, batch, protocol, settings=how)
    own = saliency_maps(
        models["b"], batch[0][[3, 8]], batch[1][[3, 8]], settings=SmoothGrad(copies=5)
    )
    assert found["map"].shape == (2, 2, 1, 8, 8)
    assert found["label"].tolist() == batch[1][[3, 8]].tolist()
    np.testing.assert_allclose(found["image"], batch[0][[3, 8]].numpy(), atol=1 / 255)
    assert not np.allclose(found["map"][1], own.numpy())  # noise by the id, not the place


def test_a_linear_model_shows_its_weights(batch, protocol):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    found = saliency({"a": linear}, batch, protocol, settings=SaliencySettings(copies=3))
    weights = linear[1].weight.detach().numpy()[found["label"]]
    np.testing.assert_allclose(found["map"][0], weights.reshape(-1, 1, 8, 8), atol=1e-5)


def test_an_id_beyond_the_test_set_is_refused(network, batch, protocol):
    with pytest.raises(AnalysisError, match="the test set has no example 99"):
        saliency({"a": network()}, batch, protocol, settings=SaliencySettings(examples=(99,)))
    with pytest.raises(InputError, match="copies is 0"):
        SaliencySettings(copies=0)
