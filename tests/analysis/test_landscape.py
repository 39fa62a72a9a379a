"""Landscapes of models under a protocol: views, means, peaks, parts."""

import numpy as np
import pytest
import torch

from moat.analysis import LandscapeSettings, SurfaceGrid, landscape, loss_surfaces
from moat.analysis.landscape import local_maxima
from moat.errors import AnalysisError, InputError
from moat.evaluation import Protocol
from moat.threats import RT, RTGrid

FEW = LandscapeSettings(threats=("rt", "pgd"), examples=3, points=5)


class InMemory:
    def __init__(self):
        self.kept = {}

    def load(self, key):
        return self.kept.get(key)

    def save(self, key, arrays):
        self.kept[key] = arrays


def test_the_surfaces_are_those_of_each_model_threat_and_view(network, batch, protocol):
    models = {"a": network(0), "b": network(1)}
    found = landscape(models, batch, protocol, settings=FEW)
    assert found["loss"].shape == (2, 2, 3, 3, 5, 5)
    assert found.coordinates("threat") == ["rt", "pgd"]
    ids = found.coordinates("example")
    own = loss_surfaces(
        models["b"],
        RT(epsilon=0.2, step_size=0.1, steps=2),
        batch[0][ids],
        batch[1][ids],
        view="end",
        grid=SurfaceGrid(points=5),
    )
    assert found["loss"][1, 0, 2, :, 2, 2] == pytest.approx(own[:, 2, 2].numpy(), rel=1e-5)
    np.testing.assert_allclose(found["mean"], found["loss"].mean(3), rtol=1e-6)
    assert np.isnan(found["mean_peaks_low"]).all()
    assert [one.text for one in found.findings][:2] == [
        "a, far: local maxima on the surface, pgd minus rt",
        "a, near: local maxima on the surface, pgd minus rt",
    ]


def test_the_search_ends_at_the_largest_count_of_the_protocol(network, batch):
    short = RT(epsilon=0.2, step_size=0.1, steps=1)
    how = LandscapeSettings(examples=3, points=3, views=("end",))
    stated = Protocol({"rt": short}, at_steps={"rt": (1, 3)})
    found = landscape({"a": network()}, batch, stated, settings=how)
    three = Protocol({"rt": RT(epsilon=0.2, step_size=0.1, steps=3)})
    np.testing.assert_array_equal(
        found["loss"], landscape({"a": network()}, batch, three, settings=how)["loss"]
    )


def test_a_surface_of_many_hills_has_as_many_peaks():
    place = np.linspace(0, 3 * np.pi, 61)
    hills = np.sin(place)[:, None] ** 2 * np.sin(place) ** 2
    assert local_maxima(hills) == 9
    assert local_maxima(np.zeros((2, 5, 5))).tolist() == [0, 0]


def test_finished_threats_are_taken_up_and_progress_reaches_the_end(network, batch, protocol):
    parts, told = InMemory(), []
    first = landscape(
        {"a": network()},
        batch,
        protocol,
        settings=FEW,
        parts=parts,
        progress=lambda done, of: told.append((done, of)),
    )
    assert sorted(parts.kept) == ["a/pgd", "a/rt"]
    assert told[-1][0] == pytest.approx(told[-1][1])
    parts.kept["a/rt"] = {"loss": parts.kept["a/rt"]["loss"] + 1}
    again = landscape({"a": network()}, batch, protocol, settings=FEW, parts=parts)
    assert (again["loss"][:, 0] == first["loss"][:, 0] + 1).all()
    assert (again["loss"][:, 1] == first["loss"][:, 1]).all()


def test_threats_without_a_gradient_are_left_out_unless_they_are_named(network, batch):
    stated = Protocol({"grid": RTGrid(degrees=10.0), "rt": RT(epsilon=0.2, step_size=0.1, steps=1)})
    how = {"examples": 2, "points": 3}
    found = landscape({"a": network()}, batch, stated, settings=LandscapeSettings(**how))
    assert found.coordinates("threat") == ["rt"]
    with pytest.raises(InputError, match="'grid' has no gradient"):
        landscape(
            {"a": network()}, batch, stated, settings=LandscapeSettings(threats=("grid",), **how)
        )
    alone = Protocol({"grid": RTGrid(degrees=10.0)})
    with pytest.raises(AnalysisError, match="no threat that is searched by gradients"):
        landscape({"a": network()}, batch, alone, settings=LandscapeSettings(**how))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threats": ("flwo",)}, "no threat labelled 'flwo'. Did you mean 'flow'"),
        ({"examples": 13}, "13 test examples are asked for, and the protocol evaluates 12"),
        ({"examples": 0}, "0 test examples are asked for"),
        ({"examples": (3, 12)}, "the test set has no example 12: its 12 ids lie between 0 and 11."),
    ],
)
def test_bad_input_is_refused_with_the_mend(network, batch, protocol, settings, message):
    with pytest.raises(AnalysisError, match=message.replace(".", r"\.")):
        landscape({"a": network()}, batch, protocol, settings=LandscapeSettings(**settings))


def test_views_are_checked_before_anything_is_loaded():
    with pytest.raises(InputError, match="no view is called 'start'"):
        LandscapeSettings(views=("start",))
    with pytest.raises(AnalysisError, match="a landscape needs a view"):
        LandscapeSettings(views=())
    with pytest.raises(InputError, match="an odd number"):
        LandscapeSettings(points=4)


def test_chosen_examples_are_looked_at_in_the_order_of_the_test_set(network, batch, protocol):
    how = LandscapeSettings(threats=("rt",), examples=(7, 2), points=3, views=("far",))
    found = landscape({"a": network()}, batch, protocol, settings=how)
    assert found.coordinates("example") == [2, 7]
    with torch.no_grad():
        natural = torch.nn.functional.cross_entropy(
            network()(batch[0][[2, 7]]), batch[1][[2, 7]], reduction="none"
        )
    np.testing.assert_allclose(found["loss"][0, 0, 0, :, 1, 1], natural.numpy(), rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_of_too_few_examples_a_note_says_that_there_is_no_interval(network, batch, protocol, count):
    few = LandscapeSettings(threats=("rt", "pgd"), examples=count, points=3, views=("far",))
    found = landscape({"a": network()}, batch, protocol, settings=few)
    has_interval = count >= 6
    assert np.isfinite(found["mean_peaks_low"]).all() == has_interval
    if has_interval:
        assert (found["mean_peaks_low"] <= found["mean_peaks"]).all()
    assert all((one.low is not None) == has_interval for one in found.findings)
    assert any("An interval takes" in note for note in found.notes) != has_interval
