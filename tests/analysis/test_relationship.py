"""Relationship and overfitting: trends of scores along a strength, from outcomes alone."""

import numpy as np
import pytest

from moat.analysis import overfitting, relationship
from moat.errors import AnalysisError
from moat.outcomes import Column, Outcomes, robustness_score

COLUMNS = (Column("natural", 0), *(Column(t, n) for t in ("flow", "rt") for n in (2, 4)))


def outcomes_of(flow, rt, right=190, examples=200, seed=0, ids=None):
    """Return outcomes of which so many examples withstand each threat's weaker search."""
    order = np.random.default_rng(seed).permutation(examples)
    counts = (right, flow, flow // 2, rt, rt // 2)
    values = np.stack([order < count for count in counts], 1)
    return Outcomes(values.astype(np.int8), COLUMNS, np.arange(examples) if ids is None else ids)


def study(flow=(40, 80, 120, 160), rt=(160, 120, 80, 40), seeds=1, **more):
    return {
        float(place): {
            seed: outcomes_of(f + seed, r + seed, seed=seed, **more) for seed in range(seeds)
        }
        for place, (f, r) in enumerate(zip(flow, rt, strict=True))
    }


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("conditional", [True, False])
def test_what_rises_and_what_falls_is_told_apart(seeds, conditional):
    runs = study(seeds=seeds)
    found = relationship(runs, conditional=conditional, strength="steps")
    assert found["correlation"].tolist() == [1, -1]
    assert found["correlation_low"][0] > 0 > found["correlation_high"][1]
    assert found["change_low"][0] > 0 > found["change_high"][1]
    assert [one.text for one in found.findings] == [
        "the robustness to flow rises with steps: rank correlation",
        "the robustness to rt falls as steps grows: rank correlation",
    ]
    expected = [
        [
            np.mean([robustness_score(o, t, conditional=conditional) for o in seeds.values()])
            for seeds in runs.values()
        ]
        for t in ("flow", "rt")
    ]
    np.testing.assert_allclose(found["score"], expected)
    assert found.coordinates("search") == [
        *("flow, 2 iterations", "flow, 4 iterations"),
        *("rt, 2 iterations", "rt, 4 iterations"),
    ]
    assert (found["accuracy_low"] < found["accuracy"]).all()
    assert (found["accuracy"] < found["accuracy_high"]).all()
    assert found.settings["interval_over"] == ("examples" if seeds == 1 else "examples and seeds")


def test_a_flat_line_is_open():
    found = relationship(study(flow=(90, 92, 89, 91)), threats=["flow"])
    (finding,) = found.findings
    assert finding.text.startswith("whether the robustness to flow rises or falls with strength is")
    assert finding.low < 0 < finding.high


def test_two_seeds_have_no_interval():
    found = relationship(study(seeds=2))
    assert np.isnan(found["correlation_low"]).all()
    assert np.isnan(found["accuracy_high"]).all()
    assert all(finding.low is None for finding in found.findings)


def test_the_order_of_the_strengths_does_not_matter():
    runs = study()
    turned = dict(reversed(runs.items()))
    one, other = relationship(runs), relationship(turned)
    for name in one.arrays:
        np.testing.assert_array_equal(one[name], other[name])


def test_a_gap_that_vanishes_is_found_and_what_is_left_of_it():
    ours = study(flow=(160, 120, 80, 60), rt=(150, 120, 90, 50), seeds=3)
    theirs = study(flow=(40, 50, 60, 60), rt=(50, 50, 50, 20), seeds=3)
    wins = {place: {"flow": 80.0 - 20 * place, "rt": 20.0 + 20 * place} for place in ours}
    found = overfitting(ours, theirs, strength="epsilon", wins=wins)
    assert found["correlation"].item() == -1
    assert found["correlation_high"].item() < 0
    assert [one.text for one in found.findings] == [
        "the gap between the variants shrinks as epsilon grows: rank correlation",
        "flow: no difference is shown at epsilon 3",
        "rt: a difference is left at epsilon 3",
    ]
    assert found["difference"].shape == (2, 4)
    assert found["wins"].tolist() == [[80, 60, 40, 20], [20, 40, 60, 80]]
    np.testing.assert_allclose(found["gap"], np.abs(found["difference"]).mean(0))


def test_a_variant_differs_from_itself_by_nothing():
    found = overfitting(study(seeds=3), study(seeds=3))
    assert not found["difference"].any()
    assert found["correlation"].item() == 0
    assert found.findings[0].text.startswith("whether the gap")
    assert (found["difference_low"] < 0).all()  # other examples might tell them apart


def of_noise(rng):
    """Return outcomes of 200 examples that withstand either threat by chance alone."""
    values = np.ones((200, 3), np.int8)
    values[:, 1:] = rng.random((200, 2)) < 0.5
    columns = (Column("natural", 0), Column("flow", 5), Column("rt", 5))
    return Outcomes(values, columns, np.arange(200))


def test_the_interval_of_a_gap_reaches_0_where_it_is_noise_and_not_where_it_is_large():
    rng = np.random.default_rng(0)
    one, other = ({place: {0: of_noise(rng)} for place in range(20)} for _ in range(2))
    noise = overfitting(one, other)
    assert (noise["gap"] > 0).all()
    assert (noise["gap_low"] == 0).mean() >= 0.9
    large = overfitting(study(flow=(190,) * 4, rt=(190,) * 4), study(flow=(20,) * 4, rt=(20,) * 4))
    assert (large["gap_low"] > 50).all()
    for found in (noise, large):
        assert (found["gap_low"] <= found["gap"]).all()
        assert (found["gap"] <= found["gap_high"]).all()


def test_the_gap_of_two_seeds_has_no_interval():
    found = overfitting(study(seeds=2), study(seeds=2))
    assert np.isnan(found["gap_low"]).all()
    assert np.isnan(found["gap_high"]).all()


def test_seeds_are_paired_and_strengths_of_one_variant_alone_left_out():
    ours, theirs = study(seeds=3), {**study(seeds=1), 9.0: {0: outcomes_of(1, 1)}}
    found = overfitting(ours, theirs)
    assert found.coordinates("strength") == [0, 1, 2, 3]
    assert not found["difference"].any()  # seed 0 against seed 0


@pytest.mark.parametrize(
    ("runs", "words", "message"),
    [
        (
            dict(list(study().items())[:1]),
            {},
            "steps: a trend needs runs at 3 strengths or more, not 1: 0.\n"
            "  Name the folder of a study whose variant sweeps a strength, such as "
            "recipes/digits_figures.toml.",
        ),
        ({}, {}, "steps: a trend needs runs at 3 strengths or more, not 0: none.\n"),
        ({**study(), 7.0: {}}, {}, "steps: a run is missing at strength 7.\n"),
        (
            study(),
            {"threats": ["flwo"]},
            "threats: a run was not evaluated under 'flwo'. Did you mean 'flow'?\n"
            "  evaluated: flow, rt",
        ),
        (
            {**study(), 7.0: {0: outcomes_of(1, 1, right=0)}},
            {},
            "runs: a run classifies no test example correctly, so it has no accuracy among these.\n"
            '  Take the accuracy among all examples: measure = "accuracy".',
        ),
    ],
)
def test_runs_without_a_trend_are_refused(runs, words, message):
    with pytest.raises(AnalysisError) as caught:
        relationship(runs, strength="steps", **words)
    assert str(caught.value).startswith(message)


def test_runs_without_a_common_threat_are_refused():
    other = Outcomes(np.ones((200, 1), np.int8), COLUMNS[:1], np.arange(200))
    with pytest.raises(AnalysisError) as caught:
        relationship({**study(), 7.0: {0: other}})
    assert str(caught.value) == (
        "threats: the runs were evaluated under no common threat.\n"
        "  Evaluate them under one protocol: moat evaluate RUN --protocol FILE"
    )


def test_runs_on_other_examples_are_refused():
    runs = {**study(), 7.0: {0: outcomes_of(1, 1, ids=np.arange(1, 201))}}
    for call in (lambda: relationship(runs), lambda: overfitting(study(), study(examples=199))):
        with pytest.raises(AnalysisError) as caught:
            call()
        assert str(caught.value) == (
            "runs: the runs were evaluated on different test examples, so they cannot be "
            "compared.\n  Evaluate them under one protocol: moat evaluate RUN --protocol FILE"
        )
    with pytest.raises(AnalysisError, match="not 0: none"):
        overfitting(study(), {9.0: {0: outcomes_of(1, 1)}})
