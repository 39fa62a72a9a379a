"""The skewness of saliency differences along models, against a reference."""

from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn

from moat.analysis import (
    SaliencySettings,
    SkewnessSettings,
    saliency,
    saliency_skewness,
    skewness,
)
from moat.errors import AnalysisError


def linear(seed: int, power: int = 1) -> nn.Module:
    """A linear model whose weights are powers of normal draws: the higher, the sparser."""
    made = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    drawn = torch.randn(10, 64, generator=torch.Generator().manual_seed(seed))
    made[1].weight.data = drawn.abs() ** power
    return made


def test_the_numbers_are_those_of_the_maps(network, batch, protocol):
    models = {name: network(seed) for seed, name in enumerate("abc")}
    found = skewness(models, batch, protocol, settings=SkewnessSettings(reference="b", copies=3))
    maps = saliency(
        models, batch, protocol, settings=SaliencySettings(examples=tuple(range(12)), copies=3)
    )["map"]
    assert found.coordinates("model") == ["a", "c"]
    for place, model in enumerate((0, 2)):
        own, reference = torch.from_numpy(maps[model]), torch.from_numpy(maps[1])
        expected = saliency_skewness(own, reference, kind="absolute", scale="unit")
        np.testing.assert_allclose(found["skewness"][place, 1, 1], expected.numpy(), rtol=1e-3)
    np.testing.assert_allclose(found["median"], np.median(found["skewness"], axis=-1))


def test_sparser_models_rise_along_their_order(batch, protocol):
    models = {f"power {power}": linear(power, power) for power in (1, 2, 4, 8)}
    found = skewness(models, batch, protocol, settings=SkewnessSettings(copies=2))
    assert (np.diff(found["median"][:, 1, 1]) > 0).all()
    texts = {one.text: one for one in found.findings}
    name = "absolute unit maps: power 8 is sparser than power 1; median skewness"
    assert texts[name].low > 0
    trend = texts["absolute unit maps, power 2 to power 8: rank correlation of median and order"]
    assert trend.value == pytest.approx(1)


def test_a_model_against_itself_has_no_skewness(network, batch, protocol):
    models = {"a": network(0), "same": network(0)}
    found = skewness(models, batch, protocol, settings=SkewnessSettings(copies=2))
    assert np.abs(found["skewness"]).max() == 0
    assert [one.text for one in found.findings] == [
        "signed raw maps: same minus a; median skewness",
        "absolute unit maps: same is as sparse, within the interval, as a; median skewness",
    ]


def test_images_are_kept_in_parts(network, batch, protocol, monkeypatch):
    monkeypatch.setattr(import_module("moat.analysis.skewness"), "TOGETHER", 5)
    kept = {}

    class Parts:
        def load(self, key):
            return kept.get(key)

        def save(self, key, arrays):
            kept[key] = arrays

    models = {"a": network(0), "b": network(1)}
    how, told = SkewnessSettings(copies=2), []
    whole = skewness(
        models,
        batch,
        protocol,
        settings=how,
        parts=Parts(),
        progress=lambda done, of: told.append(done / of),
    )
    assert list(kept) == ["a/0", "a/5", "a/10"]
    assert told[-1] == pytest.approx(1)
    again = skewness(models, batch, protocol, settings=how, parts=Parts())
    np.testing.assert_array_equal(again["skewness"], whole["skewness"])


def test_one_model_and_an_unknown_reference_are_refused(network, batch, protocol):
    with pytest.raises(AnalysisError, match="needs two or more, not 1"):
        skewness({"a": network()}, batch, protocol)
    models = {"natural": network(0), "b": network(1)}
    with pytest.raises(
        AnalysisError, match=r"no model is called 'natrual'\. Did you mean 'natural"
    ):
        skewness(models, batch, protocol, settings=SkewnessSettings(reference="natrual"))
